import Histograms
import Synchronization
import TSDB

/// Storage that remembers everything and judges as a head does: order and repetition by series.
final class RecordingStorage: Appendable {
    struct Sample: Equatable, CustomStringConvertible {
        var time: Int64
        var value: Double
        /// As text, where it is one; with a `f` in front where it is a float histogram.
        var histogram: String?
        /// When its count began, where that is known.
        var start: Int64?
        var description: String {
            if let start { return "\(histogram ?? "\(value)")@\(time)<\(start)" }
            if let histogram { return "\(histogram)@\(time)" }
            return value.bitPattern == 0x7ff0_0000_0000_0002 ? "stale@\(time)" : "\(value)@\(time)"
        }
    }

    private struct State {
        var references: [Labels: SeriesRef] = [:]
        var labels: [SeriesRef: Labels] = [:]
        var samples: [Labels: [Sample]] = [:]
        var generation: UInt32 = 1
        var batches = 0
        var lookups = 0
        var limit = Int.max
        var failure: TSDBError?
        var exemplars: [SeriesExemplar]?
    }

    private let state = Mutex(State())

    func reference(for labels: Labels) throws(TSDBError) -> SeriesRef {
        let reference: SeriesRef? = state.withLock { state in
            state.lookups += 1
            if let known = state.references[labels] { return known }
            if state.references.count >= state.limit { return nil }
            let reference = SeriesRef(slot: UInt32(state.references.count), generation: state.generation)
            state.references[labels] = reference
            state.labels[reference] = labels
            return reference
        }
        guard let reference else { throw TSDBError(.limit, "series limit of the test reached") }
        return reference
    }

    func append(_ batch: borrowing SampleBatch) throws(TSDBError) -> AppendReport {
        if let failure = state.withLock({ $0.failure }) { throw failure }
        var verdicts: [AppendVerdict] = []
        for index in 0..<batch.count {
            let histogram: String? =
                switch batch.histograms[index] {
                case .integer(let histogram): FloatHistogram(histogram).testExpression
                case .float(let histogram): "f" + histogram.testExpression
                case nil: nil
                }
            let start = index < batch.starts.count && batch.starts[index] != 0 ? batch.starts[index] : nil
            let sample = Sample(
                time: batch.timestamps[index], value: batch.values[index], histogram: histogram, start: start)
            let reference = batch.references[index]
            verdicts.append(
                state.withLock { state in
                    guard let labels = state.labels[reference] else { return .unknownSeries }
                    if let last = state.samples[labels]?.last {
                        if sample.time < last.time { return .outOfOrder }
                        if sample.time == last.time {
                            return sample.value.bitPattern == last.value.bitPattern ? .repeated : .duplicate
                        }
                    }
                    state.samples[labels, default: []].append(sample)
                    return .stored
                })
        }
        state.withLock { $0.batches += 1 }
        let stored = verdicts.count { $0 == .stored }
        return AppendReport(verdicts: stored == verdicts.count ? [] : verdicts, storedCount: stored)
    }

    /// Exemplars are taken from now on.
    func takeExemplars() { state.withLock { $0.exemplars = [] } }

    var takesExemplars: Bool { state.withLock { $0.exemplars != nil } }

    func append(exemplars: [SeriesExemplar]) throws(TSDBError) -> [ExemplarVerdict] {
        state.withLock { state in
            state.exemplars?.append(contentsOf: exemplars)
            return exemplars.map { $0.exemplar.labels["late"] == nil ? .stored : .outOfOrder }
        }
    }

    /// `name {labels} value@time`, with `!` behind where it has a time of its own.
    var exemplars: [String] {
        state.withLock { state in
            (state.exemplars ?? []).map { item in
                let exemplar = item.exemplar, own = exemplar.hasOwnTimestamp ? "!" : ""
                let name = state.labels[item.reference]?.metricName ?? ""
                return "\(name) \(exemplar.labels) \(exemplar.value)@\(exemplar.timestamp.milliseconds)\(own)"
            }
        }
    }

    /// Forgets all references, as after the series were dropped; the samples stay readable.
    func dropSeries() {
        state.withLock { state in
            state.references = [:]
            state.labels = [:]
            state.generation += 1
        }
    }

    func limitSeries(to count: Int) { state.withLock { $0.limit = count } }
    func fail(_ error: TSDBError?) { state.withLock { $0.failure = error } }

    var batches: Int { state.withLock { $0.batches } }
    var lookups: Int { state.withLock { $0.lookups } }

    /// The samples of a series, shown as `1.0@1000 stale@2000`.
    func samples(_ labels: Labels) -> String {
        (state.withLock { $0.samples[labels] } ?? []).map(\.description).joined(separator: " ")
    }

    func values(_ labels: Labels) -> [Sample] { state.withLock { $0.samples[labels] } ?? [] }

    var series: [Labels] { state.withLock { $0.samples.keys.sorted() } }
}
