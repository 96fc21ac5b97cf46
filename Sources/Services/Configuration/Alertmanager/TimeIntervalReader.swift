import Alerter
import Numbers
import TSDB

/// Reads one entry of `time_intervals`.
///
///     - name: office hours
///       time_intervals:
///       - times: [{start_time: "09:00", end_time: "17:00"}]      weekdays: ['monday:friday']
///         days_of_month: ['1:-5']    months: ['january:march', '5']   years: ['2026:2028']   location: Europe/Berlin
///
/// A field that is an empty list holds never, as in the original.
struct TimeIntervalReader {
    /// Reads a time zone's file.
    let read: (_ path: String) throws(TSDBError) -> [UInt8]
    var zones = TimeZones()

    static let weekdays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
    static let months = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
    ]

    /// `kind` is how upstream's error texts call it: `time interval`, `mute time interval`.
    mutating func read(_ node: YAMLNode, kind: String) throws(ConfigError) -> (interval: TimeInterval, node: YAMLNode) {
        var fields = try ShownFields(node, "\(kind)s entry")
        var interval = TimeInterval(name: try fields.hidden("name"))
        if interval.name.isEmpty { throw ConfigError("missing name in \(kind)", at: node.position) }
        fields.show("name", interval.name)
        var shown: [YAMLNode] = []
        for item in try fields.items("time_intervals") {
            let (part, node) = try part(item)
            interval.parts.append(part)
            shown.append(node)
        }
        fields.show("time_intervals", YAMLNode(.sequence(shown)))
        try fields.finish()
        return (interval, fields.node)
    }

    private mutating func part(_ node: YAMLNode) throws(ConfigError) -> (TimeInterval.Part, YAMLNode) {
        var fields = try ShownFields(node, "time interval"), part = TimeInterval.Part()
        part.times = try ranges("times", &fields, never: 0..<0) { (node) throws(ConfigError) in
            let (range, shown) = try time(node)
            return (range, shown)
        }
        part.weekdays = try ranges("weekdays", &fields, never: -1...(-1)) { (node) throws(ConfigError) in
            try closed(node) { (text, begin, end) throws(ConfigError) in
                guard let first = Self.weekdays.firstIndex(of: begin) else { throw ConfigError("\(begin) is not a valid weekday") }
                guard let last = Self.weekdays.firstIndex(of: end) else { throw ConfigError("\(end) is not a valid weekday") }
                if first > last { throw ConfigError("start day cannot be before end day") }
                return (first...last, first == last ? begin : "\(begin):\(end)")
            }
        }
        part.daysOfMonth = try ranges("days_of_month", &fields, never: TimeInterval.DayRange(begin: 99, end: 99)) { (node) throws(ConfigError) in
            try closed(node) { (_, begin, end) throws(ConfigError) in try Self.days(begin, end) }
        }
        part.months = try ranges("months", &fields, never: 0...0) { (node) throws(ConfigError) in
            try closed(node) { (_, begin, end) throws(ConfigError) in try Self.monthRange(begin, end) }
        }
        part.years = try ranges("years", &fields, never: Int.min...Int.min) { (node) throws(ConfigError) in
            try closed(node) { (_, begin, end) throws(ConfigError) in
                let first = try Self.number(begin), last = try Self.number(end)
                if first > last { throw ConfigError("end year \(last) is before start year \(first)") }
                return (first...last, Self.range(first, last))
            }
        }
        if let node = fields.take("location") {
            part.location = try node.text("location")
            let zones = Result { () throws(TimeZoneError) in
                var zones = self.zones
                try zones.load(part.location, read: read)
                return zones
            }
            switch zones {
            case .success(let loaded): self.zones = loaded
            case .failure(let error): throw ConfigError(error.message, at: node.position)
            }
            fields.show("location", .text(part.location.isEmpty ? "UTC" : part.location))
        }
        try fields.finish()
        return (part, fields.node)
    }

    /// A list of ranges; where it is written and empty, one that is never.
    private func ranges<Item>(
        _ name: String, _ fields: inout ShownFields, never: Item, _ read: (YAMLNode) throws(ConfigError) -> (Item, YAMLNode)
    ) throws(ConfigError) -> [Item] {
        guard let node = fields.take(name) else { return [] }
        var items: [Item] = [], shown: [YAMLNode] = []
        for item in try node.items(name) {
            do throws(ConfigError) {
                let (range, node) = try read(item)
                items.append(range)
                shown.append(node)
            } catch {
                throw error.position == nil ? ConfigError(error.message, at: item.position) : error
            }
        }
        fields.show(name, list: shown)
        return items.isEmpty ? [never] : items
    }

    /// `a:b`, or `a` alone, in lower case.
    private func closed<Item>(
        _ node: YAMLNode, _ read: (_ text: String, _ begin: String, _ end: String) throws(ConfigError) -> (Item, String)
    ) throws(ConfigError) -> (Item, YAMLNode) {
        let text = try node.text("a range").lowercased()
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2, let begin = parts.first, let end = parts.last else {
            throw ConfigError("couldn't parse range \(text), invalid format")
        }
        let (item, shown) = try read(text, begin, end)
        return (item, .text(shown))
    }

    private func time(_ node: YAMLNode) throws(ConfigError) -> (Range<Int>, YAMLNode) {
        var fields = try ShownFields(node, "times entry")
        let start = try fields.text("start_time"), end = try fields.text("end_time")
        try fields.finish()
        if start.isEmpty || end.isEmpty { throw ConfigError("both start and end times must be provided", at: node.position) }
        guard let first = Self.minutes(start) else {
            throw ConfigError("couldn't parse timestamp \(start), invalid format", at: node.position)
        }
        guard let last = Self.minutes(end) else {
            throw ConfigError("couldn't parse timestamp \(end), invalid format", at: node.position)
        }
        if first >= last { throw ConfigError("start time cannot be equal or greater than end time", at: node.position) }
        return (first..<last, fields.node)
    }

    /// `HH:MM`, up to `24:00`.
    static func minutes(_ text: String) -> Int? {
        let bytes = Array(text.utf8)
        guard bytes.count == 5, bytes[2] == UInt8(ascii: ":") else { return nil }
        func digit(_ index: Int) -> Int? { (0x30...0x39).contains(bytes[index]) ? Int(bytes[index]) - 0x30 : nil }
        guard let a = digit(0), let b = digit(1), let c = digit(3), let d = digit(4) else { return nil }
        let hour = a * 10 + b, minute = c * 10 + d
        guard hour < 24 && minute < 60 || hour == 24 && minute == 0 else { return nil }
        return hour * 60 + minute
    }

    // MARK: Ranges

    private static func days(_ begin: String, _ end: String) throws(ConfigError) -> (TimeInterval.DayRange, String) {
        let first = try number(begin), last = try number(end)
        for day in [first, last] where day == 0 || !(-31...31).contains(day) {
            throw ConfigError("\(day) is not a valid day of the month: out of range")
        }
        if first < 0 && last > 0 { throw ConfigError("end day must be negative if start day is negative") }
        // Negative days are not known before the month is; in the shortest one they are at least these.
        if (first < 0 ? 28 + first : first) > (last < 0 ? 28 + last : last) {
            throw ConfigError("end day \(last) is always before start day \(first)")
        }
        return (TimeInterval.DayRange(begin: first, end: last), range(first, last))
    }

    private static func monthRange(_ begin: String, _ end: String) throws(ConfigError) -> (ClosedRange<Int>, String) {
        func month(_ text: String) throws(ConfigError) -> Int {
            if let index = months.firstIndex(of: text) { return index + 1 }
            guard let number = Int(text) else { throw ConfigError("\(text) is not a valid month") }
            return number
        }
        let first = try month(begin), last = try month(end)
        if first > last {
            func name(_ month: Int) -> String { (1...12).contains(month) ? months[month - 1] : "" }
            throw ConfigError("end month \(name(last)) is before start month \(name(first))")
        }
        return (first...last, range(first, last))
    }

    private static func number(_ text: String) throws(ConfigError) -> Int {
        guard let number = Int(text) else { throw ConfigError("strconv.Atoi: parsing \(QuotedText.go(text)): invalid syntax") }
        return number
    }

    private static func range(_ first: Int, _ last: Int) -> String { first == last ? String(first) : "\(first):\(last)" }
}
