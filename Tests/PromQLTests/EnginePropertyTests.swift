import PromQL
import Support
import TSDB
import Testing

/// The engine and the reference evaluator give the same answer to every query: the same label sets, the same steps, the
/// same values.
///
/// `MINPROM_TEST_SEED` repeats one seed, `MINPROM_SOAK` multiplies the number of queries.
@Suite("engine and reference agree")
struct EnginePropertyTests {
    @Test(
        "on instant and range queries over counters, gauges, buckets and native histograms with gaps, resets, NaN and stale markers",
        arguments: TestSeed.seeds(4))
    func agreement(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var generator = QueryGenerator(seed: seed ^ 0x5eed)
        var fleet = RandomFleet(seed: seed)
        var tally = Tally()
        let count = TestSeed.cases(500)
        for number in 0..<count {
            if number % 100 == 99 { fleet = RandomFleet(seed: random.next()) }
            let trial = Trial(query: generator.query(), &random)
            tally.count(trial.verdict(on: fleet.storage), trial)
        }
        print("engine and reference, seed \(seed): \(tally)")
        #expect(tally.differences.isEmpty, "seed \(seed)\n\(tally.differences.prefix(10).joined(separator: "\n\n"))")
        // Errors are compared too, but a test of errors alone would show little.
        #expect(tally.equal > count / 2, "\(tally)")
    }
}

/// One query at some times, put to both.
struct Trial {
    let query: String
    let isInstant: Bool
    /// Milliseconds.
    let start: Int64
    let end: Int64
    let step: Int64
    let delayedNameRemoval: Bool

    init(query: String, _ random: inout SeededRandom) {
        self.query = query
        isInstant = Int.random(in: 0..<3, using: &random) == 0
        start = Int64.random(in: 0..<120, using: &random) * 15_000 + (Bool.random(using: &random) ? 0 : 4321)
        step = [1000, 15_000, 60_000, 77_777, 300_000].randomElement(using: &random) ?? 1000
        end = isInstant ? start : start + Int64.random(in: 0..<12, using: &random) * step
        // A series of `or` that has its name at some steps only is one series upstream, named as its first value is; taken
        // step by step it is two.
        let isSeveralSteps = start != end || query.contains("[")
        delayedNameRemoval = Bool.random(using: &random) && !(isSeveralSteps && query.contains(" or "))
    }

    enum Verdict {
        case equal(isEmpty: Bool)
        case bothFail
        case notImplemented(String)
        case different(String)
    }

    func verdict(on storage: MemorySeries) -> Verdict {
        let reference = Result { try answer(ReferenceEngine(delayedNameRemoval: delayedNameRemoval), storage) }
        let engine = Result { try answer(EngineUnderTest(delayedNameRemoval: delayedNameRemoval), storage) }
        switch (reference, engine) {
        case (_, .failure(let error as QueryError)) where error.code == .notImplemented:
            return .notImplemented(error.message)
        case (.failure, .failure): return .bothFail
        case (.failure(let error), .success): return .different("the engine should fail: \(error)")
        case (.success, .failure(let error)):
            // Like upstream, the engine evaluates a subquery over the whole time at once, also between the windows of two
            // steps, and fails on what is wrong there.
            return hasGapsBetweenSubqueries ? .bothFail : .different("the engine fails: \(error)")
        case (.success(let wanted), .success(let value)):
            guard let complaint = wanted.difference(from: value) else { return .equal(isEmpty: wanted.isEmpty) }
            if showsOrderOfSums || showsOrderOfSubqueries || readsStatistics { return .equal(isEmpty: wanted.isEmpty) }
            return .different(complaint)
        }
    }

    /// Values become labels, so the last digit of a sum shows; and over several steps the order that `sort` hands to the sum
    /// is nobody's (upstream's is that of a map), like that of classic histograms beside native ones.
    private var showsOrderOfSums: Bool {
        query.contains("count_values") && (start != end && query.contains("sort") || query.contains("wait_bucket|spread"))
    }

    /// The reference takes the series of a subquery in the order of their first points, and a sum of histograms depends on the order where a zero
    /// bucket is wider than another histogram's buckets.
    private var showsOrderOfSubqueries: Bool {
        query.contains(":") && ["sum by", "sum without", "sum (", "sum(", "avg by", "avg without", "avg (", "avg("].contains { query.contains($0) }
            && ["latency", "spread"].contains { query.contains($0) }
    }

    /// Where only counts and sums are wanted upstream, and the engine, read no buckets, and miss what only buckets tell: resets of gauges that
    /// are taken for counters, and equality.
    private var readsStatistics: Bool {
        ["histogram_count(", "histogram_sum(", "histogram_avg("].contains { query.contains($0) }
            && ["rate(", "increase(", "==", "!=", "resets(", "changes(", ") + (", ") - ("].contains { query.contains($0) }
    }

    private var hasGapsBetweenSubqueries: Bool { start != end && query.contains(":") }

    private func answer(_ engine: any ScriptEngine, _ storage: MemorySeries) throws -> PlainValue {
        if isInstant { return try engine.instant(query, on: storage, at: Timestamp(milliseconds: start)).value }
        return try engine.range(
            query, on: storage, start: Timestamp(milliseconds: start), end: Timestamp(milliseconds: end),
            step: .milliseconds(step)
        ).value
    }
}

extension Trial: CustomStringConvertible {
    var description: String {
        "\(query)\n    \(isInstant ? "at \(start)" : "from \(start) to \(end) step \(step)")"
            + (delayedNameRemoval ? ", names removed late" : "")
    }
}

struct Tally: CustomStringConvertible {
    var equal = 0, empty = 0, failing = 0, notImplemented = 0
    var differences: [String] = []

    mutating func count(_ verdict: Trial.Verdict, _ trial: Trial) {
        switch verdict {
        case .equal(let isEmpty):
            equal += 1
            if isEmpty { empty += 1 }
        case .bothFail: failing += 1
        case .notImplemented: notImplemented += 1
        case .different(let complaint): differences.append("\(trial)\n    \(complaint)")
        }
    }

    var description: String {
        "\(equal) equal (\(empty) of them empty), \(failing) fail in both, \(notImplemented) not implemented, "
            + "\(differences.count) differ"
    }
}

extension PlainValue {
    private static let tolerance = 1e-12

    var isEmpty: Bool {
        switch self {
        case .scalar, .string: return false
        case .vector(let samples): return samples.isEmpty
        case .matrix(let series): return series.isEmpty
        }
    }

    /// What `other` has otherwise, or `nil`. The order of a vector is left open.
    func difference(from other: PlainValue) -> String? {
        switch (self, other) {
        case (.scalar(let a), .scalar(let b)):
            return nearlyEqual(a, b, within: Self.tolerance) ? nil : "\(b) instead of \(a)"
        case (.string(let a), .string(let b)): return a == b ? nil : "\(b) instead of \(a)"
        case (.vector(let a), .vector(let b)):
            return Self.difference(Self.rows(a), Self.rows(b))
        case (.matrix(let a), .matrix(let b)): return Self.difference(a, b)
        default: return "\(other) instead of \(self)"
        }
    }

    private static func rows(_ samples: [PlainSample]) -> [PlainSeries] {
        samples.sorted { $0.labels < $1.labels }.map {
            PlainSeries(labels: $0.labels, points: [PlainPoint(time: 0, value: $0.value, histogram: $0.histogram)])
        }
    }

    private static func agree(_ a: PlainPoint, _ b: PlainPoint) -> Bool {
        switch (a.histogram, b.histogram) {
        case (nil, nil): nearlyEqual(a.value, b.value, within: tolerance)
        case (let a?, let b?): a.isNearlyEqual(to: b, within: tolerance, comparingHints: true)
        default: false
        }
    }

    private static func difference(_ wanted: [PlainSeries], _ given: [PlainSeries]) -> String? {
        let wantedLabels = wanted.map(\.labels), givenLabels = given.map(\.labels)
        guard wantedLabels == givenLabels else { return "series \(givenLabels) instead of \(wantedLabels)" }
        for (a, b) in zip(wanted, given) {
            guard a.points.map(\.time) == b.points.map(\.time) else {
                return "\(a.labels): values at \(b.points.map(\.time)) instead of \(a.points.map(\.time))"
            }
            for (p, q) in zip(a.points, b.points) where !agree(p, q) {
                return "\(a.labels) at \(p.time) ms: \(q.text) instead of \(p.text)"
            }
        }
        return nil
    }
}
