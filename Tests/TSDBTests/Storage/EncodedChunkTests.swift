import Histograms
import Support
import Testing

@testable import TSDB

@Suite("Chunks for others to read")
struct EncodedChunkTests {
    /// The samples of chunks with `from <= t <= through`, by our decoders of Prometheus' encodings.
    static func samples(_ chunks: [EncodedChunk], _ from: Int64 = .min, _ through: Int64 = .max) throws -> [String] {
        var columns = SampleColumns()
        for chunk in chunks {
            let padded = chunk.bytes + [UInt8](repeating: 0xff, count: BitReader.spare)
            let start = columns.count
            var failure: TSDBError?
            padded.withUnsafeBytes { bytes in
                let content = UnsafeRawBufferPointer(rebasing: bytes[..<chunk.bytes.count])
                do throws(TSDBError) {
                    switch chunk.encoding {
                    case .xor: try XORChunk.decode(content, into: &columns)
                    case .histogram: try HistogramChunk.decode(content, isFloat: false, into: &columns)
                    case .floatHistogram: try HistogramChunk.decode(content, isFloat: true, into: &columns)
                    }
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            #expect(columns.timestamps[start] == chunk.minTime && columns.timestamps[columns.count - 1] == chunk.maxTime)
            columns.trim(from: from, through: through, start: start)
        }
        return DatabaseHistogramTests.texts(columns)
    }

    @Test("they hold the samples that decoding gives: floats, histograms, both in turn, late ones", arguments: TestSeed.seeds(6))
    func equalsDecoding(seed: UInt64) throws {
        for allowsLate in [false, true] {
            var options = DatabaseOptions()
            if allowsLate { options.outOfOrderWindow = .minutes(30) }
            let database = Database.inMemory(options: options, clock: DatabaseHistogramTests.clock())
            var load = DatabaseHistogramTests.Load(seed: seed, allowsLate: allowsLate)
            var encodings: Set<UInt8> = []
            for _ in 0..<6 {
                for _ in 0..<50 { try load.round(database) }
                let set = try database.select([], from: .min, through: .max)
                for index in 0..<set.count {
                    let span = load.time - DatabaseHistogramTests.base
                    let from = load.time - Int64.random(in: 0...span, using: &load.random)
                    for (from, through) in [(.min, .max), (from, from + Int64.random(in: 0...span, using: &load.random))] {
                        let chunks = try set.chunks(index, from: from, through: through)
                        let expected = try DatabaseHistogramTests.samples(set, index, from, through)
                        #expect(try Self.samples(chunks, from, through) == expected, "seed \(seed), series \(index), \(from)…\(through)")
                        #expect(zip(chunks, chunks.dropFirst()).allSatisfy { $0.maxTime < $1.minTime }, "seed \(seed)")
                        #expect(chunks.allSatisfy { $0.maxTime >= from && $0.minTime <= through }, "seed \(seed)")
                        encodings.formUnion(chunks.map(\.encoding.rawValue))
                    }
                }
            }
            #expect(encodings == [1, 2, 3])
        }
    }

    @Test("a histogram chunk leaves as it stands in the head")
    func asStored() throws {
        let database = Database.inMemory(clock: DatabaseHistogramTests.clock())
        _ = try DatabaseHistogramTests.append(
            database, (0..<150).map { ($0 * 15_000, DatabaseHistogramTests.histogram(UInt64($0)), 0) })
        let set = try database.select([], from: .min, through: .max)
        let chunks = try set.chunks(0, from: .min, through: .max)
        let capture = database.head.captureAll()
        let open = try #require(capture.set.openHistograms(ofSlot: capture.entries[0].captured.slot))
        #expect(chunks.map(\.encoding) == [.histogram, .histogram])
        #expect(chunks.last?.bytes == Array(open.buffer.prefix(open.size)))
        // The header's count, and what is known of a reset: nothing of the first, none behind it.
        #expect(chunks.map { Int($0.bytes[0]) << 8 | Int($0.bytes[1]) } == [120, 30])
        #expect(chunks.map { CounterResetHint(headerBits: $0.bytes[2]) } == [.unknown, .notReset])
    }

    @Test("samples that are encoded anew: a stale marker behind histograms is theirs, floats are cut at 120")
    func sequence() throws {
        var columns = SampleColumns()
        for time in 0..<250 { columns.append(Int64(time), Double(time)) }
        let histogram = FloatHistogram(
            schema: 0, count: 3, sum: 4, positiveSpans: [BucketSpan(offset: 0, length: 1)], positiveBuckets: [3])
        columns.append(300, histogram)
        columns.append(301, StaleMarker.value)
        columns.append(302, 1)
        columns.append(303, StaleMarker.value)
        var sequence = ChunkSequence()
        sequence.append(columns)
        sequence.close()
        #expect(sequence.chunks.map(\.encoding) == [.xor, .xor, .xor, .floatHistogram, .xor])
        #expect(sequence.chunks.map(\.minTime) == [0, 120, 240, 300, 302])
        #expect(try Self.samples(sequence.chunks) == DatabaseHistogramTests.texts(columns))
    }
}
