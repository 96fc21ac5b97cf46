/// A native histogram as instrumented programs keep it: whole counts, buckets as differences from bucket to bucket.
///
///     buckets  3  5  2   ⇒   positiveDeltas  3  +2  −3
///
/// Exists for storage and the wire only: queries see it as `FloatHistogram`.
public struct IntegerHistogram: Sendable {
    public var hint = CounterResetHint.unknown
    public var schema: Int32
    public var zeroThreshold: Double
    public var zeroCount: UInt64
    public var count: UInt64
    public var sum: Double
    public var positiveSpans: [BucketSpan]
    public var negativeSpans: [BucketSpan]
    public var positiveDeltas: [Int64]
    public var negativeDeltas: [Int64]
    /// Upper bounds, ascending, without +Inf; only with schema −53.
    public var customBounds: [Double]

    public init(
        hint: CounterResetHint = .unknown, schema: Int32 = 0, zeroThreshold: Double = 0, zeroCount: UInt64 = 0,
        count: UInt64 = 0, sum: Double = 0, positiveSpans: [BucketSpan] = [], negativeSpans: [BucketSpan] = [],
        positiveDeltas: [Int64] = [], negativeDeltas: [Int64] = [], customBounds: [Double] = []
    ) {
        self.hint = hint
        self.schema = schema
        self.zeroThreshold = zeroThreshold
        self.zeroCount = zeroCount
        self.count = count
        self.sum = sum
        self.positiveSpans = positiveSpans
        self.negativeSpans = negativeSpans
        self.positiveDeltas = positiveDeltas
        self.negativeDeltas = negativeDeltas
        self.customBounds = customBounds
    }
}

extension IntegerHistogram {
    /// Counts of deltas. Those that overflow wrap: `validate` has refused them before.
    static func absolute(_ deltas: [Int64]) -> [Int64] {
        var current: Int64 = 0
        return deltas.map { delta in
            current &+= delta
            return current
        }
    }

    /// Deltas of counts.
    static func deltas(_ counts: [Int64]) -> [Int64] {
        var previous: Int64 = 0
        return counts.map { count in
            defer { previous = count }
            return count &- previous
        }
    }
}

extension FloatHistogram {
    /// The same with absolute float counts. Deltas that overflow wrap: `validate` has refused them before.
    public init(_ integer: IntegerHistogram) {
        func absolute(_ deltas: [Int64]) -> [Double] {
            var current: Int64 = 0
            return deltas.map { delta in
                current &+= delta
                return Double(current)
            }
        }
        self.init(
            hint: integer.hint, schema: integer.schema, zeroThreshold: integer.zeroThreshold,
            zeroCount: Double(integer.zeroCount), count: Double(integer.count), sum: integer.sum,
            positiveSpans: integer.positiveSpans, negativeSpans: integer.negativeSpans,
            positiveBuckets: absolute(integer.positiveDeltas), negativeBuckets: absolute(integer.negativeDeltas),
            customBounds: integer.customBounds)
    }
}

/// A histogram on its way into storage, in the kind it came in.
public enum HistogramSample: Sendable {
    case integer(IntegerHistogram)
    case float(FloatHistogram)

    public var sum: Double {
        switch self {
        case .integer(let histogram): histogram.sum
        case .float(let histogram): histogram.sum
        }
    }

    /// As queries see it.
    public var asFloat: FloatHistogram {
        switch self {
        case .integer(let histogram): FloatHistogram(histogram)
        case .float(let histogram): histogram
        }
    }
}
