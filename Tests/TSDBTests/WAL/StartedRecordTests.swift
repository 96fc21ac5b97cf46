import Histograms
import Support
import Testing

@testable import TSDB

/// Keeps samples and histograms of a replay as text.
private struct TextCollector: WALVisitor {
    var lines: [String] = []
    mutating func series(_ reference: SeriesRef, labels: UnsafeRawBufferPointer) {}
    mutating func tombstone(_ reference: SeriesRef, from: Timestamp, through: Timestamp) {}
    mutating func samples(_ samples: WALSamples) {
        for index in 0..<samples.count {
            lines.append("\(samples.references[index].rawValue) \(samples.timestamps[index]) \(samples.values[index])")
        }
    }
    mutating func histograms(_ samples: [WALHistogram]) {
        // Who replays a log leaves out histograms whose parts do not agree.
        lines += samples.map {
            "\($0.reference.rawValue) \($0.timestamp) \(HistogramFields($0.sample) == nil ? "unsound" : $0.sample.identity)"
        }
    }
}

@Suite("Prometheus' records with start timestamps")
struct StartedRecordTests {
    private static func read(_ record: [UInt8]) throws -> [String] {
        var decoder = WALRecordDecoder()
        var collector = TextCollector()
        var failure: TSDBError?
        record.withUnsafeBytes { bytes in
            do throws(TSDBError) { try decoder.decode(bytes, .none, &collector) } catch { failure = error }
        }
        if let failure { throw failure }
        #expect(decoder.sampleCount == collector.lines.count && decoder.otherRecordCount == 0)
        return collector.lines
    }

    private static func word(_ value: Double) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> (56 - 8 * UInt64($0))) }
    }

    /// Four samples: the start named, that of the row before, one further on, none.
    private static let samples: [UInt8] =
        [11]
        + [0x0a, 0xd0, 0x0f, 0x88, 0x0e] + word(1)  // 5, 1000 ms, since 900
        + [0x04, 0x14, 1] + word(2)  // two on, 10 ms on
        + [0x03, 0x00, 2, 0x64] + word(-1)  // two back, at the first's time, since 950
        + [0x00, 0x28, 0] + word(0.5)

    @Test("11: references to the row before, times to the first")
    func startedSamples() throws {
        #expect(try Self.read(Self.samples) == ["5 1000 1.0", "7 1010 2.0", "5 1000 -1.0", "5 1020 0.5"])
        #expect(try Self.read([11]) == [])
    }

    /// hint │ schema 1 │ zero threshold │ zero count │ 8 │ 5.0 │ (0, 2) │ – │ 3, +2 │ –
    private static let integer: [UInt8] =
        [0, 2] + word(0) + [0, 8] + word(5) + [1, 0, 2, 0, 2, 6, 4, 0]
    /// The same of floats.
    private static let float: [UInt8] =
        [0, 2] + word(0) + word(0) + word(8) + word(5) + [1, 0, 2, 0, 2] + word(3) + word(5) + [0]
    /// Schema −53: 2 in (−Inf, 1], 1 above.
    private static let custom: [UInt8] =
        [1, 0x69] + word(0) + [0, 3] + word(4) + [1, 0, 2, 0, 2, 4, 1, 0, 1] + word(1)

    @Test("12, 13: integers and floats, exponential and with bounds of their own in one record")
    func startedHistograms() throws {
        let plain = IntegerHistogram(
            schema: 1, count: 8, sum: 5, positiveSpans: [BucketSpan(offset: 0, length: 2)], positiveDeltas: [3, 2])
        let bounded = IntegerHistogram(
            schema: -53, count: 3, sum: 4, positiveSpans: [BucketSpan(offset: 0, length: 2)], positiveDeltas: [2, -1],
            customBounds: [1])
        let head: [UInt8] = [0x10, 0xd0, 0x0f, 0]  // 8, 1000 ms, no start
        let next: [UInt8] = [0x02, 0xb0, 0xea, 0x01, 2, 0xcf, 0x0f]  // one on, 15 s on, its start 1000 ms before the first's
        #expect(
            try Self.read([12] + head + Self.integer + next + Self.custom)
                == ["8 1000 \(HistogramSample.integer(plain).identity)", "9 16000 \(HistogramSample.integer(bounded).identity)"])
        #expect(
            try Self.read([13] + head + Self.float)
                == ["8 1000 \(HistogramSample.float(FloatHistogram(plain)).identity)"])
    }

    @Test("a record is cut or flipped anywhere: refused or read as something else, never a trap", arguments: TestSeed.seeds(4))
    func damage(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let next: [UInt8] = [0x02, 0x14, 1]
        for whole in [
            Self.samples, [12, 0x10, 0xd0, 0x0f, 0] + Self.integer + next + Self.custom,
            [13, 0x10, 0xd0, 0x0f, 0] + Self.float + next + Self.float,
        ] {
            for end in 1..<whole.count { _ = try? Self.read(Array(whole[..<end])) }
            for _ in 0..<TestSeed.cases(2000) {
                var bytes = whole
                bytes[Int.random(in: 1..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                _ = try? Self.read(bytes)
            }
        }
        #expect(throws: TSDBError.self) { try Self.read(Self.samples.dropLast()) }
    }
}
