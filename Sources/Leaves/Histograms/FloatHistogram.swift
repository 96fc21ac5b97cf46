/// A native histogram with float counts: what queries compute with, whatever kind was stored.
///
///     schema 0, zero threshold 0.001        … (¼,½] (½,1] (1,2] (2,4] …       bounds are powers of 2^(2^−schema)
///     positiveSpans  [(0, 2), (1, 1)]           │     │           │
///     positiveBuckets  [3, 5, 2]                …     3     5     gap   2      index 0 is the bucket (½, 1]
///
/// Exponential schemas are −4…8: with schema s bucket i covers (b^(i−1), b^i], b = 2^(2^−s). Schema −53 has custom bounds: bucket i covers
/// (bound[i−1], bound[i]], the last one up to +Inf; no zero bucket and no negative ones. Buckets are absolute counts, one for each place that
/// the spans name.
///
/// Source: Prometheus, “Native Histograms” specification (prometheus.io/docs/specs/native_histograms).
///
/// Invariant of a *valid* histogram (see `validate`): span lengths add up to the number of buckets, and offsets but the first are not negative.
/// Whatever comes from outside is validated before anything else is done with it.
public struct FloatHistogram: Sendable {
    /// What is known of a counter reset between the sample before and this one.
    public var hint = CounterResetHint.unknown
    public var schema: Int32
    /// Width of the zero bucket: observations with |v| ≤ threshold are in it.
    public var zeroThreshold: Double
    public var zeroCount: Double
    public var count: Double
    /// Sum of the observations. A stale marker's bits here make the whole sample a stale marker.
    public var sum: Double
    public var positiveSpans: [BucketSpan]
    public var negativeSpans: [BucketSpan]
    public var positiveBuckets: [Double]
    public var negativeBuckets: [Double]
    /// Upper bounds, ascending, without +Inf; only with schema −53.
    public var customBounds: [Double]

    public init(
        hint: CounterResetHint = .unknown, schema: Int32 = 0, zeroThreshold: Double = 0, zeroCount: Double = 0,
        count: Double = 0, sum: Double = 0, positiveSpans: [BucketSpan] = [], negativeSpans: [BucketSpan] = [],
        positiveBuckets: [Double] = [], negativeBuckets: [Double] = [], customBounds: [Double] = []
    ) {
        self.hint = hint
        self.schema = schema
        self.zeroThreshold = zeroThreshold
        self.zeroCount = zeroCount
        self.count = count
        self.sum = sum
        self.positiveSpans = positiveSpans
        self.negativeSpans = negativeSpans
        self.positiveBuckets = positiveBuckets
        self.negativeBuckets = negativeBuckets
        self.customBounds = customBounds
    }

    /// The schema of histograms with bounds of their own.
    public static let customSchema: Int32 = -53
    /// Schemas whose bounds are powers of two.
    public static let exponentialSchemas: ClosedRange<Int32> = -4...8

    public var hasCustomBounds: Bool { schema == Self.customSchema }
}

/// A run of neighbouring buckets: `offset` buckets are left out before it (for the first span: the index of its first bucket), then come
/// `length` of them.
public struct BucketSpan: Sendable, Hashable, BitwiseCopyable {
    public var offset: Int32
    public var length: UInt32

    public init(offset: Int32, length: UInt32) {
        self.offset = offset
        self.length = length
    }
}

/// What is known about a counter reset right before a histogram. Raw values are those of chunk headers, shifted down by six bits.
public enum CounterResetHint: UInt8, Sendable, Hashable, BitwiseCopyable {
    /// Nothing: to be found out by comparing.
    case unknown = 0
    case reset = 2
    case notReset = 1
    /// No counter: resets mean nothing.
    case gauge = 3

    /// What is known of a sum; `isCollision`: one side knows of a reset and the other of none.
    public func merged(with other: CounterResetHint) -> (hint: CounterResetHint, isCollision: Bool) {
        switch (self, other) {
        case (.unknown, .unknown), (.reset, .reset), (.notReset, .notReset), (.gauge, _): (self, false)
        case (_, .gauge): (.gauge, false)
        case (.unknown, _), (_, .unknown): (.unknown, false)
        case (.reset, .notReset), (.notReset, .reset): (.unknown, true)
        }
    }
}
