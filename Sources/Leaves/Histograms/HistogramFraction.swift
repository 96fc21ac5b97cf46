#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Which fraction of the observations lies between two values: the inverse of a quantile.
///
///     quantile(0.9) = x   ⇔   fraction(from: −Inf, to: x) = 0.9
///
/// Inside a bucket observations are spread as `HistogramQuantile` has it: evenly on a logarithmic scale, or plainly evenly in the zero bucket and
/// between custom bounds. A bucket that reaches to infinity is not divided.
extension FloatHistogram {
    /// NaN without observations or with a NaN bound; 0 when `lower` is not below `upper`. NaN observations are in no fraction.
    public func fraction(from lower: Double, to upper: Double) -> Double {
        fractionWithNaNEffect(from: lower, to: upper).value
    }

    /// `hasNaN`: there are observations of NaN, which the fraction leaves out.
    public func fractionWithNaNEffect(from lower: Double, to upper: Double) -> (value: Double, hasNaN: Bool) {
        if count == 0 || lower.isNaN || upper.isNaN { return (.nan, false) }
        if lower >= upper { return (0, false) }
        var rank = 0.0
        var lowerRank: Double?
        var upperRank: Double?
        for var bucket in ascendingBuckets {
            let isZeroBucket = bucket.lower <= 0 && bucket.upper >= 0
            if isZeroBucket {
                if negativeBuckets.isEmpty, !positiveBuckets.isEmpty { bucket.lower = 0 }
                if positiveBuckets.isEmpty, !negativeBuckets.isEmpty { bucket.upper = 0 }
            }
            let isLinear = hasCustomBounds || isZeroBucket
            lowerRank = lowerRank ?? Self.rank(of: lower, in: bucket, after: rank, isLinear: isLinear)
            upperRank = upperRank ?? Self.rank(of: upper, in: bucket, after: rank, isLinear: isLinear)
            if lowerRank != nil, upperRank != nil { break }
            rank += bucket.count
        }
        let total = sum.isNaN ? totalOfBuckets : count
        let from = lowerRank.map { $0 > total ? total : $0 } ?? total
        let to = upperRank.map { $0 > total ? total : $0 } ?? total
        return ((to - from) / count, sum.isNaN && total < count)
    }

    /// How many observations lie below `value`, if it is not above `bucket`; `rank` are below the bucket.
    private static func rank(of value: Double, in bucket: Bucket, after rank: Double, isLinear: Bool) -> Double? {
        if bucket.lower >= value { return rank }
        guard bucket.upper > value else { return nil }
        if isLinear, bucket.lower == -.infinity { return bucket.count }
        return rank + bucket.count * bucket.fraction(below: value, isLinear: isLinear)
    }
}

extension FloatHistogram.Bucket {
    /// Which part of the bucket, 0 to 1, lies below `value`, which is inside its finite bounds.
    func fraction(below value: Double, isLinear: Bool) -> Double {
        if isLinear { return (value - lower) / (upper - lower) }
        let lower = log2(abs(self.lower))
        let upper = log2(abs(self.upper))
        let place = log2(abs(value))
        return value > 0 ? (place - lower) / (upper - lower) : 1 - (place - upper) / (lower - upper)
    }
}

/// How far observations spread around their mean, every bucket standing for one value inside it.
extension FloatHistogram {
    /// The geometric middle stands for an exponential bucket, zero for the zero bucket, the arithmetic middle for one with custom bounds.
    public var standardVariance: Double {
        let mean = sum / count
        var total = 0.0
        var remainder = 0.0
        for bucket in ascendingBuckets where bucket.count != 0 {
            let value: Double
            if hasCustomBounds {
                value = (bucket.upper + bucket.lower) / 2
            } else if bucket.lower <= 0, bucket.upper >= 0 {
                value = 0
            } else {
                let middle = (bucket.upper * bucket.lower).squareRoot()
                value = bucket.upper < 0 ? -middle : middle
            }
            let distance = value - mean
            CompensatedSum.add(bucket.count * distance * distance, to: &total, remainder: &remainder)
        }
        return (total + remainder) / count
    }
}
