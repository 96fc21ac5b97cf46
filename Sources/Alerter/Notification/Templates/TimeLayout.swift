import Numbers

/// Go's layouts of times: the reference time written as it should look, Monday 2 January 15:04:05 2006 in the zone MST, −0700.
///
///     "Mon Jan _2 15:04:05.000"  →  "Fri Jan  2 03:04:05.678"
///
/// Source: documentation of Go's package `time`, “Constants”.
enum TimeLayout {
    static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    /// Words of the reference time. Longer ones come first, so that the first that fits is the one.
    private static let words = [
        "January", "Jan", "Monday", "Mon", "MST", "2006", "002", "__2", "_2", "Z07:00:00", "-07:00:00", "Z070000", "-070000",
        "Z07:00", "-07:00", "Z0700", "-0700", "Z07", "-07", "01", "02", "03", "04", "05", "06", "15", "PM", "pm", "1", "2",
        "3", "4", "5",
    ].map { (text: $0, bytes: Array($0.utf8)) }

    static func format(_ time: TemplateTime, _ layout: String) -> String {
        let civil = time.civil
        let bytes = Array(layout.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if let count = fraction(bytes, index) {
                result += decimals(time.nanoseconds, count, mark: bytes[index], isTrimmed: bytes[index + 1] == UInt8(ascii: "9"))
                index += count + 1
            } else if let word = word(in: bytes, at: index) {
                result += Array(text(of: word.text, time, civil).utf8)
                index += word.bytes.count
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    static func dayOfYear(_ civil: TimeText.Civil) -> Int {
        Int(
            TimeText.days(year: civil.year, month: civil.month, day: civil.day)
                - TimeText.days(year: civil.year, month: 1, day: 1)) + 1
    }

    private static func word(in bytes: [UInt8], at index: Int) -> (text: String, bytes: [UInt8])? {
        words.first { word in
            guard bytes[index...].starts(with: word.bytes) else { return false }
            let next = index + word.bytes.count < bytes.count ? bytes[index + word.bytes.count] : 0
            switch word.text {
            // `Janet` is no month.
            case "Jan", "Mon": return !(UInt8(ascii: "a")...UInt8(ascii: "z")).contains(next)
            // `_2006` is an underscore and a year.
            case "_2": return !bytes[index...].starts(with: "_2006".utf8)
            default: return true
            }
        }
    }

    /// `.000` or `,999` that no further digit follows: the number of its digits.
    private static func fraction(_ bytes: [UInt8], _ index: Int) -> Int? {
        guard bytes[index] == UInt8(ascii: ".") || bytes[index] == UInt8(ascii: ","), index + 1 < bytes.count else { return nil }
        let digit = bytes[index + 1]
        guard digit == UInt8(ascii: "0") || digit == UInt8(ascii: "9") else { return nil }
        let count = bytes[(index + 1)...].prefix { $0 == digit }.count
        let next = index + 1 + count < bytes.count ? bytes[index + 1 + count] : 0
        return (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next) ? nil : count
    }

    private static func decimals(_ nanoseconds: Int, _ count: Int, mark: UInt8, isTrimmed: Bool) -> [UInt8] {
        var digits = Array(padded(nanoseconds, 9).utf8.prefix(count))
        while digits.count < min(count, 9) { digits.append(UInt8(ascii: "0")) }
        if isTrimmed { while digits.last == UInt8(ascii: "0") { digits.removeLast() } }
        return digits.isEmpty ? [] : [mark] + digits
    }

    private static func text(of word: String, _ time: TemplateTime, _ civil: TimeText.Civil) -> String {
        let hour12 = civil.hour % 12 == 0 ? 12 : civil.hour % 12
        switch word {
        case "January": return months[civil.month - 1]
        case "Jan": return String(months[civil.month - 1].prefix(3))
        case "Monday": return weekdays[civil.weekday]
        case "Mon": return String(weekdays[civil.weekday].prefix(3))
        case "MST": return time.zone.isEmpty ? offset(time.offset, colons: "", parts: 2) : time.zone
        case "2006": return padded(civil.year, 4)
        case "06": return padded(((civil.year % 100) + 100) % 100, 2)
        case "002": return padded(dayOfYear(civil), 3)
        case "__2": return padded(dayOfYear(civil), 3, with: " ")
        case "_2": return padded(civil.day, 2, with: " ")
        case "01": return padded(civil.month, 2)
        case "02": return padded(civil.day, 2)
        case "03": return padded(hour12, 2)
        case "04": return padded(civil.minute, 2)
        case "05": return padded(civil.second, 2)
        case "15": return padded(civil.hour, 2)
        case "PM": return civil.hour < 12 ? "AM" : "PM"
        case "pm": return civil.hour < 12 ? "am" : "pm"
        case "1": return "\(civil.month)"
        case "2": return "\(civil.day)"
        case "3": return "\(hour12)"
        case "4": return "\(civil.minute)"
        case "5": return "\(civil.second)"
        default:
            if word.first == "Z" && time.offset == 0 { return "Z" }
            let digits = word.utf8.filter { (0x30...0x39).contains($0) }.count
            return offset(time.offset, colons: word.contains(":") ? ":" : "", parts: digits / 2)
        }
    }

    private static func offset(_ seconds: Int, colons: String, parts: Int) -> String {
        let size = Int(seconds.magnitude)
        let texts = [padded(size / 3600, 2), padded(size / 60 % 60, 2), padded(size % 60, 2)]
        return (seconds < 0 ? "-" : "+") + texts.prefix(parts).joined(separator: colons)
    }

    private static func padded(_ number: Int, _ width: Int, with fill: String = "0") -> String {
        let digits = String(number.magnitude)
        let text = String(repeating: fill, count: max(0, width - digits.utf8.count)) + digits
        return number < 0 ? "-" + text : text
    }
}
