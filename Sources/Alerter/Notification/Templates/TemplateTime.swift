import Numbers
import TSDB
import TextTemplate

/// A point in time as templates see it: Go's `time.Time`, with the methods people call in notifications.
///
///     {{ .StartsAt.Format "15:04:05 MST" }}   {{ .StartsAt.Unix }}   {{ (.StartsAt.Add 3600000000000).UTC }}
///
/// Source: documentation of Go's package `time`.
public struct TemplateTime: TemplateObject, Hashable {
    /// Since the Unix epoch.
    public var seconds: Int64
    /// 0..<10^9.
    public var nanoseconds: Int
    /// East of Greenwich, in seconds.
    public var offset: Int
    public var zone: String

    public init(seconds: Int64, nanoseconds: Int = 0, offset: Int = 0, zone: String = "UTC") {
        // Years beyond ±100 000 are nobody's alert; the calendar's arithmetic stays far from overflow.
        self.seconds = min(max(seconds, -3_000_000_000_000), 3_000_000_000_000)
        self.nanoseconds = nanoseconds
        self.offset = offset
        self.zone = zone
    }

    /// `nil` is Go's zero time: the first of January of the year 1.
    public init(_ timestamp: Timestamp?) {
        guard let milliseconds = timestamp?.milliseconds else {
            self.init(seconds: Self.zeroSeconds)
            return
        }
        let rest = ((milliseconds % 1000) + 1000) % 1000
        self.init(seconds: (milliseconds &- rest) / 1000, nanoseconds: Int(rest) * 1_000_000)
    }

    private static let zeroSeconds: Int64 = -62_135_596_800

    public var isZero: Bool { seconds == Self.zeroSeconds && nanoseconds == 0 }

    /// Nanoseconds since the epoch; wraps around beyond 292 years, as Go's does.
    var unixNanoseconds: Int64 { seconds &* 1_000_000_000 &+ Int64(nanoseconds) }

    var civil: TimeText.Civil { TimeText.civil(seconds: seconds + Int64(offset)) }

    func adding(nanoseconds more: Int64) -> TemplateTime {
        let sum = Int64(nanoseconds) + more % 1_000_000_000
        let carry: Int64 = sum >= 1_000_000_000 ? 1 : sum < 0 ? -1 : 0
        return TemplateTime(
            seconds: seconds + more / 1_000_000_000 + carry, nanoseconds: Int(sum - carry * 1_000_000_000), offset: offset,
            zone: zone)
    }

    /// `self - other`, held inside what a duration can say.
    func since(_ other: TemplateTime) -> TemplateDuration {
        let (product, overflow) = (seconds - other.seconds).multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return TemplateDuration(nanoseconds: seconds < other.seconds ? .min : .max) }
        return TemplateDuration(nanoseconds: product.clampedAdding(Int64(nanoseconds - other.nanoseconds)))
    }

    func isBefore(_ other: TemplateTime) -> Bool { (seconds, nanoseconds) < (other.seconds, other.nanoseconds) }

    /// RFC 3339 with the decimals that are needed, as JSON has it.
    public var rfc3339: String {
        if offset == 0 { return TimeText.string(seconds: seconds, nanoseconds: nanoseconds) }
        return TimeLayout.format(self, "2006-01-02T15:04:05.999999999Z07:00")
    }

    // MARK: TemplateObject

    public var typeName: String { "time.Time" }
    public var text: String { TimeLayout.format(self, "2006-01-02 15:04:05.999999999 -0700 MST") }
    public var identity: String? { "\(seconds) \(nanoseconds) \(offset) \(zone)" }
    public func field(_ name: String) -> TemplateValue? { nil }

    public func method(_ name: String) -> TemplateFunction? {
        let time = self
        func value(_ value: TemplateValue) -> TemplateFunction { TemplateFunction { _ in value } }
        func compared(_ holds: @escaping @Sendable (TemplateTime, TemplateTime) -> Bool) -> TemplateFunction {
            TemplateFunction([.type("time.Time")]) { arguments in
                guard case .object(let object) = arguments[0], let other = object as? TemplateTime else { return .boolean(false) }
                return .boolean(holds(time, other))
            }
        }
        switch name {
        case "Format":
            return TemplateFunction([.string]) { arguments in .string(TimeLayout.format(time, arguments[0].text)) }
        case "String": return value(.string(text))
        case "Unix": return value(.integer(seconds))
        case "UnixMilli": return value(.integer(seconds * 1000 + Int64(nanoseconds / 1_000_000)))
        case "UnixMicro": return value(.integer(seconds * 1_000_000 + Int64(nanoseconds / 1000)))
        case "UnixNano": return value(.integer(unixNanoseconds))
        case "UTC", "Local":
            return value(.object(TemplateTime(seconds: seconds, nanoseconds: nanoseconds)))
        case "IsZero": return value(.boolean(isZero))
        case "Year": return value(.integer(Int64(civil.year)))
        case "Month": return value(.object(TemplateName(typeName: "time.Month", text: TimeLayout.months[civil.month - 1])))
        case "Day": return value(.integer(Int64(civil.day)))
        case "Hour": return value(.integer(Int64(civil.hour)))
        case "Minute": return value(.integer(Int64(civil.minute)))
        case "Second": return value(.integer(Int64(civil.second)))
        case "Nanosecond": return value(.integer(Int64(nanoseconds)))
        case "Weekday": return value(.object(TemplateName(typeName: "time.Weekday", text: TimeLayout.weekdays[civil.weekday])))
        case "YearDay": return value(.integer(Int64(TimeLayout.dayOfYear(civil))))
        case "Add":
            return TemplateFunction([.any]) { arguments throws(TemplateError) in
                .object(time.adding(nanoseconds: try TemplateDuration.nanoseconds(of: arguments[0])))
            }
        case "AddDate":
            return TemplateFunction([.integer, .integer, .integer]) { arguments in .object(time.adding(date: arguments)) }
        case "Sub":
            return TemplateFunction([.type("time.Time")]) { arguments in
                guard case .object(let object) = arguments[0], let other = object as? TemplateTime else { return .missing }
                return .object(time.since(other))
            }
        case "Truncate":
            return TemplateFunction([.any]) { arguments throws(TemplateError) in
                let unit = try TemplateDuration.nanoseconds(of: arguments[0])
                guard unit > 0 else { return .object(time) }
                // Go counts from the year 1; for units that divide a day it is the same from 1970.
                return .object(time.adding(nanoseconds: -(((time.unixNanoseconds % unit) + unit) % unit)))
            }
        case "Before": return compared { $0.isBefore($1) }
        case "After": return compared { $1.isBefore($0) }
        case "Equal": return compared { !$0.isBefore($1) && !$1.isBefore($0) }
        default: return nil
        }
    }

    /// Years, months and days later; the 31st of a short month runs over into the next.
    private func adding(date arguments: [TemplateValue]) -> TemplateTime {
        let parts = arguments.map { value -> Int in
            guard case .integer(let number) = value else { return 0 }
            return Int(min(max(number, -100_000), 100_000))
        }
        guard parts.count == 3 else { return self }
        let civil = civil
        let months = civil.year * 12 + civil.month - 1 + parts[0] * 12 + parts[1]
        let year = months >= 0 ? months / 12 : -((11 - months) / 12)
        let days = TimeText.days(year: year, month: months - year * 12 + 1, day: 1) + Int64(civil.day - 1 + parts[2])
        let clock = Int64(civil.hour * 3600 + civil.minute * 60 + civil.second)
        return TemplateTime(
            seconds: days * 86_400 + clock - Int64(offset), nanoseconds: nanoseconds, offset: offset, zone: zone)
    }
}

/// A value of a named type that prints as a word: a month, a weekday; text that is safe in HTML.
struct TemplateName: TemplateObject {
    var typeName: String
    var text: String
    var identity: String? { text }
    func field(_ name: String) -> TemplateValue? { nil }
    func method(_ name: String) -> TemplateFunction? {
        let text = text
        return name == "String" ? TemplateFunction { _ in .string(text) } : nil
    }
}

/// A span of time as templates see it: Go's `time.Duration`.
struct TemplateDuration: TemplateObject {
    var nanoseconds: Int64

    var typeName: String { "time.Duration" }
    var text: String { DurationText.goString(nanoseconds: nanoseconds) }
    var identity: String? { "\(nanoseconds)" }
    func field(_ name: String) -> TemplateValue? { nil }

    var seconds: Double { Double(nanoseconds / 1_000_000_000) + Double(nanoseconds % 1_000_000_000) / 1e9 }

    /// A duration, or a number of nanoseconds.
    static func nanoseconds(of value: TemplateValue) throws(TemplateError) -> Int64 {
        switch value {
        case .integer(let number): return number
        case .object(let object):
            if let duration = object as? TemplateDuration { return duration.nanoseconds }
        default: break
        }
        throw TemplateError("wrong type for value; expected time.Duration; got \(value.typeName)")
    }

    func method(_ name: String) -> TemplateFunction? {
        let duration = self
        func value(_ value: TemplateValue) -> TemplateFunction { TemplateFunction { _ in value } }
        switch name {
        case "Seconds": return value(.float(seconds))
        case "Minutes": return value(.float(Double(nanoseconds / 60_000_000_000) + Double(nanoseconds % 60_000_000_000) / 60e9))
        case "Hours": return value(.float(Double(nanoseconds / 3_600_000_000_000) + Double(nanoseconds % 3_600_000_000_000) / 3600e9))
        case "Milliseconds": return value(.integer(nanoseconds / 1_000_000))
        case "Nanoseconds": return value(.integer(nanoseconds))
        case "String": return value(.string(text))
        case "Truncate", "Round":
            return TemplateFunction([.any]) { arguments throws(TemplateError) in
                let unit = try TemplateDuration.nanoseconds(of: arguments[0])
                guard unit > 0 else { return .object(duration) }
                let rest = duration.nanoseconds % unit
                var result = duration.nanoseconds - rest
                if name == "Round", rest.magnitude >= unit.magnitude - rest.magnitude {
                    result = duration.nanoseconds < 0 ? result.clampedSubtracting(unit) : result.clampedAdding(unit)
                }
                return .object(TemplateDuration(nanoseconds: result))
            }
        default: return nil
        }
    }
}
