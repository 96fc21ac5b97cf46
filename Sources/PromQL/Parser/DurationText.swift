import TSDB

/// Durations as Prometheus writes them: numbers with units, biggest first, each unit at most once.
///
///     1h30m    2w    1y6d    150ms
///
/// A year has 365 days, a day 24 hours. Used by queries and by configuration alike.
public enum DurationText {
    private struct Unit {
        let name: String
        let nanoseconds: UInt64
    }

    /// Biggest first.
    private static let units = [
        Unit(name: "y", nanoseconds: 365 * 86_400_000_000_000),
        Unit(name: "w", nanoseconds: 7 * 86_400_000_000_000),
        Unit(name: "d", nanoseconds: 86_400_000_000_000),
        Unit(name: "h", nanoseconds: 3_600_000_000_000),
        Unit(name: "m", nanoseconds: 60_000_000_000),
        Unit(name: "s", nanoseconds: 1_000_000_000),
        Unit(name: "ms", nanoseconds: 1_000_000),
    ]

    public struct Failure: Error, Equatable, Sendable {
        /// Upstream's text.
        public let message: String
    }

    /// Reads a duration. `"0"` needs no unit. Throws upstream's text.
    public static func parse(_ text: String) throws(Failure) -> Duration {
        Duration(milliseconds: Int64(try nanoseconds(text) / 1_000_000))
    }

    /// The same in seconds, as the value of a literal.
    static func seconds(_ text: String) throws(Failure) -> Double {
        let nanoseconds = try nanoseconds(text)
        return Double(nanoseconds / 1_000_000_000) + Double(nanoseconds % 1_000_000_000) / 1e9
    }

    /// At most 2⁶³ − 1.
    private static func nanoseconds(_ text: String) throws(Failure) -> UInt64 {
        if text == "0" { return 0 }
        if text.isEmpty { throw Failure(message: "empty duration string") }
        let malformed = Failure(message: "not a valid duration string: \(GoText.quoted(text))")
        let outOfRange = Failure(message: "duration out of range")
        let bytes = Array(text.utf8)
        var position = 0
        var total: UInt64 = 0
        var lastUnit = -1
        while position < bytes.count {
            let digits = position
            while position < bytes.count, isDigit(bytes[position]) { position += 1 }
            guard position > digits,
                let count = UInt64(String(decoding: bytes[digits..<position], as: UTF8.self))
            else { throw malformed }
            let name = position
            while position < bytes.count, !isDigit(bytes[position]) { position += 1 }
            guard position > name else { throw malformed }
            let unitName = String(decoding: bytes[name..<position], as: UTF8.self)
            guard let unit = units.firstIndex(where: { $0.name == unitName }) else {
                throw Failure(
                    message: "unknown unit \(GoText.quoted(unitName)) in duration \(GoText.quoted(text))")
            }
            guard unit > lastUnit else { throw malformed }
            lastUnit = unit
            let (product, overflow) = count.multipliedReportingOverflow(by: units[unit].nanoseconds)
            let (sum, carry) = total.addingReportingOverflow(product)
            guard !overflow, !carry, sum <= UInt64(Int64.max) else { throw outOfRange }
            total = sum
        }
        return total
    }

    /// Writes a duration with the fewest units: years and weeks only where they leave no rest (`90d`, not `12w6d`).
    public static func description(_ duration: Duration) -> String {
        if duration.milliseconds == 0 { return "0s" }
        var result = duration.milliseconds < 0 ? "-" : ""
        var rest = duration.milliseconds.magnitude
        for (index, unit) in units.enumerated() {
            let size = unit.nanoseconds / 1_000_000
            if index < 2, rest % size != 0 { continue }
            if rest >= size {
                result += "\(rest / size)\(unit.name)"
                rest %= size
            }
        }
        return result
    }
}
