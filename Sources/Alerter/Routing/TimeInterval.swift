import TSDB

/// A named set of times, such as office hours: within it when any of its parts says so.
///
/// A part holds when all its fields do; a field that is not there holds always. Ranges of days, months and years include both
/// ends, ranges of times of day exclude their end.
public struct TimeInterval: Sendable, Equatable {
    public var name: String
    public var parts: [Part]

    public init(name: String, parts: [Part] = []) {
        self.name = name
        self.parts = parts
    }

    public struct Part: Sendable, Equatable {
        /// Minutes of the day, 0 to 1440; the end is not in it.
        public var times: [Range<Int>] = []
        /// 0 is Sunday.
        public var weekdays: [ClosedRange<Int>] = []
        /// 1 to 31, or -31 to -1 counted from the month's end.
        public var daysOfMonth: [DayRange] = []
        /// 1 is January.
        public var months: [ClosedRange<Int>] = []
        public var years: [ClosedRange<Int>] = []
        /// Name of the time zone, as in the IANA database; empty: UTC.
        public var location = ""

        public init() {}
    }

    /// Both ends are in it; either may be negative, so this is no Swift range.
    public struct DayRange: Sendable, Equatable {
        public var begin: Int
        public var end: Int
        public init(begin: Int, end: Int) {
            self.begin = begin
            self.end = end
        }
    }
}
