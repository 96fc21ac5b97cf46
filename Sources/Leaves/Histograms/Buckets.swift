import Numbers

extension FloatHistogram {
    /// A bucket with its bounds, as people and API answers see it.
    ///
    ///     [-2,-1):4   [-0.001,0.001]:1   (1,2]:3         bounds away from zero belong to the bucket
    public struct Bucket: Equatable, Sendable, CustomStringConvertible {
        public var lower: Double
        public var upper: Double
        public var lowerInclusive: Bool
        public var upperInclusive: Bool
        public var count: Double

        public init(lower: Double, upper: Double, lowerInclusive: Bool, upperInclusive: Bool, count: Double) {
            self.lower = lower
            self.upper = upper
            self.lowerInclusive = lowerInclusive
            self.upperInclusive = upperInclusive
            self.count = count
        }

        public var description: String {
            let bounds = NumberText.string(lower, style: .general) + "," + NumberText.string(upper, style: .general)
            return (lowerInclusive ? "[" : "(") + bounds + (upperInclusive ? "]" : ")") + ":"
                + NumberText.string(count, style: .general)
        }
    }

    /// All buckets that hold something (negative, zero, positive), ascending.
    public var usedBuckets: [Bucket] { ascendingBuckets.filter { $0.count != 0 } }

    /// All buckets, empty ones too, ascending. A bucket that the zero bucket reaches into begins where that one ends.
    public var ascendingBuckets: AscendingBuckets { AscendingBuckets(self) }

    var zeroBucket: Bucket {
        Bucket(
            lower: -zeroThreshold, upper: zeroThreshold, lowerInclusive: true, upperInclusive: true, count: zeroCount)
    }

    func positiveBucket(_ index: Int, count: Double) -> Bucket {
        let lower = bound(index &- 1)
        let upper = bound(index)
        return Bucket(
            lower: lower, upper: upper, lowerInclusive: hasCustomBounds ? index == 0 : lower < 0,
            upperInclusive: hasCustomBounds || upper > 0, count: count)
    }

    func negativeBucket(_ index: Int, count: Double) -> Bucket {
        let lower = -bound(index)
        let upper = -bound(index &- 1)
        return Bucket(lower: lower, upper: upper, lowerInclusive: lower < 0, upperInclusive: upper > 0, count: count)
    }

    /// Without what the zero bucket has of it.
    func outsideZeroBucket(_ bucket: Bucket) -> Bucket {
        var bucket = bucket
        if bucket.lower > 0, bucket.lower < zeroThreshold { bucket.lower = zeroThreshold }
        if bucket.upper < 0, bucket.upper > -zeroThreshold { bucket.upper = -zeroThreshold }
        return bucket
    }
}

/// Walks over all buckets of a histogram from the lowest to the highest: negative ones inwards, the zero bucket, positive ones outwards.
public struct AscendingBuckets: Sequence, IteratorProtocol {
    private enum Part { case negative, zero, positive }

    private let histogram: FloatHistogram
    private var part = Part.negative
    private var negative: ReverseBucketCursor
    private var positive: BucketCursor

    init(_ histogram: FloatHistogram) {
        self.histogram = histogram
        negative = ReverseBucketCursor(spans: histogram.negativeSpans, buckets: histogram.negativeBuckets)
        positive = histogram.positiveCursor
    }

    public mutating func next() -> FloatHistogram.Bucket? {
        if part == .negative {
            if negative.next() {
                return histogram.outsideZeroBucket(histogram.negativeBucket(negative.index, count: negative.count))
            }
            part = .zero
        }
        if part == .zero {
            part = .positive
            if histogram.zeroCount > 0 { return histogram.zeroBucket }
        }
        guard positive.next() else { return nil }
        return histogram.outsideZeroBucket(histogram.positiveBucket(positive.index, count: positive.count))
    }
}
