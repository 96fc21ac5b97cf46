import Numbers

/// A rule for all years, as the `TZ` variable and the last line of a time zone file write it.
///
///     CET-1CEST,M3.5.0,M10.5.0/3     one hour east; summer from the last Sunday of March, 02:00, to that of October, 03:00
///     <+0330>-3:30                   the same all year
///
/// Offsets are west of UTC in the text and east of it in here.
struct TimeZoneRule: Sendable, Equatable {
    private enum Day: Sendable, Equatable {
        /// `M3.5.0`: month, week (5 is the last), weekday (0 is Sunday).
        case weekday(month: Int, week: Int, weekday: Int)
        /// `J60`: 1…365, February 29 is never counted.
        case julian(Int)
        /// `59`: 0…365, February 29 is counted.
        case ordinal(Int)
    }

    private struct Change: Sendable, Equatable {
        var day: Day
        /// Seconds after local midnight; may lie on another day.
        var time: Int64
    }

    private struct Summer: Sendable, Equatable {
        var offset: Int64
        var start: Change
        var end: Change
    }

    private var standard: Int64
    private var summer: Summer?

    func offset(at seconds: Int64) -> Int64 {
        guard let summer else { return standard }
        let year = TimeText.civil(seconds: seconds.clampedAdding(standard)).year
        let start = Self.moment(summer.start, year, offset: standard), end = Self.moment(summer.end, year, offset: summer.offset)
        // South of the equator summer goes over the turn of the year.
        let isSummer = start < end ? seconds >= start && seconds < end : seconds >= start || seconds < end
        return isSummer ? summer.offset : standard
    }

    private static func moment(_ change: Change, _ year: Int, offset: Int64) -> Int64 {
        let days: Int64
        switch change.day {
        case .ordinal(let day): days = TimeText.days(year: year, month: 1, day: 1) + Int64(day)
        case .julian(let day):
            let isLeap = TimeText.daysIn(month: 2, year: year) == 29
            days = TimeText.days(year: year, month: 1, day: 1) + Int64(day - 1 + (isLeap && day >= 60 ? 1 : 0))
        case .weekday(let month, let week, let weekday):
            let first = TimeText.days(year: year, month: month, day: 1)
            // Day 0 of the epoch was a Thursday.
            let firstWeekday = Int(((first + 4) % 7 + 7) % 7)
            var day = 1 + (weekday - firstWeekday + 7) % 7 + (week - 1) * 7
            if day > TimeText.daysIn(month: month, year: year) { day -= 7 }
            days = first + Int64(day - 1)
        }
        return days &* 86_400 &+ change.time &- offset
    }
}

extension TimeZoneRule {
    /// `nil` where the text is no such rule.
    init?(_ text: String) {
        var reader = Reader(rest: Array(text.utf8)[...])
        guard reader.name(), let standard = reader.time(hours: 24) else { return nil }
        self.init(standard: -standard, summer: nil)
        if reader.rest.isEmpty { return }
        guard reader.name() else { return nil }
        var offset = self.standard + 3600
        if let first = reader.rest.first, first != UInt8(ascii: ",") {
            guard let written = reader.time(hours: 24) else { return nil }
            offset = -written
        }
        guard reader.takes(","), let start = reader.change(), reader.takes(","), let end = reader.change(), reader.rest.isEmpty else {
            return nil
        }
        summer = Summer(offset: offset, start: start, end: end)
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        mutating func takes(_ byte: Unicode.Scalar) -> Bool {
            guard rest.first == UInt8(ascii: byte) else { return false }
            rest.removeFirst()
            return true
        }

        /// Three letters or more, or anything in angle brackets.
        mutating func name() -> Bool {
            if takes("<") {
                guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return false }
                rest = rest[(end + 1)...]
                return true
            }
            let letters = rest.prefix { ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7a }
            rest = rest[letters.endIndex...]
            return letters.count >= 3
        }

        mutating func number(_ range: ClosedRange<Int>) -> Int? {
            let digits = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }
            rest = rest[digits.endIndex...]
            guard digits.count <= 4, let number = Int(String(decoding: digits, as: UTF8.self)), range.contains(number) else { return nil }
            return number
        }

        /// `[+-]hh[:mm[:ss]]` in seconds.
        mutating func time(hours: Int) -> Int64? {
            let isNegative = takes("-")
            if !isNegative { _ = takes("+") }
            guard let hours = number(0...hours) else { return nil }
            var minutes = 0, seconds = 0
            if takes(":") {
                guard let number = number(0...59) else { return nil }
                minutes = number
                if takes(":") {
                    guard let number = self.number(0...59) else { return nil }
                    seconds = number
                }
            }
            let total = Int64(hours * 3600 + minutes * 60 + seconds)
            return isNegative ? -total : total
        }

        mutating func change() -> Change? {
            let day: Day
            if takes("M") {
                guard let month = number(1...12), takes("."), let week = number(1...5), takes("."), let weekday = number(0...6) else {
                    return nil
                }
                day = .weekday(month: month, week: week, weekday: weekday)
            } else if takes("J") {
                guard let number = number(1...365) else { return nil }
                day = .julian(number)
            } else {
                guard let number = number(0...365) else { return nil }
                day = .ordinal(number)
            }
            guard takes("/") else { return Change(day: day, time: 7200) }
            return time(hours: 167).map { Change(day: day, time: $0) }
        }
    }
}
