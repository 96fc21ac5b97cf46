import Histograms
import Support
import Testing

@testable import TSDB

/// Keeps the histograms of a replay.
private struct HistogramCollector: WALVisitor {
    var histograms: [WALHistogram] = []
    mutating func series(_ reference: SeriesRef, labels: UnsafeRawBufferPointer) {}
    mutating func samples(_ samples: WALSamples) {}
    mutating func tombstone(_ reference: SeriesRef, from: Timestamp, through: Timestamp) {}
    mutating func histograms(_ samples: [WALHistogram]) { histograms += samples }
}

extension WALHistogram {
    /// With its hint, and spans as they are.
    fileprivate var description: String {
        let hint: CounterResetHint, spans: [BucketSpan]
        switch sample {
        case .integer(let histogram): (hint, spans) = (histogram.hint, histogram.positiveSpans)
        case .float(let histogram): (hint, spans) = (histogram.hint, histogram.positiveSpans)
        }
        return "\(reference.rawValue) \(timestamp) \(hint) \(StaleMarker.isStale(sample.sum) ? [] : spans) \(sample.identity)"
    }
}

@Suite("Histograms in the log")
struct HistogramRecordTests {
    static func batch(_ random: inout SeededRandom) -> [WALHistogram] {
        var time: Int64 = 1_700_000_000_000
        return (0..<Int.random(in: 1...12, using: &random)).map { _ in
            var source = RandomHistograms(
                kind: RandomHistograms.Kind.allCases.randomElement(using: &random) ?? .counter, isFloat: Bool.random(using: &random), &random)
            for _ in 0..<Int.random(in: 0...20, using: &random) { _ = source.next(&random) }
            if Bool.random(using: &random) { time += Int64.random(in: -5000...5000, using: &random) }
            return WALHistogram(
                SeriesRef(slot: UInt32.random(in: 0...500, using: &random), generation: UInt32.random(in: 0...3, using: &random)), time,
                source.next(&random))
        }
    }

    @Test("what was appended comes back, in all modes", arguments: WALCompression.allCases)
    func roundTrip(_ compression: WALCompression) throws {
        for seed in TestSeed.seeds(10) {
            var random = SeededRandom(seed: seed)
            let files = MemoryFileStore()
            let (wal, _, _) = try WALTests.open(files, "data/wal", compression)
            var sent: [WALHistogram] = []
            for _ in 0..<30 {
                let batch = Self.batch(&random)
                try wal.append(histograms: batch)
                sent += batch
            }
            try wal.close()
            var collector = HistogramCollector()
            let report = try WALReader("data/wal", files).replay(&collector)
            #expect(collector.histograms.map(\.description) == sent.map(\.description), "seed \(seed)")
            #expect(report.damageCount == 0 && report.sampleCount == sent.count && report.otherRecordCount == 0)
        }
    }

    @Test("the bytes are those that docs/format/wal.md draws")
    func bytes() {
        let histogram = IntegerHistogram(
            schema: 1, count: 8, sum: 5, positiveSpans: [BucketSpan(offset: 0, length: 2)], positiveDeltas: [3, 2])
        var body: [UInt8] = []
        WALHistogramRecord.encode([WALHistogram(SeriesRef(slot: 8, generation: 0), 1000, .integer(histogram))], to: &body)
        let layout: [UInt8] = [2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0], sum: [UInt8] = [0, 0, 0, 0, 0, 0, 0x14, 0x40]
        #expect(body == [8, 0, 0xd0, 0x0f, 0] + layout + sum + [8, 0, 6, 4])
    }

    @Test("a record is cut or flipped anywhere: refused or read as something else, never a trap", arguments: TestSeed.seeds(6))
    func damage(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let batch = Self.batch(&random)
        var ours: [UInt8] = []
        WALHistogramRecord.encode(batch, to: &ours)
        func decode(_ bytes: [UInt8]) -> Int? {
            bytes.withUnsafeBytes { bytes in
                guard let histograms = try? WALHistogramRecord.decode(bytes) else { return nil }
                // What is read is refused by the head where its parts do not agree.
                return histograms.filter { HistogramFields($0.sample) != nil }.count
            }
        }
        #expect(decode(ours) == batch.count)
        for end in ours.indices { _ = decode(Array(ours[..<end])) }
        for _ in 0..<TestSeed.cases(500) {
            var bytes = ours
            for _ in 0..<2 { bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random) }
            _ = decode(bytes)
        }
        for isFloat in [false, true] {
            let kind = batch.filter { if case .float = $0.sample { isFloat } else { !isFloat } }
            guard !kind.isEmpty else { continue }
            var theirs: [UInt8] = []
            PrometheusHistogramRecord.encode(kind, type: WALRecordType.customHistograms, to: &theirs)
            func read(_ bytes: [UInt8]) -> Int? {
                bytes.withUnsafeBytes { bytes in
                    var cursor = ByteCursor(UnsafeRawBufferPointer(rebasing: bytes.dropFirst()))
                    return (try? PrometheusHistogramRecord.decode(&cursor, isFloat: isFloat))?.histograms.count
                }
            }
            #expect(read(theirs) == kind.count)
            for end in 1..<theirs.count { _ = read(Array(theirs[..<end])) }
            for _ in 0..<TestSeed.cases(500) {
                var bytes = theirs
                bytes[Int.random(in: 1..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                _ = read(bytes)
            }
        }
    }

    @Test("a log that is cut or damaged anywhere opens, and every sample that is there is right", arguments: TestSeed.seeds(3))
    func damagedLog(seed: UInt64) throws {
        let files = MemoryFileStore()
        let clock = DatabaseHistogramTests.clock()
        let database = try DatabaseRecoveryTests.open(files, .lz4, clock)
        var load = DatabaseHistogramTests.Load(seed: seed, allowsLate: false)
        for _ in 0..<40 { try load.round(database) }
        try database.close()
        let path = try #require(try files.list("data/wal").map { "data/wal/" + $0 }.first { (try? files.openForReading($0).size) ?? 0 > 0 })
        let whole = try files.readAll(path)
        for round in 0..<TestSeed.cases(60) {
            var bytes = whole
            if round % 2 == 0 {
                bytes.removeLast(Int.random(in: 1..<bytes.count, using: &load.random))
            } else {
                bytes[Int.random(in: 0..<bytes.count, using: &load.random)] ^= 1 << UInt8.random(in: 0...7, using: &load.random)
            }
            let copy = MemoryFileStore()
            try copy.createDirectory("data")
            try copy.createDirectory("data/wal")
            let file = try copy.openForAppending(path)
            try bytes.withUnsafeBytes { try file.append($0) }
            file.close()
            let opened = try DatabaseRecoveryTests.open(copy, .lz4, clock)
            let set = try opened.select([.equal("__name__", "h")], from: .min, through: .max)
            for index in 0..<set.count {
                let number = Int(set.labels(at: index)["n"] ?? "") ?? -1
                for sample in try DatabaseHistogramTests.samples(set, index) {
                    let time = Int64(sample.prefix { $0 != " " }) ?? 0
                    #expect(load.expected[number]?[time].map { "\(time) \($0)" } == sample, "seed \(seed)")
                }
            }
            #expect(round % 2 == 0 || opened.replay.damageCount + opened.replay.lostSampleCount > 0 || opened.replay.tornTail != nil)
            try opened.close()
        }
    }
}
