import Histograms
import Support
import TSDB
import Testing

@testable import PromQL

/// A table of sums gives what adding histogram to histogram gives, to the bit: counts are no whole numbers here, so every addition rounds.
@Suite("sums of histograms that lie alike")
struct HistogramSumTableTests {
    private struct Maker {
        var random: SeededRandom
        let schema: Int32
        let zeroThreshold: Double
        let bounds: [Double]

        /// Buckets anywhere among 40, so that each histogram brings some that the others do not have; some are empty.
        mutating func next() -> FloatHistogram {
            var result = FloatHistogram(
                hint: [.unknown, .reset, .notReset, .gauge][Int.random(in: 0...3, using: &random)], schema: schema,
                zeroThreshold: zeroThreshold, customBounds: bounds)
            (result.positiveSpans, result.positiveBuckets) = side(most: bounds.isEmpty ? 40 : bounds.count + 1)
            if bounds.isEmpty {
                (result.negativeSpans, result.negativeBuckets) = side(most: 40)
                result.zeroCount = number()
            }
            (result.count, result.sum) = (number(), number())
            return result
        }

        private mutating func number() -> Double {
            switch Int.random(in: 0...19, using: &random) {
            case 0: 0
            case 1: -0.0
            case 2: 1e17
            default: Double.random(in: -10...1000, using: &random)
            }
        }

        private mutating func side(most: Int) -> ([BucketSpan], [Double]) {
            var spans: [BucketSpan] = [], buckets: [Double] = []
            var index = Int.random(in: 0...6, using: &random), behind = 0
            while index < most, spans.count < 4 {
                let length = min(Int.random(in: 1...6, using: &random), most - index)
                spans.append(BucketSpan(offset: Int32(index - behind), length: UInt32(length)))
                for _ in 0..<length { buckets.append(number()) }
                behind = index + length
                index = behind + Int.random(in: 1...8, using: &random)
            }
            return (spans, buckets)
        }
    }

    private func isSame(_ a: FloatHistogram, _ b: FloatHistogram) -> Bool {
        func bits(_ values: [Double]) -> [UInt64] { values.map(\.bitPattern) }
        return a.hint == b.hint && a.schema == b.schema
            && bits([a.count, a.sum, a.zeroCount]) == bits([b.count, b.sum, b.zeroCount])
            && a.positiveSpans == b.positiveSpans && a.negativeSpans == b.negativeSpans
            && bits(a.positiveBuckets) == bits(b.positiveBuckets) && bits(a.negativeBuckets) == bits(b.negativeBuckets)
            && a.customBounds == b.customBounds
    }

    @Test("rows of any spans add up to the bits of their sum, and of their mean", arguments: TestSeed.seeds(3))
    func sums(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for round in 0..<TestSeed.cases(100) {
            let isCustom = Int.random(in: 0...2, using: &random) == 0
            var maker = Maker(
                random: SeededRandom(seed: random.next()), schema: isCustom ? FloatHistogram.customSchema : 3,
                zeroThreshold: isCustom ? 0 : 0.001,
                bounds: isCustom ? [1, 2, 5, 10, 20] : [])
            var table: HistogramSumTable?
            var expected: [(total: FloatHistogram, compensation: FloatHistogram?)?] = [nil, nil, nil]
            var counts = [0.0, 0, 0]
            for _ in 0..<12 {
                let histogram = maker.next(), step = Int.random(in: 0...2, using: &random)
                var rows = HistogramRows()
                rows.append(sample: 0, histogram)
                let sums = table ?? HistogramSumTable(rows.layouts[0], steps: 3)
                table = sums
                #expect(try sums.accepts(rows.layouts[0]) { _ in })
                rows.buckets.withUnsafeBufferPointer { sums.add(rows.rows[0], $0, to: step) }
                counts[step] += 1
                if var (total, rest) = expected[step] {
                    try total.add(histogram, compensation: &rest)
                    expected[step] = (total, rest)
                } else {
                    expected[step] = (histogram, nil)
                }
            }
            let sums = try #require(table)
            for step in 0..<3 {
                guard let (total, rest) = expected[step] else {
                    #expect(!sums.has(step))
                    continue
                }
                for divisor in [nil, counts[step]] {
                    var result = HistogramRows()
                    sums.write(step, dividedBy: divisor, into: &result)
                    var total = total, rest = rest
                    if let divisor {
                        total.divide(by: divisor)
                        rest?.divide(by: divisor)
                    }
                    if let rest { try total.add(rest) }
                    total.compact()
                    let actual = try #require(result.histogram(sample: step))
                    guard isSame(actual, total) else {
                        Issue.record("seed \(seed), round \(round): \(actual) instead of \(total)")
                        return
                    }
                }
            }
        }
    }

    @Test("another schema, threshold or bound, or a bucket inside the zero bucket, does not lie alike")
    func unlike() throws {
        func layout(_ schema: Int32, _ threshold: Double, _ bounds: [Double] = [], first: Int32 = 1)
            -> HistogramRows.Layout
        {
            HistogramRows.Layout(
                schema: schema, zeroThreshold: threshold, positiveSpans: [BucketSpan(offset: first, length: 2)],
                negativeSpans: [],
                customBounds: bounds)
        }
        let sums = HistogramSumTable(layout(0, 0.5), steps: 1)
        #expect(try sums.accepts(layout(0, 0.5, first: 3)) { _ in })
        for other in [
            layout(1, 0.5), layout(0, 0.25), layout(FloatHistogram.customSchema, 0.5, [1, 2, 3]),
            layout(0, 0.5, first: -1),
        ] {
            #expect(try !sums.accepts(other) { _ in })
        }
        let custom = HistogramSumTable(layout(FloatHistogram.customSchema, 0, [1, 2, 3]), steps: 1)
        #expect(try !custom.accepts(layout(FloatHistogram.customSchema, 0, [1, 2, 4])) { _ in })
    }

    @Test("a refused budget leaves the table as it was")
    func refused() throws {
        var histogram = FloatHistogram(
            count: 3, sum: 5, positiveSpans: [BucketSpan(offset: 1, length: 1)], positiveBuckets: [3])
        var rows = HistogramRows()
        rows.append(sample: 0, histogram)
        let sums = HistogramSumTable(rows.layouts[0], steps: 1)
        rows.buckets.withUnsafeBufferPointer { sums.add(rows.rows[0], $0, to: 0) }
        histogram.positiveSpans = [BucketSpan(offset: 4, length: 1)]
        #expect(throws: QueryError.self) {
            try sums.accepts(HistogramRows.Layout(of: histogram)) { _ throws(QueryError) in
                throw QueryError(.evaluation, "no")
            }
        }
        #expect(sums.layout.bucketCount == 1 && sums.has(0))
    }
}
