import Support
import Testing

@testable import TSDB

@Suite("Exemplars in memory")
struct ExemplarRingTests {
    private static func exemplar(
        _ id: String, _ value: Double, at time: Int64, own: Bool = true
    ) -> Exemplar {
        Exemplar(["trace_id": id], value: value, at: Timestamp(milliseconds: time), hasOwnTimestamp: own)
    }

    private static let everything = [[Matcher.notEqual("__name__", "")]]

    /// Appends to series `name`, and says what became of it.
    private static func add(
        _ ring: inout ExemplarRing, _ name: String, _ exemplar: Exemplar, window: Int64 = 0
    ) -> ExemplarVerdict {
        ring.append(exemplar, of: SeriesRef(rawValue: UInt64(name.utf8.count)), labels: ["__name__": name], window: window)
    }

    /// `a: x@1 y@2`, a line per series.
    private static func dump(_ found: [SeriesExemplars]) -> [String] {
        found.map { series in
            "\(series.labels): "
                + series.exemplars.map { "\($0.labels["trace_id"] ?? "")@\($0.timestamp.milliseconds)" }
                .joined(separator: " ")
        }
    }

    private static func dump(_ ring: ExemplarRing, from: Int64 = .min, through: Int64 = .max) -> [String] {
        dump(ring.select(everything, from: Timestamp(milliseconds: from), through: Timestamp(milliseconds: through)))
    }

    @Test("exemplars come out by series in time order, bounded by both times, both included")
    func select() {
        var ring = ExemplarRing(capacity: 10)
        for (name, id, time) in [("b", "x", 1), ("a", "y", 2), ("a", "z", 3), ("b", "w", 4)] {
            #expect(Self.add(&ring, name, Self.exemplar(id, 1, at: Int64(time))) == .stored)
        }
        #expect(Self.dump(ring) == ["a: y@2 z@3", "b: x@1 w@4"])
        #expect(Self.dump(ring, from: 2, through: 3) == ["a: y@2 z@3"])
        #expect(Self.dump(ring, from: 4, through: 4) == ["b: w@4"])
        #expect(Self.dump(ring, from: 5) == [])
        let one = ring.select([[.equal("__name__", "b")], [.equal("__name__", "c")]], from: .min, through: .max)
        #expect(Self.dump(one) == ["b: x@1 w@4"])
        #expect(ring.select([], from: .min, through: .max).isEmpty)
    }

    @Test("when the ring is full the one that came first goes, and a series without exemplars is forgotten")
    func overwrite() {
        var ring = ExemplarRing(capacity: 3)
        for (name, time) in [("a", 1), ("b", 2), ("b", 3), ("b", 4), ("b", 5)] {
            _ = Self.add(&ring, name, Self.exemplar("t", 1, at: Int64(time)))
        }
        #expect(Self.dump(ring) == ["b: t@3 t@4 t@5"])
        #expect(ring.seriesCount == 1 && ring.count == 3 && ring.oldestTimestamp?.milliseconds == 3)
        var one = ExemplarRing(capacity: 1)
        for time in 1...3 { #expect(Self.add(&one, "a", Self.exemplar("t", 1, at: Int64(time))) == .stored) }
        #expect(Self.dump(one) == ["a: t@3"])
    }

    @Test("the newest one again is no error and is not stored; without a time of its own, whatever the scrape's time")
    func repeated() {
        var ring = ExemplarRing(capacity: 10)
        #expect(Self.add(&ring, "a", Self.exemplar("x", 1, at: 10)) == .stored)
        #expect(Self.add(&ring, "a", Self.exemplar("x", 1, at: 10)) == .repeated)
        #expect(Self.add(&ring, "a", Self.exemplar("x", 1, at: 20)) == .stored)
        #expect(Self.add(&ring, "b", Self.exemplar("x", 1, at: 10, own: false)) == .stored)
        #expect(Self.add(&ring, "b", Self.exemplar("x", 1, at: 20, own: false)) == .repeated)
        #expect(Self.add(&ring, "b", Self.exemplar("x", 1, at: 20)) == .stored)
        #expect(Self.dump(ring) == ["a: x@10 x@20", "b: x@10 x@20"])
    }

    @Test("late ones are refused, or put in their place where the window lets them")
    func late() {
        var ring = ExemplarRing(capacity: 10)
        _ = Self.add(&ring, "a", Self.exemplar("x", 1, at: 100))
        #expect(Self.add(&ring, "a", Self.exemplar("y", 1, at: 99)) == .outOfOrder)
        #expect(Self.add(&ring, "a", Self.exemplar("y", 0.5, at: 100)) == .outOfOrder)
        #expect(Self.add(&ring, "a", Self.exemplar("y", 2, at: 100)) == .stored)
        #expect(Self.add(&ring, "a", Self.exemplar("u", 1, at: 50), window: 50) == .outOfOrder)
        #expect(Self.add(&ring, "a", Self.exemplar("u", 1, at: 51), window: 50) == .stored)
        #expect(Self.add(&ring, "a", Self.exemplar("v", 1, at: 60), window: 50) == .stored)
        #expect(Self.add(&ring, "a", Self.exemplar("w", 3, at: 60), window: 50) == .repeated)
        #expect(Self.dump(ring) == ["a: u@51 v@60 x@100 y@100"])
        #expect(ring.outOfOrderCount == 3 && ring.appendedCount == 4)
    }

    @Test("labels of more than 128 characters are refused; characters are not bytes")
    func length() {
        var ring = ExemplarRing(capacity: 10)
        let name = "n"
        func labels(_ count: Int) -> Labels { Labels([(name: name, value: String(repeating: "é", count: count))]) }
        let time = Timestamp(milliseconds: 1)
        #expect(ring.append(Exemplar(labels(127), value: 1, at: time), of: SeriesRef(rawValue: 1), labels: ["a": "b"], window: 0) == .stored)
        #expect(ring.append(Exemplar(labels(128), value: 2, at: time), of: SeriesRef(rawValue: 1), labels: ["a": "b"], window: 0) == .tooLong)
    }

    @Test("a ring of none takes nothing; resizing keeps what came last")
    func resize() {
        var ring = ExemplarRing(capacity: 0)
        #expect(Self.add(&ring, "a", Self.exemplar("x", 1, at: 1)) == .disabled)
        ring.resize(4)
        for time in 1...6 { _ = Self.add(&ring, "a", Self.exemplar("x", 1, at: Int64(time))) }
        ring.resize(2)
        #expect(Self.dump(ring) == ["a: x@5 x@6"])
        ring.resize(3)
        for time in 7...8 { _ = Self.add(&ring, "a", Self.exemplar("x", 1, at: Int64(time))) }
        #expect(Self.dump(ring) == ["a: x@6 x@7 x@8"])
        ring.resize(0)
        #expect(Self.dump(ring) == [] && ring.seriesCount == 0)
    }

    @Test("ring and plain list agree over random appends and resizes", arguments: TestSeed.seeds(8))
    func model(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var ring = ExemplarRing(capacity: 7)
        var capacity = 7
        var list: [(name: String, exemplar: Exemplar)] = []
        let window: Int64 = seed % 2 == 0 ? 0 : 5
        for step in 0..<TestSeed.cases(600) {
            if Int.random(in: 0..<60, using: &random) == 0 {
                capacity = Int.random(in: 1...12, using: &random)
                ring.resize(capacity)
                list = Array(list.suffix(capacity))
            }
            let name = ["a", "b", "c", "d"].randomElement(using: &random) ?? "a"
            let exemplar = Self.exemplar(
                ["x", "y"].randomElement(using: &random) ?? "x", Double(Int.random(in: 0...2, using: &random)),
                at: Int64(step / 4 + Int.random(in: -3...3, using: &random)))
            let verdict = Self.add(&ring, name, exemplar, window: window)
            let before = list.filter { $0.name == name }.map(\.exemplar)
            if verdict == .stored {
                if list.count == capacity { list.removeFirst() }
                list.append((name, exemplar))
            } else if before.isEmpty {
                Issue.record("seed \(seed), step \(step): \(verdict) for the first of its series")
            }
            var expected: [String] = []
            for name in ["a", "b", "c", "d"] {
                // Stable: of equal times, what came first stands first.
                let own = list.filter { $0.name == name }.map(\.exemplar).enumerated().sorted {
                    ($0.element.timestamp, $0.offset) < ($1.element.timestamp, $1.offset)
                }
                if own.isEmpty { continue }
                expected.append(
                    "\(name): "
                        + own.map { "\($0.element.labels["trace_id"] ?? "")@\($0.element.timestamp.milliseconds)" }
                        .joined(separator: " "))
            }
            guard Self.dump(ring) == expected, ring.count == list.count else {
                Issue.record("seed \(seed), step \(step)\n\(Self.dump(ring))\n\(expected)")
                return
            }
        }
    }
}
