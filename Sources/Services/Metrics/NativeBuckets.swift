import Histograms
import Protobuf

/// Observations in the buckets of a native histogram: nobody chooses bounds, and only buckets that hold something are kept.
///
///     schema 3     bucket i is (2^((i−1)/8), 2^(i/8)]        8 per doubling, each 9 % wider than the one before
///     zero         |v| ≤ 2^−128
///
/// Beyond `limit` buckets, neighbours are put together two by two, which is the next coarser schema: bucket i goes into ⌈i/2⌉.
///
/// Source: prometheus/client_golang, `histogram.go`, whose schema for factor 1.1 and whose zero threshold these are.
struct NativeBuckets: Sendable {
    /// Buckets that one histogram may have, unless its schema is the coarsest, which has no more than 150 of all numbers.
    static let limit = 100
    static let zeroThreshold = 0x1p-128

    private(set) var schema: Int32 = 3
    private(set) var zeroCount = 0
    /// Counts by bucket.
    private(set) var positive: [Int: Int] = [:]
    private(set) var negative: [Int: Int] = [:]

    /// NaN is in no bucket.
    mutating func observe(_ value: Double) {
        if value.isNaN { return }
        guard value.magnitude > Self.zeroThreshold else {
            zeroCount += 1
            return
        }
        let bucket = FloatHistogram.bucketIndex(of: value.magnitude, schema: schema)
        if value > 0 { positive[bucket, default: 0] += 1 } else { negative[bucket, default: 0] += 1 }
        while positive.count + negative.count > Self.limit, schema > FloatHistogram.exponentialSchemas.lowerBound {
            schema -= 1
            positive = Self.halved(positive)
            negative = Self.halved(negative)
        }
    }

    private static func halved(_ buckets: [Int: Int]) -> [Int: Int] {
        var halved: [Int: Int] = [:]
        for (index, count) in buckets { halved[(index + 1) >> 1, default: 0] += count }
        return halved
    }

    /// Writes the native fields of a `Histogram` message. An empty span says that it is a native one where nothing else does.
    func write(to message: inout ProtobufWriter) {
        message.zigzag(5, Int64(schema))
        message.double(6, Self.zeroThreshold)
        message.integer(7, UInt64(zeroCount))
        Self.write(negative, spans: 9, deltas: 10, to: &message)
        Self.write(positive, spans: 12, deltas: 13, to: &message)
        guard zeroCount == 0, positive.isEmpty, negative.isEmpty else { return }
        message.message(12) { span in
            span.zigzag(1, 0)
            span.integer(2, 0)
        }
    }

    private static func write(_ buckets: [Int: Int], spans: UInt64, deltas: UInt64, to message: inout ProtobufWriter) {
        var changes: [Int64] = []
        var runs: [(offset: Int, length: Int)] = []
        var end = 0, previous = 0
        for (index, count) in buckets.sorted(by: { $0.key < $1.key }) {
            if runs.isEmpty || index != end { runs.append((index - end, 0)) }
            runs[runs.count - 1].length += 1
            end = index + 1
            changes.append(Int64(count - previous))
            previous = count
        }
        for run in runs {
            message.message(spans) { span in
                span.zigzag(1, Int64(run.offset))
                span.integer(2, UInt64(run.length))
            }
        }
        message.zigzags(deltas, changes)
    }
}
