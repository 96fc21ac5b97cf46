/// Whether the counter behind a histogram was reset: some count is lower than before.
///
///     before   (1,2]:3  (2,4]:5           a bucket that is gone, or lower, was reset, whatever the total says
///     now      (1,2]:4  (2,4]:2  ⇒ reset
///
/// A finer schema or a narrower zero bucket comes with a restart only. A coarser schema, a wider zero bucket and other custom bounds can come
/// without one: then the histogram before is looked at in the new layout. Nothing is allocated.
extension FloatHistogram {
    public func detectsReset(since previous: FloatHistogram) -> Bool {
        switch hint {
        case .reset: return true
        case .notReset: return false
        case .unknown, .gauge: break  // Functions for counters may be applied to gauges; they see counters then.
        }
        if count < previous.count { return true }
        if hasCustomBounds {
            guard previous.hasCustomBounds else { return true }
            if !hasSameBounds(as: previous) { return fallsBetweenSharedBounds(since: previous) }
        }
        if schema > previous.schema || zeroThreshold < previous.zeroThreshold { return true }
        let previousZero = previous.widenedZeroBucket(to: zeroThreshold, compensation: nil)
        // A populated bucket of the histogram before would be divided by the new threshold.
        if previousZero.threshold != zeroThreshold || zeroCount < previousZero.count { return true }
        return falls(positiveRow, since: previous.positiveRow, schema: previous.schema)
            || falls(negativeRow, since: previous.negativeRow, schema: previous.schema)
    }

    /// Whether a bucket outside the zero bucket has fallen; those of `previous` (in schema `previousSchema`) are joined to this schema.
    private func falls(_ current: BucketRow, since previous: BucketRow, schema previousSchema: Int32) -> Bool {
        if schema == previousSchema, current.buckets.count == previous.buckets.count, current.spans == previous.spans,
            zeroThreshold == 0 || current.spans.first.map({ bound(Int($0.offset)) > zeroThreshold }) ?? true
        {
            return Self.falls(current.buckets, since: previous.buckets)
        }
        let inner = hasCustomBounds ? 0 : zeroThreshold
        var before = JoinedCursor(previous, halvings: Int(previousSchema) - Int(schema))
        var now = JoinedCursor(current, halvings: 0)
        var nowIsLeft = now.next()
        while nowIsLeft, inner != 0, bound(now.index) <= inner { nowIsLeft = now.next() }
        var skipping = inner != 0
        while before.next() {
            if skipping, bound(before.index) <= inner { continue }
            skipping = false
            while nowIsLeft, now.index < before.index { nowIsLeft = now.next() }
            if nowIsLeft, now.index == before.index {
                if now.count < before.count { return true }
            } else if before.count != 0 {
                return true
            }
        }
        return false
    }

    private static func falls(_ current: [Double], since previous: [Double]) -> Bool {
        current.withUnsafeBufferPointer { current in
            previous.withUnsafeBufferPointer { previous in
                for place in 0..<min(current.count, previous.count) where current[place] < previous[place] {
                    return true
                }
                return false
            }
        }
    }

    /// For custom bounds that differ: compares what lies between two bounds that both have.
    private func fallsBetweenSharedBounds(since previous: FloatHistogram) -> Bool {
        var now = CountsByBound(self)
        var before = CountsByBound(previous)
        var i = 0
        var j = 0
        while i <= customBounds.count, j <= previous.customBounds.count {
            let own = bound(i)
            let other = previous.bound(j)
            if own == other, now.count(upTo: own) < before.count(upTo: own) { return true }
            if own <= other { i += 1 }
            if own >= other { j += 1 }
            if own.isNaN || other.isNaN { return true }  // Not valid bounds; they must not keep the loop from its end.
        }
        return false
    }
}

/// Buckets of a row, neighbours joined to a coarser schema on the way.
private struct JoinedCursor {
    private var cursor: BucketCursor
    private let halvings: Int
    private var isLeft: Bool
    private(set) var index = 0
    private(set) var count = 0.0

    init(_ row: BucketRow, halvings: Int) {
        self.halvings = max(0, halvings)
        cursor = BucketCursor(spans: row.spans, buckets: row.buckets)
        isLeft = cursor.next()
    }

    mutating func next() -> Bool {
        guard isLeft else { return false }
        index = coarserIndex(cursor.index, halvings: halvings)
        count = 0
        repeat {
            count += cursor.count
            isLeft = cursor.next()
        } while halvings > 0 && isLeft && coarserIndex(cursor.index, halvings: halvings) == index
        return true
    }
}

/// Sums of custom buckets from one bound asked for to the next.
private struct CountsByBound {
    private let histogram: FloatHistogram
    private var cursor: BucketCursor
    private var isLeft: Bool

    init(_ histogram: FloatHistogram) {
        self.histogram = histogram
        cursor = histogram.positiveCursor
        isLeft = cursor.next()
    }

    mutating func count(upTo bound: Double) -> Double {
        var sum = 0.0
        while isLeft, histogram.bound(cursor.index) <= bound {
            sum += cursor.count
            isLeft = cursor.next()
        }
        return sum
    }
}
