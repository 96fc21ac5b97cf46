/// Latencies of any number in a few kilobytes: buckets that grow with what they hold.
///
///     µs        0 … 63 │ 64 … 127 │ 128 … 255 │ … │ 2³⁵ … 2³⁶
///     width        1   │     1    │     2     │ … │   2²⁹          64 buckets each
///
/// A value's bucket is its leading bit and the six bits behind it, so a quantile is right to 1/64 (1.6 %) at every scale, from a
/// microsecond to nineteen hours, and two histograms are added by adding their counts.
/// Source: G. Tene, HdrHistogram.
///
/// Invariant: the counts' sum is `count`; `maximum` is exact.
public struct LogHistogram: Equatable, Sendable {
    private static let bits = 6
    private static let perPower = 1 << bits
    /// Values from 2³⁶ µs on share the last bucket.
    private static let highestPower = 35
    private static let buckets = (highestPower - bits + 2) * perPower

    private var counts = [Int](repeating: 0, count: Self.buckets)
    public private(set) var count = 0
    /// The largest value, in microseconds.
    public private(set) var maximum: UInt64 = 0
    private var sum = 0.0

    public init() {}

    public mutating func record(_ latency: Duration) { record(microseconds: latency.microseconds) }

    public mutating func record(microseconds value: UInt64) {
        counts[Self.bucket(value)] += 1
        count += 1
        sum += Double(value)
        maximum = max(maximum, value)
    }

    public mutating func add(_ other: LogHistogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        count += other.count
        sum += other.sum
        maximum = max(maximum, other.maximum)
    }

    /// In microseconds; `nil` where there is none.
    public var mean: Double? { count > 0 ? sum / Double(count) : nil }

    /// The value that `q` (0…1) of all values do not exceed, in microseconds: its bucket's upper end, never above the maximum.
    public func quantile(_ q: Double) -> UInt64? {
        guard count > 0 else { return nil }
        let rank = max(1, Int((min(max(q, 0), 1) * Double(count)).rounded(.up)))
        var seen = 0
        for (index, number) in counts.enumerated() {
            seen += number
            if seen >= rank { return min(Self.upperEnd(index), maximum) }
        }
        return maximum
    }

    static func bucket(_ value: UInt64) -> Int {
        guard value >= UInt64(perPower) else { return Int(value) }
        let power = 63 - value.leadingZeroBitCount
        guard power <= highestPower else { return buckets - 1 }
        let below = Int(truncatingIfNeeded: value >> UInt64(power - bits)) & (perPower - 1)
        return (power - bits + 1) * perPower + below
    }

    static func upperEnd(_ bucket: Int) -> UInt64 {
        guard bucket >= perPower else { return UInt64(max(0, bucket)) }
        guard bucket < buckets - 1 else { return .max }
        let shift = UInt64(bucket / perPower - 1)
        return (UInt64(perPower + bucket % perPower + 1) << shift) - 1
    }
}
