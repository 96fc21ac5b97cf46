import Numbers
import TSDB

/// Dates written as a Go layout says, which is the date 2006-01-02 15:04:05 written in the wanted form. Times are UTC's.
///
///     2006-01-02 15:04:05 MST   ▶   2026-11-29 14:43:11 UTC
struct GoDateFormat {
    static let standard = "2006-01-02 15:04:05 MST"

    private enum Piece {
        case text(String)
        case year, shortYear, month, shortMonth, monthName, shortMonthName, day, shortDay, spacedDay, weekday, shortWeekday
        case hour, hour12, shortHour12, minute, shortMinute, second, shortSecond, half, lowerHalf, zone, offset
        case fraction(Int, trims: Bool)
    }

    /// Longer ones first.
    private static let words: [(String, Piece)] = [
        ("January", .monthName), ("Jan", .shortMonthName), ("Monday", .weekday), ("Mon", .shortWeekday), ("MST", .zone), ("2006", .year),
        ("Z07:00", .zone), ("-07:00", .offset), ("01", .month), ("02", .day), ("03", .hour12), ("04", .minute), ("05", .second),
        ("06", .shortYear), ("15", .hour), ("_2", .spacedDay), ("PM", .half), ("pm", .lowerHalf), ("1", .shortMonth), ("2", .shortDay),
        ("3", .shortHour12), ("4", .shortMinute), ("5", .shortSecond),
    ]

    private var pieces: [Piece] = []
    /// The layout writes a bare `Z` for UTC, instead of its name.
    private let usesLetterZ: Bool

    init(_ layout: String) {
        usesLetterZ = layout.contains("Z07:00")
        var rest = layout[...]
        while let first = rest.first {
            if let (word, piece) = Self.words.first(where: { rest.hasPrefix($0.0) }) {
                pieces.append(piece)
                rest = rest.dropFirst(word.count)
            } else if first == ".", let (digits, trims) = Self.fraction(rest.dropFirst()) {
                pieces.append(.fraction(digits, trims: trims))
                rest = rest.dropFirst(digits + 1)
            } else {
                pieces.append(.text(String(first)))
                rest.removeFirst()
            }
        }
    }

    /// `.000` keeps its zeros, `.999` drops them.
    private static func fraction(_ text: Substring) -> (Int, Bool)? {
        guard let first = text.first, first == "0" || first == "9" else { return nil }
        let digits = text.prefix { $0 == first }
        let next = text[digits.endIndex...].first
        if let next, next.isASCII && next.isNumber { return nil }
        return (min(digits.count, 9), first == "9")
    }

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
    ]
    private static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    func string(_ time: Timestamp) -> String {
        var seconds = time.milliseconds / 1000, milliseconds = Int(time.milliseconds % 1000)
        if milliseconds < 0 {
            seconds -= 1
            milliseconds += 1000
        }
        let date = TimeText.civil(seconds: seconds)
        return pieces.map { text($0, date, milliseconds) }.joined()
    }

    private func text(_ piece: Piece, _ date: TimeText.Civil, _ milliseconds: Int) -> String {
        let hour12 = date.hour % 12 == 0 ? 12 : date.hour % 12
        switch piece {
        case .text(let text): return text
        case .year: return padded(date.year, 4)
        case .shortYear: return padded(((date.year % 100) + 100) % 100, 2)
        case .month: return padded(date.month, 2)
        case .shortMonth: return String(date.month)
        case .monthName: return Self.months[date.month - 1]
        case .shortMonthName: return String(Self.months[date.month - 1].prefix(3))
        case .day: return padded(date.day, 2)
        case .shortDay: return String(date.day)
        case .spacedDay: return date.day < 10 ? " \(date.day)" : String(date.day)
        case .weekday: return Self.weekdays[date.weekday]
        case .shortWeekday: return String(Self.weekdays[date.weekday].prefix(3))
        case .hour: return padded(date.hour, 2)
        case .hour12: return padded(hour12, 2)
        case .shortHour12: return String(hour12)
        case .minute: return padded(date.minute, 2)
        case .shortMinute: return String(date.minute)
        case .second: return padded(date.second, 2)
        case .shortSecond: return String(date.second)
        case .half: return date.hour < 12 ? "AM" : "PM"
        case .lowerHalf: return date.hour < 12 ? "am" : "pm"
        case .zone: return usesLetterZ ? "Z" : "UTC"
        case .offset: return "+00:00"
        case .fraction(let digits, let trims):
            var text = (padded(milliseconds, 3) + "000000").prefix(digits)
            if trims { while text.last == "0" { text.removeLast() } }
            return text.isEmpty ? "" : "." + text
        }
    }

    private func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
