import Support
import TSDB
import Testing

@Suite("Label sets sorted at once")
struct LabelOrderTests {
    @Test(
        "the order is that of comparing two at a time, equal sets in their order of appearance",
        arguments: TestSeed.seeds(3))
    func agreesWithComparison(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for round in 0..<100 {
            var sets: [Labels] = []
            for _ in 0..<Int.random(in: 0...60, using: &random) {
                var builder = LabelsBuilder()
                for _ in 0..<Int.random(in: 0...4, using: &random) {
                    builder.set(text(&random), to: text(&random))
                }
                sets.append(builder.labels())
            }
            let expected = sets.indices.sorted { sets[$0] < sets[$1] || (sets[$0] == sets[$1] && $0 < $1) }
            #expect(LabelOrder.sorted(sets) == expected, "seed \(seed), round \(round)")
        }
    }

    /// Short texts of few letters, so that many share prefixes; now and then a zero byte, or a long run.
    private func text(_ random: inout SeededRandom) -> String {
        let letters: [Character] = ["a", "b", "_", "\0", "\u{1}", "é", "Z"]
        let length = Int.random(in: 0...5, using: &random) == 0 ? 200 : Int.random(in: 0...3, using: &random)
        return String((0..<length).map { _ in length > 5 ? "x" : letters.randomElement(using: &random) ?? "a" })
    }

    @Test("a set that begins another one sorts before it")
    func prefixFirst() {
        let sets: [Labels] = [["a": "1", "b": "2"], ["a": "1"], [:], ["a": "1", "b": "10"], ["a": "10"]]
        #expect(LabelOrder.sorted(sets) == [2, 1, 3, 0, 4])
    }
}
