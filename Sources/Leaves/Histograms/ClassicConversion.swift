/// Makes one histogram with custom bounds of the series that a classic histogram is made of.
///
///     le="0.5" 3   le="1" 5   le="+Inf" 9   _count 9   _sum 7.5
///     ⇒  schema −53, bounds 0.5 1, buckets 3 2 4, count 9, sum 7.5
///
/// Series come in any order; the same bound twice counts once. Whole counts give an integer histogram, others a float one. What is no histogram
/// (negative counts, counts that fall with rising bounds, a count that is not that of the last bucket) gives none.
///
/// Source: Prometheus, `util/convertnhcb`.
///
/// Invariant: `bounds` rise strictly and have as many elements as `cumulative`.
public struct ClassicConversion: Sendable {
    /// Why there is no histogram, in upstream's words where it has some.
    public struct Failure: Error, Equatable, Sendable {
        public var message: String

        public init(message: String) { self.message = message }
    }

    private var bounds: [Double] = []
    private var cumulative: [Double] = []
    private var count: Double?
    private var sum = 0.0
    private var failure: Failure?

    public init() {}

    public mutating func removeAll() {
        bounds.removeAll(keepingCapacity: true)
        cumulative.removeAll(keepingCapacity: true)
        count = nil
        sum = 0
        failure = nil
    }

    /// `_bucket` with the label `le`.
    public mutating func setBucket(upperBound: Double, count: Double) {
        if failure != nil { return }
        if upperBound.isNaN { return fail("bucket boundary must not be NaN") }
        if count < 0 { return fail("bucket count must be non-negative: le=\(upperBound), count=\(count)") }
        // Almost always they come in order.
        guard let last = bounds.last, last >= upperBound else {
            if let below = cumulative.last, count < below { return fail("count is not cumulative: \(count) < \(below)") }
            bounds.append(upperBound)
            cumulative.append(count)
            return
        }
        let place = firstIndex(atLeast: upperBound)
        if bounds[place] == upperBound { return }
        if place > 0, count < cumulative[place - 1] {
            return fail("count is not cumulative: \(count) < \(cumulative[place - 1])")
        }
        if count > cumulative[place] { return fail("count is not cumulative: \(count) > \(cumulative[place])") }
        bounds.insert(upperBound, at: place)
        cumulative.insert(count, at: place)
    }

    /// `_count`.
    public mutating func setCount(_ count: Double) {
        if failure != nil { return }
        if count < 0 { return fail("count must be non-negative: count=\(count)") }
        self.count = count
    }

    /// `_sum`.
    public mutating func setSum(_ sum: Double) {
        if failure == nil { self.sum = sum }
    }

    /// The histogram of what was set.
    public func histogram() throws(Failure) -> HistogramSample {
        if let failure { throw failure }
        let count = self.count ?? cumulative.last ?? 0
        var cumulative = cumulative
        var finite = bounds
        if finite.last == .infinity { finite.removeLast() } else { cumulative.append(count) }
        if cumulative.last != count {
            throw Failure(message: "count mismatch: count=\(count) != le=+Inf count=\(cumulative.last ?? 0)")
        }
        let spans = [BucketSpan(offset: 0, length: UInt32(clamping: cumulative.count))]
        guard cumulative.allSatisfy(Self.isWhole), Self.isWhole(count) else {
            var below = 0.0
            let buckets = cumulative.map { total in
                defer { below = total }
                return total - below
            }
            var result = FloatHistogram(
                schema: FloatHistogram.customSchema, count: count, sum: sum, positiveSpans: spans, positiveBuckets: buckets,
                customBounds: finite)
            result.compact()
            return .float(result)
        }
        var below: Int64 = 0, previous: Int64 = 0
        let deltas = cumulative.map { total in
            let total = Int64(total), own = total &- below
            defer { (below, previous) = (total, own) }
            return own &- previous
        }
        var result = IntegerHistogram(
            schema: FloatHistogram.customSchema, count: UInt64(count), sum: sum, positiveSpans: spans, positiveDeltas: deltas,
            customBounds: finite)
        // Two empty buckets cost less than another span.
        result.compact(maximumEmptyBuckets: 2)
        return .integer(result)
    }

    private mutating func fail(_ message: String) { failure = Failure(message: message) }

    private func firstIndex(atLeast bound: Double) -> Int {
        var low = 0, high = bounds.count
        while low < high {
            let middle = (low + high) / 2
            if bounds[middle] < bound { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func isWhole(_ value: Double) -> Bool {
        value >= 0 && value < 0x1p63 && value.rounded(.toNearestOrAwayFromZero) == value
    }
}

extension ClassicConversion {
    /// What a series tells of a classic histogram, by the end of its name.
    public enum Role: Sendable {
        case none, bucket, sum, count

        /// Bytes of the suffix.
        public var suffixLength: Int {
            switch self {
            case .none: 0
            case .bucket: 7
            case .sum: 4
            case .count: 6
            }
        }
    }

    /// The role of a series with this name; the histogram's name is what is in front of the suffix.
    public static func role<Name: BidirectionalCollection>(of name: Name) -> Role where Name.Element == UInt8 {
        if ends(name, "_bucket") { return .bucket }
        if ends(name, "_sum") { return .sum }
        return ends(name, "_count") ? .count : .none
    }

    private static func ends<Name: BidirectionalCollection>(_ name: Name, _ suffix: StaticString) -> Bool
    where Name.Element == UInt8 {
        suffix.withUTF8Buffer { suffix in name.count >= suffix.count && name.suffix(suffix.count).elementsEqual(suffix) }
    }
}
