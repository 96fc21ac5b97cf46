import Support
import Synchronization
import TSDB
import Testing

@testable import PromQL

/// What a query says it will do, and what it says it has done.
@Suite("explain and analyze")
struct AnalysisTests {
    /// A clock that moves on by one nanosecond whenever it is looked at: every stretch of time is at least one.
    private func ticking() -> QueryContext.MonotonicClock {
        let now = Ticks()
        return { now.next() }
    }

    private final class Ticks: Sendable {
        private let now = Atomic<Int64>(0)
        func next() -> Int64 { now.wrappingAdd(1, ordering: .relaxed).newValue }
    }

    private func fleet() throws -> Database {
        let database = Database.inMemory(clock: ManualClock(Timestamp(milliseconds: 4_000_000)))
        for bound in ["0.1", "1", "+Inf"] {
            for instance in 0..<4 {
                let series = try database.reference(
                    for: ["__name__": "b", "le": bound, "instance": "\(instance)"])
                for step in 0..<200 {
                    var batch = SampleBatch()
                    batch.append(series, at: Timestamp(milliseconds: Int64(step) * 15_000), value: Double(step))
                    _ = try database.append(batch)
                }
            }
        }
        return database
    }

    private func analyze(_ query: String, steps: Int64 = 11) throws -> (QueryResult, Explanation) {
        var options = EngineOptions()
        options.clock = ticking()
        let analysis = Analysis(clock: options.clock)
        let context = options.context(analysis: analysis)
        let start = Timestamp(milliseconds: 600_000)
        let result = try Engine(options).range(
            query, on: try fleet(), start: start, end: start + .seconds(60 * (steps - 1)), step: .minutes(1),
            context: context)
        return (result, try #require(analysis.explanation))
    }

    @Test("a plan is a tree with the query's own names, and places in its text")
    func plan() throws {
        let query = "histogram_quantile(0.95, sum by (le) (rate(b{job!=\"x\"}[5m] offset 1m))) / on () y @ 100"
        let expr = try Parser.parse(query)
        let plan = try Engine().plan(
            expr, start: Timestamp(milliseconds: 0), end: Timestamp(milliseconds: 600_000), step: .minutes(1))
        let explanation = Explanation(plan)
        #expect(
            explanation.lines == [
                "query 11 steps from 0 to 600 by 1m",
                "└─ / on ()",
                "   ├─ histogram_quantile",
                "   │  ├─ number 0.95",
                "   │  └─ sum by (le)",
                "   │     └─ rate",
                "   │        └─ window [5m] b{job!=\"x\"} offset 1m",
                "   └─ once the same at every step",
                "      └─ select y @ 100",
            ])
        let sum = explanation.children[0].children[0].children[1]
        let place = try #require(sum.place)
        #expect(String(decoding: Array(query.utf8)[place], as: UTF8.self).hasPrefix("sum by (le) (rate("))
    }

    @Test("analyzing changes nothing in the answer, and its tree has the shape of the plan")
    func shape() throws {
        for query in [
            "histogram_quantile(0.9, sum by (le) (rate(b[5m])))", "topk(2, b) + on (instance, le) group_left () b",
            "max_over_time((sum(b) + 1)[5m:1m])", "quantile(scalar(b{le=\"7\"}), b @ 900)",
            "absent(nope) or time() * b",
        ] {
            let (result, explanation) = try analyze(query)
            let start = Timestamp(milliseconds: 600_000)
            let plain = try Engine().range(
                query, on: try fleet(), start: start, end: start + .minutes(10), step: .minutes(1))
            #expect(Self.rows(result) == Self.rows(plain), "\(query)")
            #expect(result.warnings == plain.warnings && result.infos == plain.infos)
            let plan = try Engine().plan(
                try Parser.parse(query), start: start, end: start + .minutes(10), step: .minutes(1))
            #expect(Self.shape(explanation) == Self.shape(Explanation(plan)), "\(query)")
        }
    }

    @Test("what is counted is what there is: series, points, samples, chunks")
    func counts() throws {
        let (result, explanation) = try analyze("sum by (le) (rate(b[5m]))")
        let sum = explanation.children[0]
        let rate = sum.children[0], window = rate.children[0]
        #expect(sum.measures?.series == 3 && sum.measures?.columns == 3 && sum.measures?.points == 33)
        #expect(rate.measures?.series == 12 && rate.measures?.columns == 12 && rate.measures?.points == 132)
        #expect(rate.measures?.storage == nil)
        let storage = try #require(window.measures?.storage)
        #expect(window.measures?.series == 12 && storage.samples == result.statistics.samplesRead)
        // (300 s, 1200 s] at 15 s: 60 samples of 12 series, in one chunk of up to 120 or across two.
        #expect(storage.samples == 12 * 60 && (12...24).contains(storage.chunks) && storage.bytes > storage.chunks)
    }

    @Test("times add up: no node takes longer than the one above it, and own times make the whole")
    func times() throws {
        for query in ["sum by (le) (rate(b[5m])) / 2", "max_over_time((sum(b) + b @ 900)[5m:1m])", "sort(topk(1, b))"] {
            let explanation = try analyze(query).1
            let whole = try #require(explanation.measures?.nanoseconds)
            #expect(whole > 10)
            #expect(Self.ownTimes(explanation) == whole, "\(query)\n\(explanation.lines.joined(separator: "\n"))")
        }
    }

    @Test("a query that nobody watches has no watcher in its operators")
    func nothingForNothing() throws {
        let storage = try fleet()
        let options = EngineOptions()
        let context = options.context()
        let builder = OperatorBuilder(
            storage: storage, lookback: .minutes(5), delayedNameRemoval: false, context: context)
        let grid = StepGrid(start: 600_000, step: 60_000, count: 11)
        let plan = try Engine().plan(
            try Parser.parse("rate(b[5m])"), start: Timestamp(milliseconds: 600_000),
            end: Timestamp(milliseconds: 1_200_000), step: .minutes(1))
        #expect(!(try builder.build(plan.root, on: grid) is Measured))
        let watched = OperatorBuilder(
            storage: storage, lookback: .minutes(5), delayedNameRemoval: false,
            context: options.context(analysis: Analysis(clock: ticking())))
        #expect(try watched.build(plan.root, on: grid) is Measured)
    }

    @Test("a query that fails leaves the tree as far as it came")
    func failure() throws {
        var options = EngineOptions()
        options.maxSamples = 5
        let analysis = Analysis(clock: ticking())
        #expect(throws: QueryError.self) {
            try Engine(options).instant(
                "b + on () b", on: try fleet(), at: Timestamp(milliseconds: 600_000),
                context: options.context(analysis: analysis))
        }
        #expect(analysis.explanation?.children.first?.children.count == 2)
    }

    private static func rows(_ result: QueryResult) -> [String] {
        guard case .matrix(let matrix) = result.value else { return [] }
        return (0..<matrix.count).map { row in
            var text = "\(matrix.labels[row])"
            matrix.forEachPoint(ofRow: row) { text += " \($0):\($1.bitPattern)" }
            return text
        }
    }

    /// Titles and depths. Children are compared without their order: an operator may make its parameter last.
    private static func shape(_ node: Explanation) -> String {
        "\(node.title) \(node.detail)(" + node.children.map(shape).sorted().joined(separator: ",") + ")"
    }

    private static func ownTimes(_ node: Explanation) -> Int64 {
        (node.measures?.ownNanoseconds ?? 0) + node.children.reduce(0) { $0 + ownTimes($1) }
    }
}
