import Support

@testable import Histograms

/// Histograms made at random, and a plain picture of one side: index → count.
struct RandomHistograms {
    private var random: SeededRandom

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    mutating func double(_ range: ClosedRange<Double>) -> Double { Double.random(in: range, using: &random) }
    mutating func oneOf<T>(_ choices: [T]) -> T { choices[int(0...choices.count - 1)] }

    /// A valid histogram; counts are whole, so sums of them are exact. Some buckets and spans are empty.
    mutating func exponential(schemas: ClosedRange<Int> = -4...8, negative: Bool = true) -> FloatHistogram {
        var histogram = FloatHistogram(schema: Int32(int(schemas)))
        (histogram.positiveSpans, histogram.positiveBuckets) = side(first: -20...20)
        if negative, int(0...1) == 0 { (histogram.negativeSpans, histogram.negativeBuckets) = side(first: -20...20) }
        if int(0...2) > 0 {
            histogram.zeroThreshold = oneOf([0, 0.001, 0.001, 0.5, 3])
            histogram.zeroCount = Double(int(0...9))
        }
        return completed(histogram)
    }

    /// A valid histogram with bounds of its own.
    mutating func custom(bounds: [Double]? = nil) -> FloatHistogram {
        var histogram = FloatHistogram(schema: FloatHistogram.customSchema)
        histogram.customBounds = bounds ?? [-1, 0, 1, 2, 5, 10, 20].filter { _ in int(0...2) > 0 }
        let counts = (0...histogram.customBounds.count).map { _ in Double(int(0...5)) }
        histogram.positiveSpans = [BucketSpan(offset: 0, length: UInt32(counts.count))]
        histogram.positiveBuckets = counts
        return completed(histogram)
    }

    /// Spans and buckets that need not fit together, schemas, bounds and counts that no program sends.
    mutating func malformed() -> FloatHistogram {
        var histogram = int(0...3) == 0 ? custom() : exponential()
        for _ in 0...int(0...3) {
            switch int(0...10) {
            case 0: histogram.positiveSpans.append(hostileSpan())
            case 1: histogram.negativeSpans.append(hostileSpan())
            case 2: histogram.positiveSpans.insert(hostileSpan(), at: 0)
            case 3: histogram.positiveBuckets.append(oneOf([.nan, -1, .infinity, 1e300, 3]))
            case 4: histogram.negativeBuckets.append(oneOf([.nan, -1, -.infinity, 2]))
            case 5: if !histogram.positiveBuckets.isEmpty { histogram.positiveBuckets.removeLast() }
            case 6: histogram.schema = oneOf([9, 52, 100, -5, -9, -52, -54, .max, .min])
            case 7: histogram.customBounds = [3, 2, .nan, .infinity, -.infinity, 2].filter { _ in int(0...1) == 0 }
            case 8: histogram.zeroThreshold = oneOf([.nan, -1, .infinity, -.infinity, 1e308, 5e-324])
            case 9: histogram.zeroCount = oneOf([.nan, -3, .infinity])
            default: histogram.count = oneOf([.nan, -1, .infinity, 0])
            }
        }
        return histogram
    }

    private mutating func hostileSpan() -> BucketSpan {
        BucketSpan(
            offset: oneOf([.min, .min + 1, -5, -1, 0, 3, 1 << 30, .max - 1, .max]),
            length: oneOf([0, 1, 2, 100, 1 << 31, .max - 1, .max]))
    }

    private mutating func side(first: ClosedRange<Int>) -> ([BucketSpan], [Double]) {
        var spans: [BucketSpan] = []
        var buckets: [Double] = []
        for position in 0..<int(0...4) {
            let length = int(0...4)
            spans.append(
                BucketSpan(offset: Int32(position == 0 ? int(first) : int(0...4)), length: UInt32(length)))
            for _ in 0..<length { buckets.append(Double(int(0...3) == 0 ? 0 : int(1...100))) }
        }
        return (spans, buckets)
    }

    private mutating func completed(_ histogram: FloatHistogram) -> FloatHistogram {
        var histogram = histogram
        // No bucket is inside the zero bucket.
        if !histogram.hasCustomBounds {
            var cursor = histogram.positiveCursor
            while cursor.next(), histogram.bound(cursor.index) <= histogram.zeroThreshold {
                histogram.positiveBuckets[cursor.place] = 0
            }
            cursor = histogram.negativeCursor
            while cursor.next(), histogram.bound(cursor.index) <= histogram.zeroThreshold {
                histogram.negativeBuckets[cursor.place] = 0
            }
            if histogram.zeroThreshold > 0 { histogram.compact() }
        }
        histogram.count = histogram.totalOfBuckets
        histogram.sum = Double(int(-1000...1000))
        return histogram
    }
}

extension FloatHistogram {
    /// The positive side as index → count, without empty buckets.
    var positiveCounts: [Int: Double] { Self.counts(positiveSpans, positiveBuckets) }
    var negativeCounts: [Int: Double] { Self.counts(negativeSpans, negativeBuckets) }

    private static func counts(_ spans: [BucketSpan], _ buckets: [Double]) -> [Int: Double] {
        var counts: [Int: Double] = [:]
        var index = 0
        var place = 0
        for span in spans {
            index += Int(span.offset)
            for _ in 0..<span.length {
                if buckets[place] != 0 { counts[index] = buckets[place] }
                index += 1
                place += 1
            }
        }
        return counts
    }
}

/// Spans written shortly: `spans((0, 2), (3, 1))`.
func spans(_ pairs: (Int32, UInt32)...) -> [BucketSpan] { pairs.map { BucketSpan(offset: $0.0, length: $0.1) } }
