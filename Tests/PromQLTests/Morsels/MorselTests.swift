import Dispatch
import PromQL
import Support
import Synchronization
import TSDB
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Work is shared out; answers are not changed by it.
@Suite("Morsels")
struct MorselTests {
    @Test(
        "one, two, three and seven threads give the same bits, the same notes and the same errors",
        arguments: TestSeed.seeds(3))
    func sameBits(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var generator = QueryGenerator(seed: seed ^ 0x7ead)
        var fleet = RandomFleet(seed: seed)
        var compared = 0
        for number in 0..<TestSeed.cases(200) {
            if number % 50 == 49 { fleet = RandomFleet(seed: random.next()) }
            let trial = Trial(query: generator.query(), &random)
            let alone = Self.outcome(trial, fleet.storage, SerialRunner())
            for width in [2, 3, 7] {
                // One series to a morsel, or a few: the answer must not know.
                let runner = DispatchRunner(width: width, morselCells: width == 3 ? 40 : 1)
                let shared = Self.outcome(trial, fleet.storage, runner)
                #expect(shared == alone, "seed \(seed), \(width) threads: \(trial)")
            }
            if alone.count > 2 { compared += 1 }
        }
        #expect(compared > 20, "only \(compared) answers with values")
    }

    @Test("a sum of values that cancel is the same whoever computed them")
    func cancellation() throws {
        let storage = MemorySeries()
        var random = SeededRandom(seed: 5)
        for series in 0..<500 {
            let value = Double.random(in: -1...1, using: &random) * [1e-300, 1, 1e16, 1e300].randomElement(using: &random)!
            storage.append(["__name__": "x", "n": "\(series)"], 1000, value)
        }
        let texts = try [1, 2, 3, 7].map { width in
            let engine = Engine(Self.options(width == 1 ? SerialRunner() : DispatchRunner(width: width, morselCells: 8)))
            return try Self.lines(engine.instant("sum(x) or avg(x)", on: storage, at: Timestamp(milliseconds: 2000)))
        }
        #expect(Set(texts).count == 1)
    }

    @Test("helpers really compute, and the query's thread alone delivers, in order")
    func delivery() throws {
        let storage = SlowSeries(count: 64, waitsForHelp: true)
        let engine = Engine(Self.options(DispatchRunner(width: 4, morselCells: 1)))
        let result = try engine.instant("sum(x)", on: storage, at: Timestamp(milliseconds: 2000))
        guard case .vector(let vector) = result.value else { return #expect(Bool(false), "a vector") }
        #expect(vector.values == [64 * 63 / 2])
        #expect(storage.threadCount > 1, "all series were decoded on one thread")
        #expect(result.statistics.samplesRead == 64)
    }

    @Test("the first series that fails decides the error, however many fail at once")
    func firstError() {
        for _ in 0..<20 {
            let engine = Engine(Self.options(DispatchRunner(width: 4, morselCells: 1)))
            #expect(throws: QueryError(.storage, "expanding series: series 11 is broken")) {
                try engine.instant("sum(x)", on: SlowSeries(count: 64, brokenFrom: 11), at: Timestamp(milliseconds: 2000))
            }
        }
    }

    @Test("which notes are shown does not depend on the order in which they came")
    func notes() {
        var forwards = Annotations(), backwards = Annotations()
        let all = (0..<150).map { Annotation(.info, "note \($0 / 2)", detail: "\($0)", at: ($0 % 7)..<(20 + $0)) }
        for note in all { forwards.replace(note) }
        for note in all.reversed() { backwards.replace(note) }
        let query = String(repeating: " ", count: 300)
        #expect(forwards.descriptions(.info, in: query) == backwards.descriptions(.info, in: query))
        #expect(forwards.descriptions(.info, in: query).count == Annotations.shownCount + 1)
    }

    // MARK: -

    static func options(_ runner: any MorselRunner, delayedNameRemoval: Bool = false) -> EngineOptions {
        var options = EngineOptions()
        options.delayedNameRemoval = delayedNameRemoval
        options.parser = .everything
        options.runner = runner
        return options
    }

    /// The answer bit by bit, or the error.
    static func outcome(
        _ trial: Trial, _ storage: any Queryable, _ runner: any MorselRunner, _ passes: PlanPasses = .all,
        withNotes: Bool = true
    ) -> String {
        var options = options(runner, delayedNameRemoval: trial.delayedNameRemoval)
        options.passes = passes
        let engine = Engine(options)
        do {
            let start = Timestamp(milliseconds: trial.start), end = Timestamp(milliseconds: trial.end)
            return lines(
                try trial.isInstant
                    ? engine.instant(trial.query, on: storage, at: start)
                    : engine.range(
                        trial.query, on: storage, start: start, end: end, step: .milliseconds(trial.step)), withNotes)
        } catch {
            return "\(error)"
        }
    }

    static func lines(_ result: QueryResult, _ withNotes: Bool = true) -> String {
        var lines = withNotes ? result.warnings + result.infos : []
        switch result.value {
        case .scalar(let value, _): lines.append("\(value.bitPattern)")
        case .string(let text, _): lines.append(text)
        case .vector(let vector):
            for (labels, value) in zip(vector.labels, vector.values) { lines.append("\(labels) \(value.bitPattern)") }
        case .matrix(let matrix):
            for row in 0..<matrix.count {
                lines.append("\(matrix.labels[row])")
                matrix.forEachPoint(ofRow: row) { lines.append("\($0) \($1.bitPattern)") }
            }
        case .samples(let samples):
            for row in 0..<samples.count {
                lines.append("\(samples.labels[row])")
                samples.forEachPoint(ofRow: row) { lines.append("\($0) \($1.bitPattern)") }
            }
        }
        return lines.joined(separator: "\n")
    }
}

/// Helpers on the system's threads, all of them at once.
struct DispatchRunner: MorselRunner {
    let width: Int
    let morselCells: Int

    func assist<Result>(
        _ helper: @escaping @Sendable () -> Void, while body: () throws(QueryError) -> Result
    ) throws(QueryError) -> Result {
        let group = DispatchGroup()
        for _ in 1..<width { DispatchQueue.global().async(group: group, execute: helper) }
        defer { group.wait() }
        return try body()
    }
}

/// Series `i` has the value `i`, and takes a while to decode.
private final class SlowSeries: Queryable, SeriesSet {
    let count: Int
    private let brokenFrom: Int
    private let threads = Mutex<Set<UInt>>([])

    /// The first series takes until a second thread has come, ten seconds at most.
    private let waitsForHelp: Bool

    init(count: Int, brokenFrom: Int = .max, waitsForHelp: Bool = false) {
        self.count = count
        self.brokenFrom = brokenFrom
        self.waitsForHelp = waitsForHelp
    }

    var threadCount: Int { threads.withLock { $0.count } }

    func select(_ matchers: [Matcher], from: Timestamp, through: Timestamp) -> any SeriesSet { self }
    func labelNames(_ matchers: [Matcher], from: Timestamp, through: Timestamp) -> [String] { [] }
    func labelValues(_ name: String, _ matchers: [Matcher], from: Timestamp, through: Timestamp) -> [String] { [] }
    func labels(at index: Int) -> Labels { ["__name__": "x", "n": "\(index)"] }

    func decode(
        _ index: Int, from: Int64, through: Int64, into columns: inout SampleColumns
    ) throws(TSDBError) {
        _ = threads.withLock { $0.insert(UInt(bitPattern: pthread_self().hashValue)) }
        usleep(500)
        if waitsForHelp && index == 0 {
            for _ in 0..<10_000 where threadCount < 2 { usleep(1000) }
        }
        if index >= brokenFrom { throw TSDBError(.corruption, "series \(index) is broken") }
        columns.append(1000, Double(index))
    }
}
