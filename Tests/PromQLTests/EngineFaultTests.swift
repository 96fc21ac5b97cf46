import PromQL
import Support
import TSDB
import Testing

/// A small world in which every fault shows: resets, gaps, stale markers, huge values, buckets, and info-like labels.
@Suite("Each planted fault changes an answer, and none is there unless asked for")
struct EngineFaultTests {
    private static let series: [(Labels, [(Int64, Double)])] = {
        var all: [(Labels, [(Int64, Double)])] = []
        func add(_ labels: KeyValuePairs<String, String>, _ value: (Int64) -> Double?, shift: Int64 = 0) {
            let samples = (0...40).compactMap { step in value(step).map { (step * 15_000 + shift, $0) } }
            all.append((Labels(labels), samples))
        }
        add(["__name__": "c_total", "job": "a"]) { Double($0 % 13) * 2 + 1 }
        add(["__name__": "g", "job": "a"]) { Double(100 - $0) }
        add(["__name__": "g", "job": "b"]) { $0 < 10 ? 7 : nil }
        add(["__name__": "s", "job": "c"]) { $0 == 5 ? StaleMarker.value : ($0 < 5 ? 3 : nil) }
        add(["__name__": "late", "job": "d"], { $0 < 6 ? 1 : nil }, shift: 1)
        add(["__name__": "big", "x": "1"]) { _ in 1e16 }
        add(["__name__": "big", "x": "2"]) { _ in 1 }
        add(["__name__": "big", "x": "3"]) { _ in -1e16 }
        add(["__name__": "info", "job": "a", "version": "7"]) { _ in 1 }
        for (le, weight) in [("+Inf", 10.0), ("0.1", 2), ("1", 7), ("0.5", 3)] {
            add(["__name__": "d_bucket", "le": le]) { Double($0) * weight }
        }
        return all
    }()

    private static let queries = [
        "rate(c_total[1m])", "increase(c_total[2m])", "count_over_time(g[1m])", "g", "s", "late", "sum(big)", "avg(g)",
        "g * on (job) group_left (version) info", "g offset 1m", "sort(g)", "sort_desc(g)",
        "histogram_quantile(0.5, rate(d_bucket[1m]))",
    ]

    private func answers(_ fault: EngineFault?) throws -> [String] {
        var options = EngineOptions()
        options.fault = fault
        let engine = Engine(options)
        let storage = MemorySeries()
        for (labels, samples) in Self.series {
            for sample in samples { storage.append(labels, sample.0, sample.1) }
        }
        var answers: [String] = []
        for query in Self.queries {
            for at: Int64 in [300_000, 375_999, 375_001] {
                answers.append("\(try engine.instant(query, on: storage, at: Timestamp(milliseconds: at)).value)")
            }
            let range = try engine.range(
                query, on: storage, start: Timestamp(milliseconds: 0), end: Timestamp(milliseconds: 600_000),
                step: .seconds(15))
            answers.append("\(range.value)")
        }
        return answers
    }

    @Test("each fault is seen", arguments: EngineFault.allCases)
    func seen(fault: EngineFault) throws { #expect(try answers(fault) != answers(nil)) }

    @Test("an engine has no fault unless asked") func none() { #expect(EngineOptions().fault == nil) }
}
