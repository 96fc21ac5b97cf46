import Histograms

/// The buckets of a histogram by their index: spans resolved, empty ones included. Slow and plain, for tests.
extension FloatHistogram {
    public var positivePlaces: [Int: Double] { Self.places(positiveSpans, positiveBuckets) }
    public var negativePlaces: [Int: Double] { Self.places(negativeSpans, negativeBuckets) }

    private static func places(_ spans: [BucketSpan], _ buckets: [Double]) -> [Int: Double] {
        var result: [Int: Double] = [:]
        var index = 0, next = 0
        for span in spans {
            index += Int(span.offset)
            for _ in 0..<span.length {
                result[index] = buckets[next]
                index += 1
                next += 1
            }
        }
        return result
    }
}
