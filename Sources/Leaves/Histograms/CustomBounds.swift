/// Histograms with bounds of their own that are not the same: both are brought to the bounds that both have.
///
///     a   1    2    5    10   +Inf
///     b   1         5    20   +Inf
///         1         5         +Inf       a bucket goes into the first one of these that holds all of it
extension FloatHistogram {
    func hasSameBounds(as other: FloatHistogram) -> Bool { customBounds == other.customBounds }

    /// Adds `sign` · `other`; both have custom bounds. Empty buckets are left out.
    mutating func addReconcilingBounds(_ other: FloatHistogram, sign: Double, compensation: inout FloatHistogram) {
        let shared = Self.sharedBounds(customBounds, other.customBounds)
        var buckets = [Double](repeating: 0, count: shared.count + 1)
        var remainders = buckets
        func add(_ histogram: FloatHistogram, sign: Double, rests: [Double]) {
            var cursor = histogram.positiveCursor
            var target = 0
            while cursor.next() {
                let upper = histogram.bound(cursor.index)
                while target < shared.count, shared[target] < upper { target += 1 }
                CompensatedSum.add(sign * cursor.count, to: &buckets[target], remainder: &remainders[target])
                if cursor.place < rests.count {
                    CompensatedSum.add(rests[cursor.place], to: &buckets[target], remainder: &remainders[target])
                }
            }
        }
        add(self, sign: 1, rests: compensation.positiveBuckets)
        add(other, sign: sign, rests: [])
        var row = BucketRow(
            spans: [BucketSpan(offset: 0, length: UInt32(truncatingIfNeeded: buckets.count))], buckets: buckets,
            remainders: remainders)
        row.compact(maximumEmptyBuckets: 0)
        put(positive: row)
        customBounds = shared
        compensation.positiveSpans = row.spans
        compensation.positiveBuckets = row.remainders ?? []
        compensation.customBounds = shared
    }

    /// What two ascending lists have in common.
    static func sharedBounds(_ a: [Double], _ b: [Double]) -> [Double] {
        var shared: [Double] = []
        var i = 0
        var j = 0
        while i < a.count, j < b.count {
            if a[i] == b[j] {
                shared.append(a[i])
                i += 1
                j += 1
            } else if a[i] < b[j] {
                i += 1
            } else {
                j += 1
            }
        }
        return shared
    }
}
