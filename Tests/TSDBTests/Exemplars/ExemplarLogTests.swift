import Support
import Testing

@testable import TSDB

@Suite("Exemplars in the log")
struct ExemplarLogTests {
    static func open(
        _ files: MemoryFileStore, _ compression: WALCompression, capacity: Int = 50
    ) throws -> Database {
        var options = DatabaseOptions()
        options.maxExemplars = capacity
        options.wal.compression = compression
        return try Database.open(
            "data", options: options, files: files, clock: ManualClock(Timestamp(milliseconds: 1_000_000_000)))
    }

    /// Series and exemplars as text; NaN and −0 are told apart by their bits.
    static func dump(_ database: Database) -> [String] {
        database.exemplars([[.notEqual("__name__", "")]], from: .min, through: .max).flatMap { series in
            series.exemplars.map { "\(series.labels) \($0.labels) \($0.value.bitPattern) @\($0.timestamp.milliseconds)" }
        }
    }

    static func append(_ database: Database, _ random: inout SeededRandom, at time: Int64) throws {
        var batch = SampleBatch()
        var exemplars: [SeriesExemplar] = []
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            let labels = Labels([
                (name: "__name__", value: "m"), (name: "le", value: "\(Int.random(in: 0..<6, using: &random))"),
            ])
            let reference = try database.reference(for: labels)
            batch.append(reference, at: Timestamp(milliseconds: time), value: 1)
            let values = [0.25, -0.0, .nan, .infinity, 1e300, Double(time)]
            let id = String(Int.random(in: 0..<1_000_000, using: &random), radix: 36)
            let labelSets: [Labels] = [[:], ["trace_id": id], ["trace_id": id, "spän": "ü\"\n"]]
            exemplars.append(
                SeriesExemplar(
                    reference,
                    Exemplar(
                        labelSets.randomElement(using: &random) ?? [:], value: values.randomElement(using: &random) ?? 0,
                        at: Timestamp(milliseconds: time - Int64.random(in: 0...5, using: &random)),
                        hasOwnTimestamp: false)))
        }
        _ = try database.append(batch)
        _ = try database.append(exemplars: exemplars)
    }

    @Test("exemplars are there after the process died, through checkpoints, in every mode", arguments: WALCompression.allCases)
    func recovery(compression: WALCompression) throws {
        for seed in TestSeed.seeds(4) {
            var random = SeededRandom(seed: seed)
            let files = MemoryFileStore()
            var database = try Self.open(files, compression)
            var time: Int64 = 900_000_000
            for _ in 0..<TestSeed.cases(8) {
                for _ in 0..<Int.random(in: 1...20, using: &random) {
                    time += 15_000
                    try Self.append(database, &random, at: time)
                }
                if Bool.random(using: &random) { try database.checkpoint() }
                let before = Self.dump(database)
                database.directoryLock?.release()
                database = try Self.open(files, compression)
                #expect(Self.dump(database) == before && !before.isEmpty, "seed \(seed)")
                #expect(database.replay.damageCount == 0, "seed \(seed)")
            }
        }
    }

    @Test("a database that does not want exemplars reads the log of one that did")
    func switchedOff() throws {
        let files = MemoryFileStore()
        var random = SeededRandom(seed: 1)
        let database = try Self.open(files, .lz4)
        try Self.append(database, &random, at: 900_000_000)
        database.directoryLock?.release()
        let plain = try Self.open(files, .lz4, capacity: 0)
        #expect(plain.replay.damageCount == 0 && Self.dump(plain).isEmpty && !plain.takesExemplars)
        let reference = SeriesRef(slot: 0, generation: 0)
        let exemplar = SeriesExemplar(reference, Exemplar([:], value: 1, at: Timestamp(milliseconds: 1)))
        #expect(try plain.append(exemplars: [exemplar]) == [.disabled])
    }

    @Test("an exemplar of no series is refused")
    func unknown() throws {
        let database = try Self.open(MemoryFileStore(), .none)
        let exemplar = SeriesExemplar(SeriesRef(rawValue: 77), Exemplar([:], value: 1, at: Timestamp(milliseconds: 1)))
        #expect(try database.append(exemplars: [exemplar]) == [.unknownSeries])
        #expect(try database.append(exemplars: []) == [])
    }

    @Test("Prometheus' record, byte for byte")
    func upstreamRecord() {
        var record: [UInt8] = []
        WALRecordEncoder.appendExemplars(
            [
                SeriesExemplar(SeriesRef(rawValue: 2), Exemplar(["t": "ab"], value: 1, at: Timestamp(milliseconds: 5))),
                SeriesExemplar(SeriesRef(rawValue: 1), Exemplar([:], value: -2, at: Timestamp(milliseconds: 7))),
            ], .none, to: &record)
        #expect(
            record == [
                4, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 5,
                0, 0, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 1, 1, 0x74, 2, 0x61, 0x62,
                1, 4, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0,
            ])
    }

    @Test("mutilated records are damage, never a trap", arguments: TestSeed.seeds(4))
    func mutilated(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for round in 0..<TestSeed.cases(400) {
            var record: [UInt8] = []
            let items = (0..<3).map { index in
                SeriesExemplar(
                    SeriesRef(rawValue: UInt64(index)),
                    Exemplar(["trace": "t\(index)", "x": "y"], value: 1, at: Timestamp(milliseconds: Int64(index))))
            }
            WALRecordEncoder.appendExemplars(items, round % 2 == 0 ? .lz4 : .none, to: &record)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 1..<record.count, using: &random)
                record[place] = UInt8.random(in: 0...255, using: &random)
            }
            record.removeLast(Int.random(in: 0..<record.count, using: &random))
            var decoder = WALRecordDecoder()
            var collector = Collector()
            do {
                try record.withUnsafeBytes { try decoder.decode($0, .none, &collector) }
            } catch {
                #expect((error as? TSDBError)?.code == .corruption, "seed \(seed)")
            }
        }
    }
}
