import TSDB
import Testing

@testable import Bench

@Suite("Tables and numbers of benchmarks")
struct BenchTableTests {
    @Test("numbers stand to the right, words to the left, headings at the edge")
    func aligned() {
        var table = Table([("", .left), ("CPU", .right), ("answers", .left)])
        table.add(heading: "counters")
        table.add(row: [.init("rate"), .init("7 ms"), .init("equal", .good)])
        table.add(row: [.init("increase"), .init("115 ms"), .init("differ", .bad)])
        #expect(
            table.rendered() == """
                \("            ")   CPU  answers
                counters
                  rate        7 ms  equal
                  increase  115 ms  differ

                """)
    }

    @Test("a line that would be too long shortens the first column")
    func narrow() {
        var table = Table([("", .left), ("CPU", .right)])
        table.add(row: [.init(String(repeating: "x", count: 200)), .init("1 ms")])
        let text = table.rendered(width: 40)
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 40 })
        #expect(text.contains("x…  1 ms"))
    }

    @Test("colours stand around words, not around the space that aligns them, and only where asked for")
    func colours() {
        var table = Table([("", .left), ("", .left)])
        table.add(row: [.init("a"), .init("equal", .good)])
        table.add(row: [.init("long"), .init("differ", .bad)])
        #expect(!table.rendered().contains("\u{1b}"))
        #expect(table.rendered(colours: true).contains("  a     \u{1b}[32mequal\u{1b}[0m\n"))
    }

    @Test(
        "times have three digits and a unit",
        arguments: [
            (0, "0 ns"), (0.123, "0.12 ns"), (9.5, "9.50 ns"), (999.4, "999 ns"), (999.6, "1.00 µs"),
            (12_345, "12.3 µs"),
            (158_000_000, "158 ms"), (61e9, "61.0 s"), (4_000e9, "4000 s"), (.nan, "–"),
        ])
    func times(_ nanoseconds: Double, _ text: String) { #expect(Units.time(nanoseconds: nanoseconds) == text) }

    @Test("counts are grouped by three or scaled; ratios have fixed decimals")
    func counts() {
        #expect(Units.grouped(0) == "0")
        #expect(Units.grouped(999) == "999")
        #expect(Units.grouped(16_906_240) == "16,906,240")
        #expect(Units.grouped(.min) == "-9,223,372,036,854,775,808")
        #expect(Units.count(95_100_000) == "95.1 M")
        #expect(Units.fixed(0.0684, decimals: 3) == "0.068")
        #expect(Units.fixed(-1.005, decimals: 1) == "-1.0")
        #expect(Units.fixed(1e300, decimals: 2) == "1e+300")
        #expect(Units.power(3e-16) == "1e-15")
        #expect(Units.power(0) == "0")
    }
}

@Suite("Answers beside each other")
struct AnswerComparisonTests {
    private static func answer(_ values: [Double], _ labels: Labels = ["a": "b"]) -> Answer {
        var answer = Answer()
        answer.series[labels] = values.enumerated().map {
            Answer.Point(time: Int64($0.offset) * 1000, value: $0.element)
        }
        return answer
    }

    @Test("bits decide, and all NaN are one")
    func equal() {
        #expect(AnswerComparison(Answer(), Answer()) == .equal)
        #expect(
            AnswerComparison(Self.answer([1, .nan, .infinity]), Self.answer([1, -Double.nan, .infinity])) == .equal)
    }

    @Test("what differs by rounding is close, and says by how much")
    func close() {
        let ours = Self.answer([1, 2, 3]), theirs = Self.answer([1, 2.000_000_000_000_001, 3])
        guard case .close(let count, let error) = AnswerComparison(ours, theirs) else { return #expect(Bool(false)) }
        #expect(count == 1)
        #expect(error > 0 && error < 1e-15)
    }

    @Test("other values, points, series and infinities are different")
    func different() {
        func differ(_ ours: Answer, _ theirs: Answer) -> Bool {
            if case .different = AnswerComparison(ours, theirs) { return true } else { return false }
        }
        #expect(differ(Self.answer([1]), Self.answer([1.001])))
        #expect(differ(Self.answer([1]), Self.answer([1, 2])))
        #expect(differ(Self.answer([1]), Self.answer([1], ["a": "c"])))
        #expect(differ(Self.answer([]), Answer()))
        #expect(differ(Answer(), Self.answer([1])))
        #expect(differ(Self.answer([.infinity]), Self.answer([-.infinity])))
        #expect(differ(Self.answer([.nan]), Self.answer([1])))
        #expect(differ(Self.answer([1e300]), Self.answer([.infinity])))
    }
}
