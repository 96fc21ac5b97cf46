/// A histogram times or over a number: every count and the sum are scaled, the layout stays.
extension FloatHistogram {
    /// A negative factor makes a gauge: such counts are no counter's.
    public mutating func multiply(by factor: Double) {
        scale { $0 *= factor }
        if factor < 0 { hint = .gauge }
    }

    /// Division by zero leaves infinite (or NaN) totals and no buckets.
    public mutating func divide(by divisor: Double) {
        if divisor == 0 {
            positiveSpans = []
            positiveBuckets = []
            negativeSpans = []
            negativeBuckets = []
        }
        scale { $0 /= divisor }
        if divisor < 0 { hint = .gauge }
    }

    @inline(__always)
    private mutating func scale(_ change: (inout Double) -> Void) {
        change(&zeroCount)
        change(&count)
        change(&sum)
        positiveBuckets.withUnsafeMutableBufferPointer { for place in $0.indices { change(&$0[place]) } }
        negativeBuckets.withUnsafeMutableBufferPointer { for place in $0.indices { change(&$0[place]) } }
    }

    /// Whether a count, the sum or a bound is infinite: an addition went beyond what doubles hold.
    public var hasOverflow: Bool {
        zeroCount.isInfinite || count.isInfinite || sum.isInfinite || positiveBuckets.contains { $0.isInfinite }
            || negativeBuckets.contains { $0.isInfinite } || customBounds.contains { $0.isInfinite }
    }
}
