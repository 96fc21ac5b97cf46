/// A sum that remembers what rounding took away: Kahan summation with Neumaier's improvement.
///
///     sum = 1e100 + 1 − 1e100        plain: 0        compensated: 1
///
/// `total` is what upstream answers for `sum`, `avg`, `sum_over_time` and `avg_over_time`; the order of the terms
/// matters to the last bit, so keep the order of the samples.
/// Source: A. Neumaier, “Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen”, ZAMM 54 (1974).
///
/// Invariant: once `sum` is infinite the compensation is 0, since ∞ − ∞ would turn it into NaN.
public struct CompensatedSum: Sendable {
    public var sum: Double
    /// What the additions so far have lost; to be added once, at the end.
    public var compensation: Double

    @inlinable @inline(__always)
    public init(_ sum: Double = 0, compensation: Double = 0) {
        self.sum = sum
        self.compensation = compensation
    }

    @inlinable @inline(__always)
    public mutating func add(_ value: Double) {
        let next = sum + value
        // The lost digits are those of the smaller term. Selects, no branches: a row of these becomes vector code.
        let swapped = sum.magnitude >= value.magnitude
        let large = swapped ? sum : value
        let small = swapped ? value : sum
        let lost = compensation + ((large - next) + small)
        compensation = next.magnitude == .infinity ? 0 : lost
        sum = next
    }

    @inlinable @inline(__always)
    public mutating func subtract(_ value: Double) { add(-value) }

    /// The sum with its correction.
    @inlinable @inline(__always)
    public var total: Double { sum.magnitude == .infinity ? sum : sum + compensation }
}
