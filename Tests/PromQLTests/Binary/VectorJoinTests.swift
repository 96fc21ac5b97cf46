import Support
import TSDB
import Testing

@testable import PromQL

@Suite("Matching of vectors")
struct VectorJoinTests {
    private func error(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return (error as? QueryError)?.message
        }
    }

    @Test("one-to-one pairs series with equal labels, step by step, and drops the name")
    func oneToOne() throws {
        let a = DrawnVector([(["__name__": "a", "job": "x"], "1 2 3 _"), (["__name__": "a", "job": "y"], "4 4 4 4")])
        let b = DrawnVector([(["__name__": "b", "job": "x"], "10 _ 30 40"), (["__name__": "b", "job": "z"], "1 1 1 1")])
        let result = try Bench(steps: 4).binary("a + b", a, b)
        #expect(try result.drawn(steps: 4) == ["{job=\"x\"}": "11 _ 33 _"])
    }

    @Test("on keeps the labels matched on, ignoring drops the ignored ones")
    func resultLabels() throws {
        let a = DrawnVector([(["__name__": "a", "job": "x", "le": "1"], "6")])
        let b = DrawnVector([(["__name__": "b", "job": "x", "pod": "p"], "2")])
        let bench = Bench(steps: 1)
        #expect(try bench.binary("a / on (job) b", a, b).drawn(steps: 1) == ["{job=\"x\"}": "3"])
        #expect(try bench.binary("a / ignoring (le, pod) b", a, b).drawn(steps: 1) == ["{job=\"x\"}": "3"])
        #expect(try bench.binary("a / b", a, b).drawn(steps: 1) == [:])
    }

    @Test("a comparison keeps the left value and the name; bool answers 0 or 1 without it")
    func comparison() throws {
        let a = DrawnVector([(["__name__": "a", "job": "x"], "1 5 NaN _")])
        let b = DrawnVector([(["__name__": "b", "job": "x"], "3 3 3 3")])
        let bench = Bench(steps: 4)
        #expect(try bench.binary("a > b", a, b).drawn(steps: 4) == ["a{job=\"x\"}": "_ 5 _ _"])
        #expect(try bench.binary("a != b", a, b).drawn(steps: 4) == ["a{job=\"x\"}": "1 5 NaN _"])
        #expect(try bench.binary("a > bool b", a, b).drawn(steps: 4) == ["{job=\"x\"}": "0 1 0 _"])
        #expect(try bench.binary("a > on (job) b", a, b).drawn(steps: 4) == ["{job=\"x\"}": "_ 5 _ _"])
    }

    @Test("series of one signature may take turns on either side")
    func turns() throws {
        let a = DrawnVector([(["v": "1", "job": "x"], "1 1 _ _"), (["v": "2", "job": "x"], "_ _ 2 2")])
        let b = DrawnVector([(["w": "1", "job": "x"], "10 _ 10 _"), (["w": "2", "job": "x"], "_ 20 _ _")])
        let result = try Bench(steps: 4).binary("a + on (job) b", a, b)
        #expect(try result.drawn(steps: 4) == ["{job=\"x\"}": "11 21 12 _"])
    }

    @Test("two values of a group on the one side are refused in upstream's words, series in order")
    func duplicates() throws {
        let a = DrawnVector([(["job": "x"], "1 1")])
        let b = DrawnVector([
            (["__name__": "b", "job": "x", "pod": "2"], "1 1"), (["__name__": "b", "job": "x", "pod": "1"], "_ 1"),
        ])
        let text = { (side: String) in
            "found duplicate series for the match group {job=\"x\"} on the \(side) hand-side of the operation: "
                + "[{__name__=\"b\", job=\"x\", pod=\"1\"}, {__name__=\"b\", job=\"x\", pod=\"2\"}]"
                + ";many-to-many matching not allowed: matching labels must be unique on one side"
        }
        let bench = Bench(steps: 2)
        #expect(error { _ = try bench.binary("a + on (job) b", a, b) } == text("right"))
        #expect(error { _ = try bench.binary("b + on (job) group_right a", b, a) } == text("left"))
    }

    @Test("duplicates at a step at which the other side is empty do not matter, unless values are filled in")
    func irrelevantDuplicates() throws {
        let a = DrawnVector([(["job": "x"], "1 _")])
        let b = DrawnVector([(["job": "x", "pod": "1"], "_ 1"), (["job": "x", "pod": "2"], "5 1")])
        let bench = Bench(steps: 2)
        #expect(try bench.binary("a + on (job) b", a, b).drawn(steps: 2) == ["{job=\"x\"}": "6 _"])
        #expect(error { _ = try bench.binary("a + on (job) fill_left (0) b", a, b) } != nil)
    }

    @Test("many matches without group_left are refused, but only where there is a partner")
    func implicitManyToOne() throws {
        let a = DrawnVector([(["v": "1", "job": "x"], "1 1"), (["v": "2", "job": "x"], "2 2")])
        let bench = Bench(steps: 2)
        let present = DrawnVector([(["job": "x"], "_ 10")])
        #expect(
            error { _ = try bench.binary("a == on (job) b", a, present) }
                == "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)")
        let absent = DrawnVector([(["job": "x"], "_ _"), (["job": "y"], "1 1")])
        #expect(try bench.binary("a + on (job) b", a, absent).drawn(steps: 2) == [:])
    }

    @Test("group_left keeps the many side's labels and takes the included ones from the one side")
    func groupLeft() throws {
        let a = DrawnVector([
            (["__name__": "a", "job": "x", "code": "500"], "5 6"), (["__name__": "a", "job": "x", "code": "404"], "1 _"),
        ])
        let b = DrawnVector([(["__name__": "b", "job": "x", "team": "red"], "10 20")])
        let bench = Bench(steps: 2)
        #expect(
            try bench.binary("a / on (job) group_left (team) b", a, b).drawn(steps: 2) == [
                "{code=\"500\", job=\"x\", team=\"red\"}": "0.5 0.3", "{code=\"404\", job=\"x\", team=\"red\"}": "0.1 _",
            ])
        // The value on the left of the comparison is the one side's.
        #expect(
            try bench.binary("b > on (job) group_right a", b, a).drawn(steps: 2) == [
                "a{code=\"500\", job=\"x\"}": "10 20", "a{code=\"404\", job=\"x\"}": "10 _",
            ])
        #expect(
            try bench.binary("b - on (job) group_right a", b, a).drawn(steps: 2) == [
                "{code=\"500\", job=\"x\"}": "5 14", "{code=\"404\", job=\"x\"}": "9 _",
            ])
    }

    @Test("a group that is crowded on both sides is refused before its meetings are listed")
    func crowded() throws {
        func vector(_ name: String) -> DrawnVector {
            DrawnVector(rows: (0..<20_000).map { (labels: Labels([(name: name, value: "\($0)")]), values: [1]) })
        }
        let text = error { _ = try Bench(steps: 1).binary("a + on () group_left b", vector("a"), vector("b")) }
        #expect(text?.hasPrefix("found duplicate series for the match group {} on the right") == true)
        // Two sides that never meet are in order, but their pairs would fill the memory.
        let turns = DrawnVector(
            rows: (0..<2000).map { row in
                (labels: Labels([(name: "b", value: "\(row)")]), values: (0..<2000).map { $0 == row ? 1 : nil })
            })
        let many = DrawnVector(
            rows: (0..<2000).map { row in
                (labels: Labels([(name: "a", value: "\(row)")]), values: (0..<2000).map { $0 == 0 ? 1 : nil })
            })
        let grid = StepGrid(start: 0, step: 1, count: 2000)
        guard case .binary(let expr) = try Parser.parse("a + on () group_left b") else { return }
        #expect(throws: QueryError.self) {
            _ = try BinaryLibrary.make(
                expr, left: many, right: turns, leftType: .vector, rightType: .vector, grid: grid, names: .dropped,
                context: QueryContext(maxBytes: 10_000_000))
        }
    }

    @Test("an included label that the one side has not is removed")
    func removedInclude() throws {
        let a = DrawnVector([(["job": "x", "team": "old", "code": "1"], "5")])
        let b = DrawnVector([(["job": "x"], "10")])
        #expect(
            try Bench(steps: 1).binary("a * on (job) group_left (team) b", a, b).drawn(steps: 1)
                == ["{code=\"1\", job=\"x\"}": "50"])
    }

    @Test("rows that become equal under group_left are refused where they meet, even if a comparison drops them")
    func ambiguousGrouping() throws {
        let a = DrawnVector([(["job": "x", "team": "1"], "5 _"), (["job": "x", "team": "2"], "_ 6")])
        let b = DrawnVector([(["job": "x", "team": "red"], "10 10")])
        let bench = Bench(steps: 2)
        #expect(
            try bench.binary("a + on (job) group_left (team) b", a, b).drawn(steps: 2)
                == ["{job=\"x\", team=\"red\"}": "15 16"])
        let clash = DrawnVector([(["job": "x", "team": "1"], "5 5"), (["job": "x", "team": "2"], "_ 60")])
        #expect(
            error { _ = try bench.binary("a > on (job) group_left (team) b", clash, b).drawn(steps: 2) }
                == "multiple matches for labels: grouping labels must ensure unique matches")
    }

    @Test("two metrics that become one result series by losing their names are refused where they meet")
    func sameLabelset() throws {
        let a = DrawnVector([
            (["__name__": "a1", "job": "x", "v": "1"], "1 _"), (["__name__": "a2", "job": "x", "v": "1"], "_ 2"),
        ])
        let b = DrawnVector([(["job": "x"], "1 1")])
        let bench = Bench(steps: 2)
        #expect(
            try bench.binary("a + on (job) group_left b", a, b).drawn(steps: 2) == ["{job=\"x\", v=\"1\"}": "2 3"])
        let both = DrawnVector([
            (["__name__": "a1", "job": "x"], "1 _"), (["__name__": "a2", "job": "x"], "1 2"),
        ])
        #expect(error { _ = try bench.binary("a + on (job) group_left b", both, b).drawn(steps: 2) } != nil)
    }

    @Test("fill stands in for missing partners, step by step")
    func fill() throws {
        let a = DrawnVector([(["l": "a"], "10 10 _"), (["l": "c"], "30 _ 30")])
        let b = DrawnVector([(["l": "a"], "1 _ 1"), (["l": "d"], "4 4 _")])
        let bench = Bench(steps: 3)
        #expect(
            try bench.binary("a + fill (0) b", a, b).drawn(steps: 3) == [
                "{l=\"a\"}": "11 10 1", "{l=\"c\"}": "30 _ 30", "{l=\"d\"}": "4 4 _",
            ])
        #expect(
            try bench.binary("a - fill_right (5) b", a, b).drawn(steps: 3) == [
                "{l=\"a\"}": "9 5 _", "{l=\"c\"}": "25 _ 25",
            ])
        #expect(
            try bench.binary("a - fill_left (5) b", a, b).drawn(steps: 3) == [
                "{l=\"a\"}": "9 _ 4", "{l=\"d\"}": "1 1 _",
            ])
    }

    @Test("trimming floats gives nothing and an info")
    func trimming() throws {
        let a = DrawnVector([(["l": "a"], "10")])
        let bench = Bench(steps: 1)
        #expect(try bench.binary("a </ b", a, a).drawn(steps: 1) == [:])
        #expect(
            bench.context.annotations.descriptions(.info, in: "a </ b") == [
                "PromQL info: incompatible sample types encountered for binary operator \"</\": float </ float (1:1)"
            ])
    }

    @Test("what a query answers over many steps is what it answers at each of them", arguments: TestSeed.seeds(4))
    func stepByStep(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let queries = [
            "a + b", "a + on (x) b", "a > ignoring (y) b", "a == bool on (x) b", "a * on (x) group_left (y) b",
            "a - on (x) group_right b", "a + on (x) fill (1) b", "a + on (x) group_left fill_left (2) b",
            "a < on (x) group_left (z) fill_right (2) b", "a and on (x) b", "a or on (x) b", "a unless b", "a or b",
        ]
        var answered = 0, refused = 0
        for round in 0..<TestSeed.cases(300) {
            let steps = [1, 3, 64, 70].randomElement(using: &random) ?? 1
            let a = Self.randomVector(&random, steps: steps), b = Self.randomVector(&random, steps: steps)
            for query in queries {
                let whole = Result { try Bench(steps: steps).binary(query, a, b).cells(steps: steps) }
                var expected: [Labels: [Double?]]? = [:]
                for step in 0..<steps {
                    let single = Result {
                        try Bench(steps: 1).binary(query, a.atStep(step), b.atStep(step)).cells(steps: 1)
                    }
                    guard case .success(let rows) = single else {
                        expected = nil
                        break
                    }
                    for (labels, values) in rows {
                        expected?[labels, default: Array(repeating: nil, count: steps)][step] = values[0]
                    }
                }
                switch (whole, expected) {
                case (.success(let rows), .some(let expected)):
                    answered += 1
                    #expect(
                        Dictionary(rows) { first, _ in first } == expected && rows.count == expected.count,
                        "seed \(seed), round \(round), \(query)")
                case (.failure, nil): refused += 1
                default: Issue.record("seed \(seed), round \(round), \(query): an error on one side only")
                }
            }
        }
        // Both kinds occur, else the generator is wrong.
        #expect(answered > 100 && refused > 100)
    }

    /// A few series with few label values, so that signatures collide, and gaps, so that they often miss each other.
    static func randomVector(_ random: inout SeededRandom, steps: Int) -> DrawnVector {
        var rows: [(labels: Labels, values: [Double?])] = []
        let density: Double = [0.02, 0.3, 1.0].randomElement(using: &random) ?? 1
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            var labels: [(name: String, value: String)] = [("__name__", ["a", "b"].randomElement(using: &random) ?? "a")]
            for name in ["x", "y", "z"] where Bool.random(using: &random) {
                labels.append((name, ["1", "2"].randomElement(using: &random) ?? "1"))
            }
            let set = Labels(labels)
            if rows.contains(where: { $0.labels == set }) { continue }
            var values: [Double?] = []
            for _ in 0..<steps {
                let isPresent = Double.random(in: 0..<1, using: &random) < density
                values.append(isPresent ? Double(Int.random(in: 0...3, using: &random)) : nil)
            }
            rows.append((set, values))
        }
        return DrawnVector(rows: rows)
    }
}
