import TSDB
import Testing

@testable import PromQL

@Suite("Functions of labels and order")
struct LabelFunctionTests {
    @Test("label_replace writes a label from a match of the whole value")
    func replace() throws {
        let x = DrawnVector([(["__name__": "x", "addr": "db1:5432"], "1"), (["__name__": "x", "addr": "none"], "2")])
        let bench = Bench(steps: 1)
        #expect(
            try bench.call("label_replace(x, \"host\", \"$1-$2\", \"addr\", \"(.*):(.*)\")", x).drawn(steps: 1) == [
                "x{addr=\"db1:5432\", host=\"db1-5432\"}": "1", "x{addr=\"none\"}": "2",
            ])
        // An empty replacement removes; an absent source label is the empty string.
        let one = DrawnVector([(["__name__": "x", "addr": "db1"], "1")])
        #expect(try bench.call("label_replace(x, \"addr\", \"\", \"gone\", \"\")", one).drawn(steps: 1) == ["x": "1"])
        #expect(
            try bench.call("label_replace(x, \"__name__\", \"y\", \"\", \"\")", one).drawn(steps: 1)
                == ["y{addr=\"db1\"}": "1"])
    }

    @Test(
        "what upstream refuses is refused in its words, at the call",
        arguments: [
            ("label_replace(x, \"dst\", \"$1\", \"src\", \"(.*\")", "invalid regular expression in label_replace(): (.*"),
            ("label_replace(x, \"\", \"$1\", \"src\", \"(.*)\")", "invalid destination label name in label_replace(): "),
            ("label_replace(x, \"\\xff\", \"\", \"a\", \"\")", "invalid destination label name in label_replace(): \u{FFFD}"),
            ("label_join(x, \"\", \"-\", \"a\")", "invalid destination label name in label_join(): "),
            ("label_join(x, \"d\", \"-\", \"\")", "invalid source label name in label_join(): "),
        ])
    func refused(_ query: String, _ message: String) {
        let x = DrawnVector([(["a": "b"], "1")])
        #expect(throws: QueryError(.evaluation, message, range: 0..<query.utf8.count)) {
            try Bench(steps: 1).call(query, x)
        }
    }

    @Test("series that become equal by relabeling are one where they take turns, an error where they meet")
    func merged() throws {
        let query = "label_replace(x, \"a\", \"same\", \"\", \"\")"
        let turns = DrawnVector([(["a": "1"], "1 _"), (["a": "2"], "_ 2")])
        #expect(try Bench(steps: 2).call(query, turns).drawn(steps: 2) == ["{a=\"same\"}": "1 2"])
        let meeting = DrawnVector([(["a": "1"], "1 _"), (["a": "2"], "1 2")])
        #expect(throws: QueryError(.evaluation, "vector cannot contain metrics with the same labelset")) {
            try Bench(steps: 2).call(query, meeting).drawn(steps: 2)
        }
    }

    @Test("label_join joins the values with the separator; absent ones are empty")
    func join() throws {
        let x = DrawnVector([(["__name__": "x", "a": "1", "c": "3"], "1")])
        let bench = Bench(steps: 1)
        #expect(
            try bench.call("label_join(x, \"d\", \"-\", \"a\", \"b\", \"c\")", x).drawn(steps: 1)
                == ["x{a=\"1\", c=\"3\", d=\"1--3\"}": "1"])
        #expect(try bench.call("label_join(x, \"a\", \"-\")", x).drawn(steps: 1) == ["x{c=\"3\"}": "1"])
    }

    @Test("setting the name keeps it, also with delayed name removal")
    func nameSet() throws {
        var bench = Bench(steps: 1)
        bench.names = .marked
        let x = DrawnVector([(["__name__": "x", "a": "1"], "-1")])
        let abs = try bench.call("abs(x)", x)
        #expect(abs.dropsName(at: 0))
        #expect(try !bench.call("label_replace(x, \"__name__\", \"y\", \"\", \"\")", abs).dropsName(at: 0))
        #expect(try bench.call("label_replace(x, \"b\", \"y\", \"\", \"\")", abs).dropsName(at: 0))
    }

    private func order(_ query: String, _ vector: DrawnVector) throws -> [String] {
        try Bench(steps: 1).call(query, vector).cells(steps: 1).map { labels, values in
            "\(labels["i"] ?? "")=\(values[0].map { "\($0)" } ?? "_")"
        }
    }

    @Test("sort puts NaN last in both directions and leaves out what is absent")
    func sort() throws {
        let x = DrawnVector([
            (["i": "a"], "3"), (["i": "b"], "NaN"), (["i": "c"], "1"), (["i": "d"], "_"), (["i": "e"], "3"),
            (["i": "f"], "-inf"),
        ])
        #expect(try order("sort(x)", x) == ["f=-inf", "c=1.0", "a=3.0", "e=3.0", "b=nan"])
        #expect(try order("sort_desc(x)", x) == ["a=3.0", "e=3.0", "c=1.0", "f=-inf", "b=nan"])
    }

    @Test("sort_by_label counts as people do")
    func sortByLabel() throws {
        let x = DrawnVector([
            (["i": "cpu10", "z": "1"], "1"), (["i": "cpu2", "z": "2"], "1"), (["i": "cpu2", "z": "1"], "2"),
            (["z": "9"], "1"),
        ])
        #expect(try order("sort_by_label(x, \"i\", \"z\")", x) == ["=1.0", "cpu2=2.0", "cpu2=1.0", "cpu10=1.0"])
        #expect(try order("sort_by_label_desc(x, \"i\")", x) == ["cpu10=1.0", "cpu2=1.0", "cpu2=2.0", "=1.0"])
    }

    @Test(
        "natural order",
        arguments: [
            ("a", "a1", -1), ("1.9", "1.10", -1), ("10", "9", 1), ("x1y2", "x1y10", -1), ("", "a", -1), ("b", "a9", 1),
            ("00000000000000000000000000001", "2", -1), ("99999999999999999999", "100000000000000000000", -1), ("a01", "a1", 0),
        ])
    func naturalOrder(_ a: String, _ b: String, _ expected: Int) {
        #expect(NaturalOrder.compare(Array(a.utf8), Array(b.utf8)).signum() == expected)
        #expect(NaturalOrder.compare(Array(b.utf8), Array(a.utf8)).signum() == -expected)
    }

    @Test("sorting a range query changes nothing and warns")
    func rangeSort() throws {
        let bench = Bench(steps: 2)
        let x = DrawnVector([(["i": "a"], "3 3"), (["i": "b"], "1 1")])
        let rows = try bench.call("sort(x)", x).cells(steps: 2)
        #expect(rows.map { $0.0["i"] } == ["a", "b"])
        #expect(
            bench.context.annotations.descriptions(.warning, in: "sort(x)") == [
                "PromQL warning: sort is ineffective for range queries since results are always ordered by labels (1:1)"
            ])
    }
}
