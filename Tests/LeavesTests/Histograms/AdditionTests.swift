import Support
import Testing

@testable import Histograms

@Suite struct AdditionTests {
    private static func make(_ spans: [BucketSpan], _ buckets: [Double], schema: Int32 = 0) -> FloatHistogram {
        FloatHistogram(
            schema: schema, count: buckets.reduce(0, +), sum: 1, positiveSpans: spans, positiveBuckets: buckets)
    }

    private static func sum(_ a: FloatHistogram, _ b: FloatHistogram) throws -> FloatHistogram {
        var sum = a
        try sum.add(b)
        return sum
    }

    @Test("the same layout is added place by place")
    func sameLayout() throws {
        let sum = try Self.sum(
            Self.make(spans((0, 2), (1, 1)), [1, 2, 3]), Self.make(spans((0, 2), (1, 1)), [10, 20, 30]))
        #expect(sum.positiveBuckets == [11, 22, 33])
        #expect(sum.positiveSpans == spans((0, 2), (1, 1)))
        #expect(sum.count == 66)
        #expect(sum.sum == 2)
    }

    @Test("buckets that only the other has are made: before, between, behind")
    func insertion() throws {
        let sum = try Self.sum(
            Self.make(spans((0, 2), (3, 2)), [1, 2, 3, 4]),
            Self.make(spans((-3, 2), (1, 5), (3, 1)), [1, 1, 10, 20, 30, 40, 50, 7]))
        // indices of a: 0 1 5 6; of b: −3 −2 0…4 8
        #expect(sum.positiveCounts == [-3: 1, -2: 1, 0: 11, 1: 22, 2: 30, 3: 40, 4: 50, 5: 3, 6: 4, 8: 7])
        #expect(sum.positiveSpans == spans((-3, 2), (1, 7), (1, 1)))
    }

    @Test("a layout that has all of the other's buckets is kept")
    func covered() throws {
        let wide = Self.make(spans((-2, 6), (3, 2)), [1, 1, 1, 1, 1, 1, 1, 1])
        let sum = try Self.sum(wide, Self.make(spans((-1, 2), (1, 1), (4, 1)), [5, 6, 7, 8]))
        #expect(sum.positiveSpans == wide.positiveSpans)
        #expect(sum.positiveBuckets == [1, 6, 7, 1, 8, 1, 9, 1])
    }

    @Test("the coarser schema wins, whichever side has it")
    func schemas() throws {
        let fine = Self.make(spans((-1, 4)), [1, 2, 3, 4], schema: 1)  // indices −1 0 1 2 → 0 0 1 1
        let coarse = Self.make(spans((0, 2)), [10, 20])
        #expect(try Self.sum(fine, coarse).positiveCounts == [0: 13, 1: 27])
        #expect(try Self.sum(coarse, fine).positiveCounts == [0: 13, 1: 27])
        #expect(try Self.sum(fine, coarse).schema == 0)
    }

    @Test("the wider zero bucket takes in the other's small buckets, and moves to the end of one that it would divide")
    func zeroBuckets() throws {
        var narrow = Self.make(spans((-2, 4)), [1, 2, 3, 4])  // up to ¼, ½, 1, 2
        narrow.zeroCount = 5
        var wide = Self.make(spans((2, 1)), [7])
        wide.zeroThreshold = 0.4
        wide.zeroCount = 10
        for sum in [try Self.sum(narrow, wide), try Self.sum(wide, narrow)] {
            #expect(sum.zeroThreshold == 0.5)
            #expect(sum.zeroCount == 18)
            #expect(sum.positiveCounts == [0: 3, 1: 4, 2: 7])
        }
    }

    @Test("a negative bucket that is divided moves the threshold over positive ones too")
    func zeroBucketsBothSides() throws {
        var narrow = Self.make(spans((-1, 3)), [1, 2, 4])  // up to ½, 1, 2
        narrow.negativeSpans = spans((1, 1))
        narrow.negativeBuckets = [8]  // [−2, −1)
        var wide = FloatHistogram()
        wide.zeroThreshold = 1.5
        let sum = try Self.sum(narrow, wide)
        #expect(sum.zeroThreshold == 2)
        #expect(sum.zeroCount == 15)
        #expect(sum.positiveBuckets.isEmpty)
        #expect(sum.negativeBuckets.isEmpty)
    }

    @Test("an empty bucket may be divided by a zero bucket")
    func zeroBucketInEmptyBucket() throws {
        let narrow = Self.make(spans((0, 2)), [0, 4])
        var wide = FloatHistogram()
        wide.zeroThreshold = 0.75
        wide.zeroCount = 1
        let sum = try Self.sum(narrow, wide)
        #expect(sum.zeroThreshold == 0.75)
        #expect(sum.zeroCount == 1)
        #expect(sum.positiveCounts == [1: 4])
    }

    @Test(
        "hints: equal stays, gauge wins, unknown wins over the rest, reset with no reset is unknown and noted",
        arguments: [
            (.unknown, .unknown, .unknown, false), (.reset, .reset, .reset, false),
            (.notReset, .notReset, .notReset, false),
            (.gauge, .gauge, .gauge, false), (.gauge, .reset, .gauge, false), (.unknown, .gauge, .gauge, false),
            (.notReset, .gauge, .gauge, false), (.unknown, .reset, .unknown, false),
            (.reset, .unknown, .unknown, false),
            (.notReset, .unknown, .unknown, false), (.reset, .notReset, .unknown, true),
            (.notReset, .reset, .unknown, true),
        ] as [(CounterResetHint, CounterResetHint, CounterResetHint, Bool)])
    func hints(own: CounterResetHint, other: CounterResetHint, result: CounterResetHint, collision: Bool) throws {
        var a = FloatHistogram(hint: own)
        #expect(try a.add(FloatHistogram(hint: other)).resetCollision == collision)
        #expect(a.hint == result)
        var b = FloatHistogram(hint: own)
        var compensation: FloatHistogram?
        #expect(try b.add(FloatHistogram(hint: other), compensation: &compensation).resetCollision == collision)
        #expect(b.hint == result)
    }

    @Test("exponential and custom buckets do not mix; nothing is changed")
    func incompatible() {
        var a = FloatHistogram(schema: 0, count: 3)
        let b = FloatHistogram(schema: -53, count: 4)
        var compensation: FloatHistogram?
        #expect(throws: HistogramError.incompatibleSchemas) { try a.add(b) }
        #expect(throws: HistogramError.incompatibleSchemas) { try a.subtract(b) }
        #expect(throws: HistogramError.incompatibleSchemas) { try a.add(b, compensation: &compensation) }
        #expect(a.count == 3)
    }

    @Test("custom bounds that differ: what both have is left, and a note")
    func customBounds() throws {
        let a = FloatHistogram(
            schema: -53, count: 15, positiveSpans: spans((0, 5)), positiveBuckets: [1, 2, 3, 4, 5],
            customBounds: [1, 2, 5, 10])
        let b = FloatHistogram(
            schema: -53, count: 60, positiveSpans: spans((0, 2), (1, 1)), positiveBuckets: [10, 20, 30],
            customBounds: [1, 5, 20])
        var sum = a
        #expect(try sum.add(b) == AdditionNotes(boundsReconciled: true))
        #expect(sum.customBounds == [1, 5])
        #expect(sum.positiveCounts == [0: 11, 1: 25, 2: 39])
        #expect(sum.count == 75)
        var difference = a
        #expect(try difference.subtract(b).boundsReconciled)
        #expect(difference.positiveCounts == [0: -9, 1: -15, 2: -21])
        var exact = a
        var compensation: FloatHistogram?
        #expect(try exact.add(b, compensation: &compensation).boundsReconciled)
        #expect(exact.positiveCounts == [0: 11, 1: 25, 2: 39])
        #expect(compensation?.customBounds == [1, 5])
        #expect(compensation?.positiveBuckets == [0, 0, 0])
        var none = a
        try none.add(FloatHistogram(schema: -53, positiveSpans: spans((0, 1)), positiveBuckets: [1], customBounds: [3]))
        #expect(none.customBounds.isEmpty)
        #expect(none.positiveCounts == [0: 16])
    }

    @Test("subtraction makes buckets that only the other has negative")
    func subtraction() throws {
        var difference = Self.make(spans((0, 2)), [5, 6])
        try difference.subtract(Self.make(spans((1, 2)), [1, 2]))
        #expect(difference.positiveCounts == [0: 5, 1: 5, 2: -2])
        #expect(difference.count == 8)
        #expect(difference.sum == 0)
    }

    @Test("what rounding loses is kept in the compensation")
    func compensated() throws {
        let large = Self.make(spans((0, 1)), [1e100])
        let one = Self.make(spans((0, 2)), [1, 1])
        var sum = large
        var compensation: FloatHistogram?
        try sum.add(one, compensation: &compensation)
        try sum.add(one, compensation: &compensation)
        var minus = large
        minus.multiply(by: -1)
        try sum.add(minus, compensation: &compensation)
        #expect(sum.positiveBuckets == [0, 2])
        let held = try #require(compensation)
        #expect(held.positiveBuckets == [2, 0])
        try sum.add(held)
        #expect(sum.positiveBuckets == [2, 2])
        #expect(sum.count == 4)
    }

    @Test("an infinite sum has no remainder")
    func compensatedInfinity() throws {
        var sum = Self.make(spans((0, 1)), [.infinity])
        var compensation: FloatHistogram?
        try sum.add(Self.make(spans((0, 1)), [1]), compensation: &compensation)
        #expect(sum.positiveBuckets == [.infinity])
        #expect(compensation?.positiveBuckets == [0])
    }

    @Test(
        "sums of random histograms: commutative, nothing lost, the same with compensation",
        arguments: TestSeed.seeds(20))
    func laws(seed: UInt64) throws {
        var random = RandomHistograms(seed: seed)
        for _ in 0..<TestSeed.cases(200) {
            let isCustom = random.int(0...3) == 0
            let a = isCustom ? random.custom() : random.exponential()
            var b = isCustom ? random.custom() : random.exponential()
            // What of a coarse bucket is in the zero bucket already cannot be told: those sums are not symmetric.
            if a.zeroThreshold != b.zeroThreshold, a.schema != b.schema {
                b = random.exponential(schemas: Int(a.schema)...Int(a.schema))
            }
            var ab = a
            var ba = b
            #expect(try ab.add(b) == (try ba.add(a)))
            #expect(ab.count == a.count + b.count)
            #expect(ab.totalOfBuckets == ab.count, "\(a) + \(b), seed \(seed)")
            var exact = a
            var compensation: FloatHistogram?
            try exact.add(b, compensation: &compensation)
            let held = try #require(compensation)
            #expect(held.positiveSpans == exact.positiveSpans && held.positiveBuckets.allSatisfy { $0 == 0 })
            #expect(held.positiveBuckets.count == exact.positiveBuckets.count)
            #expect(held.negativeBuckets.count == exact.negativeBuckets.count)
            for var sum in [ab, ba, exact] {
                try sum.validate()
                #expect(sum.positiveCounts == ab.positiveCounts, "\(a) + \(b), seed \(seed)")
                #expect(sum.negativeCounts == ab.negativeCounts, "\(a) + \(b), seed \(seed)")
                #expect(sum.zeroCount == ab.zeroCount && sum.zeroThreshold == ab.zeroThreshold)
                sum.compact()
                #expect(sum.totalOfBuckets == ab.count)
                #expect(!(sum.positiveBuckets + sum.negativeBuckets).contains(0))
            }
            if a.schema == b.schema, a.zeroThreshold == b.zeroThreshold, a.zeroThreshold == 0, !isCustom {
                #expect(ab.positiveCounts == a.positiveCounts.merging(b.positiveCounts, uniquingKeysWith: +))
                try ab.subtract(b)
                #expect(ab.positiveCounts == a.positiveCounts)
                #expect(ab.negativeCounts == a.negativeCounts)
            }
        }
    }
}
