import PromQL
import Support
import Synchronization
import TSDB
import Testing

/// Rewritings of plans: what they do, and that no answer shows it.
@Suite("Plan passes")
struct PlanPassTests {
    private func plan(_ query: String, _ passes: PlanPasses) throws -> String {
        var options = EngineOptions()
        options.parser = .everything
        options.passes = passes
        let end = Timestamp(milliseconds: 3_600_000)
        return try Engine(options).plan(
            try Parser.parse(query, options: .everything), start: Timestamp(milliseconds: 0), end: end, step: .minutes(1)
        ).root.description
    }

    /// The selectors of a plan, without their names, behind one another.
    private func selectors(_ query: String) throws -> [String] {
        try plan(query, .matcherPropagation).split(separator: "\n").compactMap { line in
            guard let brace = line.firstIndex(of: "{") else { return nil }
            return String(line[brace...]).replacing("__name__=", with: "")
        }
    }

    @Test("a join's matchers go over to the side that lacks them")
    func propagation() throws {
        let query = "rate(e{job=\"api\"}[5m]) / rate(r[5m])"
        #expect(
            try plan(query, []) == """
                binary /
                  rangeFunction rate
                    window [300.0s] {job="api", __name__="e"}
                  rangeFunction rate
                    window [300.0s] {__name__="r"}
                """)
        #expect(
            try plan(query, .matcherPropagation) == """
                binary /
                  rangeFunction rate
                    window [300.0s] {job="api", __name__="e"}
                  rangeFunction rate
                    window [300.0s] {__name__="r", job="api"}
                """)
        #expect(
            try selectors("sum by (job) (a) and on (job) b{job=~\"x|y\"}") == [
                #"{"a", job=~"x|y"}"#, #"{job=~"x|y", "b"}"#,
            ])
        #expect(try selectors("abs(-a{x!=\"1\"}) * 2 > b") == [#"{x!="1", "a"}"#, #"{"b", x!="1"}"#])
        #expect(
            try selectors("a{x=\"1\", y=\"2\"} * on (x) group_left sum by (x) (b)") == [
                #"{x="1", y="2", "a"}"#, #"{"b", x="1"}"#,
            ])
    }

    @Test(
        "a matcher stays where it could change an answer or an error",
        arguments: [
            // Two series of b with one x are an error, also where a has none with it.
            #"a{x="1"} / on (x) b"#, #"a{x="1"} / ignoring (y) b"#,
            // The label is not compared, or not the label that it was.
            #"a{x="1"} and on (y) b"#, #"a{x="1"} and ignoring (x) b"#, #"label_replace(a{x="1"}, "x", "$1", "y", "(.*)") and b"#,
            #"sum without (x) (a{x="1"}) and b"#, #"count_values("x", a{x="1"}) and b"#,
            // Everything of the right side is in the answer.
            #"a{x="1"} or b"#, #"a{x="1"} + fill (0) b"#,
            // Which series are the largest depends on all of them.
            #"a{x="1"} and topk(2, b)"#, #"a{x="1"} and absent_over_time(b[5m])"#,
            #"a{x="1"} and histogram_quantile(0.5, b)"#, #"a / on (x) b{x="1"}"#,
            #"b{x="1"} / on (x) group_right a"#,
            // Names go, and series of two names may become equal.
            #"a{x="1"} unless abs({y="1"})"#, #"a{x="1"} unless -{y="1"}"#, #"a{x="1"} unless rate({y="1"}[5m])"#,
            #"a{x="1"} unless 2 * {y="1"}"#,
            // Parameters are looked at where there is a series.
            #"a{x="1"} and double_exponential_smoothing(b[5m], 0.5, 0.5)"#,
        ])
    func noPropagation(_ query: String) throws {
        #expect(try plan(query, .matcherPropagation) == plan(query, []))
    }

    @Test("`unless` takes matchers to its right side only")
    func unless() throws {
        #expect(try selectors("a unless b{x=\"1\"}") == [#"{"a"}"#, #"{x="1", "b"}"#])
        #expect(try selectors("a{x=\"1\"} unless b") == [#"{x="1", "a"}"#, #"{"b", x="1"}"#])
    }

    @Test("a selection that is part of another is taken from it, where both look at the same times")
    func merging() throws {
        #expect(
            try plan("sum(rate(x{code=\"500\"}[5m])) / sum(rate(x[5m]))", .selectorMerging) == """
                binary /
                  aggregate sum by ()
                    rangeFunction rate
                      window [300.0s] {code="500", __name__="x"} of {__name__="x"}
                  aggregate sum by ()
                    rangeFunction rate
                      window [300.0s] {__name__="x"} of {__name__="x"}
                """)
        for query in [
            "rate(x{code=\"500\"}[5m]) / rate(x[6m])", "x{code=\"500\"} / x offset 5m", "x{code=\"500\"} / x @ 100",
            "x{code=\"500\"} / sum_over_time(x[5m])", "x{a=\"1\"} / x{b=\"1\"}",
            "x{code=\"500\"} / max_over_time(sum(x)[1h:5m])",
        ] {
            #expect(try plan(query, .selectorMerging) == plan(query, []), "\(query)")
        }
    }

    @Test("what is written twice is one operator, the largest such part as a whole")
    func sharing() throws {
        #expect(
            try plan("sum(a) / sum(b) > 1 and sum(b) > 2", .commonSubexpressions) == """
                binary and
                  binary >
                    binary /
                      aggregate sum by ()
                        select {__name__="a"}
                      shared 1
                        aggregate sum by ()
                          select {__name__="b"}
                    scalar 1.0
                  binary >
                    shared 1
                      aggregate sum by ()
                        select {__name__="b"}
                    scalar 2.0
                """)
        #expect(
            try plan("a / b + a / ignoring (x) b", .commonSubexpressions).split(separator: "\n").filter { $0.contains("shared") }
                .count == 4, "two joins that match differently share their sides only")
    }

    @Test("storage is asked once for what a query selects twice, and for a part of it not at all")
    func selections() throws {
        let storage = CountingStorage(RandomFleet(seed: 1).storage)
        let query = "sum(requests_total{job=\"api\"}) / sum(requests_total) + sum(requests_total)"
        for (passes, count) in [(PlanPasses([]), 3), (.selectorMerging, 1), (.commonSubexpressions, 2), (.all, 1)] {
            storage.reset()
            var options = EngineOptions()
            options.passes = passes
            _ = try Engine(options).instant(query, on: storage, at: Timestamp(milliseconds: 900_000))
            #expect(storage.selections == count, "\(passes)")
        }
    }

    @Test("labels that nobody reads are never made")
    func projection() throws {
        let storage = CountingStorage(RandomFleet(seed: 1).storage)
        for query in [
            "sum by (job) (rate(requests_total[5m]))", "count(level)", "sum(requests_total) / sum(level > 0)",
            "quantile by (instance) (0.5, level)",
        ] {
            storage.reset()
            _ = try Engine().instant(query, on: storage, at: Timestamp(milliseconds: 900_000))
            #expect(storage.labelSets == 0, "\(query)")
        }
    }

    @Test("answers and errors are the same with each pass and without", arguments: TestSeed.seeds(4))
    func sameAnswers(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var generator = JoinGenerator(seed: seed ^ 0x9a55)
        var other = QueryGenerator(seed: seed ^ 0x0a55)
        var fleet = RandomFleet(seed: seed)
        var changed = 0
        for number in 0..<TestSeed.cases(300) {
            if number % 50 == 49 { fleet = RandomFleet(seed: random.next()) }
            let trial = Trial(query: number % 3 == 0 ? other.query() : generator.query(), &random)
            for passes in [PlanPasses.matcherPropagation, .selectorMerging, .commonSubexpressions, .all] {
                // Of a series that is not selected, or a part that is not computed again, nothing is said.
                let withNotes = passes == .selectorMerging
                let rewritten = MorselTests.outcome(trial, fleet.storage, SerialRunner(), passes, withNotes: withNotes)
                let plain = MorselTests.outcome(trial, fleet.storage, SerialRunner(), [], withNotes: withNotes)
                #expect(rewritten == plain, "seed \(seed), passes \(passes): \(trial)")
            }
            if (try? plan(trial.query, .all)) != (try? plan(trial.query, [])) { changed += 1 }
        }
        #expect(changed > 30, "only \(changed) plans were rewritten")
    }
}

/// Joins of the fleet's metrics with every kind of matching, matchers on either side, and parts that occur twice.
private struct JoinGenerator {
    var random: SeededRandom
    private var earlier: [String] = []

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    private mutating func one(_ choices: [String]) -> String { choices.randomElement(using: &random) ?? "" }
    private mutating func chance(_ n: Int) -> Bool { Int.random(in: 0..<n, using: &random) == 0 }

    mutating func query() -> String {
        earlier = []
        var text = side()
        for _ in 0...Int.random(in: 0...1, using: &random) { text = "(\(text)) \(join()) (\(side()))" }
        return chance(4) ? "sum by (job) (\(text))" : text
    }

    private mutating func join() -> String {
        if chance(2) { return one(["and", "unless", "or"]) + one(["", " on (job)", " on (job, instance)", " ignoring (instance)"]) }
        return one(["+", "/", ">", "== bool"])
            + one([
                "", "", " on (job, instance)", " on (job)", " ignoring (instance)", " on (job) group_left",
                " on (job) group_right", " ignoring (instance) group_left", " on (instance) group_left",
            ])
    }

    private mutating func side() -> String {
        if !earlier.isEmpty && chance(3) { return one(earlier) }
        let matchers = one([
            "", "", "{job=\"api\"}", "{instance=\"1\"}", "{instance=~\"1|2\"}", "{job!=\"db\",instance=\"2\"}", "{job=\"none\"}",
            "{instance!~\"1|9\"}",
        ])
        let name = one(["requests_total", "level", "flag"])
        var text = one(["\(name)\(matchers)", "rate(\(name)\(matchers)[2m])", "{__name__=~\"level|flag\",job=~\"api|db\"}"])
        switch Int.random(in: 0..<8, using: &random) {
        case 0: text = "sum by (job) (\(text))"
        case 1: text = "max by (job, instance) (\(text))"
        case 2: text = "sum without (instance) (\(text))"
        case 3: text = "abs(\(text))"
        case 4: text = "-\(text)"
        case 5: text = "topk by (job) (1, \(text))"
        case 6: text = "\(text) * 2"
        default: break
        }
        earlier.append(text)
        return text
    }
}

/// Counts what is asked of the storage behind it.
private final class CountingStorage: Queryable {
    private let inner: any Queryable
    private let counts = Mutex((selections: 0, labelSets: 0))

    init(_ inner: any Queryable) { self.inner = inner }

    var selections: Int { counts.withLock { $0.selections } }
    var labelSets: Int { counts.withLock { $0.labelSets } }
    func reset() { counts.withLock { $0 = (0, 0) } }
    fileprivate func labelsWereMade() { counts.withLock { $0.labelSets += 1 } }

    func select(_ matchers: [Matcher], from: Timestamp, through: Timestamp) throws(TSDBError) -> any SeriesSet {
        counts.withLock { $0.selections += 1 }
        return CountingSet(inner: try inner.select(matchers, from: from, through: through), storage: self)
    }

    func labelNames(_ matchers: [Matcher], from: Timestamp, through: Timestamp) throws(TSDBError) -> [String] {
        try inner.labelNames(matchers, from: from, through: through)
    }

    func labelValues(
        _ name: String, _ matchers: [Matcher], from: Timestamp, through: Timestamp
    ) throws(TSDBError) -> [String] {
        try inner.labelValues(name, matchers, from: from, through: through)
    }
}

private struct CountingSet: SeriesSet {
    let inner: any SeriesSet
    let storage: CountingStorage

    var count: Int { inner.count }

    func labels(at index: Int) -> Labels {
        storage.labelsWereMade()
        return inner.labels(at: index)
    }

    func decode(_ index: Int, from: Int64, through: Int64, into columns: inout SampleColumns) throws(TSDBError) {
        try inner.decode(index, from: from, through: through, into: &columns)
    }

    func groups(_ grouping: Grouping) -> Groups { inner.groups(grouping) }
}
