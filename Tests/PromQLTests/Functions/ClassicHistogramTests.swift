import Support
import TSDB
import Testing

@testable import PromQL

@Suite("Classic histograms")
struct ClassicHistogramTests {
    private func histogram(_ buckets: [(Double, Double)]) -> PromQL.ClassicHistogram {
        PromQL.ClassicHistogram(buckets.map { PromQL.ClassicHistogram.Bucket(upperBound: $0.0, count: $0.1) })
    }

    let usual: [(Double, Double)] = [(0.1, 10), (0.5, 40), (1, 80), (.infinity, 100)]

    @Test("quantiles interpolate inside their bucket")
    func interpolation() {
        let usual = histogram(usual)
        #expect(usual.quantile(0.5) == 0.625)
        #expect(usual.quantile(0.05) == 0.05)
        #expect(usual.quantile(0.1) == 0.1)
        #expect(usual.quantile(0) == 0)
    }

    @Test("in the +Inf bucket the highest finite bound is the answer; a lowest bound below zero answers itself")
    func edges() {
        #expect(histogram(usual).quantile(0.95) == 1)
        #expect(histogram([(-1, 10), (1, 20), (.infinity, 20)]).quantile(0.2) == -1)
    }

    @Test("what cannot be answered is NaN, quantiles out of range are infinite")
    func special() {
        #expect(histogram(usual).quantile(.nan).isNaN)
        #expect(histogram(usual).quantile(-0.1) == -.infinity)
        #expect(histogram(usual).quantile(1.1) == .infinity)
        #expect(histogram([(1, 10), (2, 20)]).quantile(0.5).isNaN)
        #expect(histogram([(.infinity, 20)]).quantile(0.5).isNaN)
        #expect(histogram([(1, 0), (.infinity, 0)]).quantile(0.5).isNaN)
        #expect(PromQL.ClassicHistogram().quantile(0.5).isNaN)
        #expect(PromQL.ClassicHistogram().fraction(from: 0, to: 1).isNaN)
    }

    @Test("counts of equal bounds are added up")
    func coalescing() {
        #expect(histogram([(1, 5), (1, 5), (.infinity, 10)]).buckets.map(\.count) == [10, 10])
    }

    @Test("falling counts are levelled and told; tiny differences are levelled silently")
    func monotonic() {
        var falling = histogram([(1, 10), (2, 7), (3, 9), (4, 20), (5, 19.5), (.infinity, 20)])
        #expect(
            falling.makeMonotonic()
                == PromQL.ClassicHistogram.Correction(lowestBound: 2, highestBound: 5, largestDifference: 3))
        #expect(falling.buckets.map(\.count) == [10, 10, 10, 20, 20, 20])
        var noisy = histogram([(1, 10), (2, 10 - 1e-12), (3, 10 + 1e-12), (.infinity, 11)])
        #expect(noisy.makeMonotonic() == nil)
        #expect(noisy.buckets.map(\.count) == [10, 10, 10, 11])
    }

    @Test("fractions count between two values")
    func fraction() {
        let usual = histogram(usual)
        #expect(usual.fraction(from: -.infinity, to: .infinity) == 1)
        #expect(usual.fraction(from: 0.1, to: 1) == 0.7)
        #expect(usual.fraction(from: 0, to: 0.05) == 0.05)
        #expect(usual.fraction(from: 0.75, to: .infinity) == 0.4)
        #expect(usual.fraction(from: 1, to: 0.5) == 0)
        #expect(usual.fraction(from: .nan, to: 1).isNaN)
        #expect(histogram([(1, 10)]).fraction(from: 0, to: 1).isNaN)
    }

    @Test("fraction is the inverse of quantile", arguments: TestSeed.seeds(3))
    func inverse(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<TestSeed.cases(500) {
            var bound = 0.0, count = 0.0
            var buckets: [(Double, Double)] = []
            for _ in 0..<Int.random(in: 1...12, using: &random) {
                bound += Double.random(in: 0.1...2, using: &random)
                count += Double(Int.random(in: 1...50, using: &random))
                buckets.append((bound, count))
            }
            buckets.append((.infinity, count))
            let histogram = histogram(buckets)
            let phi = Double.random(in: 0...1, using: &random)
            let back = histogram.fraction(from: -.infinity, to: histogram.quantile(phi))
            #expect((back - phi).magnitude < 1e-9, "seed \(seed): \(phi) became \(back)")
        }
    }

    // MARK: As functions

    let input = DrawnVector([
        (["__name__": "b", "job": "x", "le": "+Inf"], "100 _ 100"), (["__name__": "b", "job": "x", "le": "0.5"], "40 _ 30"),
        (["__name__": "b", "job": "x", "le": "0.1"], "10 1 _"), (["__name__": "b", "job": "x", "le": "1.0"], "80 _ 20"),
        (["__name__": "b", "job": "y", "le": "+Inf"], "_ 4 _"), (["__name__": "b", "job": "y", "le": "1"], "_ 4 _"),
    ])

    @Test("histogram_quantile sorts series into histograms, step by step")
    func quantileFunction() throws {
        let bench = Bench(steps: 3)
        let result = try bench.call("histogram_quantile(0.5, b)", DrawnScalar(0.5), input)
        // Second step of x: no +Inf bucket. Third step: 1.0 fell below 0.5 and was raised; half lies above all bounds.
        #expect(try result.drawn(steps: 3) == ["{job=\"x\"}": "0.625 NaN 1", "{job=\"y\"}": "_ 0.5 _"])
        #expect(
            bench.context.annotations.descriptions(.info, in: "histogram_quantile(0.5, b)") == [
                "PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see "
                    + "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile), from buckets 1 "
                    + "to 1, with a max diff of 10, over 1 samples from 1970-01-01T00:02:00Z to 1970-01-01T00:02:00Z (1:25)"
            ])
    }

    @Test("histogram_fraction and histogram_quantiles")
    func others() throws {
        let bench = Bench(steps: 3)
        #expect(
            try bench.call("histogram_fraction(0, 1, b)", DrawnScalar(0), DrawnScalar(1), input).drawn(steps: 3)
                == ["{job=\"x\"}": "0.8 NaN 0.2", "{job=\"y\"}": "_ 1 _"])
        let quantiles = try bench.call(
            "histogram_quantiles(b, \"q\", 0.5, 1)", input, DrawnScalar(0.5), DrawnScalar(1))
        #expect(
            try quantiles.drawn(steps: 3) == [
                "{job=\"x\", q=\"0.5\"}": "0.625 NaN 1", "{job=\"y\", q=\"0.5\"}": "_ 0.5 _",
                "{job=\"x\", q=\"1.0\"}": "1 NaN 1", "{job=\"y\", q=\"1.0\"}": "_ 1 _",
            ])
    }

    @Test("a quantile may differ from step to step")
    func movingQuantile() throws {
        let y = DrawnVector([(["le": "+Inf"], "4 4 4"), (["le": "1"], "4 4 4")])
        let result = try Bench(steps: 3).call("histogram_quantile(0.5, b)", DrawnScalar(0.25, 0.5, 2), y)
        let rows = try result.cells(steps: 3)
        #expect(rows[0].1 == [0.25, 0.5, .infinity])
    }

    @Test("quantiles out of range and broken bounds are noted")
    func warnings() throws {
        let bench = Bench(steps: 1)
        let broken = DrawnVector([
            (["le": "x"], "1"), (["a": "b"], "1"), (["le": "zz"], "_"), (["le": "+Inf"], "2"), (["le": "1"], "2"),
        ])
        let query = "histogram_quantile(7, b)"
        #expect(try bench.call(query, DrawnScalar(7), broken).drawn(steps: 1) == ["{}": "inf"])
        #expect(
            bench.context.annotations.descriptions(.warning, in: query) == [
                "PromQL warning: quantile value should be between 0 and 1, got 7 (1:20)",
                "PromQL warning: bucket label \"le\" is missing or has a malformed value of \"\" (1:23)",
                "PromQL warning: bucket label \"le\" is missing or has a malformed value of \"x\" (1:23)",
            ])
    }

    @Test("numbers in labels look as OpenMetrics wants them")
    func openMetrics() {
        #expect(OpenMetricsNumber.text(1) == "1.0")
        #expect(OpenMetricsNumber.text(0.99) == "0.99")
        #expect(OpenMetricsNumber.text(1e-7) == "1e-07")
        #expect(OpenMetricsNumber.text(.nan) == "NaN")
        #expect(OpenMetricsNumber.text(.infinity) == "+Inf")
    }
}
