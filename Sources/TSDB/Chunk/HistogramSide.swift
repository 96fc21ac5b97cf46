import Histograms

/// The positive or the negative buckets of a histogram on their way into a chunk, and what two of them have to do with each other.
///
///     chunk     indices 0 1 · · 4        sample   indices 0 1 2 · 4
///                       6 3     2                         6 4 1   2        bucket 2 is new: the chunk grows by it
///
/// Source: `expandIntSpansAndBuckets`, `expandSpansBothWays` and `adjustForInserts` of Prometheus' `tsdb/chunkenc`.
struct HistogramSide {
    var spans: [BucketSpan] = []
    /// As `HistogramFields` says.
    var buckets: [UInt64] = []

    init() {}

    init(_ spans: [BucketSpan], _ buckets: [UInt64]) {
        self.spans = spans
        self.buckets = buckets
    }

    /// There are as many buckets as the spans name.
    var isSound: Bool { spans.reduce(0) { $0 &+ Int($1.length) } == buckets.count }

    /// What comes of putting this behind the buckets of a chunk.
    struct Fit {
        /// A bucket has fallen, or one that was in use is gone.
        var isReset = false
        /// There are buckets that the chunk does not have; the chunk has buckets that are not here.
        var hasNew = false
        var lacksOld = false
        /// Of the buckets of both; empty where neither flag is set.
        var union: [BucketSpan] = []
    }

    /// Compares with the side of the chunk's last sample. With `detectingResets` counts must not fall, and only empty buckets be missing.
    func fit(behind last: HistogramSide, isFloat: Bool, detectingResets: Bool) -> Fit {
        var fit = Fit()
        if spans == last.spans {
            if detectingResets { fit.isReset = Self.falls(last.buckets, buckets, isFloat: isFloat) }
            return fit
        }
        let ours = Self.indices(spans), theirs = Self.indices(last.spans)
        var union: [Int] = []
        union.reserveCapacity(max(ours.count, theirs.count))
        var ourCount = BucketCount(isFloat), theirCount = BucketCount(isFloat)
        var i = 0, j = 0
        while i < ours.count || j < theirs.count {
            if j == theirs.count || (i < ours.count && ours[i] < theirs[j]) {
                fit.hasNew = true
                ourCount.advance(buckets[i])
                union.append(ours[i])
                i += 1
            } else if i == ours.count || theirs[j] < ours[i] {
                fit.lacksOld = true
                theirCount.advance(last.buckets[j])
                if detectingResets && !theirCount.isEmpty { return Fit(isReset: true) }
                union.append(theirs[j])
                j += 1
            } else {
                ourCount.advance(buckets[i])
                theirCount.advance(last.buckets[j])
                if detectingResets && ourCount.isBelow(theirCount) { return Fit(isReset: true) }
                union.append(ours[i])
                i += 1
                j += 1
            }
        }
        if fit.hasNew || fit.lacksOld { fit.union = Self.spans(of: union) }
        return fit
    }

    /// The same counts in the places of `target`; what is not here is empty there.
    func respread(over target: [BucketSpan], isFloat: Bool) -> HistogramSide {
        if target == spans { return self }
        let ours = Self.indices(spans), wanted = Self.indices(target)
        var spread: [UInt64] = []
        spread.reserveCapacity(wanted.count)
        var absolute: UInt64 = 0, before: UInt64 = 0
        var i = 0
        for index in wanted {
            var value: UInt64 = 0
            if i < ours.count && ours[i] == index {
                absolute = isFloat ? buckets[i] : absolute &+ buckets[i]
                value = absolute
                i += 1
            }
            spread.append(isFloat ? value : value &- before)
            before = value
        }
        return HistogramSide(target, spread)
    }

    /// The same count in every bucket, one that is missing being empty.
    func isEqual(_ other: HistogramSide, isFloat: Bool) -> Bool {
        if spans == other.spans { return buckets == other.buckets }
        func used(_ side: HistogramSide) -> [(index: Int, count: UInt64)] {
            var absolute: UInt64 = 0
            return zip(Self.indices(side.spans), side.buckets).compactMap { index, bits in
                absolute = isFloat ? bits : absolute &+ bits
                return absolute == 0 ? nil : (index, absolute)
            }
        }
        return used(self).elementsEqual(used(other)) { $0.index == $1.index && $0.count == $1.count }
    }

    /// Whether a bucket is lower than the same one before.
    private static func falls(_ before: [UInt64], _ now: [UInt64], isFloat: Bool) -> Bool {
        var countBefore = BucketCount(isFloat), count = BucketCount(isFloat)
        for index in 0..<min(before.count, now.count) {
            countBefore.advance(before[index])
            count.advance(now[index])
            if count.isBelow(countBefore) { return true }
        }
        return false
    }

    /// The places that spans name, one by one.
    static func indices(_ spans: [BucketSpan]) -> [Int] {
        var indices: [Int] = []
        var next = 0
        for span in spans {
            next &+= Int(span.offset)
            for _ in 0..<span.length {
                indices.append(next)
                next &+= 1
            }
        }
        return indices
    }

    /// The fewest spans that name ascending places.
    static func spans(of indices: [Int]) -> [BucketSpan] {
        var spans: [BucketSpan] = []
        var next = 0
        for index in indices {
            if index == next, !spans.isEmpty {
                spans[spans.count - 1].length &+= 1
            } else {
                spans.append(BucketSpan(offset: Int32(truncatingIfNeeded: index &- next), length: 1))
            }
            next = index &+ 1
        }
        return spans
    }
}

/// The absolute count of one bucket after the other.
private struct BucketCount {
    private let isFloat: Bool
    private var integer: Int64 = 0
    private var float = 0.0

    init(_ isFloat: Bool) { self.isFloat = isFloat }

    mutating func advance(_ bits: UInt64) {
        if isFloat { float = Double(bitPattern: bits) } else { integer &+= Int64(bitPattern: bits) }
    }

    var isEmpty: Bool { isFloat ? float == 0 : integer == 0 }

    func isBelow(_ other: BucketCount) -> Bool { isFloat ? float < other.float : integer < other.integer }
}
