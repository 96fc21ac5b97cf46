import PromQL
import Support
import TSDB
import Testing

/// Queries end to end over series in memory.
@Suite("Engine")
struct EngineTests {
    /// Series `b{le, instance}` with counters that rise by `slope` every 15 s.
    static func buckets() -> MemorySeries {
        let storage = MemorySeries()
        for instance in 0..<3 {
            for (index, bound) in ["0.1", "1", "+Inf"].enumerated() {
                let labels: Labels = ["__name__": "b_bucket", "le": bound, "instance": "i\(instance)"]
                for sample in 0..<80 {
                    storage.append(labels, Int64(sample) * 15_000, Double(sample * (index + 1)))
                }
            }
        }
        return storage
    }

    static func rows(_ result: QueryResult) -> [String: [String]] {
        var rows: [String: [String]] = [:]
        switch result.value {
        case .matrix(let matrix):
            for row in 0..<matrix.count {
                var points: [String] = []
                matrix.forEachPoint(ofRow: row) { points.append("\(matrix.grid.time($0) / 1000):\($1)") }
                rows[matrix.labels[row].description] = points
            }
        case .vector(let vector):
            for row in 0..<vector.count { rows[vector.labels[row].description] = ["\(vector.values[row])"] }
        case .samples(let matrix):
            for row in 0..<matrix.count {
                var points: [String] = []
                matrix.forEachPoint(ofRow: row) { points.append("\($0.milliseconds / 1000):\($1)") }
                rows[matrix.labels[row].description] = points
            }
        case .scalar(let value, _): rows["scalar"] = ["\(value)"]
        case .string(let text, _): rows["string"] = [text]
        }
        return rows
    }

    func instant(_ query: String, on storage: MemorySeries, at seconds: Int64) throws -> [String: [String]] {
        Self.rows(try Engine().instant(query, on: storage, at: Timestamp(milliseconds: seconds * 1000)))
    }

    func range(
        _ query: String, on storage: MemorySeries, from: Int64, through: Int64, step: Int64
    ) throws -> [String: [String]] {
        Self.rows(
            try Engine().range(
                query, on: storage, start: Timestamp(milliseconds: from * 1000),
                end: Timestamp(milliseconds: through * 1000), step: .seconds(step)))
    }

    @Test("a chain of 900 operators is evaluated, of scalars, of vectors, and of sets")
    func longChains() throws {
        let storage = MemorySeries()
        storage.append(["__name__": "x"], 0, 2)
        func chain(_ part: String, _ op: String) -> String { part + String(repeating: " \(op) \(part)", count: 900) }
        #expect(try instant(chain("time()", "+"), on: storage, at: 1) == ["scalar": ["901.0"]])
        #expect(try instant(chain("x", "+"), on: storage, at: 1) == ["{}": ["1802.0"]])
        #expect(try instant(chain("x", "or"), on: storage, at: 1) == ["x": ["2.0"]])
    }

    @Test("sum by (le) of rates folds every series into its group")
    func headline() throws {
        let rows = try range("sum by (le) (rate(b_bucket[1m]))", on: Self.buckets(), from: 300, through: 420, step: 60)
        #expect(rows.count == 3)
        for (labels, slope) in [("{le=\"0.1\"}", 1.0), ("{le=\"1\"}", 2.0), ("{le=\"+Inf\"}", 3.0)] {
            let points = try #require(rows[labels])
            #expect(points.count == 3)
            for point in points {
                let value = try #require(Double(point.split(separator: ":")[1]))
                #expect(abs(value - 3 * slope / 15) < 1e-12)
            }
        }
    }

    @Test("an instant selector sees the newest sample of the last five minutes, left-open")
    func lookback() throws {
        let storage = MemorySeries()
        storage.append(["__name__": "x"], 0, 7)
        #expect(try instant("x", on: storage, at: 0) == ["x": ["7.0"]])
        #expect(try instant("x", on: storage, at: 299) == ["x": ["7.0"]])
        #expect(try instant("x", on: storage, at: 300) == [:])
        #expect(try instant("x offset -5m", on: storage, at: -300) == ["x": ["7.0"]])
        #expect(try instant("x @ 0", on: storage, at: 100_000) == ["x": ["7.0"]])
    }

    @Test("a stale marker ends a series at once, though older samples are near")
    func staleness() throws {
        let storage = MemorySeries()
        storage.append(["__name__": "x"], 0, 1)
        storage.append(["__name__": "x"], 10_000, StaleMarker.value)
        storage.append(["__name__": "x"], 30_000, 3)
        let rows = try range("x", on: storage, from: 0, through: 40, step: 10)
        #expect(rows == ["x": ["0:1.0", "30:3.0", "40:3.0"]])
        // Windows do not see the marker.
        #expect(try instant("increase(x[31s])", on: storage, at: 30)["{}"] != nil)
    }

    @Test("a range vector shows raw samples of its left-open window")
    func rawSamples() throws {
        let rows = try instant("b_bucket{le=\"1\",instance=\"i0\"}[30s]", on: Self.buckets(), at: 60)
        #expect(rows == ["b_bucket{instance=\"i0\", le=\"1\"}": ["45:6.0", "60:8.0"]])
    }

    @Test("a subquery runs on multiples of its step")
    func subquery() throws {
        let rows = try instant(
            "b_bucket{le=\"1\",instance=\"i0\"}[1m:20s]", on: Self.buckets(), at: 70)
        #expect(rows == ["b_bucket{instance=\"i0\", le=\"1\"}": ["20:2.0", "40:4.0", "60:8.0"]])
    }

    @Test("rate of something whose name is no counter's says so, once, with its place")
    func counterNote() throws {
        let storage = MemorySeries()
        for sample in 0..<10 { storage.append(["__name__": "temperature"], Int64(sample) * 15_000, Double(sample)) }
        let result = try Engine().instant(
            "sum(rate(temperature[1m]))", on: storage, at: Timestamp(milliseconds: 120_000))
        #expect(
            result.infos == [
                "PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "
                    + "\"temperature\" (1:10)"
            ])
    }

    @Test("two metrics that differ by name alone cannot both answer rate")
    func sameLabelset() {
        let storage = MemorySeries()
        for sample in 0..<10 {
            storage.append(["__name__": "a_total"], Int64(sample) * 15_000, Double(sample))
            storage.append(["__name__": "b_total"], Int64(sample) * 15_000, Double(sample))
        }
        #expect(throws: QueryError(.evaluation, "vector cannot contain metrics with the same labelset")) {
            try Engine().instant(
                "rate({__name__!=\"\"}[1m])", on: storage, at: Timestamp(milliseconds: 120_000))
        }
    }

    @Test(
        "an operand fails as a whole, also for series that find no partner and whatever the other side demands",
        arguments: [
            #"m{a="x"} and abs({__name__=~"m|other"})"#, #"m{a="x"} unless -{__name__=~"m|other"}"#, #"m{a="x"} + 2 * {__name__=~"m|other"}"#,
            #"m{a="x"} * on (a) group_left sum by (a) (abs({__name__=~"m|other"}))"#, #"topk(0, abs({__name__=~"m|other"}))"#,
            #"absent(abs({__name__=~"m|other"}))"#,
        ])
    func unusedErrors(_ query: String) throws {
        let storage = MemorySeries()
        for sample in 0..<10 {
            for labels: Labels in [["__name__": "m", "a": "x"], ["__name__": "m", "a": "y"], ["__name__": "other", "a": "y"]] {
                storage.append(labels, Int64(sample) * 15_000, Double(sample))
            }
        }
        #expect(throws: QueryError(.evaluation, "vector cannot contain metrics with the same labelset")) { try instant(query, on: storage, at: 120) }
        // Without what is equal there is an answer.
        _ = try instant(query.replacing("m|other", with: "m"), on: storage, at: 120)
    }

    @Test("more points than allowed are refused with upstream's text")
    func maxSamples() {
        var options = EngineOptions()
        options.maxSamples = 100
        let engine = Engine(options)
        #expect(
            throws: QueryError(
                .limit, "query processing would load too many samples into memory in query execution")
        ) {
            try engine.range(
                "b_bucket", on: Self.buckets(), start: .init(milliseconds: 0), end: .init(milliseconds: 1_200_000),
                step: .seconds(15))
        }
    }

    @Test("a query that is over its time ends with upstream's text")
    func timeout() {
        let clock = ManualClock()
        var options = EngineOptions()
        options.timeout = .seconds(1)
        options.clock = { clock.now().milliseconds * 1_000_000 }
        let context = options.context()
        clock.advance(by: .seconds(2))
        #expect(throws: QueryError(.timeout, "query timed out in expression evaluation")) {
            try Engine(options).instant(
                "sum(b_bucket)", on: Self.buckets(), at: .init(milliseconds: 0), context: context)
        }
    }

    @Test("a cancelled query ends")
    func canceled() {
        let context = EngineOptions().context()
        context.cancel()
        #expect(throws: QueryError(.canceled, "query was canceled in expression evaluation")) {
            try Engine().instant("b_bucket", on: Self.buckets(), at: .init(milliseconds: 0), context: context)
        }
    }
}
