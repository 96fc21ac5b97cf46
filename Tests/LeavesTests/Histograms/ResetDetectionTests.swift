import Support
import Testing

@testable import Histograms

@Suite struct ResetDetectionTests {
    private static let before = FloatHistogram(
        schema: 0, zeroThreshold: 0.01, zeroCount: 2, count: 20, sum: 5, positiveSpans: spans((-1, 2), (1, 1)),
        negativeSpans: spans((1, 1)), positiveBuckets: [1, 0, 5], negativeBuckets: [12])

    private static func changed(_ change: (inout FloatHistogram) -> Void) -> FloatHistogram {
        var histogram = before
        histogram.count = 100
        change(&histogram)
        return histogram
    }

    @Test("the same, or more everywhere, is no reset")
    func none() {
        #expect(!Self.before.detectsReset(since: Self.before))
        #expect(!Self.changed { $0.positiveBuckets = [2, 1, 5] }.detectsReset(since: Self.before))
        #expect(!Self.changed { $0.sum = -1 }.detectsReset(since: Self.before))
    }

    @Test("any count that falls is one: total, zero bucket, a bucket on either side")
    func falling() {
        #expect(Self.changed { $0.count = 19 }.detectsReset(since: Self.before))
        #expect(Self.changed { $0.zeroCount = 1 }.detectsReset(since: Self.before))
        #expect(Self.changed { $0.positiveBuckets[2] = 4 }.detectsReset(since: Self.before))
        #expect(Self.changed { $0.negativeBuckets[0] = 11 }.detectsReset(since: Self.before))
    }

    @Test("a bucket that is gone is one if it was populated")
    func missing() {
        let withoutEmpty = Self.changed {
            $0.positiveSpans = spans((-1, 1), (2, 2))
            $0.positiveBuckets = [1, 5, 1]
        }
        #expect(!withoutEmpty.detectsReset(since: Self.before))
        let withoutLast = Self.changed {
            $0.positiveSpans = spans((-1, 2))
            $0.positiveBuckets = [1, 7]
        }
        #expect(withoutLast.detectsReset(since: Self.before))
        let withoutAny = Self.changed {
            $0.positiveSpans = []
            $0.positiveBuckets = []
        }
        #expect(withoutAny.detectsReset(since: Self.before))
    }

    @Test("a hint is believed")
    func hints() {
        #expect(Self.changed { $0.hint = .reset }.detectsReset(since: Self.before))
        #expect(!Self.changed { ($0.hint, $0.count) = (.notReset, 1) }.detectsReset(since: Self.before))
        #expect(Self.changed { ($0.hint, $0.count) = (.gauge, 1) }.detectsReset(since: Self.before))
    }

    @Test("a finer schema is one; a coarser one compares joined buckets")
    func schemas() {
        #expect(Self.changed { $0.schema = 1 }.detectsReset(since: Self.before))
        // Indices −1 0 2 become 0 0 1.
        func coarse(_ buckets: [Double]) -> FloatHistogram {
            Self.changed {
                $0.schema = -1
                $0.positiveSpans = spans((0, 2))
                $0.positiveBuckets = buckets
            }
        }
        #expect(!coarse([1, 5]).detectsReset(since: Self.before))
        #expect(coarse([1, 4]).detectsReset(since: Self.before))
        #expect(coarse([0, 5]).detectsReset(since: Self.before))
    }

    @Test(
        "a narrower zero bucket is one; a wider one must not divide a populated bucket, nor count less than it took in")
    func zeroBuckets() {
        #expect(Self.changed { $0.zeroThreshold = 0.001 }.detectsReset(since: Self.before))
        // The bucket (¼, ½] with its one observation is in the zero bucket now.
        func wide(_ threshold: Double, zeroCount: Double) -> FloatHistogram {
            Self.changed {
                $0.zeroThreshold = threshold
                $0.zeroCount = zeroCount
                $0.positiveSpans = spans((2, 1))
                $0.positiveBuckets = [5]
            }
        }
        #expect(!wide(0.5, zeroCount: 3).detectsReset(since: Self.before))
        #expect(wide(0.5, zeroCount: 2).detectsReset(since: Self.before))
        #expect(wide(0.3, zeroCount: 3).detectsReset(since: Self.before))
        #expect(!wide(0.75, zeroCount: 3).detectsReset(since: Self.before))
    }

    @Test("custom bounds: compared between the bounds that both have")
    func customBounds() {
        func make(_ bounds: [Double], _ buckets: [Double]) -> FloatHistogram {
            FloatHistogram(
                schema: -53, count: buckets.reduce(0, +), positiveSpans: spans((0, UInt32(buckets.count))),
                positiveBuckets: buckets, customBounds: bounds)
        }
        let before = make([1, 2, 5], [1, 2, 3, 4])
        #expect(!make([1, 2, 5], [1, 2, 3, 4]).detectsReset(since: before))
        #expect(make([1, 2, 5], [1, 1, 9, 9]).detectsReset(since: before))
        #expect(!make([1, 5, 7], [1, 5, 4, 0]).detectsReset(since: before))
        #expect(make([1, 5, 7], [1, 4, 9, 9]).detectsReset(since: before))
        #expect(make([1, 5, 7], [5, 5, 1, 2]).detectsReset(since: before))
        #expect(make([], [10]).detectsReset(since: before) == false)
        #expect(make([], [9]).detectsReset(since: before))
        #expect(make([1], [50, 50]).detectsReset(since: FloatHistogram(schema: 0)))
    }

    @Test("what was added to is no reset, what was taken from is", arguments: TestSeed.seeds(10))
    func laws(seed: UInt64) throws {
        var random = RandomHistograms(seed: seed)
        for _ in 0..<TestSeed.cases(200) {
            let isCustom = random.int(0...3) == 0
            let a = isCustom ? random.custom() : random.exponential()
            let b =
                isCustom
                ? random.custom(bounds: a.customBounds) : random.exponential(schemas: Int(a.schema)...Int(a.schema))
            var sum = a
            try sum.add(b)
            #expect(!sum.detectsReset(since: a), "\(a) + \(b), seed \(seed)")
            #expect(!sum.detectsReset(since: b), "\(a) + \(b), seed \(seed)")
            guard let place = sum.positiveBuckets.indices.filter({ sum.positiveBuckets[$0] > 0 }).first else {
                continue
            }
            var less = sum
            less.positiveBuckets[place] -= 1
            #expect(less.detectsReset(since: sum))
            less.positiveSpans.insert(BucketSpan(offset: 0, length: 0), at: 0)  // Other spans: bucket by bucket.
            #expect(less.detectsReset(since: sum))
        }
    }
}
