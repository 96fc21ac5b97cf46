/// Two histograms with zero buckets of different widths: the narrower one is widened until both are the same.
///
///     a   ├─zero─┤  ▁▂▃▅                  a's zero bucket takes in what lies below b's threshold. A populated bucket cannot be divided:
///     b   ├────zero────┤ ▂▅               the threshold moves up to its end, and then b has to follow.
extension FloatHistogram {
    /// Makes the zero buckets of the two equally wide: this one (and its `compensation`) is changed; what `other`'s zero count would then be is
    /// given back.
    mutating func reconcileZeroBucket(
        with other: FloatHistogram, compensation: inout FloatHistogram?
    ) -> (count: Double, remainder: Double) {
        var otherZero = (count: other.zeroCount, remainder: 0.0)
        // Thresholds only grow, from bucket bound to bucket bound. One that is no number is nobody's to reconcile.
        guard zeroThreshold != other.zeroThreshold, !zeroThreshold.isNaN, !other.zeroThreshold.isNaN else {
            return otherZero
        }
        var otherThreshold = other.zeroThreshold
        while otherThreshold != zeroThreshold {
            if zeroThreshold > otherThreshold {
                let widened = other.widenedZeroBucket(to: zeroThreshold, compensation: nil)
                otherZero = (widened.count, widened.remainder)
                otherThreshold = widened.threshold
            }
            if otherThreshold > zeroThreshold {
                let widened = widenedZeroBucket(to: otherThreshold, compensation: compensation)
                zeroCount = widened.count
                zeroThreshold = widened.threshold
                compensation?.zeroCount = widened.remainder
                dropBucketsInZeroBucket(compensation: &compensation)
            }
        }
        return otherZero
    }

    /// Count (and its remainder) of a zero bucket that reaches to `threshold`, or to the end of the populated bucket that it would divide.
    func widenedZeroBucket(
        to wanted: Double, compensation: FloatHistogram?
    ) -> (count: Double, threshold: Double, remainder: Double) {
        var threshold = wanted
        if threshold == zeroThreshold { return (zeroCount, threshold, compensation?.zeroCount ?? 0) }
        while true {
            var count = zeroCount
            var remainder = compensation?.zeroCount ?? 0
            let positive = takenIn(
                positiveCursor, remainders: compensation?.positiveBuckets, to: threshold, &count, &remainder)
            threshold = positive
            let negative = takenIn(
                negativeCursor, remainders: compensation?.negativeBuckets, to: threshold, &count, &remainder)
            // A negative bucket moved the threshold: what was taken from the positive ones no longer holds.
            guard negative > threshold else { return (count, threshold, remainder) }
            threshold = negative
        }
    }

    /// Adds the buckets that begin below `threshold` to `count`. Returns the threshold, moved to the end of a populated bucket it lies in.
    private func takenIn(
        _ buckets: BucketCursor, remainders: [Double]?, to threshold: Double, _ count: inout Double,
        _ remainder: inout Double
    ) -> Double {
        var cursor = buckets
        while cursor.next(), bound(cursor.index &- 1) < threshold {
            CompensatedSum.add(cursor.count, to: &count, remainder: &remainder)
            if let remainders, cursor.place < remainders.count {
                CompensatedSum.add(remainders[cursor.place], to: &count, remainder: &remainder)
            }
            let upper = bound(cursor.index)
            if upper > threshold { return cursor.count != 0 ? upper : threshold }
        }
        return threshold
    }

    /// Removes the buckets that the zero bucket has taken in.
    private mutating func dropBucketsInZeroBucket(compensation: inout FloatHistogram?) {
        let threshold = zeroThreshold
        let bound = { [schema] (index: Int) in BucketBounds.exponential(index, schema: schema) }
        var positive = takePositive(remainders: compensation?.positiveBuckets)
        positive.clear { bound($0 &- 1) < threshold }
        positive.compact(maximumEmptyBuckets: 0)
        var negative = takeNegative(remainders: compensation?.negativeBuckets)
        negative.clear { bound($0 &- 1) < threshold }
        negative.compact(maximumEmptyBuckets: 0)
        put(positive: positive, negative: negative, compensation: &compensation)
    }
}

extension BucketRow {
    /// Empties the first buckets, as long as `isInside` holds for their indices.
    fileprivate mutating func clear(while isInside: (Int) -> Bool) {
        var cursor = BucketCursor(spans: spans, buckets: buckets)
        while cursor.next(), isInside(cursor.index) {
            buckets[cursor.place] = 0
            remainders?[cursor.place] = 0
        }
    }
}
