import Histograms

/// A native histogram in an answer: what the API says of it, which is neither schema nor hint.
///
///     {"count":"42","sum":"34593.34","buckets":[[3,"-0.25","0.25","3"],[0,"0.25","0.5","12"]]}
public struct QueryHistogram: Sendable, Equatable {
    public var count: Double
    public var sum: Double
    /// From the lowest to the highest; empty ones are left out.
    public var buckets: [Bucket]

    public struct Bucket: Sendable, Equatable {
        public var bounds: Bounds
        public var lower: Double
        public var upper: Double
        public var count: Double

        public init(bounds: Bounds, lower: Double, upper: Double, count: Double) {
            self.bounds = bounds
            self.lower = lower
            self.upper = upper
            self.count = count
        }
    }

    /// Which of a bucket's two bounds belong to it.
    public enum Bounds: Int, Sendable, Equatable {
        case upper = 0
        case lower = 1
        case none = 2
        case both = 3
    }

    public init(count: Double, sum: Double, buckets: [Bucket] = []) {
        self.count = count
        self.sum = sum
        self.buckets = buckets
    }

    /// What our own API would say of `histogram`.
    public init(_ histogram: FloatHistogram) {
        self.init(
            count: histogram.count, sum: histogram.sum,
            buckets: histogram.usedBuckets.map { bucket in
                let bounds: Bounds =
                    switch (bucket.lowerInclusive, bucket.upperInclusive) {
                    case (false, true): .upper
                    case (true, false): .lower
                    case (false, false): .none
                    case (true, true): .both
                    }
                return Bucket(bounds: bounds, lower: bucket.lower, upper: bucket.upper, count: bucket.count)
            })
    }
}
