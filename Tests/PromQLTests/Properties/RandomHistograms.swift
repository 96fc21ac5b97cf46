import Histograms
import Support

/// The native histograms of one series, scrape by scrape: observations come in, and what goes wrong in the field goes wrong here.
///
///     counter   grows; starts again at zero; becomes coarser; gets a wider zero bucket; changes its bounds; counts NaN
///     gauge     any counts, every time
///
/// Counts are whole and sums are quarters, so that arithmetic on them is exact in any order.
struct RandomHistograms {
    private let isGauge: Bool
    private var schema: Int32
    private var bounds: [Double]
    private var zeroThreshold = 0.0
    private var positive: [Int: Double] = [:]
    private var negative: [Int: Double] = [:]
    private var zeroCount = 0.0
    /// Observations in no bucket.
    private var notNumbers = 0.0
    private var sum = 0.0

    private static let someBounds: [[Double]] = [[1, 2, 5], [1, 5], [0.5, 1, 2, 5, 10], [2]]

    init(_ random: inout SeededRandom) {
        isGauge = Int.random(in: 0..<5, using: &random) == 0
        let isCustom = Int.random(in: 0..<3, using: &random) == 0
        schema = isCustom ? FloatHistogram.customSchema : Int32.random(in: -1...3, using: &random)
        bounds = isCustom ? Self.someBounds.randomElement(using: &random) ?? [] : []
    }

    mutating func next(_ random: inout SeededRandom) -> FloatHistogram {
        if isGauge || chance(25, &random) { restart() }
        if chance(60, &random) {
            if bounds.isEmpty { becomeCoarser() } else { changeBounds(&random) }
        }
        if chance(80, &random), bounds.isEmpty { widenZeroBucket() }
        // Rarely the other kind altogether.
        if chance(200, &random) {
            restart()
            if bounds.isEmpty { changeBounds(&random) } else { (schema, bounds) = (1, []) }
        }
        for _ in 0..<Int.random(in: 0..<6, using: &random) { observe(&random) }
        return histogram
    }

    private func chance(_ one: Int, _ random: inout SeededRandom) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }

    private mutating func observe(_ random: inout SeededRandom) {
        sum += Double(Int.random(in: 1...20, using: &random)) / 4
        if !bounds.isEmpty {
            positive[Int.random(in: 0...bounds.count, using: &random), default: 0] += 1
            return
        }
        switch Int.random(in: 0..<100, using: &random) {
        case 0:
            notNumbers += 1
            sum = .nan
        case 1..<12: zeroCount += 1
        case 12..<25: negative[Int.random(in: -2...3, using: &random), default: 0] += 1
        default: positive[Int.random(in: -2...6, using: &random), default: 0] += 1
        }
    }

    private mutating func restart() {
        positive = [:]
        negative = [:]
        zeroCount = 0
        notNumbers = 0
        sum = 0
    }

    private mutating func becomeCoarser() {
        guard schema > -3 else { return restart() }
        schema -= 1
        // Two neighbours become one; the bucket (½, 1] has the index 0 in every schema.
        func merged(_ counts: [Int: Double]) -> [Int: Double] {
            counts.reduce(into: [:]) { $0[($1.key + 1) >> 1, default: 0] += $1.value }
        }
        positive = merged(positive)
        negative = merged(negative)
    }

    private mutating func changeBounds(_ random: inout SeededRandom) {
        restart()
        schema = FloatHistogram.customSchema
        zeroThreshold = 0
        bounds = Self.someBounds.randomElement(using: &random) ?? [1]
    }

    private mutating func widenZeroBucket() {
        zeroThreshold = zeroThreshold == 0 ? 0.001 : zeroThreshold * 4
        restart()
    }

    private var histogram: FloatHistogram {
        let (positiveSpans, positiveBuckets) = laidOut(positive)
        let (negativeSpans, negativeBuckets) = laidOut(negative)
        let count = positiveBuckets.reduce(0, +) + negativeBuckets.reduce(0, +) + zeroCount + notNumbers
        return FloatHistogram(
            hint: isGauge ? .gauge : .unknown, schema: schema, zeroThreshold: zeroThreshold, zeroCount: zeroCount, count: count,
            sum: sum, positiveSpans: positiveSpans, negativeSpans: negativeSpans, positiveBuckets: positiveBuckets,
            negativeBuckets: negativeBuckets, customBounds: bounds)
    }

    private func laidOut(_ counts: [Int: Double]) -> ([BucketSpan], [Double]) {
        var spans: [BucketSpan] = [], end = 0
        let buckets = counts.sorted { $0.key < $1.key }
        for (index, _) in buckets {
            if let last = spans.indices.last, index == end {
                spans[last].length += 1
            } else {
                spans.append(BucketSpan(offset: Int32(index - end), length: 1))
            }
            end = index + 1
        }
        return (spans, buckets.map(\.value))
    }
}
