/// Points in time as RFC 3339 text, without Foundation.
///
///     2026-11-22T18:00:00.123Z   2026-11-22T19:00:00+01:00
///
/// Days are counted by the civil-calendar arithmetic of Howard Hinnant, “chrono-compatible low-level date algorithms”:
/// years begin in March, so that the leap day is the last one, and 400 years are 146 097 days.
public enum TimeText {
    /// A calendar date and time of day in UTC.
    public struct Civil: Equatable, Sendable {
        public var year: Int
        public var month: Int
        public var day: Int
        public var hour: Int
        public var minute: Int
        public var second: Int
        /// 0 is Sunday.
        public var weekday: Int
    }

    /// Date and time of day of a number of seconds since the epoch.
    public static func civil(seconds: Int64) -> Civil {
        let days = floorDivide(seconds, 86_400)
        let time = Int(seconds &- days &* 86_400)
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = Int(shifted - era * 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let weekday = Int((days % 7 + 11) % 7)
        return Civil(
            year: yearOfEra + Int(era) * 400 + (month <= 2 ? 1 : 0), month: month,
            day: dayOfYear - (153 * marchMonth + 2) / 5 + 1,
            hour: time / 3600, minute: time / 60 % 60, second: time % 60, weekday: weekday)
    }

    /// Days since the epoch of a date in the Gregorian calendar; `month` 1…12.
    public static func days(year: Int, month: Int, day: Int) -> Int64 {
        let year = Int64(month <= 2 ? year - 1 : year)
        let era = floorDivide(year, 400)
        let yearOfEra = year - era * 400
        let dayOfYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1)
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// Days of a month, leap years minded.
    public static func daysIn(month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// RFC 3339 in UTC; milliseconds only where there are any, without trailing zeros (`.5Z`).
    public static func string(milliseconds: Int64) -> String {
        let seconds = floorDivide(milliseconds, 1000)
        return string(seconds: seconds, nanoseconds: Int(milliseconds &- seconds &* 1000) * 1_000_000)
    }

    /// RFC 3339 in UTC with the decimals that `nanoseconds` (0..<10^9) needs.
    public static func string(seconds: Int64, nanoseconds: Int) -> String {
        let civil = civil(seconds: seconds)
        var text = padded(civil.year, 4) + "-" + padded(civil.month, 2) + "-" + padded(civil.day, 2) + "T"
        text += padded(civil.hour, 2) + ":" + padded(civil.minute, 2) + ":" + padded(civil.second, 2)
        if nanoseconds > 0 {
            var digits = padded(nanoseconds, 9)[...]
            while digits.hasSuffix("0") { digits.removeLast() }
            text += "." + digits
        }
        return text + "Z"
    }

    /// Milliseconds since the epoch of an RFC 3339 time, rounded down; `nil` where the text is none.
    public static func parse(_ text: String) -> Int64? {
        guard let (seconds, nanoseconds) = parseParts(text) else { return nil }
        return seconds * 1000 + Int64(nanoseconds / 1_000_000)
    }

    /// Seconds since the epoch and nanoseconds (0..<10^9) of an RFC 3339 time.
    public static func parseParts(_ text: String) -> (seconds: Int64, nanoseconds: Int)? {
        var reader = Reader(bytes: Array(text.utf8))
        guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
            let day = reader.number(2), reader.take("T"), let hour = reader.number(2), reader.take(":"),
            let minute = reader.number(2), reader.take(":"), let second = reader.number(2),
            (1...12).contains(month), day >= 1, day <= daysIn(month: month, year: year),
            hour < 24, minute < 60, second < 60
        else { return nil }
        var nanoseconds = 0
        if reader.take(".") || reader.take(",") {
            guard let fraction = reader.fraction() else { return nil }
            nanoseconds = fraction
        }
        var offset = 0
        if !reader.take("Z") {
            let west = reader.take("-")
            guard west || reader.take("+"), let hours = reader.number(2), reader.take(":"),
                let minutes = reader.number(2), hours <= 24, minutes < 60
            else { return nil }
            offset = (hours * 3600 + minutes * 60) * (west ? -1 : 1)
        }
        guard reader.isAtEnd else { return nil }
        let seconds = days(year: year, month: month, day: day) * 86_400
        return (seconds + Int64(hour * 3600 + minute * 60 + second - offset), nanoseconds)
    }

    private struct Reader {
        let bytes: [UInt8]
        var index = 0

        var isAtEnd: Bool { index == bytes.count }

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard index < bytes.count, UInt32(bytes[index]) == character.value else { return false }
            index += 1
            return true
        }

        mutating func number(_ width: Int) -> Int? {
            guard bytes.count - index >= width else { return nil }
            var value = 0
            for byte in bytes[index..<index + width] {
                guard byte &- 48 < 10 else { return nil }
                value = value * 10 + Int(byte &- 48)
            }
            index += width
            return value
        }

        /// One or more decimals as nanoseconds; digits past the ninth are cut off.
        mutating func fraction() -> Int? {
            var value = 0, unit = 100_000_000
            let start = index
            while index < bytes.count, bytes[index] &- 48 < 10 {
                value += Int(bytes[index] &- 48) * unit
                unit /= 10
                index += 1
            }
            return index > start ? value : nil
        }
    }

    static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
        let quotient = a / b
        return a % b < 0 ? quotient - 1 : quotient
    }

    private static func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value.magnitude)
        return (value < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
