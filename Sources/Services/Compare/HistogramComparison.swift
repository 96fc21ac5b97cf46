import PrometheusClient
import TSDB

/// Compares native histograms of two answers: observations, sum, and bucket by bucket bounds and counts, each within the tolerance.
///
///     count 42   sum 34.5   [-0.25,0.25]:3 (0.25,0.5]:12
enum HistogramComparison {
    /// In what two histograms differ; `nil`: in nothing.
    static func difference(_ a: QueryHistogram, _ b: QueryHistogram, _ tolerance: Tolerance) -> String? {
        func pair(_ what: String, _ x: Double, _ y: Double) -> String? {
            tolerance.accepts(x, y) ? nil : "\(what) \(ValueText.string(x)) and \(ValueText.string(y))"
        }
        if let found = pair("count", a.count, b.count) ?? pair("sum", a.sum, b.sum) { return found }
        for (x, y) in zip(a.buckets, b.buckets) {
            guard x.bounds == y.bounds, tolerance.accepts(x.lower, y.lower), tolerance.accepts(x.upper, y.upper) else {
                return "bucket \(x.interval) and \(y.interval)"
            }
            if let found = pair("bucket \(x.interval)", x.count, y.count) { return found }
        }
        return a.buckets.count == b.buckets.count ? nil : "\(a.buckets.count) and \(b.buckets.count) buckets"
    }

    /// Few words for a report.
    static func text(_ histogram: QueryHistogram) -> String {
        let shown = histogram.buckets.prefix(4).map { " \($0.interval):\(ValueText.string($0.count))" }.joined()
        let more = histogram.buckets.count > 4 ? " … \(histogram.buckets.count) buckets" : ""
        return "{count:\(ValueText.string(histogram.count)) sum:\(ValueText.string(histogram.sum))\(shown)\(more)}"
    }
}

extension AnswerComparison {
    typealias TimedHistogram = (time: Timestamp, histogram: QueryHistogram)

    /// The histograms of pairs of series: the first that differs speaks for all.
    func histograms(_ pairs: [(Labels, [TimedHistogram], [TimedHistogram])]) -> [Difference] {
        var count = 0
        var first: Difference?
        for (labels, a, b) in pairs {
            if a.map(\.time) != b.map(\.time) {
                first = first ?? Difference(.times, "\(labels) has \(a.count) and \(b.count) histograms, or at other times")
                continue
            }
            for (x, y) in zip(a, b) {
                guard let difference = HistogramComparison.difference(x.histogram, y.histogram, tolerance) else { continue }
                count += 1
                if first == nil { first = Difference(.values, "a histogram of \(labels) at \(x.time.seconds): \(difference)") }
            }
        }
        guard var first else { return [] }
        if first.kind == .values, count > 1 { first.detail = "\(count) histograms, \(first.detail)" }
        return [first]
    }
}
