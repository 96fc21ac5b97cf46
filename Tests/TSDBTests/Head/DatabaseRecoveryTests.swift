import Support
import Testing

@testable import TSDB

@Suite("Database, on disk")
struct DatabaseRecoveryTests {
    static let compressions: [WALCompression] = [.lz4, .snappy, .none]

    static func open(_ files: MemoryFileStore, _ compression: WALCompression, _ clock: ManualClock) throws -> Database {
        var options = DatabaseOptions()
        options.outOfOrderWindow = .minutes(30)
        options.wal.compression = compression
        return try Database.open("data", options: options, files: files, clock: clock)
    }

    static func appendRound(_ database: Database, _ random: inout SeededRandom, at time: Int64) throws {
        var batch = SampleBatch()
        for _ in 0..<Int.random(in: 1...30, using: &random) {
            let late: Int64 = Int.random(in: 0..<20, using: &random) == 0 ? 600_000 : 0
            let values: [Double] = [1, 2.25, Double(time), .infinity, StaleMarker.value]
            batch.append(
                try database.reference(for: DatabaseModelTests.labels(&random)),
                at: Timestamp(milliseconds: time - late), value: values.randomElement(using: &random) ?? 0)
        }
        _ = try database.append(batch)
    }

    @Test("what was acknowledged is there after the process died, through checkpoints and restarts", arguments: compressions)
    func recovery(compression: WALCompression) throws {
        for seed in TestSeed.seeds(6) {
            var random = SeededRandom(seed: seed)
            let files = MemoryFileStore()
            let clock = ManualClock(Timestamp(milliseconds: DatabaseModelTests.base + 1_000_000_000))
            var database = try Self.open(files, compression, clock)
            var time = DatabaseModelTests.base
            for _ in 0..<TestSeed.cases(8) {
                for _ in 0..<Int.random(in: 1...150, using: &random) {
                    time += 15_000
                    try Self.appendRound(database, &random, at: time)
                }
                if Bool.random(using: &random) { try database.checkpoint() }
                let before = try HeadCheckpointTests.dump(database)
                // The process is gone: nothing is closed, only the lock falls.
                database.directoryLock?.release()
                database = try Self.open(files, compression, clock)
                #expect(try HeadCheckpointTests.dump(database) == before, "seed \(seed)")
                #expect(database.replay.damageCount == 0 && database.replay.lostSampleCount == 0, "seed \(seed)")
            }
        }
    }

    @Test("another server's log is read whatever its numbers, and goes on under ours", arguments: [WALCompression.snappy, .none])
    func foreignNumbers(compression: WALCompression) throws {
        let files = MemoryFileStore()
        let clock = ManualClock(Timestamp(milliseconds: DatabaseModelTests.base + 10_000_000))
        func labels(_ number: UInt64) -> Labels { ["__name__": "foreign", "n": "\(number)"] }
        // Two that could be places, then far ones, one small number among them, and one that has its labels for the second time.
        let numbers: [UInt64] = [3, 7, 5_000_001, 5_000_000, 4, 900_000_000, 123_456_789_012_345]
        let (wal, _, _) = try WALTests.open(files, "data/wal", compression)
        try wal.append(series: numbers.map { (SeriesRef(rawValue: $0), labels($0)) } + [(SeriesRef(rawValue: 6_000_000), labels(5_000_001))])
        for step in 0..<3 {
            let known = step == 0 ? numbers : numbers + [6_000_000, 1]
            let references = known.map { SeriesRef(rawValue: $0) }
            let times = known.map { DatabaseModelTests.base + Int64(step) * 2000 + ($0 == 6_000_000 ? 1000 : 0) }
            try wal.append(references: references, timestamps: times, values: known.map { Double($0) }, count: known.count)
        }
        try wal.appendTombstone(SeriesRef(rawValue: 3), from: Timestamp(milliseconds: 0), through: Timestamp(milliseconds: 1))
        try wal.close()

        for opening in 0..<3 {
            let database = try Self.open(files, compression, clock)
            #expect(database.replay.damageCount == 0, "\(database.replay.damages)")
            #expect(database.replay.deletionCount == (opening == 0 ? 1 : 0))
            // Number 1 is nobody's: its two samples are lost, and no series gets them.
            #expect(database.replay.lostSampleCount == (opening == 0 ? 2 : 0))
            let set = try database.select([.equal("__name__", "foreign")], from: .min, through: .max)
            #expect(set.count == numbers.count)
            for index in 0..<set.count {
                let number = UInt64(set.labels(at: index)["n"] ?? "") ?? 0
                var values: [Double] =
                    number == 5_000_001 ? [5_000_001, 5_000_001, 6_000_000, 5_000_001, 6_000_000] : [Double](repeating: Double(number), count: 3)
                values += [Double](repeating: -1, count: opening)
                let samples = try DatabaseModelTests.samples(set, index, .min, .max)
                #expect(samples.map { Double(bitPattern: $0.1) } == values, "\(number), opening \(opening)")
            }
            var batch = SampleBatch()
            for number in numbers {
                batch.append(
                    try database.reference(for: labels(number)),
                    at: Timestamp(milliseconds: DatabaseModelTests.base + 10_000 + Int64(opening)), value: -1)
            }
            _ = try database.append(batch)
            try database.close()
        }
    }

    @Test("series that were dropped, and slots used again, come back as they were", arguments: TestSeed.seeds(4))
    func churn(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let files = MemoryFileStore()
        let clock = ManualClock(Timestamp(milliseconds: DatabaseModelTests.base))
        var options = DatabaseOptions()
        options.retention = .hours(1)
        var database = try Database.open("data", options: options, files: files, clock: clock)
        for round in 0..<6 {
            for step in 0..<120 {
                clock.advance(by: .minutes(1))
                var batch = SampleBatch()
                for index in 0..<5 {
                    // A name lives for some rounds, goes for longer than the retention, and comes back.
                    let generation = (round * 120 + step) / 40 % 5
                    let labels = Labels([(name: "__name__", value: "m"), (name: "i", value: "\(index + generation * 3)")])
                    batch.append(try database.reference(for: labels), at: clock.now(), value: Double(step))
                }
                _ = try database.append(batch)
                try database.tick()
            }
            if Bool.random(using: &random) { try database.checkpoint() }
            let bound = clock.now() - .hours(1)
            func recent(_ database: Database) throws -> [String] {
                let set = try database.select([], from: bound, through: .max)
                return try (0..<set.count).map { index in
                    let samples = try DatabaseModelTests.samples(set, index, bound.milliseconds, .max)
                    return "\(set.labels(at: index)) \(samples.map { "\($0.0):\($0.1)" }.joined(separator: " "))"
                }.filter { $0.contains(":") }.sorted()
            }
            let before = try recent(database)
            database.directoryLock?.release()
            database = try Database.open("data", options: options, files: files, clock: clock)
            #expect(try recent(database) == before, "seed \(seed), round \(round)")
        }
    }

    @Test("a log cut anywhere gives back a beginning of what was written, and takes samples on", arguments: TestSeed.seeds(4))
    func tornTail(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let files = MemoryFileStore()
        let clock = ManualClock(Timestamp(milliseconds: DatabaseModelTests.base + 1_000_000_000))
        let database = try Self.open(files, .lz4, clock)
        let reference = try database.reference(for: ["__name__": "x"])
        var batch = SampleBatch()
        for step in 0..<400 {
            batch.removeAll()
            batch.append(reference, at: Timestamp(milliseconds: DatabaseModelTests.base + Int64(step) * 1000), value: Double(step) * 1.5)
            _ = try database.append(batch)
        }
        database.directoryLock?.release()
        let name = try #require(try files.list("data/wal").last)
        let path = "data/wal/" + name
        let whole = try files.readAll(path)
        for _ in 0..<TestSeed.cases(40) {
            let copy = MemoryFileStore()
            try copy.createDirectory("data/wal")
            let file = try copy.openForAppending(path)
            let cut = Int.random(in: 0...whole.count, using: &random)
            var failure: TSDBError?
            whole[..<cut].withUnsafeBytes { bytes in
                do throws(TSDBError) { try file.append(bytes) } catch { failure = error }
            }
            #expect(failure == nil)
            file.close()
            let reopened = try Self.open(copy, .lz4, clock)
            let set = try reopened.select([], from: .min, through: .max)
            if set.count > 0 {
                let samples = try DatabaseModelTests.samples(set, 0, .min, .max)
                for (step, sample) in samples.enumerated() {
                    #expect(sample.0 == DatabaseModelTests.base + Int64(step) * 1000 && sample.1 == (Double(step) * 1.5).bitPattern)
                }
            }
            var more = SampleBatch()
            more.append(
                try reopened.reference(for: ["__name__": "x"]),
                at: Timestamp(milliseconds: DatabaseModelTests.base + 1_000_000), value: 7)
            #expect(try reopened.append(more).storedCount == 1)
        }
    }

    @Test("a directory in use is refused")
    func locked() throws {
        let files = MemoryFileStore()
        let clock = ManualClock()
        let first = try Self.open(files, .lz4, clock)
        #expect(throws: TSDBError.self) { _ = try Self.open(files, .lz4, clock) }
        try first.close()
        _ = try Self.open(files, .lz4, clock)
    }
}
