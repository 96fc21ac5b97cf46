/// The φ-quantile of a set of values, by linear interpolation between the two nearest ranks.
///
///     values sorted:  10  20  30  40        φ = 0.5  →  rank 1.5  →  half way between 20 and 30  →  25
///     rank:            0   1   2   3
///
/// Shared by the aggregation `quantile` and by `quantile_over_time`. NaN counts as the smallest value, as upstream
/// sorts it. No values or φ = NaN: NaN; φ < 0: −∞; φ > 1: +∞.
public enum Quantile {
    /// Sorts `values` in place: NaN first, then ascending.
    public static func of(_ values: UnsafeMutableBufferPointer<Double>, _ phi: Double) -> Double {
        var values = values
        // Only the two ranks are looked at, so nothing needs sorting where φ is none.
        if phi >= 0 && phi <= 1 { values.sort { precedes($0, $1) } }
        return ofSorted(values, phi)
    }

    /// The same of values that are in order already: NaN first, then ascending.
    public static func ofSorted(_ values: UnsafeMutableBufferPointer<Double>, _ phi: Double) -> Double {
        guard !values.isEmpty, !phi.isNaN else { return .nan }
        if phi < 0 { return -.infinity }
        if phi > 1 { return .infinity }
        let last = Double(values.count - 1)
        let rank = phi * last
        // Both lie in 0...count-1, since φ lies in 0...1.
        let lower = max(0, rank.rounded(.down))
        let upper = min(last, lower + 1)
        let weight = rank - rank.rounded(.down)
        return values[Int(lower)] * (1 - weight) + values[Int(upper)] * weight
    }

    /// A strict order over all doubles: NaN before everything else.
    @inlinable @inline(__always)
    public static func precedes(_ a: Double, _ b: Double) -> Bool {
        a.isNaN ? !b.isNaN : a < b
    }
}
