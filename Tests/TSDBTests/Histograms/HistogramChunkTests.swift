import Histograms
import Support
import Testing

@testable import TSDB

@Suite("Histogram chunks")
struct HistogramChunkTests {
    /// Chunks of a series as an encoder makes them; `full` ends them early.
    static func chunks(
        _ samples: [(time: Int64, sample: HistogramSample)], full: (Int, HistogramEncoder) -> Bool = { _, _ in false }
    ) throws -> [HistogramChunkBytes] {
        var chunks: [HistogramChunkBytes] = []
        var encoder: HistogramEncoder?
        for (time, sample) in samples {
            let fields = try #require(HistogramFields(sample))
            var header = fields.hint == .gauge || fields.hint == .reset ? fields.hint : CounterResetHint.unknown
            if var open = encoder {
                let next = open.append(fields, at: time)
                if full(chunks.count, encoder ?? open) {
                    header = next ?? open.header
                    if next == nil, let encoder { header = encoder.header(following: fields) }
                } else if let next {
                    header = next
                } else {
                    encoder = open
                    continue
                }
                if let encoder { chunks.append(encoder.chunk) }
            }
            encoder = HistogramEncoder(fields, at: time, header: header)
        }
        if let encoder { chunks.append(encoder.chunk) }
        return chunks
    }

    static func decode(_ chunk: HistogramChunkBytes, into columns: inout SampleColumns) throws {
        try chunk.withBytes { bytes throws(TSDBError) in
            try HistogramChunk.decode(bytes, isFloat: chunk.isFloat, into: &columns)
        }
    }

    @Test("Prometheus' chunks: ours are the same bytes, and read as what was sent", arguments: recordings())
    func interoperation(recording: Recording) throws {
        let chunks = try Self.chunks(recording.samples) { number, encoder in
            number < recording.chunks.count && encoder.count == Recording.count(recording.chunks[number].bytes)
        }
        try #require(chunks.count == recording.chunks.count)
        var columns = SampleColumns()
        for (number, (ours, theirs)) in zip(chunks, recording.chunks).enumerated() {
            var bytes = Array(ours.buffer[..<ours.size])
            // The open chunk is made anew for a reader, who is told nothing of what was before.
            if number == chunks.count - 1, bytes[2] != 0xc0 { bytes[2] = theirs.bytes[2] }
            #expect(bytes == theirs.bytes, "chunk \(number) of \(recording)")
            #expect(ours.encoding.rawValue == theirs.encoding)
            let padded = HistogramChunkBytes(
                buffer: theirs.bytes + [UInt8](repeating: 0xa5, count: BitReader.spare), size: theirs.bytes.count, count: 0,
                isFloat: theirs.encoding == 3)
            try Self.decode(padded, into: &columns)
        }
        try #require(columns.count == recording.samples.count)
        for (index, (time, sample)) in recording.samples.enumerated() {
            #expect(columns.timestamps[index] == time)
            #expect(columns.values[index].bitPattern == sample.sum.bitPattern)
            #expect(columns.histograms.histogram(sample: index)?.identity == sample.asFloat.identity)
        }
    }

    @Test("decode ∘ encode is the identity, and an encoder goes on where a reader stopped", arguments: TestSeed.seeds(20))
    func roundTrip(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for kind in RandomHistograms.Kind.allCases {
            for isFloat in [false, true] {
                var source = RandomHistograms(kind: kind, isFloat: isFloat, &random)
                var time: Int64 = 1_700_000_000_000
                var samples: [(time: Int64, sample: HistogramSample)] = []
                for _ in 0..<Int.random(in: 1...TestSeed.cases(150), using: &random) {
                    time += [1, 15_000, 15_000, 15_001, 1 << 40].randomElement(using: &random) ?? 1
                    samples.append((time, source.next(&random)))
                }
                let chunks = try Self.chunks(samples) { _, encoder in encoder.count >= 60 }
                var columns = SampleColumns(capacity: 1)
                var kept: [HistogramSample] = []
                for chunk in chunks {
                    let start = columns.count
                    try Self.decode(chunk, into: &columns)
                    for index in start..<columns.count where !StaleMarker.isStale(columns.values[index]) {
                        let hint = columns.histograms.histogram(sample: index)?.hint
                        #expect(hint == (kind == .gauge ? .gauge : index == start ? .unknown : .notReset))
                    }
                    try chunk.withCursor { cursor throws(TSDBError) in
                        while try cursor.next() { kept.append(cursor.fields.sample(hint: cursor.fields.hint)) }
                    }
                    #expect(try Self.reopened(chunk) == Array(chunk.buffer[..<chunk.size]), "seed \(seed)")
                }
                try #require(columns.count == samples.count && kept.count == samples.count, "seed \(seed)")
                for (index, (time, sample)) in samples.enumerated() {
                    #expect(columns.timestamps[index] == time, "seed \(seed)")
                    #expect(kept[index].identity == sample.identity, "seed \(seed)")
                    #expect(columns.histograms.histogram(sample: index)?.identity == sample.asFloat.identity, "seed \(seed)")
                }
                // What the cursor gives makes the same chunks again.
                let again = try Self.chunks(zip(samples, kept).map { ($0.time, $1) }) { number, encoder in
                    number < chunks.count && encoder.count == chunks[number].count
                }
                #expect(again.map { Array($0.buffer[3..<$0.size]) } == chunks.map { Array($0.buffer[3..<$0.size]) }, "seed \(seed)")
            }
        }
    }

    /// The first half of a chunk is read, an encoder goes on with the other half.
    static func reopened(_ chunk: HistogramChunkBytes) throws -> [UInt8] {
        var samples: [(Int64, HistogramFields)] = []
        try chunk.withCursor { cursor throws(TSDBError) in
            while try cursor.next() { samples.append((cursor.timestamp, cursor.fields)) }
        }
        let half = (samples.count + 1) / 2
        var encoder = HistogramEncoder(
            samples[0].1, at: samples[0].0, header: CounterResetHint(headerBits: chunk.buffer[2]))
        for (time, fields) in samples[1..<half] {
            let cut = encoder.append(fields, at: time)
            #expect(cut == nil)
        }
        let first = encoder.chunk
        var continued: HistogramEncoder?
        try first.withBytes { bytes throws(TSDBError) in
            var cursor = try HistogramCursor(bytes, isFloat: chunk.isFloat)
            while try cursor.next() {}
            continued = HistogramEncoder(cursor, bytes)
        }
        for (time, fields) in samples[half...] {
            let cut = continued?.append(fields, at: time)
            #expect(cut == nil)
        }
        let result = continued?.chunk ?? first
        return Array(result.buffer[..<result.size])
    }

    @Test("a damaged chunk is refused or read as something else, never a trap", arguments: TestSeed.seeds(10))
    func damage(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var refused = 0
        for round in 0..<TestSeed.cases(300) {
            var source = RandomHistograms(
                kind: RandomHistograms.Kind.allCases.randomElement(using: &random) ?? .counter, isFloat: round % 2 == 0, &random)
            let samples: [(time: Int64, sample: HistogramSample)] = (0..<20).map { (Int64($0) * 1000, source.next(&random)) }
            let chunk = try #require(try Self.chunks(samples).randomElement(using: &random))
            var bytes = Array(chunk.buffer[..<chunk.size])
            switch round % 3 {
            case 0: bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
            case 1: for _ in 0..<3 { bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random) }
            default: bytes[Int.random(in: 0..<min(40, bytes.count), using: &random)] ^= 1 << UInt8.random(in: 0...7, using: &random)
            }
            let damaged = HistogramChunkBytes(
                buffer: bytes + [UInt8](repeating: 0xff, count: BitReader.spare), size: bytes.count, count: 0, isFloat: chunk.isFloat)
            var columns = SampleColumns()
            do { try Self.decode(damaged, into: &columns) } catch { refused += 1 }
        }
        #expect(refused > 0)
    }

    @Test("varbits of all widths come back, in as many bits as upstream takes")
    func varbits() {
        var values: [Int64] = [0, .min, .max]
        for shift in 0..<63 { for offset in [-2, -1, 0, 1, 2] { values += [1 << shift + Int64(offset), -(1 << shift) + Int64(offset)] } }
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: values.count * 20 + 64, alignment: 16)
        defer { buffer.deallocate() }
        var writer = BitWriter(buffer, at: 0, kept: 0)
        for value in values {
            writer.writeVarbit(value)
            writer.writeVarbit(unsigned: UInt64(bitPattern: value))
        }
        var reader = BitReader(buffer)
        for value in values {
            #expect(reader.takeVarbit() == value)
            #expect(reader.takeUnsignedVarbit() == UInt64(bitPattern: value))
        }
        #expect(reader.consumed(from: buffer) == writer.bit)
        func size(_ value: Int64) -> Int {
            var writer = BitWriter(buffer, at: 0, kept: 0)
            writer.writeVarbit(value)
            return writer.bit
        }
        #expect(
            [0, -3, 4, -4, 5, -31, 32, 33, -255, 256, 257, 2048, 2049, 131_072, 131_073].map(size) == [
                1, 5, 5, 9, 9, 9, 9, 13, 13, 13, 17, 17, 24, 24, 32,
            ])
        #expect([16_777_216, 16_777_217, 1 << 55, 1 << 55 + 1, .min].map(size) == [32, 64, 64, 72, 72])
    }

    @Test("integers beyond 2⁵³ are kept exactly, and read as the nearest floats")
    func largeIntegers() throws {
        let large: Int64 = 1 << 53 + 1
        func sample(_ step: Int64) -> HistogramSample {
            .integer(
                IntegerHistogram(
                    schema: 0, zeroCount: UInt64.max - 100 + UInt64(step), count: UInt64(large + step), sum: 1,
                    positiveSpans: [BucketSpan(offset: 0, length: 3)], positiveDeltas: [large + step, 2, -large]))
        }
        let samples: [(time: Int64, sample: HistogramSample)] = (0..<5).map { (Int64($0) * 1000, sample(Int64($0))) }
        let chunk = try #require(try Self.chunks(samples).first)
        var index = 0
        try chunk.withCursor { cursor throws(TSDBError) in
            while try cursor.next() {
                if case .integer(let kept) = cursor.fields.sample(hint: .unknown), case .integer(let sent) = samples[index].sample {
                    #expect(kept.positiveDeltas == sent.positiveDeltas && kept.count == sent.count && kept.zeroCount == sent.zeroCount)
                }
                index += 1
            }
        }
        #expect(index == 5)
        var columns = SampleColumns()
        try Self.decode(chunk, into: &columns)
        let first = try #require(columns.histograms.histogram(sample: 0))
        // Each from its own exact count: 2⁵³ + 3 is no float, 3 is.
        #expect(first.positiveBuckets == [Double(large), Double(large + 2), 2])
    }
}

/// What was sent to a real Prometheus by remote write, and the chunks that it made of it (`HistogramRecordings`).
struct Recording: Sendable, CustomTestStringConvertible {
    var name = ""
    var samples: [(time: Int64, sample: HistogramSample)] = []
    var chunks: [(encoding: UInt8, bytes: [UInt8])] = []

    var testDescription: String { name }

    static func count(_ bytes: [UInt8]) -> Int { Int(bytes[0]) << 8 | Int(bytes[1]) }

    /// `series NAME`, `s time kind hint schema threshold zeroCount count sum spans spans buckets buckets bounds`, `c encoding hex`.
    static func parse(_ text: String) -> [Recording] {
        var recordings: [Recording] = []
        func list<T>(_ text: Substring, _ make: (Substring) -> T?) -> [T] { text == "-" ? [] : text.split(separator: ",").compactMap(make) }
        func spans(_ text: Substring) -> [BucketSpan] {
            list(text) { span in
                let parts = span.split(separator: ":")
                return BucketSpan(offset: Int32(parts[0]) ?? 0, length: UInt32(parts[1]) ?? 0)
            }
        }
        func double(_ text: Substring) -> Double { Double(bitPattern: UInt64(text) ?? 0) }
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words[0] == "series" { recordings.append(Recording(name: words[1...].joined(separator: " "))) }
            guard let last = recordings.indices.last else { continue }
            if words[0] == "c" {
                let digits = Array(words[2].utf8)
                let bytes = stride(from: 0, to: digits.count, by: 2).map {
                    UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16) ?? 0
                }
                recordings[last].chunks.append((UInt8(words[1]) ?? 0, bytes))
            }
            guard words[0] == "s" else { continue }
            let hint = CounterResetHint(wireValue: UInt8(words[3]) ?? 0) ?? .unknown
            let schema = Int32(words[4]) ?? 0
            let sample: HistogramSample
            if words[2] == "i" {
                var histogram = IntegerHistogram(hint: hint, schema: schema, zeroThreshold: double(words[5]), sum: double(words[8]))
                histogram.zeroCount = UInt64(words[6]) ?? 0
                histogram.count = UInt64(words[7]) ?? 0
                histogram.positiveSpans = spans(words[9])
                histogram.negativeSpans = spans(words[10])
                histogram.positiveDeltas = list(words[11]) { Int64($0) }
                histogram.negativeDeltas = list(words[12]) { Int64($0) }
                histogram.customBounds = list(words[13], double)
                sample = .integer(histogram)
            } else {
                var histogram = FloatHistogram(hint: hint, schema: schema, zeroThreshold: double(words[5]), sum: double(words[8]))
                histogram.zeroCount = double(words[6])
                histogram.count = double(words[7])
                histogram.positiveSpans = spans(words[9])
                histogram.negativeSpans = spans(words[10])
                histogram.positiveBuckets = list(words[11], double)
                histogram.negativeBuckets = list(words[12], double)
                histogram.customBounds = list(words[13], double)
                sample = .float(histogram)
            }
            recordings[last].samples.append((Int64(words[1]) ?? 0, sample))
        }
        return recordings
    }
}

/// Those in the repository, or a larger file that `MINPROM_HISTOGRAM_RECORDINGS` names.
func recordings() -> [Recording] {
    if let path = TestSeed.environment("MINPROM_HISTOGRAM_RECORDINGS"), let bytes = SharedData.read(path) {
        return Recording.parse(String(decoding: bytes, as: UTF8.self))
    }
    return Recording.parse(HistogramRecordings.text)
}
