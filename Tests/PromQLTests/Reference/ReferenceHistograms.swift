import Histograms
import Numbers
import PromQL
import TSDB

/// Classic histograms: one series per bucket, `le` its upper bound, its value the number of observations up to there.
///
///     le       0.1   0.5   1    +Inf
///     count     20    70   90    100        quantile(0.5): rank 50 lies in (0.1, 0.5],
///                ├──────┤                   30 of 50 into it: 0.1 + 0.4 · 30/50 = 0.34
///
/// Source: Prometheus documentation, “Functions”, `histogram_quantile()`, `histogram_fraction()`.
struct ClassicHistogram {
    struct Bucket {
        var upperBound: Double
        /// Observations at or below the bound.
        var count: Double
    }

    /// By bound; equal bounds (`1` and `1.0`) are one bucket.
    private var buckets: [Bucket]
    private let hasInfiniteBucket: Bool

    /// `unsorted` is not empty.
    init(_ unsorted: [Bucket]) {
        buckets = []
        for bucket in unsorted.sorted(by: { $0.upperBound < $1.upperBound }) {
            if let last = buckets.last, last.upperBound == bucket.upperBound {
                buckets[buckets.count - 1].count += bucket.count
            } else {
                buckets.append(bucket)
            }
        }
        hasInfiniteBucket = buckets.last?.upperBound == .infinity
    }

    func quantile(_ q: Double) -> Double {
        if q.isNaN { return .nan }
        if q < 0 { return -.infinity }
        if q > 1 { return .infinity }
        guard hasInfiniteBucket, buckets.count >= 2 else { return .nan }
        let buckets = monotonic
        let observations = buckets[buckets.count - 1].count
        if observations == 0 { return .nan }

        var rank = q * observations
        // The first bucket that holds the rank; where none does, the last.
        let index = buckets.dropLast().firstIndex { $0.count >= rank } ?? buckets.count - 1
        if index == buckets.count - 1 { return buckets[index - 1].upperBound }
        let end = buckets[index].upperBound
        if index == 0 {
            // Observations are taken to be positive where the first bound is.
            return end <= 0 ? end : end * (rank / buckets[0].count)
        }
        let start = buckets[index - 1].upperBound
        let count = buckets[index].count - buckets[index - 1].count
        rank -= buckets[index - 1].count
        return start + (end - start) * (rank / count)
    }

    /// Counts that never fall. Differences below 10⁻¹² are rounding errors of earlier sums; greater ones come from samples
    /// scraped at different times, and the larger count before them wins.
    private var monotonic: [Bucket] {
        var result = buckets
        var highest = buckets[0].count
        for index in 1..<result.count {
            let count = result[index].count
            if nearlyEqual(highest, count, within: 1e-12) || count < highest {
                result[index].count = highest
            } else {
                highest = count
            }
        }
        return result
    }

    /// The share of observations in `[low, high]`, by the same interpolation backwards.
    func fraction(from low: Double, to high: Double) -> Double {
        guard hasInfiniteBucket, let observations = buckets.last?.count, observations != 0 else { return .nan }
        if low.isNaN || high.isNaN { return .nan }
        if low >= high { return 0 }
        let lowRank = min(rank(of: low), observations), highRank = min(rank(of: high), observations)
        return (highRank - lowRank) / observations
    }

    /// The number of observations below `value`.
    private func rank(of value: Double) -> Double {
        var lowerBound = buckets[0].upperBound > 0 ? 0 : -Double.infinity
        var below = 0.0
        for bucket in buckets {
            if lowerBound >= value { return below }
            if bucket.upperBound > value {
                // Into a bucket without lower end there is no way but all of it.
                if lowerBound == -.infinity { return bucket.count }
                return below + (bucket.count - below) * (value - lowerBound) / (bucket.upperBound - lowerBound)
            }
            below = bucket.count
            lowerBound = bucket.upperBound
        }
        return buckets[buckets.count - 1].count
    }
}

/// Equal but for a relative error; the scripts compare answers so, too.
func nearlyEqual(_ a: Double, _ b: Double, within epsilon: Double) -> Bool {
    if StaleMarker.isStale(a) || StaleMarker.isStale(b) { return a.bitPattern == b.bitPattern }
    if a.isNaN && b.isNaN || a == b { return true }
    let sum = a.magnitude + b.magnitude, difference = (a - b).magnitude
    if a == 0 || b == 0 || sum < .leastNormalMagnitude { return difference < epsilon * .leastNormalMagnitude }
    return difference / min(sum, .greatestFiniteMagnitude) < epsilon
}

extension ReferenceEvaluator {
    /// Gathers buckets into histograms by all labels but `le`, and computes one value of each; of native histograms likewise. Where there
    /// are both of one name, neither counts.
    func histograms(
        _ argument: Expr, at t: Int64, _ compute: (ClassicHistogram) -> Double, native: (FloatHistogram) -> Double
    ) throws -> [Element] {
        var order: [Labels] = []
        var buckets: [Labels: [ClassicHistogram.Bucket]] = [:]
        let elements = try vector(argument, at: t)
        for element in elements where element.histogram == nil {
            // A series without a readable bound is no bucket.
            guard let bound = element.labels["le"].flatMap({ NumberText.parse($0, allowing: .go) }) else { continue }
            let key = element.labels.dropping(["le"])
            if buckets[key] == nil { order.append(key) }
            buckets[key, default: []].append(ClassicHistogram.Bucket(upperBound: bound, count: element.value))
        }
        let natives = elements.compactMap { element -> Element? in
            guard let histogram = element.histogram, buckets[element.labels] == nil else { return nil }
            return Element(labels: element.labels, value: native(histogram))
        }
        let taken = Set(elements.filter { $0.histogram != nil }.map(\.labels))
        let result = order.filter { !taken.contains($0) }.map { key in
            Element(labels: key, value: compute(ClassicHistogram(buckets[key] ?? [])))
        }
        return try withoutNames(natives + result) { (value: Double) in value }
    }

    /// One element per histogram and quantile, told apart by a label of the caller's choice.
    func histogramQuantiles(_ arguments: [Expr], at t: Int64) throws -> [Element] {
        let label = try string(arguments[1])
        var result: [Element] = []
        for argument in arguments.dropFirst(2) {
            let q = try scalar(argument, at: t)
            result += try histograms(arguments[0], at: t) {
                $0.quantile(q)
            } native: {
                $0.quantile(q)
            }.map { element in
                var labels = LabelsBuilder(element.labels)
                labels.set(label, to: q.openMetricsText)
                return Element(labels: labels.labels(), value: element.value, dropsName: element.dropsName)
            }
        }
        try rejectDuplicatesUnlessDelayed(result)
        return result
    }
}
