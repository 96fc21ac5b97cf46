/// A classic histogram at one step: cumulative counts by upper bound, and what can be estimated from them.
///
///     le       0.1   0.5   1    +Inf          count
///     count     10    40   80    100          100 ┤            ┌────
///                                              80 ┤       ┌────┘         quantile 0.5: rank 50 of 100 lies in (0.5, 1],
///     observations are assumed to be           40 ┤   ┌───┘              a quarter into it: 0.5 + 0.5 · 10/40 = 0.625
///     spread evenly inside a bucket            10 ┤───┘
///                                                 0.1 0.5 1  +Inf
///
/// Source of the rules: documentation of `histogram_quantile` and upstream's behaviour.
struct ClassicHistogram {
    struct Bucket: Equatable {
        var upperBound: Double
        /// Observations up to `upperBound`.
        var count: Double
    }

    /// Relative differences between neighbours below this are rounding, not decreases: a deviation of one observation
    /// becomes that small at 10¹² observations.
    static let tolerance = 1e-12

    /// What `makeMonotonic` had to change, for the note to the reader.
    struct Correction: Equatable {
        var lowestBound: Double
        var highestBound: Double
        var largestDifference: Double
    }

    /// Ascending by bound, one bucket per bound. Reused from step to step.
    private(set) var buckets: [Bucket] = []

    init() {}

    init(_ buckets: [Bucket]) {
        for bucket in buckets { append(bucket) }
    }

    var isEmpty: Bool { buckets.isEmpty }

    mutating func removeAll() { buckets.removeAll(keepingCapacity: true) }

    /// Bounds come in ascending order; counts of equal bounds (`le="1"` and `le="1.0"`) are added up.
    mutating func append(_ bucket: Bucket) {
        if let last = buckets.last, last.upperBound == bucket.upperBound {
            buckets[buckets.count - 1].count += bucket.count
        } else {
            buckets.append(bucket)
        }
    }

    /// Without a bucket for everything nothing can be said.
    var isComplete: Bool { buckets.last?.upperBound == .infinity }

    /// Cumulative counts cannot fall. Where they do (a scrape between two increments, rounding after sums of rates), the
    /// higher count before is used. Differences within `tolerance` are levelled silently in both directions.
    mutating func makeMonotonic() -> Correction? {
        var correction: Correction?
        guard var previous = buckets.first?.count else { return nil }
        for index in buckets.indices.dropFirst() {
            let current = buckets[index].count
            if current == previous { continue }
            if Self.areAlmostEqual(previous, current) {
                buckets[index].count = previous
            } else if current < previous {
                buckets[index].count = previous
                let bound = buckets[index].upperBound, difference = previous - current
                correction = Correction(
                    lowestBound: min(correction?.lowestBound ?? .infinity, bound),
                    highestBound: max(correction?.highestBound ?? -.infinity, bound),
                    largestDifference: max(correction?.largestDifference ?? 0, difference))
            } else {
                previous = current
            }
        }
        return correction
    }

    /// The value below which the fraction `phi` of the observations lies. Call `makeMonotonic` before.
    ///
    /// In the lowest bucket 0 is the natural lower bound if its upper bound is positive. In the `+Inf` bucket the answer is the
    /// highest finite bound. NaN without observations, with fewer than two buckets or without a `+Inf` bucket; ∓Inf for
    /// φ outside 0…1.
    func quantile(_ phi: Double) -> Double {
        if phi.isNaN { return .nan }
        if phi < 0 { return -.infinity }
        if phi > 1 { return .infinity }
        guard isComplete, buckets.count >= 2 else { return .nan }
        let last = buckets.count - 1
        let observations = buckets[last].count
        guard observations != 0 else { return .nan }
        var rank = phi * observations
        let found = firstBucket(reaching: rank)
        if found == last { return buckets[last - 1].upperBound }
        if found == 0 && buckets[0].upperBound <= 0 { return buckets[0].upperBound }
        var lowerBound = 0.0
        var count = buckets[found].count
        if found > 0 {
            lowerBound = buckets[found - 1].upperBound
            count -= buckets[found - 1].count
            rank -= buckets[found - 1].count
        }
        return lowerBound + (buckets[found].upperBound - lowerBound) * (rank / count)
    }

    /// The lowest bucket with at least `rank` observations up to its bound, or the last one; by binary search.
    private func firstBucket(reaching rank: Double) -> Int {
        var low = 0, high = buckets.count - 1
        while low < high {
            let middle = (low + high) / 2
            if buckets[middle].count >= rank { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// The fraction of the observations between two values, the inverse of `quantile`.
    func fraction(from lower: Double, to upper: Double) -> Double {
        guard isComplete else { return .nan }
        let total = buckets[buckets.count - 1].count
        if total == 0 || lower.isNaN || upper.isNaN { return .nan }
        if lower >= upper { return 0 }
        return (rank(of: upper, total: total) - rank(of: lower, total: total)) / total
    }

    /// Observations up to `value`, which may be infinite, interpolated inside its bucket.
    private func rank(of value: Double, total: Double) -> Double {
        var below = 0.0
        var lowerBound = buckets[0].upperBound <= 0 ? -Double.infinity : 0
        for bucket in buckets {
            if lowerBound >= value { return below > total ? total : below }
            if bucket.upperBound > value {
                // A bucket of infinite width cannot be cut: from −∞ it counts whole, up to +∞ the quotient is 0.
                let estimate =
                    lowerBound == -.infinity
                    ? bucket.count
                    : below + (bucket.count - below) * (value - lowerBound) / (bucket.upperBound - lowerBound)
                return estimate > total ? total : estimate
            }
            below = bucket.count
            lowerBound = bucket.upperBound
        }
        return total
    }

    /// Equal up to `tolerance` of their sum; next to zero, up to that part of the smallest normal number.
    static func areAlmostEqual(_ a: Double, _ b: Double) -> Bool {
        if a == b || (a.isNaN && b.isNaN) { return true }
        let sum = a.magnitude + b.magnitude
        let difference = (a - b).magnitude
        let smallest = Double.leastNormalMagnitude
        if a == 0 || b == 0 || sum < smallest { return difference < tolerance * smallest }
        return difference / min(sum, .greatestFiniteMagnitude) < tolerance
    }
}
