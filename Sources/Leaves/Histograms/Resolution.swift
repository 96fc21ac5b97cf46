/// Fewer, wider buckets: lowering the schema by one joins each bucket with its neighbour.
///
///     schema 1   index   −1   0   1   2   3   4                     a bucket's index i becomes ⌈i / 2⌉
///                        └─┬──┘   └─┬─┘   └─┬─┘
///     schema 0   index     0        1       2
extension FloatHistogram {
    /// Lowers the resolution to that of `target`. Does nothing when the schema is not finer, or bounds are custom.
    public mutating func reduceResolution(to target: Int32) {
        guard !hasCustomBounds, target != Self.customSchema, target < schema else { return }
        let halvings = Int(schema) - Int(target)
        var positive = takePositive()
        positive.reduceResolution(halvings: halvings)
        put(positive: positive)
        var negative = takeNegative()
        negative.reduceResolution(halvings: halvings)
        put(negative: negative)
        schema = target
    }
}

extension IntegerHistogram {
    /// As for float histograms.
    public mutating func reduceResolution(to target: Int32) {
        guard schema != FloatHistogram.customSchema, target != FloatHistogram.customSchema, target < schema else {
            return
        }
        let halvings = Int(schema) - Int(target)
        (positiveSpans, positiveDeltas) = Self.reduced(positiveSpans, positiveDeltas, halvings)
        (negativeSpans, negativeDeltas) = Self.reduced(negativeSpans, negativeDeltas, halvings)
        schema = target
    }

    private static func reduced(
        _ spans: [BucketSpan], _ deltas: [Int64], _ halvings: Int
    ) -> ([BucketSpan], [Int64]) {
        let reduction = Reduction(spans: spans, count: deltas.count, halvings: halvings)
        var counts = [Int64](repeating: 0, count: reduction.count)
        for (count, target) in zip(absolute(deltas), reduction.targets) { counts[target] &+= count }
        return (reduction.spans, self.deltas(counts))
    }
}

extension BucketRow {
    mutating func reduceResolution(halvings: Int) {
        guard halvings > 0, !spans.isEmpty || !buckets.isEmpty else { return }
        let reduction = Reduction(spans: spans, count: buckets.count, halvings: halvings)
        var joined = BucketRow(spans: reduction.spans, buckets: [], remainders: remainders.map { _ in [] })
        joined.buckets.reserveCapacity(reduction.count)
        joined.remainders?.reserveCapacity(reduction.count)
        for (place, target) in reduction.targets.enumerated() {
            if target == joined.buckets.count {
                joined.buckets.append(buckets[place])
                if let remainders { joined.remainders?.append(remainders[place]) }
            } else {
                joined.addToLast(buckets[place], remainder: remainders?[place])
            }
        }
        self = joined
    }

    private mutating func addToLast(_ count: Double, remainder: Double?) {
        let place = buckets.count - 1
        guard let remainder, remainders != nil else {
            buckets[place] += count
            return
        }
        CompensatedSum.add(count, to: &buckets[place], remainder: &remainders![place])  // Not nil: asked above.
        CompensatedSum.add(remainder, to: &buckets[place], remainder: &remainders![place])
    }
}

/// A coarser layout, and where the buckets of the finer one go: the same for counts of every kind.
private struct Reduction {
    private(set) var spans: [BucketSpan] = []
    /// New place of each old bucket: the same as the one before it, or the next.
    private(set) var targets: [Int] = []
    /// How many buckets the coarser layout has.
    private(set) var count = 0

    init(spans: [BucketSpan], count oldCount: Int, halvings: Int) {
        targets.reserveCapacity(oldCount)
        var last = 0
        var walk = LayoutCursor(spans: spans, count: oldCount)
        while walk.next() {
            let index = coarserIndex(walk.index, halvings: halvings)
            if count == 0 || index != last {
                let gap = count == 0 ? index : index &- last &- 1
                if count > 0, gap == 0 {
                    self.spans[self.spans.count - 1].length &+= 1
                } else {
                    self.spans.append(BucketSpan(offset: Int32(truncatingIfNeeded: gap), length: 1))
                }
                count += 1
                last = index
            }
            targets.append(count - 1)
        }
    }
}
