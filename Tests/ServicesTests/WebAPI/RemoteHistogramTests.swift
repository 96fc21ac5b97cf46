import HTTPServer
import HTTPTypes
import Histograms
import Snappy
import Support
import TSDB
import Testing

@testable import WebAPI

extension Protobuf {
    mutating func double(_ field: UInt64, _ value: Double) { fixed(field, value.bitPattern) }
    mutating func zigzag(_ field: UInt64, _ value: Int64) { varint(field, Self.zigzag(value)) }

    static func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: value << 1 ^ value >> 63) }

    mutating func deltas(_ field: UInt64, _ values: [Int64]) {
        var content: [UInt8] = []
        for value in values { content.appendVarint(Self.zigzag(value)) }
        message(field, content)
    }
    mutating func doubles(_ field: UInt64, _ values: [Double]) {
        message(field, values.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt64($0))) } })
    }
    mutating func spans(_ field: UInt64, _ spans: [(Int64, UInt64)]) {
        for (offset, length) in spans {
            var span = Protobuf()
            span.zigzag(1, offset)
            span.varint(2, length)
            message(field, span.bytes)
        }
    }

    static func histogram(_ write: (inout Protobuf) -> Void) -> [UInt8] {
        var histogram = Protobuf()
        write(&histogram)
        return histogram.bytes
    }

    /// A series of nothing but histograms.
    static func series(_ name: String, _ histograms: [[UInt8]]) -> [UInt8] {
        series([("__name__", name)], []) { series in
            for histogram in histograms { series.message(4, histogram) }
        }
    }
}

@Suite("Native histograms over remote write")
struct RemoteHistogramTests {
    /// Whole numbers on both sides, with a gap and a zero bucket.
    static let integer = Protobuf.histogram { histogram in
        histogram.varint(1, 13)
        histogram.double(3, 18.5)
        histogram.zigzag(4, 3)
        histogram.double(5, 0.001)
        histogram.varint(6, 2)
        histogram.spans(8, [(0, 1)])
        histogram.deltas(9, [1])
        histogram.spans(11, [(-2, 2), (1, 1)])
        histogram.deltas(12, [3, 2, -3])
        histogram.varint(14, 2)
        histogram.varint(15, 5000)
    }

    static let float = Protobuf.histogram { histogram in
        histogram.double(2, 5.5)
        histogram.double(3, -1)
        histogram.double(7, 0.5)
        histogram.spans(8, [(1, 1)])
        histogram.doubles(10, [2.5])
        histogram.spans(11, [(0, 2)])
        histogram.doubles(13, [1, 1.5])
        histogram.varint(14, 3)
        histogram.varint(15, UInt64(bitPattern: -5))
    }

    static let custom = Protobuf.histogram { histogram in
        histogram.varint(1, 4)
        histogram.double(3, 2)
        histogram.zigzag(4, -53)
        histogram.spans(11, [(0, 1), (1, 1)])
        histogram.deltas(12, [1, 2])
        histogram.doubles(16, [0.5, 1])
        histogram.varint(14, 1)
        histogram.varint(15, 7)
    }

    private func read(_ histogram: [UInt8]) throws -> (time: Int64, sample: HistogramSample) {
        let message = try histogram.withUnsafeBytes { try HistogramMessage($0) }
        return (message.time.milliseconds, try message.sample())
    }

    @Test("whole numbers, with hint, spans, deltas and zero bucket")
    func integers() throws {
        let (time, sample) = try read(Self.integer)
        guard case .integer(let histogram) = sample else { return #expect(Bool(false)) }
        #expect(time == 5000 && histogram.hint == .notReset && histogram.schema == 3 && histogram.sum == 18.5)
        #expect(histogram.count == 13 && histogram.zeroCount == 2 && histogram.zeroThreshold == 0.001)
        #expect(histogram.positiveSpans == [BucketSpan(offset: -2, length: 2), BucketSpan(offset: 1, length: 1)])
        #expect(histogram.positiveDeltas == [3, 2, -3] && histogram.negativeDeltas == [1])
        #expect(histogram.negativeSpans == [BucketSpan(offset: 0, length: 1)])
    }

    @Test("a float count makes it a histogram of floats; times before 1970 are times")
    func floats() throws {
        let (time, sample) = try read(Self.float)
        guard case .float(let histogram) = sample else { return #expect(Bool(false)) }
        #expect(time == -5 && histogram.hint == .gauge && histogram.count == 5.5 && histogram.zeroCount == 0.5)
        #expect(histogram.positiveBuckets == [1, 1.5] && histogram.negativeBuckets == [2.5])
    }

    @Test("custom bounds")
    func customBounds() throws {
        let sample = try read(Self.custom).sample
        guard case .integer(let histogram) = sample else { return #expect(Bool(false)) }
        #expect(histogram.schema == -53 && histogram.customBounds == [0.5, 1] && histogram.hint == .reset)
        #expect(sample.asFloat.usedBuckets.map(\.count) == [1, 3])
    }

    @Test("repeated numbers one by one are the same as packed ones")
    func unpacked() throws {
        let message = Protobuf.histogram { histogram in
            histogram.varint(1, 8)
            histogram.spans(11, [(0, 2)])
            histogram.zigzag(12, 3)
            histogram.zigzag(12, 2)
        }
        guard case .integer(let histogram) = try read(message).sample else { return #expect(Bool(false)) }
        #expect(histogram.positiveDeltas == [3, 2])
    }

    @Test("an empty message is an empty histogram; a stale marker passes")
    func stale() throws {
        #expect(try read([]).sample.asFloat.count == 0)
        let stale = Protobuf.histogram { $0.fixed(3, StaleMarker.bits) }
        #expect(StaleMarker.isStale(try read(stale).sample.sum))
    }

    @Test("schemas finer than 8 become 8, bucket by bucket as floats do", arguments: [9, 10, 12, 52] as [Int64])
    func finer(schema: Int64) throws {
        let spans: [(Int64, UInt64)] = [(-7, 4), (0, 3), (2, 5), (1000, 2)], deltas: [Int64] = [1, 3, -2, 0, 5, 1, -6, 7, 0, -3, 2, 4, 0, -10]
        var total: Int64 = 0, current: Int64 = 0
        for delta in deltas {
            current += delta
            total += current
        }
        let count = UInt64(total)
        let (_, sample) = try read(
            Protobuf.histogram { histogram in
                histogram.varint(1, count)
                histogram.zigzag(4, schema)
                histogram.spans(11, spans)
                histogram.deltas(12, deltas)
            })
        var expected = FloatHistogram(
            schema: Int32(schema), count: Double(total),
            positiveSpans: spans.map { BucketSpan(offset: Int32($0), length: UInt32($1)) }, positiveBuckets: [])
        current = 0
        for delta in deltas {
            current += delta
            expected.positiveBuckets.append(Double(current))
        }
        expected.reduceResolution(to: 8)
        guard case .integer(let histogram) = sample else { return #expect(Bool(false)) }
        #expect(histogram.schema == 8)
        try histogram.validate()
        #expect(FloatHistogram(histogram).isEquivalent(to: expected))
    }

    @Test("what does not fit is refused with upstream's reason, and says whose it is; the rest is stored")
    func refused() throws {
        func wrong(_ write: (inout Protobuf) -> Void) -> [UInt8] { Protobuf.histogram(write) }
        let cases: [([UInt8], String)] = [
            (
                wrong {
                    $0.varint(1, 5)
                    $0.spans(11, [(0, 1)])
                    $0.deltas(12, [1])
                },
                "1 observations found in buckets, but the Count field is 5: histogram's observation count should equal the number of observations found in the buckets (in absence of NaN)"
            ),
            (
                wrong {
                    $0.double(2, 1)
                    $0.spans(11, [(0, 1)])
                    $0.doubles(13, [-1.0])
                }, "positive side: bucket number 1 has observation count of -1: histogram has a bucket whose observation count is negative"
            ),
            (
                wrong {
                    $0.spans(11, [(0, 4_294_967_295)])
                    $0.deltas(12, [1])
                }, "positive side: spans need 4294967295 buckets, have 1 buckets: histogram spans specify different number of buckets than provided"
            ),
            (wrong { $0.zigzag(4, 53) }, "got schema 53"),
            (wrong { $0.zigzag(4, -5) }, "got schema -5"),
            (wrong { $0.doubles(16, [1.0]) }, "histogram with exponential schema must not have custom bounds"),
            (
                wrong {
                    $0.zigzag(4, 9)
                    $0.spans(11, [(0, 2)])
                }, "spans need 2 buckets, have 0 buckets"
            ),
        ]
        var reader = WriteRequestReader()
        for (message, reason) in cases {
            var made: [[UInt8]] = []
            let request = Protobuf.request([
                Protobuf.series("bad", [message]), Protobuf.series("good", [message, Self.integer, Self.float]),
            ])
            try request.withUnsafeBytes { bytes in
                try reader.read(bytes) { packed throws(TSDBError) in
                    made.append(Array(packed))
                    return SeriesRef(rawValue: UInt64(made.count))
                }
            }
            #expect(reader.notes.histograms == 4 && reader.notes.invalidHistograms == 2)
            #expect(
                reader.notes.firstInvalidHistogram.hasPrefix("{__name__=\"bad\"}: ")
                    && reader.notes.firstInvalidHistogram.contains(reason), "\(reader.notes.firstInvalidHistogram)")
            #expect(made.count == 1)
            #expect(reader.batch.count == 2 && reader.batch.histograms.keys.sorted() == [0, 1])
            #expect(reader.batch.timestamps == [5000, -5] && reader.batch.values == [18.5, -1])
        }
    }

    @Test("floats and histograms of one series stand in one batch, histograms behind; labels of any kind")
    func mixed() throws {
        var reader = WriteRequestReader()
        for labels in [[("__name__", "a"), ("b", "c")], [("b", "c"), ("__name__", "a"), ("e", "")]] {
            let series = Protobuf.series(labels, []) { series in
                series.message(4, Self.integer)
                var sample = Protobuf()
                sample.double(1, 3)
                sample.varint(2, 1)
                series.message(2, sample.bytes)
            }
            try Protobuf.request([series]).withUnsafeBytes { bytes in
                try reader.read(bytes) { _ throws(TSDBError) in SeriesRef(rawValue: 1) }
            }
            #expect(reader.batch.timestamps == [1, 5000] && reader.batch.histograms.keys.sorted() == [1])
        }
    }

    @Test("damaged at random, a histogram is refused or valid, and its buckets can be listed", arguments: TestSeed.seeds(2))
    func damaged(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let wholes = [Self.integer, Self.float, Self.custom]
        var valid = 0
        for round in 0..<TestSeed.cases(20_000) {
            var bytes = wholes[round % wholes.count]
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let (_, sample) = try? read(bytes) else { continue }
            valid += 1
            let histogram = sample.asFloat
            try histogram.validate()
            var json = JSONText()
            json.append(histogram, at: Timestamp(milliseconds: 0))
        }
        #expect(valid > 0)
    }
}
