import Support
import Synchronization
import Testing

@testable import TSDB

/// The plainest possible database: a list of series with their samples, kept by upstream's rules. What the real one is held against.
struct ModelDatabase {
    var series: [Labels: [(time: Int64, value: UInt64)]] = [:]
    var newest = Int64.min

    mutating func append(_ labels: Labels, _ time: Int64, _ value: Double, newestBefore: Int64) -> AppendVerdict {
        var samples = series[labels] ?? []
        let bound = newestBefore == .min ? Int64.min : newestBefore - 3_600_000
        if time >= bound {
            guard let last = samples.last else {
                series[labels] = [(time, value.bitPattern)]
                newest = max(newest, time)
                return .stored
            }
            if time > last.time {
                samples.append((time, value.bitPattern))
                series[labels] = samples
                newest = max(newest, time)
                return .stored
            }
            if time == last.time { return last.value == value.bitPattern ? .repeated : .duplicate }
        }
        return time < bound ? .outOfBounds : .outOfOrder
    }
}

@Suite("Database, in memory")
struct DatabaseModelTests {
    static let base: Int64 = 1_700_000_000_000

    static func samples(_ set: any SeriesSet, _ index: Int, _ from: Int64, _ through: Int64) throws -> [(Int64, UInt64)] {
        var columns = SampleColumns(capacity: 1)
        try set.decode(index, from: from, through: through, into: &columns)
        return (0..<columns.count).map { (columns.timestamps[$0], columns.values[$0].bitPattern) }
    }

    static func labels(_ random: inout SeededRandom) -> Labels {
        var pairs: [(name: String, value: String)] = [("__name__", "m\(Int.random(in: 0...4, using: &random))")]
        for name in ["a", "b", "c"] where Bool.random(using: &random) {
            pairs.append((name, ["x", "y", "z", "x1", "ü"].randomElement(using: &random) ?? "x"))
        }
        return Labels(pairs)
    }

    static let matcherSets: [[Matcher]] = {
        func regex(_ kind: Matcher.Kind, _ name: String, _ value: String) -> Matcher {
            (try? Matcher(kind, name: name, value: value)) ?? .equal("impossible", "x")
        }
        return [
            [], [.equal("__name__", "m1")], [.equal("a", "x")], [.equal("a", "")], [.notEqual("a", "")],
            [.notEqual("a", "x")], [.equal("__name__", "m2"), .notEqual("b", "y")], [.equal("nosuch", "")],
            [.equal("nosuch", "x")], [.equal("a", "x"), .equal("b", "x"), .notEqual("c", "")],
            [regex(.regex, "a", "x|y")], [regex(.notRegex, "a", "x.*")], [regex(.regex, "a", "x.*|")],
            [regex(.regex, "__name__", "m[0-2]"), regex(.notRegex, "b", "")], [regex(.regex, "c", ".+")],
        ]
    }()

    @Test("answers as a plain list of series does, through any mix of batches", arguments: TestSeed.seeds(12))
    func equalsModel(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let clock = ManualClock(Timestamp(milliseconds: Self.base + 1_000_000_000))
        let database = Database.inMemory(clock: clock)
        var model = ModelDatabase()
        var batch = SampleBatch()
        var now = Self.base
        for round in 0..<TestSeed.cases(120) {
            now += Int64([15_000, 15_000, 15_000, 15_003, 400_000].randomElement(using: &random) ?? 0)
            batch.removeAll()
            var expected: [AppendVerdict] = []
            let newestBefore = model.newest
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                let labels = Self.labels(&random)
                let late = Int.random(in: 0..<30, using: &random)
                let time = late == 0 ? now - 60_000 : late == 1 ? now - 5_000_000 : now
                let choices: [Double] = [1, 1.5, Double(round), StaleMarker.value]
                let value = choices.randomElement(using: &random) ?? 0
                batch.append(try database.reference(for: labels), at: Timestamp(milliseconds: time), value: value)
                expected.append(model.append(labels, time, value, newestBefore: newestBefore))
            }
            let report = try database.append(batch)
            for index in 0..<batch.count { #expect(report[index] == expected[index], "seed \(seed)") }
        }
        for matchers in Self.matcherSets {
            for (from, through) in [(Int64.min, Int64.max), (Self.base + 300_000, Self.base + 900_000), (now, now)] {
                let set = try database.select(
                    matchers, from: Timestamp(milliseconds: from), through: Timestamp(milliseconds: through))
                var found: [Labels: [(Int64, UInt64)]] = [:]
                for index in 0..<set.count {
                    let samples = try Self.samples(set, index, from, through)
                    if !samples.isEmpty { found[set.labels(at: index)] = samples }
                }
                var wanted: [Labels: [(Int64, UInt64)]] = [:]
                for (labels, samples) in model.series where matchers.allSatisfy({ $0.matches(labels) }) {
                    let inside = samples.filter { $0.time >= from && $0.time <= through }.map { ($0.time, $0.value) }
                    if !inside.isEmpty { wanted[labels] = inside }
                }
                #expect(found.keys.sorted() == wanted.keys.sorted(), "seed \(seed), \(matchers)")
                for (labels, samples) in wanted {
                    let got = found[labels] ?? []
                    #expect(got.elementsEqual(samples) { $0.0 == $1.0 && $0.1 == $1.1 }, "seed \(seed), \(labels)")
                }
                for grouping in [Grouping.by(["a"]), .by([]), .by(["b", "nosuch", "a"]), .without(["a"]), .without([])] {
                    let groups = set.groups(grouping)
                    let plain = Groups(grouping, count: set.count) { set.labels(at: $0) }
                    #expect(groups.assignment == plain.assignment && groups.labels == plain.labels, "seed \(seed), \(grouping)")
                }
            }
        }
    }

    @Test("with a window, samples in any order answer as sorted ones", arguments: TestSeed.seeds(6))
    func outOfOrder(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var options = DatabaseOptions()
        options.outOfOrderWindow = .hours(2)
        let clock = ManualClock(Timestamp(milliseconds: Self.base + 1_000_000_000))
        let database = Database.inMemory(options: options, clock: clock)
        let reference = try database.reference(for: ["__name__": "late"])
        let times = (0..<400).map { Self.base + Int64($0) * 15_000 }
        var batch = SampleBatch()
        for time in times.shuffled(using: &random) {
            batch.removeAll()
            batch.append(reference, at: Timestamp(milliseconds: time), value: Double(time % 977))
            #expect(try database.append(batch).storedCount == 1, "seed \(seed)")
        }
        let set = try database.select([.equal("__name__", "late")], from: .min, through: .max)
        let samples = try Self.samples(set, 0, .min, .max)
        #expect(samples.map(\.0) == times, "seed \(seed)")
        #expect(samples.map(\.1) == times.map { Double($0 % 977).bitPattern }, "seed \(seed)")
        batch.removeAll()
        batch.append(reference, at: Timestamp(milliseconds: Self.base - 2 * 3_600_000), value: 1)
        #expect(try database.append(batch)[0] == .tooOld)
    }

    @Test("samples more than ten minutes ahead of the clock are refused")
    func future() throws {
        let clock = ManualClock(Timestamp(milliseconds: Self.base))
        let database = Database.inMemory(clock: clock)
        var batch = SampleBatch()
        let reference = try database.reference(for: ["__name__": "x"])
        batch.append(reference, at: clock.now() + .minutes(10), value: 1)
        batch.append(reference, at: clock.now() + .minutes(10) + .milliseconds(1), value: 1)
        let report = try database.append(batch)
        #expect(report[0] == .stored && report[1] == .tooFarAhead)
    }

    @Test("a series that was just made is still there when its first sample comes; one that nothing came for goes later")
    func awaited() throws {
        let clock = ManualClock(Timestamp(milliseconds: Self.base))
        var options = DatabaseOptions()
        options.retention = .hours(1)
        let database = Database.inMemory(options: options, clock: clock)
        let first = try database.reference(for: ["__name__": "first"])
        let second = try database.reference(for: ["__name__": "second"])
        _ = try database.reference(for: ["__name__": "never"])
        var batch = SampleBatch()
        batch.append(first, at: clock.now(), value: 1)
        _ = try database.append(batch)
        // The first truncation of all comes with the first sample.
        try database.tick()
        batch.removeAll()
        batch.append(second, at: clock.now(), value: 2)
        #expect(try database.append(batch)[0] == .stored)
        for _ in 0..<2 {
            clock.advance(by: .minutes(2))
            batch.removeAll()
            batch.append(first, at: clock.now(), value: 3)
            batch.append(second, at: clock.now(), value: 3)
            #expect(try database.append(batch).storedCount == 2)
            try database.tick()
        }
        #expect(database.statistics.seriesCount == 2 && database.statistics.seriesRemoved == 1)
    }

    @Test("retention drops chunks and then series, counted back from the newest sample; references to them name nothing")
    func retention() throws {
        let clock = ManualClock(Timestamp(milliseconds: Self.base))
        var options = DatabaseOptions()
        options.retention = .hours(3)
        let database = Database.inMemory(options: options, clock: clock)
        let old = try database.reference(for: ["__name__": "old"])
        let kept = try database.reference(for: ["__name__": "kept"])
        var batch = SampleBatch()
        for step in 0..<2400 {
            clock.advance(by: .seconds(15))
            batch.removeAll()
            if step < 100 { batch.append(old, at: clock.now(), value: Double(step)) }
            batch.append(kept, at: clock.now(), value: Double(step))
            _ = try database.append(batch)
            try database.tick()
        }
        let statistics = database.statistics
        #expect(statistics.seriesCount == 1 && statistics.seriesRemoved == 1)
        #expect(statistics.sampleCount < 3 * 240 + 360 && statistics.sampleCount >= 3 * 240)
        batch.removeAll()
        batch.append(old, at: clock.now(), value: 1)
        #expect(try database.append(batch)[0] == .unknownSeries)
        #expect(try database.labelValues("__name__", [], from: .min, through: .max) == ["kept"])
        // The slot is used again, under another generation.
        let new = try database.reference(for: ["__name__": "new"])
        #expect(new != old)
        batch.removeAll()
        batch.append(old, at: clock.now(), value: 1)
        batch.append(new, at: clock.now(), value: 1)
        let report = try database.append(batch)
        #expect(report[0] == .unknownSeries && report[1] == .stored)
    }

    @Test("any range of a series is that part of the whole, in closed chunks and in every segment of the open one", arguments: TestSeed.seeds(6))
    func ranges(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let database = Database.inMemory(clock: ManualClock(Timestamp(milliseconds: Self.base + 3_600_000)))
        for number in 0..<TestSeed.cases(40) {
            let reference = try database.reference(for: ["__name__": "m", "n": "\(number)"])
            let shape = SampleShapes.random(&random, count: Int.random(in: 1...400, using: &random))
            var time = Self.base
            var all: [(Int64, UInt64)] = []
            let spread = [1, 15_000, 400][number % 3]
            for (_, value) in shape {
                time += Int64(Int.random(in: 1...spread, using: &random))
                if time > Self.base + 3_000_000 { break }
                var batch = SampleBatch()
                batch.append(reference, at: Timestamp(milliseconds: time), value: value)
                _ = try database.append(batch)
                all.append((time, value.bitPattern))
            }
            let set = try database.select([.equal("n", "\(number)")], from: .min, through: .max)
            for _ in 0..<60 {
                let low = (all.randomElement(using: &random)?.0 ?? 0) + Int64.random(in: -1...1, using: &random)
                let high = Bool.random(using: &random) ? Int64.max : low + Int64.random(in: -1...3_000_000, using: &random)
                let part = try Self.samples(set, 0, low, high)
                let wanted = all.filter { $0.0 >= low && $0.0 <= high }
                #expect(part.elementsEqual(wanted) { $0 == $1 }, "seed \(seed), series \(number), \(low)...\(high)")
            }
        }
    }

    @Test("the newest minutes read the same while the chunk grows, closes and is read by others")
    func rangesWhileGrowing() async throws {
        let database = Database.inMemory(clock: ManualClock(Timestamp(milliseconds: Self.base + 100_000_000)))
        let references = try (0..<20).map { try database.reference(for: ["__name__": "grows", "i": "\($0)"]) }
        let finished = Flag()
        // Sample k of every series: so that a reader knows what any range has to hold.
        @Sendable func value(_ k: Int, _ series: Int) -> Double { Double(k) * 1.1 + Double(series) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for k in 0..<4000 {
                    var batch = SampleBatch()
                    for (series, reference) in references.enumerated() {
                        batch.append(reference, at: Timestamp(milliseconds: Self.base + Int64(k) * 1000), value: value(k, series))
                    }
                    _ = try database.append(batch)
                }
                finished.raise()
            }
            for _ in 0..<2 {
                group.addTask {
                    while !finished.isRaised {
                        let set = try database.select([.equal("__name__", "grows")], from: .min, through: .max)
                        for index in 0..<set.count {
                            let series = Int(set.labels(at: index)["i"] ?? "") ?? -1
                            let newest = try Self.samples(set, index, .min, .max).last?.0 ?? Self.base - 1
                            for seconds in [0, 3, 40, 100, 300] {
                                let from = max(Self.base, newest - Int64(seconds) * 1000)
                                let part = try Self.samples(set, index, from, .max)
                                let first = Int((from - Self.base) / 1000), count = Int((newest - from) / 1000) + 1
                                let wanted =
                                    newest < Self.base
                                    ? []
                                    : (first..<first + count).map {
                                        (Self.base + Int64($0) * 1000, value($0, series).bitPattern)
                                    }
                                #expect(part.elementsEqual(wanted) { $0 == $1 })
                            }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("a query sees all of a batch or nothing, while others append, truncate and make series")
    func isolation() async throws {
        let clock = ManualClock(Timestamp(milliseconds: Self.base))
        var options = DatabaseOptions()
        options.retention = .hours(1)
        let database = Database.inMemory(options: options, clock: clock)
        let width = 40
        let finished = Flag()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var batch = SampleBatch()
                let references = try (0..<width).map { try database.reference(for: ["__name__": "wide", "i": "\($0)"]) }
                for step in 0..<3000 {
                    clock.advance(by: .seconds(5))
                    batch.removeAll()
                    for reference in references { batch.append(reference, at: clock.now(), value: Double(step)) }
                    let churn = try database.reference(for: ["__name__": "churn", "step": "\(step)"])
                    batch.append(churn, at: clock.now(), value: 1)
                    _ = try database.append(batch)
                    try database.tick()
                }
                finished.raise()
            }
            group.addTask {
                while !finished.isRaised {
                    let set = try database.select(
                        [.equal("__name__", "wide")], from: .min, through: .max)
                    var newest: Set<UInt64> = []
                    for index in 0..<set.count {
                        let samples = try Self.samples(set, index, .min, .max)
                        #expect(zip(samples, samples.dropFirst()).allSatisfy { $0.0 < $1.0 })
                        if let last = samples.last { newest.insert(last.1) }
                    }
                    #expect(newest.count <= 1, "half a batch was seen: \(newest)")
                    let churn = try database.select(
                        [.notEqual("step", "")], from: .min, through: .max)
                    for index in 0..<churn.count { #expect(churn.labels(at: index)["__name__"] == "churn") }
                }
            }
            try await group.waitForAll()
        }
    }
}

/// Says to another task that one is done.
private final class Flag: Sendable {
    private let state = Mutex(false)
    var isRaised: Bool { state.withLock { $0 } }
    func raise() { state.withLock { $0 = true } }
}
