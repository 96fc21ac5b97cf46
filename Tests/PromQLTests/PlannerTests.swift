import PromQL
import Support
import TSDB
import Testing

/// What is decided before the first sample is read.
@Suite("Planner")
struct PlannerTests {
    /// The plan's lines for a query over an hour in steps of a minute.
    func plan(_ query: String, step: Duration = .minutes(1)) throws -> [String] {
        let expr = try Parser.parse(query, options: .everything)
        let plan = try Engine().plan(
            expr, start: Timestamp(milliseconds: 0), end: Timestamp(milliseconds: 3_600_000), step: step)
        return plan.root.description.split(separator: "\n").map(String.init)
    }

    @Test("numbers are folded before anything runs")
    func folding() throws {
        #expect(try plan("-(2 + 3) * 4 ^ 2") == ["scalar -80.0"])
        #expect(try plan("end() - start() + step() + range()") == ["scalar 7260.0"])
        #expect(try plan("x > bool 2 * 3") == ["binary >", "  select {__name__=\"x\"}", "  scalar 6.0"])
    }

    @Test("a part whose selectors are all fixed runs once")
    func stepInvariance() throws {
        #expect(
            try plan("sum(rate(x[5m] @ 100)) / y") == [
                "binary /", "  once", "    aggregate sum by ()", "      rangeFunction rate",
                "        window [300.0s] {__name__=\"x\"} @ 100.0", "  select {__name__=\"y\"}",
            ])
        #expect(try plan("x @ end() + y @ start()").first == "once")
        // The answer depends on the step's time, though the samples do not.
        #expect(try plan("predict_linear(x[5m] @ 100, 60)").first == "rangeFunction predict_linear")
        #expect(try plan("timestamp(abs(x @ 100))").first == "function timestamp")
        #expect(try plan("timestamp(x @ 100)").first == "once")
    }

    @Test("durations are computed from the query's own step and range")
    func durations() throws {
        #expect(
            try plan("max_over_time(x[step() * 5] offset (range() / 2))") == [
                "rangeFunction max_over_time", "  window [300.0s] {__name__=\"x\"} offset 1800.0s",
            ])
        #expect(throws: QueryError.self) { try plan("rate(x[1m - 2m])") }
        #expect(throws: QueryError.self) { try plan("rate(x[1m / 0])") }
    }

    @Test("a subquery without a step has the default one")
    func subquery() throws {
        #expect(
            try plan("max_over_time(x[1h:])") == [
                "rangeFunction max_over_time", "  subquery [3600.0s:60.0s]", "    select {__name__=\"x\"}",
            ])
    }
}

/// Questions that ask for too much are refused by the bound they break, and nothing is allocated for them.
@Suite("Limits of queries")
struct QueryLimitTests {
    static func storage() -> MemorySeries {
        let storage = MemorySeries()
        for index in 0..<3 {
            for sample in 0..<10 {
                storage.append(["__name__": "x", "i": "\(index)"], Int64(sample) * 10_000, Double(index * sample))
            }
        }
        return storage
    }

    @Test(
        "grids of more steps than points are allowed",
        arguments: ["max_over_time(x[50y:1ms])", "sum(max_over_time(x[290y:1ms] offset 100y))", "x[200y:1ms]"])
    func subqueries(_ query: String) {
        #expect(
            throws: QueryError(
                .limit, "query processing would load too many samples into memory in query execution")
        ) { try Engine().instant(query, on: Self.storage(), at: Timestamp(milliseconds: 90_000)) }
    }

    @Test("a range query of more steps than points are allowed")
    func steps() {
        #expect(throws: QueryError.self) {
            try Engine().range(
                "vector(1)", on: Self.storage(), start: Timestamp(milliseconds: 0),
                end: Timestamp(milliseconds: 1 << 50), step: .milliseconds(1))
        }
    }

    @Test("times at the ends of the calendar are answered or refused, never a crash")
    func ends() throws {
        for time in [Int64.min, .min + 1, -(1 << 61), 1 << 61, .max - 1, .max] {
            for query in ["x", "rate(x[5m])", "max_over_time(x[1h:1m])", "x offset 100y", "x @ 1e15", "x offset -200y"] {
                _ = try? Engine().instant(query, on: Self.storage(), at: Timestamp(milliseconds: time))
                _ = try? Engine().range(
                    query, on: Self.storage(), start: Timestamp(milliseconds: time), end: Timestamp(milliseconds: .max),
                    step: Duration(milliseconds: .max))
            }
        }
    }

    @Test("an end before the start is an empty matrix")
    func backwards() throws {
        let result = try Engine().range(
            "sum(x)", on: Self.storage(), start: Timestamp(milliseconds: 60_000), end: Timestamp(milliseconds: 0),
            step: .seconds(1))
        guard case .matrix(let matrix) = result.value else { return #expect(Bool(false), "no matrix") }
        #expect(matrix.count == 0)
    }

    @Test(
        "sizes that are no whole numbers are upstream's errors",
        arguments: [
            ("topk(NaN, x)", "Parameter value is NaN"), ("bottomk(1e30, x)", "Scalar value 1e+30 overflows int64"),
            ("topk(time() * -1e30 + scalar(x{i=\"0\"}) * 1e40 + 5, x)", nil),
        ])
    func sizes(_ query: String, _ message: String?) throws {
        do {
            let result = try Engine().instant(query, on: Self.storage(), at: Timestamp(milliseconds: 90_000))
            guard case .vector(let vector) = result.value else { return #expect(Bool(false), "no vector") }
            #expect(message == nil && vector.count == 0)
        } catch { #expect(error.message == message) }
    }

    @Test("huge k costs what there is to choose from")
    func hugeK() throws {
        let result = try Engine().instant("topk(1e9, x)", on: Self.storage(), at: Timestamp(milliseconds: 90_000))
        guard case .vector(let vector) = result.value else { return #expect(Bool(false), "no vector") }
        #expect(vector.values == [18, 9, 0])
    }
}
