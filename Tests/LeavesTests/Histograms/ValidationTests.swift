import Support
import Testing

@testable import Histograms

@Suite struct ValidationTests {
    private static let valid = FloatHistogram(
        schema: 1, zeroThreshold: 0.1, zeroCount: 1, count: 10, sum: 3, positiveSpans: spans((-2, 2), (1, 1)),
        negativeSpans: spans((0, 1)), positiveBuckets: [1, 2, 3], negativeBuckets: [3])
    private static let validCustom = FloatHistogram(
        schema: -53, count: 6, sum: 3, positiveSpans: spans((0, 2), (1, 1)), positiveBuckets: [1, 2, 3],
        customBounds: [1, 2, 5])

    private static func reason(_ histogram: FloatHistogram) -> String? {
        do throws(HistogramError) {
            try histogram.validate()
            return nil
        } catch { return error.description }
    }

    private static func reason(_ change: (inout FloatHistogram) -> Void) -> String? {
        var histogram = valid
        change(&histogram)
        return reason(histogram)
    }

    private static func customReason(_ change: (inout FloatHistogram) -> Void) -> String? {
        var histogram = validCustom
        change(&histogram)
        return reason(histogram)
    }

    @Test("valid ones pass")
    func passes() {
        #expect(Self.reason(Self.valid) == nil)
        #expect(Self.reason(Self.validCustom) == nil)
        #expect(Self.reason(FloatHistogram()) == nil)
        #expect(Self.reason { $0.sum = .nan } == nil)
        #expect(Self.reason { $0.count = 3 } == nil, "float counts round: they need not add up")
        #expect(Self.reason { $0.positiveBuckets[0] = .nan } == nil, "a query can make NaN")
    }

    @Test("spans and buckets must fit")
    func spanRules() {
        #expect(
            Self.reason { $0.positiveSpans = spans((-2, 2), (-1, 1)) }
                == "positive side: span number 2 with offset -1: histogram has a span whose offset is negative")
        #expect(
            Self.reason { $0.negativeSpans = spans((0, 4)) }
                == "negative side: spans need 4 buckets, have 1 buckets: histogram spans specify different number of buckets than provided"
        )
        #expect(
            Self.reason { $0.positiveSpans = spans((0, .max), (0, .max)) }
                == "positive side: spans need 8589934590 buckets, have 3 buckets: "
                + "histogram spans specify different number of buckets than provided")
        #expect(
            Self.reason { $0.positiveSpans = spans((.max, 2), (.max, 1)) }
                == "positive side: spans reach bucket index 4294967297, but indices have 32 bits")
    }

    @Test("counts must not be negative")
    func countRules() {
        #expect(
            Self.reason { $0.positiveBuckets[1] = -2 }
                == "positive side: bucket number 2 has observation count of -2: "
                + "histogram has a bucket whose observation count is negative")
        #expect(
            Self.reason { $0.negativeBuckets[0] = -0.5 }
                == "negative side: bucket number 1 has observation count of -0.5: "
                + "histogram has a bucket whose observation count is negative")
        #expect(
            Self.reason { $0.zeroCount = -1 }
                == "zero bucket has observation count of -1: histogram has a bucket whose observation count is negative"
        )
        #expect(
            Self.reason { $0.count = -1 } == "observation count is  -1: histogram's observation count is negative")
    }

    @Test("schemas are −4…8 and −53")
    func schemaRules() {
        for schema in [Int32(9), -5, 52, -52, .max, .min] {
            #expect(
                Self.reason { $0.schema = schema }
                    == "histogram has an invalid schema, which must be between -4 and 8 for exponential buckets, "
                    + "or -53 for custom buckets, got schema \(schema)")
        }
        #expect(
            Self.reason { $0.customBounds = [1] } == "histogram with exponential schema must not have custom bounds")
        #expect(
            Self.reason { $0.zeroThreshold = -1 }
                == "histogram has a zero threshold of -1, which must not be negative or NaN")
        #expect(Self.reason { $0.zeroThreshold = .nan } != nil)
    }

    @Test("custom bounds ascend, are finite and enough; there is no zero bucket and no negative side")
    func customRules() {
        #expect(
            Self.customReason { $0.customBounds[1] = .nan } == "custom buckets: histogram custom bounds must not be NaN"
        )
        #expect(
            Self.customReason { $0.customBounds[1] = 1 }
                == "custom buckets: previous bound is 1.000000 and current is 1.000000: "
                + "histogram custom bounds must be in strictly increasing order")
        #expect(
            Self.customReason { $0.customBounds[2] = .infinity }
                == "custom buckets: last +Inf bound must not be explicitly defined: histogram custom bounds must be finite"
        )
        #expect(
            Self.customReason { $0.customBounds = [1, 2] }
                == "custom buckets: only 2 custom bounds defined which is insufficient to cover total span length of 4: "
                + "histogram custom bounds are too few")
        #expect(
            Self.customReason { $0.positiveSpans[0].offset = -1 }
                == "custom buckets: span number 1 with offset -1: histogram has a span whose offset is negative")
        #expect(
            Self.customReason { $0.positiveSpans[1].length = 2 }
                == "custom buckets: spans need 4 buckets, have 3 buckets: "
                + "histogram spans specify different number of buckets than provided")
        #expect(Self.customReason { $0.zeroCount = 1 } == "custom buckets: must have zero count of 0")
        #expect(Self.customReason { $0.zeroThreshold = 1 } == "custom buckets: must have zero threshold of 0")
        #expect(
            Self.customReason { $0.negativeSpans = spans((0, 0)) } == "custom buckets: must not have negative spans")
        #expect(Self.customReason { $0.negativeBuckets = [1] } == "custom buckets: must not have negative buckets")
    }

    @Test("whole counts add up to the total, or to less when observations of NaN are among them")
    func integerRules() {
        let valid = IntegerHistogram(
            schema: 0, zeroThreshold: 0.1, zeroCount: 1, count: 10, sum: 3, positiveSpans: spans((0, 3)),
            negativeSpans: spans((0, 1)), positiveDeltas: [3, -2, 1], negativeDeltas: [3])
        func reason(_ change: (inout IntegerHistogram) -> Void) -> String? {
            var histogram = valid
            change(&histogram)
            do throws(HistogramError) {
                try histogram.validate()
                return nil
            } catch { return error.description }
        }
        #expect(reason { _ in } == nil)
        #expect(
            reason { $0.count = 11 }
                == "10 observations found in buckets, but the Count field is 11: histogram's observation count should equal "
                + "the number of observations found in the buckets (in absence of NaN)")
        #expect(reason { ($0.count, $0.sum) = (11, .nan) } == nil)
        #expect(
            reason { ($0.count, $0.sum) = (9, .nan) }
                == "10 observations found in buckets, but the Count field is 9: histogram's observation count should be at least "
                + "the number of observations found in the buckets")
        #expect(
            reason { $0.positiveDeltas = [3, -4, 1] }
                == "positive side: bucket number 2 has observation count of -1: "
                + "histogram has a bucket whose observation count is negative")
        #expect(
            reason { $0.positiveDeltas = [.max, 0, 0] } == "observations found in buckets are more than 64 bits hold")
        #expect(reason { $0.positiveDeltas = [.max, .max, 0] } != nil)
        #expect(reason { $0.zeroCount = .max } != nil)
    }

    @Test("malformed histograms never trap, whatever is done with them", arguments: TestSeed.seeds(20))
    func hostile(seed: UInt64) {
        var random = RandomHistograms(seed: seed)
        var refused = 0
        for _ in 0..<TestSeed.cases(300) {
            let a = random.malformed()
            let b = random.int(0...1) == 0 ? random.malformed() : random.exponential()
            if let reason = Self.reason(a) {
                refused += 1
                #expect(!reason.isEmpty)
            }
            var sum = a
            _ = try? sum.add(b)
            var difference = b
            _ = try? difference.subtract(a)
            var exact = b
            var compensation: FloatHistogram?
            _ = try? exact.add(a, compensation: &compensation)
            _ = try? exact.add(b, compensation: &compensation)
            _ = a.detectsReset(since: b) != b.detectsReset(since: a)
            _ = a.isEquivalent(to: b)
            for var histogram in [a, sum, difference, exact] {
                #expect(!histogram.description.isEmpty && !histogram.testExpression.isEmpty)
                _ = histogram.usedBuckets.count
                _ = histogram.quantile(random.double(0...1)) + histogram.fraction(from: -1, to: random.double(-1...9))
                _ = histogram.standardVariance
                histogram = histogram.trimmed(keepingUpTo: random.double(-5...5)).trimmed(keepingFrom: -1)
                histogram.compact(maximumEmptyBuckets: random.oneOf([0, 1, .max, -1]))
                histogram.reduceResolution(to: random.oneOf([-4, 0, .min, 7]))
                histogram.multiply(by: -2)
                histogram.divide(by: 0)
            }
            var whole = IntegerHistogram(
                schema: a.schema, zeroThreshold: a.zeroThreshold, zeroCount: 3, count: 5,
                positiveSpans: a.positiveSpans,
                negativeSpans: a.negativeSpans,
                positiveDeltas: a.positiveBuckets.map { _ in random.oneOf([1, -1, .max, .min]) },
                negativeDeltas: a.negativeBuckets.map { _ in 1 }, customBounds: a.customBounds)
            _ = try? whole.validate()
            whole.compact(maximumEmptyBuckets: 2)
            whole.reduceResolution(to: 0)
            _ = FloatHistogram(whole).count
        }
        #expect(refused > 50, "the generator makes malformed ones; seed \(seed)")
    }
}

@Suite struct HistogramTextTests {
    @Test("for people: buckets with their bounds, ascending")
    func description() {
        let histogram = FloatHistogram(
            schema: 0, zeroThreshold: 0.001, zeroCount: 0.5, count: 10.5, sum: -2e7, positiveSpans: spans((1, 2)),
            negativeSpans: spans((0, 2)), positiveBuckets: [3, 0], negativeBuckets: [4, 3])
        #expect(
            histogram.description == "{count:10.5, sum:-2e+07, [-2,-1):3, [-1,-0.5):4, [-0.001,0.001]:0.5, (1,2]:3}")
        #expect(FloatHistogram().description == "{count:0, sum:0}")
    }

    @Test("as scripts write it: what is zero is left out, buckets are one list from an offset")
    func testExpression() {
        let histogram = FloatHistogram(
            hint: .gauge, schema: 1, zeroThreshold: 0.001, zeroCount: 2, count: 12, sum: 18.4,
            positiveSpans: spans((-1, 2), (2, 1)),
            negativeSpans: spans((0, 2)), positiveBuckets: [1, 2, 3], negativeBuckets: [4, 0])
        #expect(
            histogram.testExpression
                == "{{schema:1 count:12 sum:18.4 z_bucket:2 z_bucket_w:0.001 counter_reset_hint:gauge offset:-1 "
                + "buckets:[1 2 0 0 3] n_buckets:[4]}}")
        #expect(FloatHistogram().testExpression == "{{}}")
        let custom = FloatHistogram(
            hint: .notReset, schema: -53, count: 3, positiveSpans: spans((1, 2)), positiveBuckets: [1, 2],
            customBounds: [0.5, 1, 10])
        #expect(
            custom.testExpression
                == "{{schema:-53 count:3 custom_values:[0.5 1 10] counter_reset_hint:not_reset offset:1 buckets:[1 2]}}"
        )
        #expect(
            FloatHistogram(hint: .reset, negativeSpans: spans((3, 1)), negativeBuckets: [1]).testExpression
                == "{{counter_reset_hint:reset n_offset:3 n_buckets:[1]}}")
    }
}

@Suite struct ScalingTests {
    private static let histogram = FloatHistogram(
        hint: .notReset, zeroCount: 1, count: 6, sum: 4, positiveSpans: spans((0, 2)), negativeSpans: spans((0, 1)),
        positiveBuckets: [1, 2], negativeBuckets: [2])

    @Test("every count and the sum are scaled; a negative factor makes a gauge")
    func multiply() {
        var twice = Self.histogram
        twice.multiply(by: 2)
        #expect(twice.positiveBuckets == [2, 4] && twice.negativeBuckets == [4])
        #expect((twice.zeroCount, twice.count, twice.sum) == (2, 12, 8))
        #expect(twice.hint == .notReset)
        twice.divide(by: -2)
        #expect(twice.positiveBuckets == [-1, -2] && twice.sum == -4)
        #expect(twice.hint == .gauge)
    }

    @Test("division by zero leaves no buckets")
    func divideByZero() {
        var nothing = Self.histogram
        nothing.divide(by: 0)
        #expect(nothing.positiveBuckets.isEmpty && nothing.positiveSpans.isEmpty && nothing.negativeBuckets.isEmpty)
        #expect((nothing.zeroCount, nothing.count, nothing.sum) == (.infinity, .infinity, .infinity))
        #expect(nothing.hint == .notReset)
        #expect(nothing.hasOverflow && !Self.histogram.hasOverflow)
    }
}
