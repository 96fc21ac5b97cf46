/// What is left of a histogram when observations above (`</`) or below (`>/`) a value are taken away.
///
///     h </ 3     (1,2]:4 (2,4]:6 (4,8]:1   ⇒   (1,2]:4 (2,4]:3.5…         the bucket that the value lies in is divided
///
/// Division is that of `HistogramFraction`. A bucket that reaches to infinity is kept or dropped whole, since nothing is known of how its
/// observations spread; only a first custom bucket is taken to begin at 0 if it ends above. When something was taken away, count and sum are
/// estimated anew: what is left in a bucket stands at the middle (geometric, for exponential ones) of what is left of its width.
extension FloatHistogram {
    /// `histogram </ bound`.
    public func trimmed(keepingUpTo bound: Double) -> FloatHistogram { trimmed(at: bound, keeping: .below) }

    /// `histogram >/ bound`.
    public func trimmed(keepingFrom bound: Double) -> FloatHistogram { trimmed(at: bound, keeping: .above) }

    private enum Kept { case below, above }

    /// What a bucket keeps, and the value that stands for it.
    private struct Rest {
        var count: Double
        var value: Double
        /// The cut is not inside the bucket: it stays as it is.
        var isWhole = false

        static let nothing = Rest(count: 0, value: 0)
    }

    private func trimmed(at cut: Double, keeping kept: Kept) -> FloatHistogram {
        var result = self
        var total = 0.0
        var sum = 0.0
        var isChanged = false
        var hasPositive = false
        var hasNegative = false
        func trim(_ bucket: Bucket, isPositive: Bool, _ count: inout Double) {
            let rest = self.rest(of: bucket, at: cut, keeping: kept, isPositive: isPositive)
            total += rest.count
            sum += rest.value * rest.count
            guard !rest.isWhole, count != rest.count else { return }
            count = rest.count
            isChanged = true
        }
        var cursor = positiveCursor
        while cursor.next() {
            guard cursor.count != 0 else { continue }
            hasPositive = true
            let bucket = positiveBucket(cursor.index, count: cursor.count)
            trim(bucket, isPositive: true, &result.positiveBuckets[cursor.place])
        }
        cursor = negativeCursor
        while cursor.next() {
            guard cursor.count != 0 else { continue }
            hasNegative = true
            let bucket = negativeBucket(cursor.index, count: cursor.count)
            trim(bucket, isPositive: false, &result.negativeBuckets[cursor.place])
        }
        if zeroCount > 0 {
            var bucket = zeroBucket
            if hasNegative, !hasPositive { bucket.upper = 0 }
            if hasPositive, !hasNegative { bucket.lower = 0 }
            let rest = Self.restOfZeroBucket(bucket, at: cut, keeping: kept)
            if zeroCount != rest.count {
                result.zeroCount = rest.count
                isChanged = true
            }
            sum += rest.value * rest.count
            total += rest.count
        }
        guard isChanged else { return self }
        result.count = total
        result.sum = sum
        result.compact()
        return result
    }

    private func rest(of bucket: Bucket, at cut: Double, keeping kept: Kept, isPositive: Bool) -> Rest {
        let isWhole = kept == .below ? bucket.upper <= cut : bucket.lower >= cut
        if isWhole {
            return Rest(
                count: bucket.count, value: middle(bucket.lower, bucket.upper, isPositive: isPositive), isWhole: true)
        }
        guard kept == .below ? bucket.lower < cut : bucket.upper > cut else { return .nothing }
        if bucket.lower == -.infinity || bucket.upper == .infinity {
            return Self.restOfUnbounded(bucket, at: cut, keeping: kept)
        }
        let below = bucket.count * bucket.fraction(below: cut, isLinear: hasCustomBounds)
        switch kept {
        case .below: return Rest(count: below, value: middle(bucket.lower, cut, isPositive: isPositive))
        case .above: return Rest(count: bucket.count - below, value: middle(cut, bucket.upper, isPositive: isPositive))
        }
    }

    /// The cut lies inside a bucket with an infinite bound.
    private static func restOfUnbounded(_ bucket: Bucket, at cut: Double, keeping kept: Kept) -> Rest {
        switch (kept, bucket.lower == -.infinity) {
        case (.below, true):
            if cut > 0, bucket.upper > 0, bucket.upper < .infinity {
                return Rest(count: bucket.count * cut / bucket.upper, value: cut / 2)
            }
            return bucket.upper <= 0 ? Rest(count: bucket.count, value: cut) : .nothing
        case (.above, true):
            if cut >= 0, bucket.upper > cut, bucket.upper < .infinity {
                return Rest(count: bucket.count * (1 - cut / bucket.upper), value: (cut + bucket.upper) / 2)
            }
            return .nothing
        case (.below, false): return .nothing
        case (.above, false): return Rest(count: bucket.count, value: cut)
        }
    }

    private static func restOfZeroBucket(_ bucket: Bucket, at cut: Double, keeping kept: Kept) -> Rest {
        let whole = Rest(count: bucket.count, value: (bucket.lower + bucket.upper) / 2)
        let width = bucket.upper - bucket.lower
        switch kept {
        case .below:
            if cut <= bucket.lower { return .nothing }
            if cut >= bucket.upper { return whole }
            return Rest(count: bucket.count * ((cut - bucket.lower) / width), value: (bucket.lower + cut) / 2)
        case .above:
            if cut <= bucket.lower { return whole }
            if cut >= bucket.upper { return .nothing }
            return Rest(count: bucket.count * ((bucket.upper - cut) / width), value: (cut + bucket.upper) / 2)
        }
    }

    /// The value that stands for observations between two bounds. Where one is infinite: the other one, or half of it above zero.
    private func middle(_ lower: Double, _ upper: Double, isPositive: Bool) -> Double {
        if lower.isInfinite {
            if upper.isInfinite { return 0 }
            return upper > 0 ? upper / 2 : upper
        }
        if upper.isInfinite { return lower }
        if hasCustomBounds { return (lower + upper) / 2 }
        let middle = abs(lower * upper).squareRoot()
        return isPositive ? middle : -middle
    }
}
