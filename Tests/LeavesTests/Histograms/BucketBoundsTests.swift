import Support
import Testing

@testable import Histograms

@Suite struct BucketBoundsTests {
    @Test(
        "bounds are the very doubles that clients and servers have",
        arguments: [
            (0, Int32(0), 1.0), (1, 0, 2), (-1, 0, 0.5), (3, 0, 8), (0, 1, 1), (1, 1, 1.414213562373095), (2, 1, 2),
            (-1, 1, 0.7071067811865475), (1, 2, 1.189207115002721), (-1, -1, 0.25), (2, -1, 16), (1, -4, 65536),
            (-1, -4, 1.52587890625e-05), (1, 8, 1.0027112750502025), (-255, 8, 0.5013556375251013),
            (1023, 0, 0x1p1023), (1024, 0, 1.7976931348623157e308), (1025, 0, .infinity),
            (2047, 1, 1.2711610061536462e308), (2048, 1, 1.7976931348623157e308), (2049, 1, .infinity),
            (64, -4, 1.7976931348623157e308), (65, -4, .infinity), (512, -1, 1.7976931348623157e308),
            (-1022, 0, 0x1p-1022), (-1023, 0, 0x1p-1023), (-1074, 0, 5e-324), (-1075, 0, 0),
        ] as [(Int, Int32, Double)])
    func known(index: Int, schema: Int32, bound: Double) {
        #expect(BucketBounds.exponential(index, schema: schema) == bound)
    }

    @Test("every bound of a schema is one of the next finer schema", arguments: Int32(-4)...7)
    func nested(schema: Int32) {
        for index in -2000...2000 {
            #expect(
                BucketBounds.exponential(index, schema: schema)
                    == BucketBounds.exponential(2 * index, schema: schema + 1))
        }
    }

    @Test("a value's bucket is the first whose bound is not below it", arguments: Int32(-4)...8)
    func index(schema: Int32) {
        var random = SeededRandom(seed: TestSeed.seeds(1).first ?? 1)
        var values = [1, 0.5, 2, 4, 16, 65536, 0x1p-128, 0x1p-1022, 5e-324, 0x1p-1074 * 3, .greatestFiniteMagnitude, 0x1p1023]
        for index in -300...300 {
            let bound = BucketBounds.exponential(index, schema: schema)
            if bound > 0 && bound < .infinity { values += [bound, bound.nextUp, bound.nextDown].filter { $0 > 0 && $0 < .infinity } }
        }
        for _ in 0..<TestSeed.cases(2000) {
            values.append(Double(bitPattern: UInt64.random(in: 1..<Double.infinity.bitPattern, using: &random)))
        }
        for value in values {
            let index = FloatHistogram.bucketIndex(of: value, schema: schema)
            #expect(BucketBounds.exponential(index, schema: schema) >= value, "\(value)")
            // Below the normal numbers several bounds are one double.
            if value.isNormal { #expect(BucketBounds.exponential(index - 1, schema: schema) < value, "\(value)") }
        }
        #expect(FloatHistogram.bucketIndex(of: 1, schema: schema) == 0)
        #expect(
            FloatHistogram.bucketIndex(of: .infinity, schema: schema)
                == FloatHistogram.bucketIndex(of: .greatestFiniteMagnitude, schema: schema) + 1)
    }

    @Test("bounds ascend", arguments: Int32(-4)...8)
    func ascending(schema: Int32) {
        let bounds = (-500...500).map { BucketBounds.exponential($0, schema: schema) }
        for (lower, upper) in zip(bounds, bounds.dropFirst()) where lower > 0 && upper < .infinity {
            #expect(lower < upper)
        }
    }

    @Test("no index and no schema is too strange for a bound")
    func anyIndex() {
        for schema in [Int32.min, -100, -53, -4, 0, 8, 52, .max] {
            for index in [Int(Int32.min) * 2, -1, 0, 1, Int(Int32.max) * 2] {
                #expect(BucketBounds.exponential(index, schema: schema) >= 0)
                _ = BucketBounds.custom(index, bounds: [])
            }
        }
        #expect(BucketBounds.exponential(Int(Int32.max), schema: 0) == .infinity)
        #expect(BucketBounds.exponential(Int(Int32.min), schema: 8) == 0)
    }

    @Test("custom buckets begin at −Inf and end at +Inf")
    func custom() {
        #expect([-1, 0, 1, 2].map { BucketBounds.custom($0, bounds: [1, 2.5]) } == [-.infinity, 1, 2.5, .infinity])
    }

    @Test("buckets come ascending, with the bounds away from zero belonging to them")
    func order() {
        let histogram = FloatHistogram(
            schema: 0, zeroThreshold: 0.001, zeroCount: 1, count: 15, sum: 3, positiveSpans: spans((0, 2), (1, 1)),
            negativeSpans: spans((1, 2)), positiveBuckets: [3, 0, 2], negativeBuckets: [4, 5])
        #expect(
            histogram.usedBuckets.map(\.description)
                == ["[-4,-2):5", "[-2,-1):4", "[-0.001,0.001]:1", "(0.5,1]:3", "(4,8]:2"])
    }

    @Test("a bucket that the zero bucket reaches into begins where that one ends")
    func overlap() {
        let histogram = FloatHistogram(
            schema: 0, zeroThreshold: 1.5, zeroCount: 1, count: 3, positiveSpans: spans((1, 1)),
            negativeSpans: spans((1, 1)), positiveBuckets: [1], negativeBuckets: [1])
        #expect(histogram.usedBuckets.map(\.description) == ["[-2,-1.5):1", "[-1.5,1.5]:1", "(1.5,2]:1"])
    }

    @Test("custom buckets: the first includes both its bounds")
    func customOrder() {
        let histogram = FloatHistogram(
            schema: -53, count: 6, positiveSpans: spans((0, 3)), positiveBuckets: [1, 2, 3], customBounds: [0.1, 5])
        #expect(histogram.usedBuckets.map(\.description) == ["[-Inf,0.1]:1", "(0.1,5]:2", "(5,+Inf]:3"])
    }
}
