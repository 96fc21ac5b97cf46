import Support
import Testing

@testable import TSDB

@Suite("Head checkpoint")
struct HeadCheckpointTests {
    /// All series with their samples, sorted, as text: equal heads print alike.
    static func dump(_ database: Database) throws -> [String] {
        let set = try database.select([], from: .min, through: .max)
        return try (0..<set.count).map { index in
            let samples = try DatabaseModelTests.samples(set, index, .min, .max)
            return "\(set.labels(at: index)) \(samples.map { "\($0.0):\($0.1)" }.joined(separator: " "))"
        }.sorted()
    }

    static func records(of database: Database) throws -> [[UInt8]] {
        var records: [[UInt8]] = []
        let capture = database.head.captureAll()
        try database.head.writeCheckpoint(capture) { record throws(TSDBError) in records.append(record) }
        return records
    }

    static func restore(_ records: [[UInt8]], into database: Database) throws {
        for record in records {
            var failure: TSDBError?
            record.withUnsafeBytes { bytes in
                do throws(TSDBError) { try HeadCheckpoint.read(bytes, into: database.head) } catch { failure = error }
            }
            if let failure { throw failure }
        }
    }

    static func filled(seed: UInt64, clock: ManualClock) throws -> Database {
        var random = SeededRandom(seed: seed)
        let database = Database.inMemory(clock: clock)
        var batch = SampleBatch()
        var time = DatabaseModelTests.base
        for step in 0..<300 {
            time += 15_000
            batch.removeAll()
            for _ in 0..<20 {
                let late: Int64 = Int.random(in: 0..<25, using: &random) == 0 ? 500_000 : 0
                let reference = try database.reference(for: DatabaseModelTests.labels(&random))
                batch.append(reference, at: Timestamp(milliseconds: time - late), value: Double(step % 7) / 4)
            }
            _ = try database.append(batch)
        }
        return database
    }

    @Test("what is read back answers as what was written, and takes samples on", arguments: TestSeed.seeds(4))
    func roundTrip(seed: UInt64) throws {
        let clock = ManualClock(Timestamp(milliseconds: DatabaseModelTests.base + 100_000_000))
        let original = try Self.filled(seed: seed, clock: clock)
        let copy = Database.inMemory(clock: clock)
        try Self.restore(try Self.records(of: original), into: copy)
        #expect(try Self.dump(copy) == (try Self.dump(original)), "seed \(seed)")
        #expect(copy.statistics.sampleCount == original.statistics.sampleCount)
        #expect(copy.statistics.maxTime == original.statistics.maxTime)

        // References are the same, and both judge the next batch alike.
        var random = SeededRandom(seed: seed &+ 1)
        var batch = SampleBatch()
        for offset in [0, 15_000, 15_000, 600_000] {
            batch.removeAll()
            for _ in 0..<10 {
                let labels = DatabaseModelTests.labels(&random)
                let reference = try original.reference(for: labels)
                #expect(try copy.reference(for: labels) == reference)
                batch.append(reference, at: original.statistics.maxTime + .milliseconds(Int64(offset)), value: 3)
            }
            let a = try original.append(batch), b = try copy.append(batch)
            for index in 0..<batch.count { #expect(a[index] == b[index], "seed \(seed)") }
        }
        #expect(try Self.dump(copy) == (try Self.dump(original)), "seed \(seed)")
    }

    @Test("a damaged record is refused or read as something else, never a trap", arguments: TestSeed.seeds(2))
    func damage(seed: UInt64) throws {
        let clock = ManualClock(Timestamp(milliseconds: DatabaseModelTests.base + 100_000_000))
        let records = try Self.records(of: try Self.filled(seed: seed, clock: clock))
        var random = SeededRandom(seed: seed)
        for _ in 0..<TestSeed.cases(20) {
            var record = records[0]
            for _ in 0..<3 {
                record[Int.random(in: 0..<min(record.count, 4000), using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let copy = Database.inMemory(clock: clock)
            try? Self.restore([record], into: copy)
            if let set = try? copy.select([], from: .min, through: .max) {
                for index in 0..<set.count { _ = try? DatabaseModelTests.samples(set, index, .min, .max) }
            }
        }
    }
}
