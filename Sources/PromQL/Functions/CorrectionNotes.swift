import Numbers
import Synchronization
import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Tells the reader of a quantile that falling bucket counts were levelled, once per metric, with the extent of all
/// corrections of the query put together:
///
///     PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see …), from buckets 0.1 to 5,
///     with a max diff of 3, over 2 samples from 1970-01-01T00:00:00Z to 1970-01-01T00:05:00Z (1:25)
final class CorrectionNotes: Sendable {
    /// Corrections of one row, or of a metric.
    struct Merged: Sendable {
        var extent = ClassicHistogram.Correction(lowestBound: .infinity, highestBound: -.infinity, largestDifference: 0)
        var count = 0
        /// Milliseconds since the epoch.
        var first = Int64.max
        var last = Int64.min

        mutating func add(_ correction: ClassicHistogram.Correction, at time: Int64) {
            merge(Merged(extent: correction, count: 1, first: time, last: time))
        }

        mutating func merge(_ other: Merged) {
            extent.lowestBound = min(extent.lowestBound, other.extent.lowestBound)
            extent.highestBound = max(extent.highestBound, other.extent.highestBound)
            extent.largestDifference = max(extent.largestDifference, other.extent.largestDifference)
            count += other.count
            first = min(first, other.first)
            last = max(last, other.last)
        }

        /// `, from buckets 0.1 to 5, with …`
        var detail: String {
            let lowest = Numbers.NumberText.string(extent.lowestBound, style: .general)
            let highest = Numbers.NumberText.string(extent.highestBound, style: .general)
            return ", from buckets \(lowest) to \(highest), with a max diff of \(twoDigits(extent.largestDifference)), "
                + "over \(count) samples from \(Self.time(first)) to \(Self.time(last))"
        }

        /// `1970-01-01T00:00:00Z`
        private static func time(_ milliseconds: Int64) -> String {
            let date = CivilDate(secondsSinceEpoch: milliseconds / 1000)
            func padded(_ number: Int, _ width: Int = 2) -> String {
                let text = String(number)
                return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
            }
            let day = "\(padded(Int(date.year), 4))-\(padded(date.month))-\(padded(date.day))"
            return "\(day)T\(padded(date.hour)):\(padded(date.minute)):\(padded(date.second))Z"
        }

        /// C's and Go's `%.2g`.
        private func twoDigits(_ value: Double) -> String {
            var buffer = [CChar](repeating: 0, count: 32)
            _ = withVaList([value]) { vsnprintf(&buffer, buffer.count, "%.2g", $0) }
            let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return text == "inf" ? "+Inf" : text
        }
    }

    private static let text =
        "input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/"
        + "latest/querying/functions/#histogram_quantile)"

    private let position: Range<Int>
    private let context: QueryContext
    private let byName = Mutex<[String: Merged]>([:])

    init(position: Range<Int>, context: QueryContext) {
        self.position = position
        self.context = context
    }

    /// From any thread.
    func add(_ corrections: Merged, metricName: String?) {
        guard corrections.count > 0 else { return }
        let name = metricName ?? ""
        let text = name.isEmpty ? Self.text : Self.text + " for metric name \(QuotedText.go(name))"
        byName.withLock { known in
            known[name, default: Merged()].merge(corrections)
            context.amend(Annotation(.info, text, detail: known[name]?.detail ?? "", at: position))
        }
    }
}
