import Histograms
import Support
import TSDB

/// A histogram that lives: observations come, buckets appear, it is reset, changes its schema, falls stale.
struct RandomHistograms {
    enum Kind: CaseIterable { case counter, gauge, custom }

    let kind: Kind
    let isFloat: Bool
    private var schema: Int32
    private var zeroThreshold: Double
    private var bounds: [Double] = []
    private var positive: [Int: Int64] = [:]
    private var negative: [Int: Int64] = [:]
    private var zeroCount: Int64 = 0
    private var sum = 0.0

    init(kind: Kind, isFloat: Bool, _ random: inout SeededRandom) {
        self.kind = kind
        self.isFloat = isFloat
        schema = kind == .custom ? FloatHistogram.customSchema : [-4, 0, 3, 8].randomElement(using: &random) ?? 0
        zeroThreshold = kind == .custom ? 0 : [0, 0x1p-128, 0.001, 1, 0x1p-243, 0x1p10, 0x1p11].randomElement(using: &random) ?? 0
        if kind == .custom {
            bounds =
                [[0.005, 0.01, 0.25, 1, 2.5, 10], [-1.5, 0, 1 / 3, 33554.43, 40000], [0.1, 0.2, 0.1 + 0.2]]
                .randomElement(using: &random) ?? []
        }
    }

    private mutating func observe(_ random: inout SeededRandom) {
        let amount: Int64 = [1, 1, 2, 7, 1000, Int64(1) << Int64.random(in: 0...50, using: &random)].randomElement(using: &random) ?? 1
        if kind == .custom {
            positive[Int.random(in: 0...bounds.count, using: &random), default: 0] += amount
        } else {
            let index =
                Int.random(in: 0...3, using: &random) == 0
                ? Int.random(in: -60...60, using: &random) : Int.random(in: -6...8, using: &random)
            if Bool.random(using: &random) { positive[index, default: 0] += amount } else { negative[index, default: 0] += amount }
        }
    }

    /// The next sample: now and then stale, as a histogram.
    mutating func next(_ random: inout SeededRandom) -> HistogramSample {
        if Int.random(in: 0..<40, using: &random) == 0 {
            return isFloat
                ? .float(FloatHistogram(sum: StaleMarker.value)) : .integer(IntegerHistogram(sum: StaleMarker.value))
        }
        for _ in 0..<([0, 1, 1, 2, 5].randomElement(using: &random) ?? 0) { observe(&random) }
        if kind != .custom { zeroCount += Int64.random(in: 0...2, using: &random) }
        if Int.random(in: 0..<30, using: &random) == 0 {
            positive = [:]
            negative = [:]
            zeroCount = 0
            observe(&random)
        }
        if kind != .custom, Int.random(in: 0..<40, using: &random) == 0 {
            schema = [-1, 0, 2, 5].randomElement(using: &random) ?? 0
        }
        if kind == .gauge {
            for index in positive.keys.sorted() where Int.random(in: 0..<5, using: &random) == 0 { positive[index] = nil }
        }
        sum += [0, 1.5, 0.1, Double.random(in: 0...1e9, using: &random)].randomElement(using: &random) ?? 0
        var hint = kind == .gauge ? CounterResetHint.gauge : .unknown
        if kind != .gauge, Int.random(in: 0..<30, using: &random) == 0 { hint = Bool.random(using: &random) ? .reset : .notReset }
        let (positiveSpans, positiveCounts) = side(positive, &random)
        let (negativeSpans, negativeCounts) = side(negative, &random)
        let count = (positiveCounts + negativeCounts).reduce(zeroCount, &+)
        if isFloat {
            // Halves, now and then, and values with all bits set.
            let scales: [Double] = [1, 0.5, 0.1]
            let scale = scales.randomElement(using: &random) ?? 1
            return .float(
                FloatHistogram(
                    hint: hint, schema: schema, zeroThreshold: zeroThreshold, zeroCount: Double(zeroCount) * scale,
                    count: Double(count) * scale, sum: sum, positiveSpans: positiveSpans, negativeSpans: negativeSpans,
                    positiveBuckets: positiveCounts.map { Double($0) * scale },
                    negativeBuckets: negativeCounts.map { Double($0) * scale }, customBounds: bounds))
        }
        func deltas(_ counts: [Int64]) -> [Int64] {
            var before: Int64 = 0
            return counts.map { count in
                defer { before = count }
                return count - before
            }
        }
        return .integer(
            IntegerHistogram(
                hint: hint, schema: schema, zeroThreshold: zeroThreshold, zeroCount: UInt64(zeroCount),
                count: UInt64(truncatingIfNeeded: count), sum: sum, positiveSpans: positiveSpans, negativeSpans: negativeSpans,
                positiveDeltas: deltas(positiveCounts), negativeDeltas: deltas(negativeCounts), customBounds: bounds))
    }

    /// Spans as an instrumented program writes them: gaps of one bucket filled now and then, an empty span behind.
    private func side(_ buckets: [Int: Int64], _ random: inout SeededRandom) -> ([BucketSpan], [Int64]) {
        var indices = Set(buckets.keys)
        for index in buckets.keys.sorted() where kind != .custom && Int.random(in: 0..<10, using: &random) == 0 { indices.insert(index + 1) }
        var spans: [BucketSpan] = []
        var next = 0
        for index in indices.sorted() {
            if index == next, !spans.isEmpty {
                spans[spans.count - 1].length += 1
            } else {
                spans.append(BucketSpan(offset: Int32(index - next), length: 1))
            }
            next = index + 1
        }
        if !spans.isEmpty, Int.random(in: 0..<20, using: &random) == 0 { spans.append(BucketSpan(offset: 2, length: 0)) }
        return (spans, indices.sorted().map { buckets[$0] ?? 0 })
    }
}

extension HistogramSample {
    /// What makes it this one, as text: kind, numbers by their bits, buckets by their places, empty ones left out; not the hint.
    var identity: String {
        if StaleMarker.isStale(sum) { return "stale" }
        switch self {
        case .integer: return "i" + asFloat.identity
        case .float: return "f" + asFloat.identity
        }
    }
}

extension FloatHistogram {
    var identity: String {
        if StaleMarker.isStale(sum) { return "stale" }
        func side(_ spans: [BucketSpan], _ buckets: [Double]) -> String {
            var next = 0, place = 0
            var text = ""
            for span in spans {
                next += Int(span.offset)
                for _ in 0..<span.length {
                    if buckets[place] != 0 { text += " \(next):\(buckets[place])" }
                    next += 1
                    place += 1
                }
            }
            return text
        }
        return "(\(schema) \(zeroThreshold) \(zeroCount) \(count) \(sum.bitPattern) +\(side(positiveSpans, positiveBuckets)) "
            + "-\(side(negativeSpans, negativeBuckets)) \(customBounds))"
    }
}
