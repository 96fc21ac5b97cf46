import Support
import Testing

@testable import Histograms

/// `a` and `b` are equal but for what logarithms round.
func isNear(_ a: Double, _ b: Double) -> Bool {
    a == b || (a.isNaN && b.isNaN) || abs(a - b) <= 1e-12 * max(abs(a), abs(b), 1e-3)
}

@Suite struct QuantileTests {
    private static let positive = FloatHistogram(
        schema: 0, count: 10, sum: 20, positiveSpans: spans((0, 3)), positiveBuckets: [2, 6, 2])  // (½,1] (1,2] (2,4]

    @Test(
        "inside an exponential bucket: even steps on a logarithmic scale",
        arguments: [
            (0, 0.5), (0.1, 0.7071067811865476), (0.2, 1), (0.5, 1.4142135623730951), (0.8, 2),
            (0.9, 2.8284271247461903), (1, 4),
        ])
    func exponential(q: Double, value: Double) {
        #expect(isNear(Self.positive.quantile(q), value))
    }

    @Test("negative buckets are the mirror image", arguments: [0.05, 0.3, 0.5, 0.77, 0.9])
    func negative(q: Double) {
        let mirrored = FloatHistogram(
            schema: 0, count: 10, sum: -20, negativeSpans: spans((0, 3)), negativeBuckets: [2, 6, 2])
        #expect(isNear(mirrored.quantile(1 - q), -Self.positive.quantile(q)))
    }

    @Test("out of range, not a number, nothing observed")
    func special() {
        #expect(Self.positive.quantile(-0.1) == -.infinity)
        #expect(Self.positive.quantile(1.1) == .infinity)
        #expect(Self.positive.quantile(.nan).isNaN)
        #expect(FloatHistogram().quantile(0.5).isNaN)
    }

    @Test("the zero bucket is divided evenly, and reaches only to where the others are")
    func zeroBucket() {
        var histogram = FloatHistogram(schema: 0, zeroThreshold: 0.2, zeroCount: 10, count: 10, sum: 0)
        #expect(isNear(histogram.quantile(0.25), -0.1))
        histogram.positiveSpans = spans((0, 1))
        histogram.positiveBuckets = [10]
        histogram.count = 20
        #expect(isNear(histogram.quantile(0.25), 0.1))
        histogram.negativeSpans = spans((0, 1))
        histogram.negativeBuckets = [10]
        histogram.count = 30
        #expect(isNear(histogram.quantile(0.5), 0))
        histogram.positiveSpans = []
        histogram.positiveBuckets = []
        histogram.count = 20
        #expect(isNear(histogram.quantile(0.75), -0.1))
    }

    @Test("a bucket begins where the zero bucket ends")
    func besideZeroBucket() {
        let histogram = FloatHistogram(
            schema: 0, zeroThreshold: 0.75, zeroCount: 0, count: 4, sum: 4, positiveSpans: spans((0, 1)),
            positiveBuckets: [4])
        #expect(isNear(histogram.quantile(0), 0.75))
        #expect(isNear(histogram.quantile(0.5), (0.75 as Double).squareRoot()))
    }

    @Test(
        "custom buckets are divided evenly; the first begins at 0 if it ends above; the last is its lower bound",
        arguments: [(0.1, 0.5), (0.2, 1), (0.5, 2.5), (0.8, 4), (0.9, 4), (1, 4)])
    func custom(q: Double, value: Double) {
        let histogram = FloatHistogram(
            schema: -53, count: 10, sum: 20, positiveSpans: spans((0, 3)), positiveBuckets: [2, 6, 2],
            customBounds: [1, 4])
        #expect(isNear(histogram.quantile(q), value))
    }

    @Test("a first custom bucket that ends at or below zero is its upper bound")
    func customBelowZero() {
        let histogram = FloatHistogram(
            schema: -53, count: 4, sum: -9, positiveSpans: spans((0, 2)), positiveBuckets: [2, 2],
            customBounds: [-3, 5])
        #expect(histogram.quantile(0.25) == -3)
        #expect(isNear(histogram.quantile(0.75), 1))
    }

    @Test("observations of NaN skew the ranks below them, and are the result above")
    func notANumber() {
        var histogram = Self.positive
        histogram.sum = .nan
        #expect(histogram.quantileWithNaNEffect(0.5) == (Self.positive.quantile(0.5), .none))
        histogram.count = 20
        let median = histogram.quantileWithNaNEffect(0.25)
        #expect(isNear(median.value, Self.positive.quantile(0.5)))
        #expect(median.effect == .skewed)
        let above = histogram.quantileWithNaNEffect(0.75)
        #expect(above.value.isNaN)
        #expect(above.effect == .isNaN)
        // Two infinities of different sign make a sum of NaN as well.
        #expect(histogram.fractionWithNaNEffect(from: -.infinity, to: .infinity) == (0.5, true))
    }

    @Test("a count that the buckets do not reach: the highest bound")
    func missing() {
        var histogram = Self.positive
        histogram.count = 20
        #expect(histogram.quantile(0.4) == 4 || histogram.quantile(0.49) < 4)
        #expect(FloatHistogram(count: 5).quantile(0.3) == 0)
    }

    @Test(
        "fractions: between bounds exactly, inside buckets by their scale",
        arguments: [
            (-.infinity, .infinity, 1), (-.infinity, 1, 0.2), (1, 2, 0.6), (1, 1.4142135623730951, 0.3), (0, 0.5, 0),
            (4, 100, 0),
            (2, 2, 0), (3, 1, 0), (.nan, 1, .nan),
        ] as [(Double, Double, Double)])
    func fraction(from: Double, to: Double, value: Double) {
        #expect(isNear(Self.positive.fraction(from: from, to: to), value))
    }

    @Test("fractions of custom buckets are even; those that reach to infinity are not divided")
    func customFraction() {
        let histogram = FloatHistogram(
            schema: -53, count: 10, sum: 20, positiveSpans: spans((0, 3)), positiveBuckets: [2, 6, 2],
            customBounds: [1, 4])
        #expect(isNear(histogram.fraction(from: 1, to: 2.5), 0.3))
        #expect(isNear(histogram.fraction(from: 4, to: 1e9), 0))
        #expect(isNear(histogram.fraction(from: 4, to: .infinity), 0.2))
        #expect(FloatHistogram().fraction(from: 0, to: 1).isNaN)
    }

    @Test("variance: the middle of each bucket against the mean")
    func variance() {
        let one = FloatHistogram(count: 4, sum: 4, positiveSpans: spans((1, 1)), positiveBuckets: [4])
        let middle = (2 as Double).squareRoot()
        #expect(isNear(one.standardVariance, (middle - 1) * (middle - 1)))
        let custom = FloatHistogram(
            schema: -53, count: 4, sum: 8, positiveSpans: spans((1, 2)), positiveBuckets: [2, 2],
            customBounds: [0, 2, 4])
        #expect(isNear(custom.standardVariance, 1))
        let zero = FloatHistogram(zeroThreshold: 1, zeroCount: 2, count: 2, sum: 0)
        #expect(zero.standardVariance == 0)
        #expect(FloatHistogram().standardVariance.isNaN)
    }

    @Test("quantiles ascend with q; a fraction up to a quantile is q", arguments: TestSeed.seeds(10))
    func laws(seed: UInt64) {
        var random = RandomHistograms(seed: seed)
        for _ in 0..<TestSeed.cases(200) {
            let isCustom = random.int(0...3) == 0
            let histogram = isCustom ? random.custom() : random.exponential()
            guard histogram.count > 0 else { continue }
            // One bucket from −Inf to +Inf says nothing: 0 · ∞ is its lowest quantile.
            if isCustom, histogram.customBounds.isEmpty { continue }
            let quantiles = stride(from: 0.0, through: 1, by: 0.05).map { histogram.quantile($0) }
            for (lower, upper) in zip(quantiles, quantiles.dropFirst()) {
                #expect(lower <= upper || isNear(lower, upper), "\(histogram), seed \(seed)")
            }
            let q = random.double(0.01...0.99)
            let value = histogram.quantile(q)
            // Inside a bucket that is divided there is a way back; not at its ends, nor where buckets reach to infinity.
            let bucket = histogram.usedBuckets.first { $0.lower < value && value < $0.upper }
            guard let bucket, bucket.lower > -.infinity, bucket.upper < .infinity else { continue }
            // Fractions take a custom bucket around zero for a zero bucket, quantiles do not; Prometheus has it so.
            if isCustom, bucket.lower <= 0, bucket.upper >= 0 { continue }
            #expect(
                abs(histogram.fraction(from: -.infinity, to: value) - q) < 1e-9, "\(histogram), q \(q), seed \(seed)")
        }
    }
}

@Suite struct TrimmingTests {
    private static let histogram = FloatHistogram(
        schema: 0, zeroThreshold: 0.25, zeroCount: 4, count: 20, sum: 30, positiveSpans: spans((0, 3)),
        negativeSpans: spans((1, 1)), positiveBuckets: [2, 6, 4], negativeBuckets: [4])

    @Test("nothing is taken away: nothing changes, not even the sum")
    func untouched() {
        #expect(Self.histogram.trimmed(keepingUpTo: 4).isEquivalent(to: Self.histogram))
        #expect(Self.histogram.trimmed(keepingUpTo: .infinity).isEquivalent(to: Self.histogram))
        #expect(Self.histogram.trimmed(keepingFrom: -2).isEquivalent(to: Self.histogram))
        #expect(Self.histogram.trimmed(keepingFrom: -.infinity).isEquivalent(to: Self.histogram))
    }

    @Test("at a bucket's bound: whole buckets go, the sum is estimated anew")
    func atBound() {
        let rest = Self.histogram.trimmed(keepingUpTo: 2)
        #expect(rest.positiveSpans == spans((0, 2)))
        #expect(rest.positiveBuckets == [2, 6])
        #expect(rest.negativeBuckets == [4])
        #expect(rest.zeroCount == 4)
        #expect(rest.count == 16)
        let middle = (2 as Double).squareRoot()
        #expect(isNear(rest.sum, 2 * (0.5 as Double).squareRoot() + 6 * middle - 4 * middle))
    }

    @Test("inside a bucket: it is divided on its scale")
    func insideBucket() {
        let cut = (2 as Double).squareRoot()
        let below = Self.histogram.trimmed(keepingUpTo: cut)
        #expect(isNear(below.positiveBuckets[1], 3))
        #expect(below.positiveBuckets.count == 2)
        #expect(isNear(below.count, 13))
        let above = Self.histogram.trimmed(keepingFrom: cut)
        #expect(above.positiveSpans == spans((1, 2)))
        #expect(isNear(above.positiveBuckets[0], 3))
        #expect(above.negativeBuckets.isEmpty)
        #expect(above.zeroCount == 0)
        #expect(isNear(above.count, 7))
        #expect(isNear(above.sum, 3 * (cut * 2).squareRoot() + 4 * (8 as Double).squareRoot()))
    }

    @Test("negative buckets")
    func negative() {
        let cut = -(2 as Double).squareRoot()
        let below = Self.histogram.trimmed(keepingUpTo: cut)
        #expect(isNear(below.count, 2))
        #expect(isNear(below.sum, -2 * (2 * -cut).squareRoot()))
        #expect(below.positiveBuckets.isEmpty)
        let above = Self.histogram.trimmed(keepingFrom: cut)
        #expect(isNear(above.negativeBuckets[0], 2))
        #expect(isNear(above.count, 18))
    }

    @Test("the zero bucket is divided evenly, between the sides that there are")
    func zeroBucket() {
        let both = Self.histogram.trimmed(keepingUpTo: 0.125)
        #expect(isNear(both.zeroCount, 3))
        #expect(isNear(both.count, 7))
        var onlyPositive = Self.histogram
        onlyPositive.negativeSpans = []
        onlyPositive.negativeBuckets = []
        #expect(isNear(onlyPositive.trimmed(keepingUpTo: 0.125).zeroCount, 2))
        #expect(isNear(onlyPositive.trimmed(keepingUpTo: 0.125).sum, 2 * 0.0625))
        #expect(onlyPositive.trimmed(keepingUpTo: 0).zeroCount == 0)
        #expect(onlyPositive.trimmed(keepingFrom: 0).isEquivalent(to: onlyPositive))
    }

    @Test("custom buckets are divided evenly; what reaches to infinity goes or stays whole")
    func custom() {
        let histogram = FloatHistogram(
            schema: -53, count: 12, sum: 30, positiveSpans: spans((0, 3)), positiveBuckets: [4, 6, 2],
            customBounds: [2, 4])
        let below = histogram.trimmed(keepingUpTo: 3)
        #expect(below.positiveBuckets == [4, 3])
        #expect(below.count == 7)
        #expect(isNear(below.sum, 4 * 1 + 3 * 2.5))
        #expect(histogram.trimmed(keepingUpTo: 1).positiveBuckets == [2])
        #expect(isNear(histogram.trimmed(keepingUpTo: 1).sum, 2 * 0.5))
        #expect(histogram.trimmed(keepingUpTo: 1000).positiveBuckets == [4, 6])
        let above = histogram.trimmed(keepingFrom: 1)
        #expect(above.positiveBuckets == [2, 6, 2])
        #expect(isNear(above.sum, 2 * 1.5 + 6 * 3 + 2 * 4))
        #expect(histogram.trimmed(keepingFrom: 1000).positiveSpans == spans((2, 1)))
        #expect(histogram.trimmed(keepingFrom: 1000).sum == 2000)
        let belowZero = FloatHistogram(
            schema: -53, count: 4, sum: -9, positiveSpans: spans((0, 2)), positiveBuckets: [2, 2],
            customBounds: [-3, 5])
        #expect(belowZero.trimmed(keepingUpTo: -10).positiveBuckets == [2])
        #expect(belowZero.trimmed(keepingUpTo: -10).sum == -20)
        #expect(belowZero.trimmed(keepingFrom: -10).positiveSpans == spans((1, 1)))
    }

    @Test("the two parts make the whole, and are what fractions say", arguments: TestSeed.seeds(10))
    func laws(seed: UInt64) throws {
        var random = RandomHistograms(seed: seed)
        for _ in 0..<TestSeed.cases(200) {
            let histogram = random.exponential()
            let cut = random.double(-8...8)
            let below = histogram.trimmed(keepingUpTo: cut)
            let above = histogram.trimmed(keepingFrom: cut)
            try below.validate()
            try above.validate()
            #expect(
                abs(below.count + above.count - histogram.count) < 1e-9 * histogram.count + 1e-9,
                "\(histogram), seed \(seed)")
            // Trimming does not look at what the zero bucket has of others, fractions do; and they ask for buckets, not for counts.
            guard histogram.count > 0, histogram.zeroThreshold == 0 else { continue }
            let fraction = histogram.fraction(from: -.infinity, to: cut)
            #expect(abs(below.count / histogram.count - fraction) < 1e-9, "\(histogram) at \(cut), seed \(seed)")
        }
    }
}
