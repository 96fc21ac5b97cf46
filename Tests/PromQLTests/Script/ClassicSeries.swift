import Histograms
import Numbers
import TSDB

/// `load_with_nhcb`: the classic histograms of a load a second time, as native ones with bounds of their own, under the bare name.
///
///     x_bucket{le="1"} 2    x_bucket{le="5"} 5    x_count 6    x_sum 20
///     ⇒ x {{schema:-53 count:6 sum:20 custom_values:[1 5] buckets:[2 3 1]}}
extension Script.Load {
    private struct Parts {
        /// Cumulative counts by upper bound.
        var buckets: [Double: Double] = [:]
        var count: Double?
        var sum = 0.0

        var histogram: FloatHistogram {
            let finite = buckets.filter { $0.key.isFinite }.sorted { $0.key < $1.key }
            let total = count ?? buckets.max { $0.key < $1.key }?.value ?? 0
            let cumulative = finite.map(\.value) + [buckets[.infinity] ?? total]
            let counts = zip(cumulative, [0] + cumulative).map { $0 - $1 }
            return FloatHistogram(
                schema: FloatHistogram.customSchema, count: total, sum: sum,
                positiveSpans: [BucketSpan(offset: 0, length: UInt32(counts.count))], positiveBuckets: counts,
                customBounds: finite.map(\.key))
        }
    }

    /// By series, then by time.
    var nativeHistograms: [Labels: [Int64: FloatHistogram]] {
        var parts: [Labels: [Int64: Parts]] = [:]
        for row in series {
            guard let name = row.labels.metricName, let suffix = ["_bucket", "_count", "_sum"].first(where: name.hasSuffix)
            else { continue }
            let bound = row.labels["le"].flatMap { NumberText.parse($0, allowing: .go) }
            if suffix == "_bucket" && bound?.isNaN ?? true { continue }
            var labels = LabelsBuilder(row.labels.dropping(["le"]))
            labels.set(MetricName.label, to: String(name.dropLast(suffix.count)))
            for (index, item) in row.values.enumerated() {
                guard case .value(let value) = item else { continue }
                let time = Int64(index) * step
                switch suffix {
                case "_count": parts[labels.labels(), default: [:]][time, default: Parts()].count = value
                case "_sum": parts[labels.labels(), default: [:]][time, default: Parts()].sum = value
                default: parts[labels.labels(), default: [:]][time, default: Parts()].buckets[bound ?? .nan] = value
                }
            }
        }
        return parts.mapValues { $0.mapValues(\.histogram) }
    }
}
