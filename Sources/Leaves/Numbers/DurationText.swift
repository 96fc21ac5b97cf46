/// Durations as text, in the two dialects of the Prometheus world.
///
///     Prometheus   1h30m   1d   90d   250ms   0s     configuration files, flags, PromQL: whole milliseconds
///     Go           1h30m0s   24h0m0s   1.5s   0s     the API's interval fields, Alertmanager's flags: nanoseconds
///
/// A day has 24 hours, a week 7 days, a year 365 days. Values go up to 2^63 − 1 nanoseconds, 292 years.
public enum DurationText {
    private static let units: [(name: String, milliseconds: UInt64)] = [
        ("y", 365 * 86_400_000), ("w", 7 * 86_400_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000),
        ("s", 1000), ("ms", 1),
    ]

    /// The largest duration upstream can hold, in milliseconds.
    public static let maximumMilliseconds = Int64.max / 1_000_000

    /// Milliseconds of a Prometheus duration such as `1h30m`; units from large to small, each at most once.
    public static func parse(_ text: String) throws(DurationError) -> Int64 {
        if text == "0" { return 0 }
        if text.isEmpty { throw DurationError("empty duration string") }
        let malformed = DurationError("not a valid duration string: \(QuotedText.go(text))")
        let bytes = Array(text.utf8)
        var index = 0, total: UInt64 = 0, nextUnit = 0
        while index < bytes.count {
            let firstDigit = index
            var amount: UInt64 = 0
            while index < bytes.count, isDigit(bytes[index]) {
                let (tens, high) = amount.multipliedReportingOverflow(by: 10)
                let (sum, carry) = tens.addingReportingOverflow(UInt64(bytes[index] &- 48))
                if high || carry { throw malformed }
                amount = sum
                index += 1
            }
            if index == firstDigit { throw malformed }
            let firstLetter = index
            while index < bytes.count, !isDigit(bytes[index]) { index += 1 }
            if index == firstLetter { throw malformed }
            let name = String(decoding: bytes[firstLetter..<index], as: UTF8.self)
            guard let unit = units.firstIndex(where: { $0.name == name }) else {
                throw DurationError("unknown unit \(QuotedText.go(name)) in duration \(QuotedText.go(text))")
            }
            if unit < nextUnit { throw malformed }
            nextUnit = unit + 1
            let (span, overflow) = amount.multipliedReportingOverflow(by: units[unit].milliseconds)
            if overflow || span > UInt64(maximumMilliseconds) { throw DurationError("duration out of range") }
            total += span
            if total > UInt64(maximumMilliseconds) { throw DurationError("duration out of range") }
        }
        return Int64(total)
    }

    /// As `parse`, with a minus sign allowed in front.
    public static func parseSigned(_ text: String) throws(DurationError) -> Int64 {
        text.utf8.first == UInt8(ascii: "-") ? -(try parse(String(text.dropFirst()))) : try parse(text)
    }

    /// A Prometheus duration: `1h30m`. Years and weeks only where nothing smaller remains, so 90 days are `90d`.
    public static func string(milliseconds: Int64) -> String {
        if milliseconds == 0 { return "0s" }
        var rest = milliseconds.magnitude
        var text = milliseconds < 0 ? "-" : ""
        for unit in units {
            let mustBeWhole = unit.name == "y" || unit.name == "w"
            if mustBeWhole && rest % unit.milliseconds != 0 { continue }
            let amount = rest / unit.milliseconds
            if amount > 0 {
                text += "\(amount)\(unit.name)"
                rest -= amount * unit.milliseconds
            }
        }
        return text
    }

    /// Go's `time.Duration`: `1h30m0s`, `1.5s`, `20ms`, `3µs`, `0s`.
    public static func goString(nanoseconds: Int64) -> String {
        if nanoseconds == 0 { return "0s" }
        let sign = nanoseconds < 0 ? "-" : ""
        let magnitude = nanoseconds.magnitude
        if magnitude < 1000 { return "\(sign)\(magnitude)ns" }
        if magnitude < 1_000_000 { return sign + decimal(magnitude, unit: 1000) + "µs" }
        if magnitude < 1_000_000_000 { return sign + decimal(magnitude, unit: 1_000_000) + "ms" }
        let minutes = magnitude / 60_000_000_000
        var text = sign
        if minutes >= 60 { text += "\(minutes / 60)h" }
        if minutes > 0 { text += "\(minutes % 60)m" }
        return text + decimal(magnitude % 60_000_000_000, unit: 1_000_000_000) + "s"
    }

    /// Go's `time.Duration` of a number of milliseconds.
    public static func goString(milliseconds: Int64) -> String {
        let (nanoseconds, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        return goString(nanoseconds: overflow ? (milliseconds < 0 ? .min : .max) : nanoseconds)
    }

    /// Nanoseconds of a Go duration such as `1h30m0.5s`, `-1.5h`, `300ms`; any order of units, decimals allowed.
    public static func parseGo(_ text: String) throws(DurationError) -> Int64 {
        let malformed = DurationError("time: invalid duration \(QuotedText.go(text))")
        var bytes = Array(text.utf8)[...]
        let negative = bytes.first == UInt8(ascii: "-")
        if negative || bytes.first == UInt8(ascii: "+") { bytes.removeFirst() }
        if bytes.elementsEqual("0".utf8) { return 0 }
        if bytes.isEmpty { throw malformed }
        var total: UInt64 = 0
        while !bytes.isEmpty {
            let whole = bytes.prefix(while: isDigit)
            bytes = bytes.dropFirst(whole.count)
            var decimals: ArraySlice<UInt8> = []
            if bytes.first == UInt8(ascii: ".") {
                bytes.removeFirst()
                decimals = bytes.prefix(while: isDigit)
                bytes = bytes.dropFirst(decimals.count)
            }
            if whole.isEmpty && decimals.isEmpty { throw malformed }
            let letters = bytes.prefix { !isDigit($0) && $0 != UInt8(ascii: ".") }
            bytes = bytes.dropFirst(letters.count)
            let name = String(decoding: letters, as: UTF8.self)
            if name.isEmpty { throw DurationError("time: missing unit in duration \(QuotedText.go(text))") }
            let unit: UInt64
            switch name {
            case "ns": unit = 1
            case "us", "µs", "μs": unit = 1000
            case "ms": unit = 1_000_000
            case "s": unit = 1_000_000_000
            case "m": unit = 60_000_000_000
            case "h": unit = 3_600_000_000_000
            default:
                throw DurationError("time: unknown unit \(QuotedText.go(name)) in duration \(QuotedText.go(text))")
            }
            let amount = whole.isEmpty ? 0 : UInt64(String(decoding: whole, as: UTF8.self))
            guard let amount, case let (span, overflow) = amount.multipliedReportingOverflow(by: unit), !overflow else {
                throw malformed
            }
            // Below a nanosecond the decimals are cut off, as Go does.
            var part = unit, fraction: UInt64 = 0
            for digit in decimals where part >= 10 {
                part /= 10
                fraction += UInt64(digit &- 48) * part
            }
            let (sum, carry) = total.addingReportingOverflow(span)
            let (withFraction, carry2) = sum.addingReportingOverflow(fraction)
            if carry || carry2 || withFraction > UInt64(Int64.max) { throw malformed }
            total = withFraction
        }
        return negative ? -Int64(total) : Int64(total)
    }

    /// `value / unit` with the decimals it needs: 1.5 for 1500 of 1000.
    private static func decimal(_ value: UInt64, unit: UInt64) -> String {
        var fraction = value % unit
        if fraction == 0 { return "\(value / unit)" }
        var width = String(unit).utf8.count - 1
        while fraction % 10 == 0 {
            fraction /= 10
            width -= 1
        }
        let digits = String(fraction)
        return "\(value / unit)." + String(repeating: "0", count: width - digits.utf8.count) + digits
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }
}

/// A duration that could not be read; the message is upstream's.
public struct DurationError: Error, Equatable, Sendable, CustomStringConvertible {
    public var message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}
