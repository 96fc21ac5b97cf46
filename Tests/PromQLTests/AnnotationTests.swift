import Support
import TSDB
import Testing

@testable import PromQL

@Suite("Annotations and names")
struct AnnotationTests {
    /// Counters `m0`, `m1`, … that their names do not betray.
    private func counters(_ count: Int) -> MemorySeries {
        let storage = MemorySeries()
        for number in 0..<count {
            let labels: Labels = ["__name__": "m\(number)", "n": "\(number)"]
            for sample in 0..<5 { storage.append(labels, Int64(sample) * 60_000, Double(sample)) }
        }
        return storage
    }

    private func infos(_ query: String, _ storage: MemorySeries) throws -> [String] {
        try Engine().instant(query, on: storage, at: Timestamp(milliseconds: 240_000)).infos
    }

    @Test(
        "of one text from several places the last one is shown, whichever part of the query works first",
        arguments: [
            ("sum(rate(m0[5m])) / sum(rate(m0[5m]))", 30), ("rate(m0[5m]) / sum(rate(m0[5m]))", 25),
            ("sum by (n) (rate(m0[5m])) / rate(m0[5m])", 34), ("rate(m0[5m]) or increase(m0[5m])", 26),
        ])
    func lastPlace(_ query: String, _ column: Int) throws {
        #expect(
            try infos(query, counters(1)) == [
                "PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "
                    + "\"m0\" (1:\(column))"
            ])
    }

    @Test("ten notes of a level are shown, of the others the number")
    func shown() throws {
        #expect(try infos("rate({__name__=~\"m.*\"}[5m])", counters(10)).count == 10)
        let twelve = try infos("rate({__name__=~\"m.*\"}[5m])", counters(12))
        #expect(twelve.count == 11 && twelve[10] == "2 more info annotations omitted")
        var notes = Annotations()
        for number in 0..<13 { notes.add(Annotation(.warning, "w\(number)", at: 0..<1)) }
        notes.add(Annotation(.info, "i", at: 0..<1))
        let texts = notes.descriptions(.warning, in: "x")
        #expect(texts.count == 11 && texts[10] == "3 more warning annotations omitted" && texts[0].contains("w0"))
        #expect(notes.descriptions(.info, in: "x") == ["PromQL info: i (1:1)"])
    }

    @Test("series of one name that differ in type or unit alone become equal, and that is refused")
    func typesAndUnits() throws {
        let storage = MemorySeries()
        for (type, unit) in [("counter", "bytes"), ("gauge", "bytes"), ("gauge", "seconds")] {
            let labels: Labels = ["__name__": "x_total", "__type__": type, "__unit__": unit]
            for sample in 0..<5 { storage.append(labels, Int64(sample) * 60_000, Double(sample)) }
        }
        for query in ["rate(x_total[5m])", "abs(x_total)", "x_total + 1"] {
            #expect(throws: QueryError.sameLabelset, "\(query)") {
                try Engine().instant(query, on: storage, at: Timestamp(milliseconds: 240_000))
            }
        }
        let query = "rate(x_total{__type__=\"gauge\", __unit__=\"bytes\"}[5m])"
        let pinned = try Engine().instant(query, on: storage, at: Timestamp(milliseconds: 240_000))
        guard case .vector(let vector) = pinned.value else { return #expect(Bool(false)) }
        #expect(vector.count == 1)
    }
}
