import Histograms

/// A histogram as chunks see it: every number as 64 bits, integers and floats alike.
///
///                 integer                         float
///     count       UInt64                          bit pattern
///     buckets     differences from bucket to      bit patterns, absolute
///                 bucket, two's complement
///
/// A stale marker has lost everything but its sum.
struct HistogramFields {
    let isFloat: Bool
    let hint: CounterResetHint
    private(set) var schema: Int32 = 0
    private(set) var zeroThreshold = 0.0
    private(set) var positive = HistogramSide()
    private(set) var negative = HistogramSide()
    private(set) var customBounds: [Double] = []
    private(set) var count: UInt64 = 0
    private(set) var zeroCount: UInt64 = 0
    let sum: UInt64

    var isStale: Bool { sum == StaleMarker.bits }

    /// `nil` where spans and buckets do not agree, or the schema is none: the caller has not validated.
    init?(_ sample: HistogramSample) {
        switch sample {
        case .integer(let histogram):
            isFloat = false
            hint = histogram.hint
            sum = histogram.sum.bitPattern
            if isStale { return }
            schema = histogram.schema
            zeroThreshold = histogram.zeroThreshold
            positive = HistogramSide(histogram.positiveSpans, histogram.positiveDeltas.map { UInt64(bitPattern: $0) })
            negative = HistogramSide(histogram.negativeSpans, histogram.negativeDeltas.map { UInt64(bitPattern: $0) })
            customBounds = histogram.customBounds
            count = histogram.count
            zeroCount = histogram.zeroCount
        case .float(let histogram):
            isFloat = true
            hint = histogram.hint
            sum = histogram.sum.bitPattern
            if isStale { return }
            schema = histogram.schema
            zeroThreshold = histogram.zeroThreshold
            positive = HistogramSide(histogram.positiveSpans, histogram.positiveBuckets.map(\.bitPattern))
            negative = HistogramSide(histogram.negativeSpans, histogram.negativeBuckets.map(\.bitPattern))
            customBounds = histogram.customBounds
            count = histogram.count.bitPattern
            zeroCount = histogram.zeroCount.bitPattern
        }
        guard positive.isSound, negative.isSound, HistogramChunk.isKnown(schema: schema) else { return nil }
    }

    /// A stale marker of the kind.
    init(staleMarkerOf isFloat: Bool) {
        self.isFloat = isFloat
        hint = .unknown
        sum = StaleMarker.bits
    }

    var layout: HistogramRows.Layout {
        HistogramRows.Layout(
            schema: schema, zeroThreshold: zeroThreshold, positiveSpans: positive.spans, negativeSpans: negative.spans,
            customBounds: customBounds)
    }

    /// The same with the buckets of other spans, which have all of its own.
    mutating func respread(positive positiveSpans: [BucketSpan]?, negative negativeSpans: [BucketSpan]?) {
        if let positiveSpans { positive = positive.respread(over: positiveSpans, isFloat: isFloat) }
        if let negativeSpans { negative = negative.respread(over: negativeSpans, isFloat: isFloat) }
    }

    /// The same histogram: buckets that one does not have are empty in the other. Hints do not matter.
    func isEqual(_ other: HistogramFields) -> Bool {
        isFloat == other.isFloat && sum == other.sum && schema == other.schema && count == other.count
            && zeroCount == other.zeroCount && zeroThreshold == other.zeroThreshold && customBounds == other.customBounds
            && positive.isEqual(other.positive, isFloat: isFloat) && negative.isEqual(other.negative, isFloat: isFloat)
    }

    /// As a value of its own again.
    func sample(hint: CounterResetHint) -> HistogramSample {
        let sum = Double(bitPattern: sum)
        if isFloat {
            return .float(
                FloatHistogram(
                    hint: hint, schema: schema, zeroThreshold: zeroThreshold, zeroCount: Double(bitPattern: zeroCount),
                    count: Double(bitPattern: count), sum: sum, positiveSpans: positive.spans, negativeSpans: negative.spans,
                    positiveBuckets: positive.buckets.map { Double(bitPattern: $0) },
                    negativeBuckets: negative.buckets.map { Double(bitPattern: $0) }, customBounds: customBounds))
        }
        return .integer(
            IntegerHistogram(
                hint: hint, schema: schema, zeroThreshold: zeroThreshold, zeroCount: zeroCount, count: count, sum: sum,
                positiveSpans: positive.spans, negativeSpans: negative.spans,
                positiveDeltas: positive.buckets.map { Int64(bitPattern: $0) },
                negativeDeltas: negative.buckets.map { Int64(bitPattern: $0) }, customBounds: customBounds))
    }

    /// From a chunk's state; `buckets` has those of both sides.
    init(
        isFloat: Bool, hint: CounterResetHint, _ layout: HistogramRows.Layout, count: UInt64, zeroCount: UInt64, sum: UInt64,
        buckets: [HistogramField]
    ) {
        self.isFloat = isFloat
        self.hint = hint
        self.sum = sum
        if isStale { return }
        schema = layout.schema
        zeroThreshold = layout.zeroThreshold
        customBounds = layout.customBounds
        positive = HistogramSide(layout.positiveSpans, buckets[..<layout.positiveCount].map(\.value))
        negative = HistogramSide(layout.negativeSpans, buckets[layout.positiveCount...].map(\.value))
        self.count = count
        self.zeroCount = zeroCount
    }
}

/// One number of the sample before, and what its next value is coded by.
struct HistogramField: BitwiseCopyable {
    var value: UInt64 = 0
    /// Integers: the last difference.
    var change: Int64 = 0
    /// Floats: the window of the last explicit difference; 0xff: none yet.
    var leading: UInt8 = 0xff
    var trailing: UInt8 = 0
}
