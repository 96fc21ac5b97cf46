#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The value below which a fraction q of the observations lies, estimated inside the bucket that the rank q · count falls into.
///
///     counts      2    6    2          q = 0.5: rank 5, so 3 of the 6 in (1, 2]
///             ├────┼────┼────┤         exponential   2^(0 + 1 · ½) = 1.414…      the middle on a logarithmic scale
///             ½    1    2    4         linear        1.5                         custom bounds, and the zero bucket
///
/// Only counts are walked over; bounds are computed for the one bucket that is found.
extension FloatHistogram {
    /// What observations of NaN, which are in `count` but in no bucket, did to an estimate.
    public enum NaNEffect: Sendable {
        case none
        /// Ranks count them as above all others: the result is higher than without them.
        case skewed
        /// The rank lies among them: the result is NaN.
        case isNaN
    }

    /// NaN without observations; −Inf and +Inf for q below 0 and above 1.
    public func quantile(_ q: Double) -> Double { quantileWithNaNEffect(q).value }

    public func quantileWithNaNEffect(_ q: Double) -> (value: Double, effect: NaNEffect) {
        if q < 0 { return (-.infinity, .none) }
        if q > 1 { return (.infinity, .none) }
        if count == 0 || q.isNaN { return (.nan, .none) }

        // From below for small q, from above for large: the way to the rank is shorter, and its rounding errors are smaller. NaN observations
        // are above all: with them only the way from below is known.
        let fromBelow = sum.isNaN || q < 0.5
        let rank = fromBelow ? q * count : (1 - q) * count
        let found = search(rank: rank, fromBelow: fromBelow)
        var bucket = self.bucket(at: found.position)
        let reached = found.reached > count ? count : found.reached

        if hasCustomBounds {
            if bucket.lower == -.infinity {
                if bucket.upper <= 0 { return (bucket.upper, .none) }
                bucket.lower = 0
            } else if bucket.upper == .infinity {
                return (bucket.lower, .none)
            }
        } else if bucket.lower < 0, bucket.upper > 0 {
            // The zero bucket reaches only to where the other observations are.
            if negativeBuckets.isEmpty, !positiveBuckets.isEmpty { bucket.lower = 0 }
            if positiveBuckets.isEmpty, !negativeBuckets.isEmpty { bucket.upper = 0 }
        }
        if reached < rank { return sum.isNaN ? (.nan, .isNaN) : (bucket.upper, .none) }

        let rankInBucket = fromBelow ? rank - (reached - bucket.count) : reached - rank
        let effect: NaNEffect = sum.isNaN && totalOfBuckets < count ? .skewed : .none
        return (interpolated(bucket, at: rankInBucket / bucket.count), effect)
    }

    /// The value at `fraction` of the way through `bucket`.
    private func interpolated(_ bucket: Bucket, at fraction: Double) -> Double {
        if hasCustomBounds || (bucket.lower <= 0 && bucket.upper >= 0) {
            return bucket.lower + (bucket.upper - bucket.lower) * fraction
        }
        let lower = log2(abs(bucket.lower))
        let upper = log2(abs(bucket.upper))
        if bucket.lower > 0 { return exp2(lower + (upper - lower) * fraction) }
        return -exp2(upper + (lower - upper) * (1 - fraction))
    }

    // MARK: The bucket of a rank

    /// Where a bucket stands: nowhere (there is none), or its place in the array of its side.
    private enum Position {
        case none
        case negative(place: Int)
        case zero
        case positive(place: Int)
    }

    /// The first bucket with which at least `rank` observations are reached, or the last one there is; and how many are reached.
    private func search(rank: Double, fromBelow: Bool) -> (position: Position, reached: Double) {
        let inwards = fromBelow ? negativeBuckets : positiveBuckets
        let outwards = fromBelow ? positiveBuckets : negativeBuckets
        var reached = 0.0
        // Empty buckets never hold a rank, not even rank 0.
        for place in inwards.indices.reversed() {
            reached += inwards[place]
            if inwards[place] != 0, reached >= rank {
                return (fromBelow ? .negative(place: place) : .positive(place: place), reached)
            }
        }
        if zeroCount > 0 {
            reached += zeroCount
            if reached >= rank { return (.zero, reached) }
        }
        for place in outwards.indices {
            reached += outwards[place]
            if outwards[place] != 0, reached >= rank {
                return (fromBelow ? .positive(place: place) : .negative(place: place), reached)
            }
        }
        // Not reached: the bucket that was come to last.
        if let last = outwards.indices.last {
            return (fromBelow ? .positive(place: last) : .negative(place: last), reached)
        }
        if zeroCount > 0 { return (.zero, reached) }
        return (inwards.isEmpty ? .none : fromBelow ? .negative(place: 0) : .positive(place: 0), reached)
    }

    private func bucket(at position: Position) -> Bucket {
        switch position {
        case .none: Bucket(lower: 0, upper: 0, lowerInclusive: false, upperInclusive: false, count: 0)
        case .zero: zeroBucket
        case .positive(let place):
            outsideZeroBucket(positiveBucket(Self.index(of: place, positiveSpans), count: positiveBuckets[place]))
        case .negative(let place):
            outsideZeroBucket(negativeBucket(Self.index(of: place, negativeSpans), count: negativeBuckets[place]))
        }
    }

    /// Index of the bucket at `place`.
    private static func index(of place: Int, _ spans: [BucketSpan]) -> Int {
        var index = place
        var left = place
        for span in spans {
            index &+= Int(span.offset)
            left -= Int(span.length)
            if left < 0 { break }
        }
        return index
    }

    /// All observations that are in buckets: all but NaN.
    var totalOfBuckets: Double {
        let negative = negativeBuckets.reversed().reduce(0, +)  // Inwards, as a search goes: sums round alike.
        return positiveBuckets.reduce(negative + (zeroCount > 0 ? zeroCount : 0), +)
    }
}
