import Support
import TSDB
import Testing

@testable import PromQL

@Suite("Scalars and sets")
struct SetOperationTests {
    let a = DrawnVector([(["__name__": "a", "x": "1"], "1 2 3"), (["__name__": "a", "x": "2"], "4 5 6")])
    let b = DrawnVector([(["__name__": "b", "x": "1"], "_ 5 _")])

    @Test("and, unless and or are decided step by step")
    func sets() throws {
        let bench = Bench(steps: 3)
        #expect(try bench.binary("a and b", a, b).drawn(steps: 3) == ["a{x=\"1\"}": "_ 2 _"])
        #expect(
            try bench.binary("a unless b", a, b).drawn(steps: 3) == ["a{x=\"1\"}": "1 _ 3", "a{x=\"2\"}": "4 5 6"])
        #expect(
            try bench.binary("b or a", b, a).drawn(steps: 3) == [
                "b{x=\"1\"}": "_ 5 _", "a{x=\"1\"}": "1 _ 3", "a{x=\"2\"}": "4 5 6",
            ])
        #expect(try bench.binary("a and on () b", a, b).drawn(steps: 3) == ["a{x=\"1\"}": "_ 2 _", "a{x=\"2\"}": "_ 5 _"])
    }

    @Test("series with equal labels on both sides of or are one series")
    func merged() throws {
        let left = DrawnVector([(["x": "1"], "1 _ 3")]), right = DrawnVector([(["x": "1"], "7 8 _")])
        let rows = try Bench(steps: 3).binary("a or b", left, right).cells(steps: 3)
        #expect(rows.count == 1)
        #expect(rows[0].1 == [1, 8, 3])
    }

    @Test("(a and b) or (a unless b) is a", arguments: TestSeed.seeds(3))
    func partition(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<TestSeed.cases(200) {
            let steps = Int.random(in: 1...130, using: &random)
            let bench = Bench(steps: steps)
            let a = VectorJoinTests.randomVector(&random, steps: steps)
            let b = VectorJoinTests.randomVector(&random, steps: steps)
            let both = try bench.binary(
                "a or b", bench.binary("a and on (x) b", a, b), bench.binary("a unless on (x) b", a, b))
            #expect(try both.drawn(steps: steps) == a.drawn(steps: steps), "seed \(seed)")
        }
    }

    @Test("a scalar works on every value; arithmetic drops the name, a filter keeps it")
    func withScalar() throws {
        let bench = Bench(steps: 3)
        #expect(
            try bench.binary("a * 2", a, DrawnScalar(2)).drawn(steps: 3) == ["{x=\"1\"}": "2 4 6", "{x=\"2\"}": "8 10 12"])
        #expect(
            try bench.binary("10 - a", DrawnScalar(10), a).drawn(steps: 3) == ["{x=\"1\"}": "9 8 7", "{x=\"2\"}": "6 5 4"])
        #expect(try bench.binary("a % time()", a, DrawnScalar(1, 2, 2)).drawn(steps: 3)["{x=\"1\"}"] == "0 0 1")
        #expect(
            try bench.binary("a > 2", a, DrawnScalar(2)).drawn(steps: 3) == [
                "a{x=\"1\"}": "_ _ 3", "a{x=\"2\"}": "4 5 6",
            ])
        #expect(try bench.binary("a > bool 2", a, DrawnScalar(2)).drawn(steps: 3)["{x=\"1\"}"] == "0 0 1")
    }

    @Test("a filter with the scalar on the left keeps the vector's value")
    func scalarLeft() throws {
        #expect(
            try Bench(steps: 3).binary("2 >= a", DrawnScalar(2), a).drawn(steps: 3) == ["a{x=\"1\"}": "1 2 _"])
    }

    @Test("with delayed name removal the name stays, marked")
    func marked() throws {
        var bench = Bench(steps: 3)
        bench.names = .marked
        let result = try bench.binary("a * 2", a, DrawnScalar(2))
        #expect(result.labels(at: 0).metricName == "a")
        #expect(result.dropsName(at: 0))
        #expect(try !bench.binary("a > 2", a, DrawnScalar(2)).dropsName(at: 0))
    }

    @Test("metrics that differ by name alone are merged where they take turns, and refused where they meet")
    func distinctRows() throws {
        let turns = DrawnVector([(["__name__": "a", "x": "1"], "1 _ _"), (["__name__": "b", "x": "1"], "_ 2 3")])
        #expect(try Bench(steps: 3).binary("a + 1", turns, DrawnScalar(1)).drawn(steps: 3) == ["{x=\"1\"}": "2 3 4"])
        let meeting = DrawnVector([(["__name__": "a", "x": "1"], "1 _ 2"), (["__name__": "b", "x": "1"], "_ 2 3")])
        #expect(throws: QueryError(.evaluation, "vector cannot contain metrics with the same labelset")) {
            try Bench(steps: 3).binary("a + 1", meeting, DrawnScalar(1)).drawn(steps: 3)
        }
    }

    @Test("scalars follow IEEE 754")
    func scalars() throws {
        let bench = Bench(steps: 1)
        func value(_ query: String, _ a: Double, _ b: Double) throws -> Double? {
            try bench.binary(query, DrawnScalar(a), DrawnScalar(b)).cells(steps: 1).first?.1[0]
        }
        #expect(try value("1 / 2", 1, 0) == .infinity)
        #expect(try value("1 % 2", -7, 3) == -1)
        #expect(try value("1 % 2", 7, .infinity) == 7)
        #expect(try value("1 ^ 2", 2, -1) == 0.5)
        #expect(try value("1 < bool 2", 1, .nan) == 0)
        #expect(try value("1 != bool 2", .nan, .nan) == 1)
        #expect(try value("1 atan2 2", 1, -1) == 3 * Double.pi / 4)
    }
}
