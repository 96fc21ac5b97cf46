import Histograms
import Support
import TSDB
import Testing

@testable import Alerter
@testable import PromQL

@Suite("Rules over native histograms")
struct HistogramRuleTests {
    /// Storage that keeps the batches it is given.
    private final class Kept: Appendable, @unchecked Sendable {
        // Sendable: used by one test on one thread.
        var labels: [Labels] = []
        var histograms: [Int: HistogramSample] = [:]
        var values: [Double] = []
        var verdicts: [AppendVerdict] = []

        func reference(for labels: Labels) throws(TSDBError) -> SeriesRef {
            self.labels.append(labels)
            return SeriesRef(rawValue: UInt64(self.labels.count))
        }

        func append(_ batch: borrowing SampleBatch) throws(TSDBError) -> AppendReport {
            (histograms, values) = (batch.histograms, batch.values)
            defer { verdicts = [] }
            return AppendReport(verdicts: verdicts, storedCount: batch.count)
        }
    }

    private let histogram = FloatHistogram(
        count: 3, sum: 10, positiveSpans: [BucketSpan(offset: 1, length: 1)], positiveBuckets: [3])

    private func result(_ rows: [(Labels, Double, FloatHistogram?)]) throws -> RuleResult {
        var vector = InstantVector(at: Timestamp(milliseconds: 0))
        for (labels, value, histogram) in rows { vector.append(labels, value, histogram) }
        return try RuleResult(.vector(vector))
    }

    private func state(_ kind: Rule) -> RuleState { RuleState(kind, in: RuleStory.group([kind])) }

    @Test("a recording rule stores them, and floats beside them; once gone they end with a stale marker")
    func records() throws {
        var state = state(try .record("y", "x"))
        let storage = Kept()
        let samples = try state.record(result([(["a": "1"], 10, histogram), (["a": "2"], 7, nil)]), as: "y", limit: 0)
        #expect(try state.write(samples, at: Timestamp(milliseconds: 5), to: storage) == nil)
        #expect(storage.labels.map(\.description) == [#"y{a="1"}"#, #"y{a="2"}"#])
        #expect(storage.values == [10, 7] && storage.histograms.keys.sorted() == [0])
        #expect(storage.histograms[0]?.asFloat.isEquivalent(to: histogram) == true)
        let fewer = try state.record(result([(["a": "2"], 8, nil)]), as: "y", limit: 0)
        #expect(try state.write(fewer, at: Timestamp(milliseconds: 6), to: storage) == nil)
        #expect(storage.values.count == 2 && storage.values[0] == 8 && StaleMarker.isStale(storage.values[1]))
        #expect(storage.histograms.isEmpty)
    }

    @Test("where storage has dropped the series they are written again, as what they were")
    func again() throws {
        var state = state(try .record("y", "x"))
        let storage = Kept()
        storage.verdicts = [.unknownSeries]
        let samples = try state.record(result([(["a": "1"], 10, histogram)]), as: "y", limit: 0)
        #expect(try state.write(samples, at: Timestamp(milliseconds: 5), to: storage) == nil)
        #expect(storage.labels.count == 2 && storage.histograms[0]?.asFloat.isEquivalent(to: histogram) == true)
    }

    @Test("an alerting rule fires on them: the text sees the histogram, the alert's value is 0")
    func alerts() throws {
        let rule = try Rule.alert("A", "x", annotations: [(name: "text", template: "{{ $value }}")])
        var state = state(rule)
        guard let alerting = state.alerting else { return #expect(Bool(false)) }
        let findings = try state.findings(result([(["a": "1"], 10, histogram), (["a": "2"], 7, nil)]), alerting) { _, _, value in
            switch value {
            case .float(let value): "\(value)"
            case .histogram(let histogram): histogram.description
            }
        }
        #expect(findings.map(\.value) == [0, 7])
        #expect(findings.map { $0.annotations["text"] ?? "" } == ["{count:3, sum:10, (1,2]:3}", "7.0"])
    }
}
