/// The same buckets in the spans that fit them best: empty buckets go from the ends of spans, and short gaps are filled.
///
///     0 3 0 0 0 1 0 2 0     compact()                            3 · · · 1 · 2          no empty bucket is left
///                           compact(maximumEmptyBuckets: 1)      3 · · · 1 0 2          gaps of one are written out
extension FloatHistogram {
    /// Drops empty buckets but for gaps of at most `maximumEmptyBuckets` between two that are not empty; those are written out.
    public mutating func compact(maximumEmptyBuckets: Int = 0) {
        if !positiveSpans.isEmpty || !positiveBuckets.isEmpty {
            var positive = takePositive()
            positive.compact(maximumEmptyBuckets: maximumEmptyBuckets)
            put(positive: positive)
        }
        if !negativeSpans.isEmpty || !negativeBuckets.isEmpty {
            var negative = takeNegative()
            negative.compact(maximumEmptyBuckets: maximumEmptyBuckets)
            put(negative: negative)
        }
    }
}

extension IntegerHistogram {
    /// As for float histograms.
    public mutating func compact(maximumEmptyBuckets: Int = 0) {
        (positiveSpans, positiveDeltas) = Self.compacted(positiveSpans, positiveDeltas, maximumEmptyBuckets)
        (negativeSpans, negativeDeltas) = Self.compacted(negativeSpans, negativeDeltas, maximumEmptyBuckets)
    }

    private static func compacted(
        _ spans: [BucketSpan], _ deltas: [Int64], _ maximumEmptyBuckets: Int
    ) -> ([BucketSpan], [Int64]) {
        let counts = absolute(deltas)
        let compaction = Compaction(
            spans: spans, count: counts.count, maximumEmptyBuckets: maximumEmptyBuckets, isEmpty: { counts[$0] == 0 })
        return (compaction.spans, self.deltas(compaction.laidOut(counts, filler: 0)))
    }
}

extension BucketRow {
    mutating func compact(maximumEmptyBuckets: Int) {
        if isCompact(maximumEmptyBuckets: maximumEmptyBuckets) { return }
        let compaction = Compaction(
            spans: spans, count: buckets.count, maximumEmptyBuckets: maximumEmptyBuckets, isEmpty: isEmpty)
        spans = compaction.spans
        buckets = compaction.laidOut(buckets, filler: 0)
        remainders = remainders.map { compaction.laidOut($0, filler: 0) }
    }

    private func isEmpty(_ place: Int) -> Bool {
        buckets[place] == 0 && (remainders?[place] ?? 0) == 0
    }

    /// The common case: nothing is empty, and no span is near the one before.
    private func isCompact(maximumEmptyBuckets: Int) -> Bool {
        var length = 0
        for (position, span) in spans.enumerated() {
            if span.length == 0 || (position > 0 && Int(span.offset) <= maximumEmptyBuckets) { return false }
            length += Int(span.length)
        }
        return length == buckets.count && buckets.indices.allSatisfy { !isEmpty($0) }
    }
}

/// A compact layout, and where its buckets stood before: the same for counts of every kind.
private struct Compaction {
    private(set) var spans: [BucketSpan] = []
    /// Place of each bucket in the old array; nil for one that fills a gap.
    private var sources: [Int?] = []

    /// A gap that is wider is not filled, whatever is asked for: two spans can be four billion buckets apart.
    private static let widestFilledGap = 65_536

    init(spans: [BucketSpan], count: Int, maximumEmptyBuckets: Int, isEmpty: (Int) -> Bool) {
        sources.reserveCapacity(count)
        var end = 0
        var walk = LayoutCursor(spans: spans, count: count)
        while walk.next() {
            guard !isEmpty(walk.place) else { continue }
            let gap = walk.index &- end
            if !self.spans.isEmpty, gap >= 0, gap <= min(maximumEmptyBuckets, Self.widestFilledGap) {
                self.spans[self.spans.count - 1].length &+= UInt32(truncatingIfNeeded: gap + 1)
                sources.append(contentsOf: repeatElement(nil, count: gap))
            } else {
                self.spans.append(BucketSpan(offset: Int32(truncatingIfNeeded: gap), length: 1))
            }
            sources.append(walk.place)
            end = walk.index &+ 1
        }
    }

    func laidOut<Count>(_ counts: [Count], filler: Count) -> [Count] {
        sources.map { $0.map { counts[$0] } ?? filler }
    }
}
