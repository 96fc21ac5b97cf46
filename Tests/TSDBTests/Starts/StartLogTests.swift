import Histograms
import Support
import Testing

@testable import TSDB

@Suite("When series began to count: database and log")
struct StartLogTests {
    static func open(
        _ files: MemoryFileStore, _ compression: WALCompression = .lz4, isOn: Bool = true
    ) throws -> Database {
        var options = DatabaseOptions()
        options.storesStarts = isOn
        options.outOfOrderWindow = .hours(1)
        options.wal.compression = compression
        return try Database.open(
            "data", options: options, files: files, clock: ManualClock(Timestamp(milliseconds: 1_000_000_000)))
    }

    /// All samples as `series time<start`, sorted.
    static func dump(_ database: Database) throws -> [String] {
        let set = try database.select([.notEqual("__name__", "")], from: .min, through: .max)
        var lines: [String] = []
        var columns = SampleColumns()
        for index in 0..<set.count {
            columns.removeAll(readingStarts: true)
            try set.decode(index, from: .min, through: .max, into: &columns)
            for sample in 0..<columns.count where !StaleMarker.isStale(columns.values[sample]) {
                lines.append("\(set.labels(at: index)) \(columns.timestamps[sample])<\(columns.start(ofSample: sample))")
            }
        }
        return lines.sorted()
    }

    /// Appends a batch of counters, deltas, gauges and histograms, some late; notes in `model` what `dump` is to say.
    static func append(_ database: Database, _ random: inout SeededRandom, at time: Int64, _ model: inout Set<String>) throws {
        var batch = SampleBatch()
        var lines: [String] = []
        for _ in 0..<Int.random(in: 1...10, using: &random) {
            let number = Int.random(in: 0..<8, using: &random)
            let labels = Labels([(name: "__name__", value: "m\(number)")])
            let reference = try database.reference(for: labels)
            let time = Int.random(in: 0..<5, using: &random) == 0 ? time - Int64.random(in: 1...900_000, using: &random) : time
            if number == 6 {
                batch.append(reference, at: Timestamp(milliseconds: time), histogram: .integer(IntegerHistogram(schema: 1, sum: 1)))
            } else {
                let value = Int.random(in: 0..<20, using: &random) == 0 ? StaleMarker.value : Double.random(in: 0...1, using: &random)
                batch.append(reference, at: Timestamp(milliseconds: time), value: value)
            }
            let start: Int64
            switch number {
            case 0...2: start = time / 600_000 * 600_000 - Int64(number)
            case 3: start = time - 15_000
            case 6: start = time / 900_000 * 900_000
            case 7: start = Bool.random(using: &random) ? 0 : .min
            default: start = 0
            }
            batch.setStart(Timestamp(milliseconds: start), ofSample: batch.count - 1)
            lines.append("\(labels) \(time)<\(start)")
        }
        let report = try database.append(batch)
        for index in 0..<batch.count where report[index] == .stored && !StaleMarker.isStale(batch.values[index]) {
            model.insert(lines[index])
        }
    }

    @Test(
        "starts are there after the process died, through checkpoints, in every mode, late samples and all",
        arguments: WALCompression.allCases)
    func recovery(compression: WALCompression) throws {
        for seed in TestSeed.seeds(4) {
            var random = SeededRandom(seed: seed)
            let files = MemoryFileStore()
            var database = try Self.open(files, compression)
            var model: Set<String> = []
            var time: Int64 = 900_000_000
            for _ in 0..<TestSeed.cases(8) {
                for _ in 0..<Int.random(in: 1...60, using: &random) {
                    time += 15_000
                    try Self.append(database, &random, at: time, &model)
                }
                if Bool.random(using: &random) { try database.checkpoint() }
                #expect(try Self.dump(database) == model.sorted(), "seed \(seed)")
                database.directoryLock?.release()
                database = try Self.open(files, compression)
                #expect(try Self.dump(database) == model.sorted(), "seed \(seed)")
                #expect(database.replay.damageCount == 0, "seed \(seed)")
            }
        }
    }

    @Test("a database that keeps no starts does not store them, and leaves those of its log behind")
    func switchedOff() throws {
        let files = MemoryFileStore()
        var random = SeededRandom(seed: 1), model: Set<String> = []
        let on = try Self.open(files)
        for step in 1...5 { try Self.append(on, &random, at: 900_000_000 + Int64(step) * 15_000, &model) }
        on.directoryLock?.release()
        let off = try Self.open(files, isOn: false)
        try Self.append(off, &random, at: 900_100_000, &model)
        #expect(off.replay.damageCount == 0)
        #expect(try Self.dump(off).allSatisfy { $0.hasSuffix("<0") } && Self.dump(off).count == model.count)
        #expect(off.head.store.withLock { $0.starts.isEmpty })
    }

    @Test("a sample without a start behind samples that had one has none, after a restart, too")
    func ends() throws {
        let files = MemoryFileStore()
        let database = try Self.open(files)
        let reference = try database.reference(for: ["__name__": "c"])
        for (time, start) in [(900_000_000, 899_000_000), (900_010_000, 0), (900_020_000, 899_000_000)] as [(Int64, Int64)] {
            var batch = SampleBatch()
            batch.append(reference, at: Timestamp(milliseconds: time), value: 1)
            if start != 0 { batch.setStart(Timestamp(milliseconds: start), ofSample: 0) }
            _ = try database.append(batch)
        }
        let expected = [
            "{__name__=\"c\"} 900000000<899000000", "{__name__=\"c\"} 900010000<0", "{__name__=\"c\"} 900020000<899000000",
        ].map { $0.split(separator: " ")[1] }
        #expect(try Self.dump(database).map { $0.split(separator: " ")[1] } == expected)
        database.directoryLock?.release()
        #expect(try Self.dump(try Self.open(files)).map { $0.split(separator: " ")[1] } == expected)
    }

    @Test("retention takes the starts of what it takes, and the last of a series that goes")
    func retention() throws {
        let clock = ManualClock(Timestamp(milliseconds: 900_000_000))
        var options = DatabaseOptions()
        options.storesStarts = true
        options.retention = .hours(1)
        let database = Database.inMemory(options: options, clock: clock)
        var time: Int64 = 900_000_000
        let gone: Labels = ["__name__": "gone"], delta: Labels = ["__name__": "delta"]
        for step in 0..<2000 {
            clock.advance(by: .seconds(15))
            time += 15_000
            var batch = SampleBatch()
            for labels in step < 10 ? [gone, delta] : [delta] {
                batch.append(try database.reference(for: labels), at: Timestamp(milliseconds: time), value: Double(step))
                batch.setStart(Timestamp(milliseconds: time - 15_000), ofSample: batch.count - 1)
            }
            _ = try database.append(batch)
            try database.tick()
        }
        let lines = try Self.dump(database)
        #expect(lines.count >= 240 && lines.count < 600)
        for line in lines {
            let numbers = line.split(separator: " ")[1].split(separator: "<").compactMap { Int64($0) }
            #expect(numbers[0] - 15_000 == numbers[1])
        }
        database.head.store.withLock { store in
            #expect(store.starts.count == 1 && (0..<2).compactMap { store.starts[$0]?.count }.allSatisfy { $0 <= lines.count + 1 })
        }
    }

    @Test("the record, byte for byte")
    func bytes() throws {
        let rows = [
            WALStart(SeriesRef(slot: 8, generation: 0), 1000, start: 400),
            WALStart(SeriesRef(slot: 9, generation: 2), 1000, start: 1001, isAlone: true),
            WALStart(SeriesRef(slot: 10, generation: 0), 990, start: 0),
        ]
        var body: [UInt8] = []
        WALStartRecord.encode(rows, to: &body)
        #expect(
            body == [0x08, 0x00, 0xd0, 0x0f, 0x02, 0xb0, 0x09] + [0x09, 0x02, 0x00, 0x03, 0x01] + [0x0a, 0x00, 0x13, 0x00])
        #expect(try body.withUnsafeBytes { try WALStartRecord.decode($0) } == rows)
    }

    @Test("what is decoded is what was encoded, at the ends of time, too", arguments: TestSeed.seeds(4))
    func roundTrip(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<TestSeed.cases(100) {
            let rows = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                func time() -> Int64 {
                    Int.random(in: 0...3, using: &random) == 0
                        ? [.min, .max, 0, -1].randomElement(using: &random) ?? 0 : Int64.random(in: -9_999...2_000_000_000_000, using: &random)
                }
                return WALStart(
                    SeriesRef(slot: .random(in: 0...UInt32.max, using: &random), generation: .random(in: 0...9, using: &random)), time(),
                    start: time(), isAlone: .random(using: &random))
            }
            var body: [UInt8] = []
            WALStartRecord.encode(rows, to: &body)
            #expect(try body.withUnsafeBytes { try WALStartRecord.decode($0) } == rows, "seed \(seed)")
        }
    }

    @Test("mutilated records are damage or other rows, never a trap, in record and head", arguments: TestSeed.seeds(4))
    func mutilated(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var rows: [WALStart] = []
        for index in 0..<40 { rows.append(WALStart(SeriesRef(slot: UInt32(index % 7), generation: 0), Int64(index) * 1000, start: 7)) }
        var body: [UInt8] = []
        WALStartRecord.encode(rows, to: &body)
        var options = HeadOptions()
        options.storesStarts = true
        for _ in 0..<TestSeed.cases(2000) {
            var bytes = body
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
            do {
                let rows = try bytes.withUnsafeBytes { try WALStartRecord.decode($0) }
                let head = Head(options: options)
                for name in 0..<7 {
                    let labels = Labels([(name: "n", value: "\(name)")])
                    _ = try labels.packed.withUnsafeBytes { packed in try head.reference(for: packed) { _, _ in } }
                }
                head.replay(rows)
            } catch { #expect((error as? TSDBError)?.code == .corruption, "seed \(seed)") }
        }
    }

    @Test("damage in a record of starts costs it alone: the samples are there, and the next scrape tells again")
    func damaged() throws {
        let files = MemoryFileStore()
        let database = try Self.open(files, .none)
        let reference = try database.reference(for: ["__name__": "c"])
        func append(_ database: Database, _ time: Int64, _ reference: SeriesRef) throws {
            var batch = SampleBatch()
            batch.append(reference, at: Timestamp(milliseconds: time), value: 1)
            batch.setStart(Timestamp(milliseconds: 899_000_000), ofSample: 0)
            _ = try database.append(batch)
        }
        try append(database, 900_000_000, reference)
        database.directoryLock?.release()
        let name = try #require(try files.list("data/wal").first { WALFormat.segmentIndex($0) != nil })
        var bytes = try files.readAll("data/wal/" + name)
        // The record is short, and the only one that begins with 205, 0.
        let place = try #require((0..<bytes.count - 1).first { bytes[$0] == 205 && bytes[$0 + 1] == 0 })
        bytes[place + 2] ^= 0x40
        let file = try files.openForAppending("data/wal/" + name)
        try file.truncate(to: 0)
        try bytes.withUnsafeBytes { try file.append($0) }
        let again = try Self.open(files, .none)
        #expect(again.replay.damageCount == 1)
        #expect(try Self.dump(again).map { $0.split(separator: " ")[1] } == ["900000000<0"])
        try append(again, 900_010_000, try again.reference(for: ["__name__": "c"]))
        #expect(try Self.dump(again).map { $0.split(separator: " ")[1] } == ["900000000<0", "900010000<899000000"])
    }
}
