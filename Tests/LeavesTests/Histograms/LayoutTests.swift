import Support
import Testing

@testable import Histograms

@Suite struct CompactionTests {
    private static func compact(
        _ spans: [BucketSpan], _ buckets: [Double], maximumEmptyBuckets: Int = 0
    ) -> (spans: [BucketSpan], buckets: [Double]) {
        var positive = FloatHistogram(positiveSpans: spans, positiveBuckets: buckets)
        positive.compact(maximumEmptyBuckets: maximumEmptyBuckets)
        var negative = FloatHistogram(negativeSpans: spans, negativeBuckets: buckets)
        negative.compact(maximumEmptyBuckets: maximumEmptyBuckets)
        #expect(positive.positiveSpans == negative.negativeSpans)
        #expect(positive.positiveBuckets == negative.negativeBuckets)
        let deltas = IntegerHistogram.deltas(buckets.map(Int64.init))
        var integer = IntegerHistogram(positiveSpans: spans, positiveDeltas: deltas)
        integer.compact(maximumEmptyBuckets: maximumEmptyBuckets)
        #expect(integer.positiveSpans == positive.positiveSpans)
        #expect(IntegerHistogram.absolute(integer.positiveDeltas).map(Double.init) == positive.positiveBuckets)
        return (positive.positiveSpans, positive.positiveBuckets)
    }

    @Test("what is compact stays")
    func nothingToDo() {
        let result = Self.compact(spans((-2, 2), (1, 1)), [1, 2, 3])
        #expect(result == (spans((-2, 2), (1, 1)), [1, 2, 3]))
    }

    @Test("empty buckets go: at the ends, in the middle, and whole spans")
    func emptyBuckets() {
        let result = Self.compact(spans((-2, 5), (1, 2), (2, 3)), [0, 1, 0, 0, 2, 0, 0, 0, 3, 0])
        // indices −2…2, 4 5, 8 9 10
        #expect(result == (spans((-1, 1), (2, 1), (6, 1)), [1, 2, 3]))
    }

    @Test("gaps of at most the given length are written out, longer ones are not")
    func gaps() {
        let result = Self.compact(spans((0, 5), (1, 1), (2, 1)), [1, 0, 2, 0, 3, 4, 5], maximumEmptyBuckets: 1)
        #expect(result == (spans((0, 7), (2, 1)), [1, 0, 2, 0, 3, 0, 4, 5]))
    }

    @Test("neighbouring and empty spans are joined")
    func joined() {
        let result = Self.compact(spans((3, 1), (0, 2), (2, 0), (1, 0), (0, 1), (4, 0)), [1, 2, 3, 4])
        #expect(result == (spans((3, 3), (3, 1)), [1, 2, 3, 4]))
    }

    @Test("nothing is left of empty buckets and of empty spans")
    func nothing() {
        #expect(Self.compact(spans((1, 2), (3, 1)), [0, 0, 0]) == ([], []))
        #expect(Self.compact(spans((1, 0), (3, 0)), []) == ([], []))
    }

    @Test("spans four billion buckets apart are not joined")
    func wideGap() {
        let result = Self.compact(spans((.min, 1), (.max, 1)), [1, 1], maximumEmptyBuckets: .max)
        #expect(result == (spans((.min, 1), (.max, 1)), [1, 1]))
    }

    @Test("compaction changes no bucket's count", arguments: TestSeed.seeds(10))
    func counts(seed: UInt64) throws {
        var random = RandomHistograms(seed: seed)
        for _ in 0..<TestSeed.cases(200) {
            let histogram = random.exponential()
            var compact = histogram
            let gap = random.int(0...4)
            compact.compact(maximumEmptyBuckets: gap)
            try compact.validate()
            #expect(compact.positiveCounts == histogram.positiveCounts, "\(histogram), seed \(seed)")
            #expect(compact.negativeCounts == histogram.negativeCounts, "\(histogram), seed \(seed)")
            #expect(compact.positiveSpans.dropFirst().allSatisfy { Int($0.offset) > gap })
            #expect(compact.positiveBuckets.first != 0 && compact.positiveBuckets.last != 0)
            var again = compact
            again.compact(maximumEmptyBuckets: gap)
            #expect(again.isEquivalent(to: compact))
        }
    }
}

@Suite struct ResolutionTests {
    @Test("a bucket and its neighbour become one")
    func halved() {
        var histogram = FloatHistogram(
            schema: 1, count: 21, positiveSpans: spans((-1, 3), (1, 3)), positiveBuckets: [1, 2, 3, 4, 5, 6])
        histogram.reduceResolution(to: 0)  // −1 0 | 1 | 3 4 | 5  →  0 0 | 1 | 2 2 | 3
        #expect(histogram.schema == 0)
        #expect(histogram.positiveSpans == spans((0, 4)))
        #expect(histogram.positiveBuckets == [3, 3, 9, 6])
    }

    @Test("gaps become narrower; empty spans are gone")
    func gaps() {
        var histogram = FloatHistogram(
            schema: 2, negativeSpans: spans((-8, 1), (20, 0), (4, 2)), negativeBuckets: [1, 2, 3])
        histogram.reduceResolution(to: 0)  // −8 → −2, 17 → 5, 18 → 5
        #expect(histogram.negativeSpans == spans((-2, 1), (6, 1)))
        #expect(histogram.negativeBuckets == [1, 5])
    }

    @Test("a finer schema, the same one, and custom bounds: nothing is done")
    func nothing() {
        var histogram = FloatHistogram(schema: 1, positiveSpans: spans((0, 2)), positiveBuckets: [1, 2])
        histogram.reduceResolution(to: 1)
        histogram.reduceResolution(to: 3)
        histogram.reduceResolution(to: -53)
        #expect(histogram.positiveBuckets == [1, 2] && histogram.schema == 1)
        histogram.schema = -53
        histogram.reduceResolution(to: -60)
        #expect(histogram.schema == -53)
    }

    @Test("no count is lost, step by step or at once, in whole numbers too", arguments: TestSeed.seeds(10))
    func conserves(seed: UInt64) throws {
        var random = RandomHistograms(seed: seed)
        for _ in 0..<TestSeed.cases(200) {
            let histogram = random.exponential(schemas: -3...8)
            let target = Int32(random.int(-4...Int(histogram.schema) - 1))
            var coarse = histogram
            coarse.reduceResolution(to: target)
            try coarse.validate()
            #expect(coarse.totalOfBuckets == histogram.totalOfBuckets)
            var stepwise = histogram
            while stepwise.schema > target { stepwise.reduceResolution(to: stepwise.schema - 1) }
            #expect(stepwise.isEquivalent(to: coarse), "\(histogram) to \(target), seed \(seed)")
            // Every bucket lies inside the one it went to.
            for (index, count) in histogram.positiveCounts {
                let upper = BucketBounds.exponential(index, schema: histogram.schema)
                let goal = coarse.positiveCounts.keys.filter { coarse.bound($0) >= upper }.min()
                #expect(goal.map { coarse.bound($0 - 1) < upper } == true && count > 0)
            }
            var whole = IntegerHistogram(
                schema: histogram.schema, positiveSpans: histogram.positiveSpans,
                negativeSpans: histogram.negativeSpans,
                positiveDeltas: IntegerHistogram.deltas(histogram.positiveBuckets.map(Int64.init)),
                negativeDeltas: IntegerHistogram.deltas(histogram.negativeBuckets.map(Int64.init)))
            whole.reduceResolution(to: target)
            #expect(FloatHistogram(whole).positiveBuckets == coarse.positiveBuckets)
            #expect(FloatHistogram(whole).negativeSpans == coarse.negativeSpans)
        }
    }
}

@Suite struct EquivalenceTests {
    @Test("empty spans do not make a difference")
    func emptySpans() {
        let plain = FloatHistogram(count: 3, positiveSpans: spans((1, 2), (3, 1)), positiveBuckets: [1, 1, 1])
        var split = plain
        split.positiveSpans = spans((0, 0), (1, 2), (1, 0), (2, 1), (7, 0))
        #expect(plain.isEquivalent(to: split))
        split.positiveSpans = spans((1, 2), (2, 1))
        #expect(!plain.isEquivalent(to: split))
    }

    @Test("numbers are compared bit by bit, hints not at all")
    func bits() {
        let plain = FloatHistogram(
            hint: .gauge, count: 1, sum: .nan, positiveSpans: spans((0, 1)), positiveBuckets: [0])
        var other = plain
        other.hint = .reset
        #expect(plain.isEquivalent(to: other))
        other.positiveBuckets = [-0.0]
        #expect(!plain.isEquivalent(to: other))
        other = plain
        other.sum = Double(bitPattern: 0x7ff0_0000_0000_0002)
        #expect(!plain.isEquivalent(to: other))
    }

    @Test("bounds matter only where they are used")
    func bounds() {
        let exponential = FloatHistogram(schema: 0)
        var other = exponential
        other.customBounds = [1]
        #expect(exponential.isEquivalent(to: other))
        let custom = FloatHistogram(schema: -53, customBounds: [1, 2])
        other = custom
        other.customBounds = [1, 3]
        #expect(!custom.isEquivalent(to: other))
    }
}
