import Histograms
import Support
import Testing

@Suite("Classic histograms become histograms with custom bounds")
struct ClassicConversionTests {
    private func convert(_ buckets: [(Double, Double)], count: Double? = nil, sum: Double = 0) throws -> String {
        var conversion = ClassicConversion()
        for (bound, total) in buckets { conversion.setBucket(upperBound: bound, count: total) }
        if let count { conversion.setCount(count) }
        conversion.setSum(sum)
        switch try conversion.histogram() {
        case .integer(let histogram):
            try histogram.validate()
            let spans = histogram.positiveSpans.map { "\($0.offset)+\($0.length)" }.joined(separator: " ")
            return "integer \(histogram.count) \(histogram.sum) \(histogram.customBounds) \(spans) \(histogram.positiveDeltas)"
        case .float(let histogram):
            try histogram.validate()
            let spans = histogram.positiveSpans.map { "\($0.offset)+\($0.length)" }.joined(separator: " ")
            return "float \(histogram.count) \(histogram.sum) \(histogram.customBounds) \(spans) \(histogram.positiveBuckets)"
        }
    }

    @Test("whole counts give an integer histogram, others a float one")
    func kinds() throws {
        #expect(try convert([(0.5, 3), (1, 5), (.infinity, 9)], count: 9, sum: 7.5) == "integer 9 7.5 [0.5, 1.0] 0+3 [3, -1, 2]")
        #expect(try convert([(0.5, 3), (1, 5.5), (.infinity, 9)], count: 9) == "float 9.0 0.0 [0.5, 1.0] 0+3 [3.0, 2.5, 3.5]")
    }

    @Test("the last bucket and the count stand for each other where one is missing; both missing is an empty histogram")
    func missing() throws {
        #expect(try convert([(1, 2)], count: 5) == "integer 5 0.0 [1.0] 0+2 [2, 1]")
        #expect(try convert([(1, 2), (.infinity, 5)]) == "integer 5 0.0 [1.0] 0+2 [2, 1]")
        #expect(try convert([(1, 2)]) == "integer 2 0.0 [1.0] 0+1 [2]")
        #expect(try convert([]) == "integer 0 0.0 []  []")
    }

    @Test("buckets come in any order, and twice")
    func order() throws {
        let expected = "integer 9 0.0 [0.5, 1.0] 0+3 [3, -1, 2]"
        #expect(try convert([(.infinity, 9), (0.5, 3), (1, 5)]) == expected)
        #expect(try convert([(1, 5), (1, 5), (0.5, 3), (0.5, 4), (.infinity, 9)]) == expected)
    }

    @Test("up to two empty buckets stay where they are, more are left out; at both ends all are")
    func empty() throws {
        #expect(try convert([(1, 0), (2, 1), (3, 1), (4, 1), (5, 2), (.infinity, 2)]) == "integer 2 0.0 [1.0, 2.0, 3.0, 4.0, 5.0] 1+4 [1, -1, 0, 1]")
        #expect(try convert([(1, 1), (2, 1), (3, 1), (4, 1), (5, 2), (.infinity, 2)]) == "integer 2 0.0 [1.0, 2.0, 3.0, 4.0, 5.0] 0+1 3+1 [1, 0]")
        #expect(try convert([(1, 0.5), (2, 0.5), (.infinity, 1)]) == "float 1.0 0.0 [1.0, 2.0] 0+1 1+1 [0.5, 0.5]")
    }

    @Test(
        "what is no histogram gives none",
        arguments: [
            ([(1, -1)], nil, "bucket count must be non-negative: le=1.0, count=-1.0"),
            ([(1, 5), (2, 4)], nil, "count is not cumulative: 4.0 < 5.0"),
            ([(2, 4), (1, 5)], nil, "count is not cumulative: 5.0 > 4.0"),
            ([(1, 3), (5, 6), (2, 2)], nil, "count is not cumulative: 2.0 < 3.0"),
            ([(1, 1), (.infinity, 2)], 3, "count mismatch: count=3.0 != le=+Inf count=2.0"),
            ([(.nan, 1)], nil, "bucket boundary must not be NaN"), ([], -1, "count must be non-negative: count=-1.0"),
        ] as [([(Double, Double)], Double?, String)])
    func refused(_ buckets: [(Double, Double)], _ count: Double?, _ message: String) {
        #expect(throws: ClassicConversion.Failure(message: message)) { try convert(buckets, count: count) }
    }

    @Test("the end of a series' name tells its role")
    func roles() {
        let names = ["h_bucket", "h_sum", "h_count", "h", "_bucket", "h_created", "bucket"]
        let roles = names.map { ClassicConversion.role(of: Array($0.utf8)) }
        #expect(roles == [.bucket, .sum, .count, .none, .bucket, .none, .none])
    }
}

@Suite("Integer histograms with fewer buckets")
struct IntegerResolutionTests {
    private func histogram(_ random: inout SeededRandom) -> IntegerHistogram {
        var histogram = IntegerHistogram(schema: Int32.random(in: -3...8, using: &random))
        func side() -> ([BucketSpan], [Int64]) {
            var spans: [BucketSpan] = [], deltas: [Int64] = [], previous: Int64 = 0
            for index in 0..<Int.random(in: 0...4, using: &random) {
                let offset = Int32.random(in: index == 0 ? -20...20 : 0...5, using: &random)
                let length = UInt32.random(in: 0...4, using: &random)
                spans.append(BucketSpan(offset: offset, length: length))
                for _ in 0..<length {
                    let count = Bool.random(using: &random) ? 0 : Int64.random(in: 1...9, using: &random)
                    deltas.append(count - previous)
                    previous = count
                }
            }
            return (spans, deltas)
        }
        (histogram.positiveSpans, histogram.positiveDeltas) = side()
        (histogram.negativeSpans, histogram.negativeDeltas) = side()
        histogram.count = UInt64(FloatHistogram(histogram).usedBuckets.reduce(0) { $0 + $1.count })
        return histogram
    }

    @Test("they hold what the same float histograms hold after the same")
    func likeFloats() throws {
        let seed = TestSeed.seeds(1)[0]
        var random = SeededRandom(seed: seed)
        for _ in 0..<TestSeed.cases(2000) {
            let original = histogram(&random)
            try original.validate()
            var integer = original, float = FloatHistogram(original)
            integer.compact(maximumEmptyBuckets: Int.random(in: 0...3, using: &random))
            try integer.validate()
            #expect(FloatHistogram(integer).usedBuckets == float.usedBuckets, "seed \(seed): \(original)")
            let target = Int32.random(in: -4...original.schema, using: &random)
            if target < original.schema {
                integer.reduceResolution(to: target)
                float.reduceResolution(to: target)
            }
            try integer.validate()
            #expect(integer.schema == float.schema && FloatHistogram(integer).usedBuckets == float.usedBuckets, "seed \(seed): \(original)")
        }
    }

    @Test("compact leaves neither empty buckets nor empty spans")
    func compact() {
        var histogram = IntegerHistogram(
            positiveSpans: [BucketSpan(offset: 0, length: 4), BucketSpan(offset: 0, length: 0), BucketSpan(offset: 2, length: 1)],
            positiveDeltas: [3, -3, 0, 5, -5])
        histogram.compact()
        #expect(histogram.positiveSpans == [BucketSpan(offset: 0, length: 1), BucketSpan(offset: 2, length: 1)])
        #expect(histogram.positiveDeltas == [3, 2])
        histogram.compact(maximumEmptyBuckets: 2)
        #expect(histogram.positiveSpans == [BucketSpan(offset: 0, length: 4)] && histogram.positiveDeltas == [3, -3, 0, 5])
    }
}
