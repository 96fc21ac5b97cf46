import Histograms
import Support
import Testing

@testable import TSDB

/// A sample of either kind, as text that is equal where the samples are.
private func text(_ value: Double, _ histogram: FloatHistogram?) -> String {
    if StaleMarker.isStale(value) { return "stale" }
    return histogram?.identity ?? "\(value.bitPattern)"
}

@Suite("Database, native histograms")
struct DatabaseHistogramTests {
    static let base = DatabaseModelTests.base

    static func samples(_ set: any SeriesSet, _ index: Int, _ from: Int64 = .min, _ through: Int64 = .max) throws -> [String] {
        var columns = SampleColumns(capacity: 1)
        try set.decode(index, from: from, through: through, into: &columns)
        return texts(columns)
    }

    static func texts(_ columns: borrowing SampleColumns) -> [String] {
        var texts: [String] = []
        for index in 0..<columns.count {
            texts.append("\(columns.timestamps[index]) \(text(columns.values[index], columns.histograms.histogram(sample: index)))")
        }
        return texts
    }

    static func dump(_ database: Database) throws -> [String] {
        let set = try database.select([], from: .min, through: .max)
        return try (0..<set.count).map { "\(set.labels(at: $0)) \(try samples(set, $0).joined(separator: "\n   "))" }.sorted()
    }

    /// Series that are floats, histograms, and both in turn; what was accepted stands in `expected`.
    struct Load {
        var random: SeededRandom
        var sources: [RandomHistograms] = []
        var expected: [Int: [Int64: String]] = [:]
        var time = DatabaseHistogramTests.base
        /// Nothing is sent again for a time that was refused.
        var allowsLate: Bool

        init(seed: UInt64, allowsLate: Bool) {
            random = SeededRandom(seed: seed)
            self.allowsLate = allowsLate
            for kind in RandomHistograms.Kind.allCases {
                for isFloat in [false, true] { sources.append(RandomHistograms(kind: kind, isFloat: isFloat, &random)) }
            }
        }

        static func labels(_ number: Int) -> Labels { ["__name__": "h", "n": "\(number)"] }

        mutating func round(_ database: Database) throws {
            time += [15_000, 15_000, 15_001, 60_000].randomElement(using: &random) ?? 0
            var batch = SampleBatch()
            var sent: [(number: Int, time: Int64, text: String)] = []
            for number in 0..<10 {
                let reference = try database.reference(for: Self.labels(number))
                var at = time
                if allowsLate, Int.random(in: 0..<15, using: &random) == 0 { at -= Int64.random(in: 1...600, using: &random) * 1000 + 500 }
                let isFloat = number == 9 || number == 8 && time / 400_000 % 2 == 0
                if isFloat || Int.random(in: 0..<60, using: &random) == 0 {
                    let choices: [Double] = [1, 2.5, Double(time), StaleMarker.value]
                    let value = choices.randomElement(using: &random) ?? 0
                    batch.append(reference, at: Timestamp(milliseconds: at), value: value)
                    sent.append((number, at, text(value, nil)))
                } else {
                    let sample = sources[number % sources.count].next(&random)
                    batch.append(reference, at: Timestamp(milliseconds: at), histogram: sample)
                    sent.append((number, at, text(sample.sum, sample.asFloat)))
                }
            }
            let report = try database.append(batch)
            for (index, one) in sent.enumerated() where report[index] == .stored {
                expected[one.number, default: [:]][one.time] = one.text
            }
            #expect(allowsLate || report.verdicts.isEmpty)
        }

        func check(_ database: Database, from: Int64 = .min, through: Int64 = .max) throws {
            let set = try database.select([.equal("__name__", "h")], from: .min, through: .max)
            #expect(set.count == expected.count)
            for index in 0..<set.count {
                let number = Int(set.labels(at: index)["n"] ?? "") ?? -1
                let wanted = (expected[number] ?? [:]).filter { $0.key >= from && $0.key <= through }.sorted { $0.key < $1.key }
                #expect(try DatabaseHistogramTests.samples(set, index, from, through) == wanted.map { "\($0.key) \($0.value)" })
            }
        }
    }

    static func clock() -> ManualClock { ManualClock(Timestamp(milliseconds: base + 1_000_000_000)) }

    @Test("answers what was appended, whatever kinds a series has had", arguments: TestSeed.seeds(8))
    func equalsModel(seed: UInt64) throws {
        for allowsLate in [false, true] {
            var options = DatabaseOptions()
            if allowsLate { options.outOfOrderWindow = .minutes(30) }
            let database = Database.inMemory(options: options, clock: Self.clock())
            var load = Load(seed: seed, allowsLate: allowsLate)
            for _ in 0..<TestSeed.cases(250) { try load.round(database) }
            try load.check(database)
            for (from, through) in [(400_000, 900_000), (2_000_000, 2_000_000), (3_000_000, 99_000_000)] {
                try load.check(database, from: Self.base + Int64(from), through: Self.base + Int64(through))
            }
            #expect(database.statistics.sampleCount == load.expected.values.reduce(0) { $0 + $1.count })
        }
    }

    @Test("what is counted is what is there: chunks, samples, bytes; and nothing is left when all has gone")
    func counting() throws {
        let database = Database.inMemory(clock: Self.clock())
        var load = Load(seed: 5, allowsLate: false)
        for _ in 0..<300 { try load.round(database) }
        func tally() throws -> ChunkTally {
            let set = try database.select([], from: .min, through: .max)
            return (0..<set.count).reduce(into: ChunkTally()) { sum, index in
                let one = set.chunkTally(index, from: .min, through: .max)
                sum.chunks += one.chunks
                sum.bytes += one.bytes
            }
        }
        let whole = try tally()
        #expect(whole.chunks == database.statistics.chunkCount)
        #expect(whole.bytes > database.statistics.closedChunkBytes)
        let middle = Self.base + 2_000_000
        #expect(database.head.truncate(before: middle) == 0)
        try load.check(database, from: middle, through: .max)
        let rest = try tally()
        #expect(rest.chunks == database.statistics.chunkCount && rest.chunks < whole.chunks)
        var count = 0
        let set = try database.select([], from: .min, through: .max)
        for index in 0..<set.count { count += try Self.samples(set, index).count }
        #expect(count == database.statistics.sampleCount)
        #expect(database.head.truncate(before: .max) == 10)
        #expect(database.statistics.sampleCount == 0 && database.statistics.chunkCount == 0 && database.statistics.closedChunkBytes == 0)
        #expect(database.head.store.withLock { $0.histograms.isEmpty })
    }

    static func histogram(_ count: UInt64, hint: CounterResetHint = .unknown) -> HistogramSample {
        .integer(
            IntegerHistogram(
                hint: hint, schema: 1, zeroCount: 1, count: count + 1, sum: Double(count), positiveSpans: [BucketSpan(offset: 0, length: 2)],
                positiveDeltas: [Int64(count), -Int64(count)]))
    }

    static func append(_ database: Database, _ samples: [(Int64, HistogramSample?, Double)]) throws -> [AppendVerdict] {
        let reference = try database.reference(for: ["__name__": "one"])
        return try samples.map { time, histogram, value in
            var batch = SampleBatch()
            let at = Timestamp(milliseconds: base + time)
            if let histogram { batch.append(reference, at: at, histogram: histogram) } else { batch.append(reference, at: at, value: value) }
            return try database.append(batch)[0]
        }
    }

    @Test("a time again: the same histogram is repeated, anything else is a duplicate")
    func verdicts() throws {
        let database = Database.inMemory(clock: Self.clock())
        let verdicts = try Self.append(
            database,
            [
                (0, Self.histogram(3), 0), (0, Self.histogram(3), 0), (0, Self.histogram(4), 0), (0, nil, 3), (0, nil, 4),
                (1000, nil, 3), (1000, Self.histogram(3), 0), (1000, nil, 3), (500, Self.histogram(3), 0),
                (2000, Self.histogram(5), 0), (3000, nil, StaleMarker.value), (3000, nil, StaleMarker.value), (3000, Self.histogram(5), 0),
            ])
        #expect(
            verdicts == [
                .stored, .repeated, .duplicate, .duplicate, .duplicate, .stored, .duplicate, .repeated, .outOfOrder, .stored, .stored,
                .repeated, .duplicate,
            ])
        // The same buckets in other words, an empty one more.
        guard case .integer(var other) = Self.histogram(9) else { return }
        #expect(try Self.append(database, [(4000, .integer(other), 0)]) == [.stored])
        other.positiveSpans = [BucketSpan(offset: 0, length: 1), BucketSpan(offset: 0, length: 1), BucketSpan(offset: 3, length: 1)]
        other.positiveDeltas.append(0)
        #expect(try Self.append(database, [(4000, .integer(other), 0), (4000, .float(FloatHistogram(other)), 0)]) == [.repeated, .duplicate])
    }

    @Test("a histogram whose parts do not agree is refused, not stored")
    func malformed() throws {
        let database = Database.inMemory(clock: Self.clock())
        let far = BucketSpan(offset: 0, length: .max)
        let samples: [HistogramSample] = [
            .integer(IntegerHistogram(positiveSpans: [far], positiveDeltas: [1])),
            .float(FloatHistogram(negativeSpans: [far, far], negativeBuckets: [])),
            .integer(IntegerHistogram(positiveDeltas: [1, 2])), .float(FloatHistogram(schema: 77)),
        ]
        #expect(try Self.append(database, samples.map { (0, $0, 0) }) == [.outOfBounds, .outOfBounds, .outOfBounds, .outOfBounds])
        #expect(database.statistics.sampleCount == 0)
    }

    @Test("a float's stale marker behind histograms is one of theirs")
    func staleMarker() throws {
        let database = Database.inMemory(clock: Self.clock())
        _ = try Self.append(
            database, [(0, Self.histogram(3), 0), (1000, nil, StaleMarker.value), (2000, nil, StaleMarker.value), (3000, Self.histogram(9), 0)])
        let set = try database.select([], from: .min, through: .max)
        var columns = SampleColumns()
        try set.decode(0, from: .min, through: .max, into: &columns)
        #expect((0..<4).map { columns.histograms.histogram(sample: $0)?.hint } == [.unknown, .unknown, .unknown, .unknown])
        #expect((0..<4).map { columns.histograms.histogram(sample: $0)?.count } == [4, 0, 0, 10])
        #expect(StaleMarker.isStale(columns.values[1]) && StaleMarker.isStale(columns.values[2]))
        #expect(set.chunkTally(0, from: .min, through: .max).chunks == 2)
        columns.dropStaleMarkers()
        #expect((0..<columns.count).map { columns.histograms.histogram(sample: $0)?.count } == [4, 10])
    }

    @Test("hints: nothing of a chunk's first sample, no reset behind it, nothing where late samples stand between")
    func hints() throws {
        var options = DatabaseOptions()
        options.outOfOrderWindow = .minutes(30)
        let database = Database.inMemory(options: options, clock: Self.clock())
        _ = try Self.append(
            database,
            [
                (0, Self.histogram(3), 0), (1000, Self.histogram(4), 0), (3000, Self.histogram(5), 0), (4000, Self.histogram(2), 0),
                (5000, Self.histogram(7, hint: .reset), 0), (6000, Self.histogram(8, hint: .notReset), 0), (2000, Self.histogram(5), 0),
                (7000, Self.histogram(1, hint: .gauge), 0), (8000, Self.histogram(0, hint: .gauge), 0),
            ])
        let set = try database.select([], from: .min, through: .max)
        var columns = SampleColumns()
        try set.decode(0, from: .min, through: .max, into: &columns)
        #expect(
            (0..<columns.count).map { columns.histograms.histogram(sample: $0)?.hint }
                == [.unknown, .notReset, .unknown, .unknown, .unknown, .unknown, .notReset, .gauge, .gauge])
    }

    @Test("a query keeps what it saw while the chunk grows, is widened, is closed")
    func snapshot() throws {
        let database = Database.inMemory(clock: Self.clock())
        var random = SeededRandom(seed: 3)
        var source = RandomHistograms(kind: .counter, isFloat: false, &random)
        var seen: [(set: any SeriesSet, samples: [String])] = []
        var all: [String] = []
        for step in 0..<400 {
            let sample = source.next(&random)
            _ = try Self.append(database, [(Int64(step) * 15_000, sample, 0)])
            all.append("\(Self.base + Int64(step) * 15_000) \(text(sample.sum, sample.asFloat))")
            if step % 7 == 0 { seen.append((try database.select([], from: .min, through: .max), all)) }
        }
        for (set, samples) in seen { #expect(try Self.samples(set, 0) == samples) }
    }

    // MARK: On disk

    @Test("what was acknowledged is there after the process died, in the kind it came in", arguments: DatabaseRecoveryTests.compressions)
    func recovery(compression: WALCompression) throws {
        for seed in TestSeed.seeds(4) {
            let files = MemoryFileStore()
            let clock = Self.clock()
            var database = try DatabaseRecoveryTests.open(files, compression, clock)
            var load = Load(seed: seed, allowsLate: true)
            for _ in 0..<TestSeed.cases(6) {
                for _ in 0..<Int.random(in: 1...90, using: &load.random) { try load.round(database) }
                if Bool.random(using: &load.random) { try database.checkpoint() }
                let before = try Self.kinds(database)
                database.directoryLock?.release()
                database = try DatabaseRecoveryTests.open(files, compression, clock)
                try load.check(database)
                #expect(try Self.kinds(database) == before, "seed \(seed)")
                #expect(database.replay.damageCount == 0 && database.replay.lostSampleCount == 0, "seed \(seed)")
            }
        }
    }

    /// Integers or floats: how many chunks' samples of each kind every series has.
    static func kinds(_ database: Database) throws -> [String] {
        let capture = database.head.captureAll()
        return capture.entries.enumerated().map { position, entry in
            var counts: [UInt8: Int] = [:]
            for index in 0..<Int(entry.captured.closedCount) {
                if let chunk = entry.captured.closed?[index] { counts[chunk.encoding.rawValue, default: 0] += Int(chunk.count) }
            }
            if let open = capture.set.openHistograms(ofSlot: entry.captured.slot) { counts[open.encoding.rawValue, default: 0] += open.count }
            return "\(capture.set.labels(at: position)) \(counts[2] ?? 0) \(counts[3] ?? 0)"
        }.sorted()
    }

    @Test("a checkpoint restores what it was made of, and the next batch is judged alike", arguments: TestSeed.seeds(3))
    func checkpoint(seed: UInt64) throws {
        let original = Database.inMemory(clock: Self.clock())
        var load = Load(seed: seed, allowsLate: false)
        for _ in 0..<150 { try load.round(original) }
        let copy = Database.inMemory(clock: Self.clock())
        try HeadCheckpointTests.restore(try HeadCheckpointTests.records(of: original), into: copy)
        #expect(try Self.dump(copy) == (try Self.dump(original)))
        #expect(copy.statistics.sampleCount == original.statistics.sampleCount)
        #expect(copy.statistics.chunkCount == original.statistics.chunkCount)
        var again = load
        for _ in 0..<100 {
            try load.round(original)
            try again.round(copy)
        }
        #expect(try Self.dump(copy) == (try Self.dump(original)))
        #expect(copy.statistics.chunkCount == original.statistics.chunkCount)
    }

    @Test("a damaged checkpoint is refused or read as something else, never a trap", arguments: TestSeed.seeds(2))
    func damagedCheckpoint(seed: UInt64) throws {
        let original = Database.inMemory(clock: Self.clock())
        var load = Load(seed: seed, allowsLate: false)
        for _ in 0..<100 { try load.round(original) }
        let records = try HeadCheckpointTests.records(of: original)
        for _ in 0..<TestSeed.cases(10) {
            var record = records[0]
            for _ in 0..<3 { record[Int.random(in: 0..<record.count, using: &load.random)] = UInt8.random(in: 0...255, using: &load.random) }
            if Bool.random(using: &load.random) { record.removeLast(Int.random(in: 1..<record.count, using: &load.random)) }
            let copy = Database.inMemory(clock: Self.clock())
            try? HeadCheckpointTests.restore([record], into: copy)
            if let set = try? copy.select([], from: .min, through: .max) {
                for index in 0..<set.count { _ = try? Self.samples(set, index) }
            }
            var more = load
            more.time += 60_000
            // Damaged times may refuse it.
            more.allowsLate = true
            try? more.round(copy)
        }
    }
}
