/// One side of a histogram: spans, a count for each place that they name, and perhaps the remainder of each count (`CompensatedSum`).
///
///     a          ▁▁▂▂▂▂▁▁▁▁▂▂▁        spans [(2, 4), (4, 2)]
///     b          ▁▂▂▂▁▁▁▁▁▁▁▂▂▂       spans [(1, 3), (7, 3)]
///     a + b      ▁▂▂▂▂▂▁▁▁▁▂▂▂▂       widened to [(1, 5), (4, 4)], then added run by run
///
/// Layouts are compared run by run, not bucket by bucket, and counts are added by plain loops. Mostly all histograms of a query have the same
/// spans, or the sum has them all already: then nothing is allocated.
///
/// Invariant: works on malformed spans too (the result means nothing then): never more buckets than there are counts are looked at.
struct BucketRow {
    var spans: [BucketSpan]
    var buckets: [Double]
    /// One for each bucket, or nil when nobody asks for them.
    var remainders: [Double]?

    var runs: [BucketRun] { BucketRun.all(of: spans, count: buckets.count) }

    /// Adds `sign` · `other`, leaving out its first `skipped` buckets. Buckets that only `other` has are made.
    mutating func add(_ other: BucketRow, sign: Double, skipping skipped: Int = 0) {
        if other.buckets.isEmpty { return }
        if skipped == 0, buckets.count == other.buckets.count, spans == other.spans {
            return addRun(of: other, sign: sign, from: 0, to: 0, length: buckets.count)
        }
        let otherRuns = BucketRun.cut(other.runs, first: skipped)
        var ownRuns = runs
        if !BucketRun.covers(ownRuns, otherRuns) {
            widen(to: BucketRun.union(ownRuns, otherRuns), runs: ownRuns)
            ownRuns = runs
        }
        var position = 0
        for run in otherRuns {
            guard let place = run.place(in: ownRuns, from: &position) else { continue }
            addRun(of: other, sign: sign, from: run.place, to: place, length: run.length)
        }
    }

    /// Adds `length` counts from place `source` on to those from `target` on; runs are inside their arrays.
    private mutating func addRun(of other: BucketRow, sign: Double, from source: Int, to target: Int, length: Int) {
        Self.add(other.buckets, sign: sign, from: source, to: target, length: length, &buckets, &remainders)
        if let rests = other.remainders, remainders != nil {
            Self.add(rests, sign: sign, from: source, to: target, length: length, &buckets, &remainders)
        }
    }

    private static func add(
        _ counts: [Double], sign: Double, from source: Int, to target: Int, length: Int, _ sums: inout [Double],
        _ remainders: inout [Double]?
    ) {
        counts.withUnsafeBufferPointer { counts in
            sums.withUnsafeMutableBufferPointer { sums in
                if remainders == nil {
                    for step in 0..<length { sums[target + step] += sign * counts[source + step] }
                } else {
                    remainders?.withUnsafeMutableBufferPointer { remainders in
                        for step in 0..<length {
                            CompensatedSum.add(
                                sign * counts[source + step], to: &sums[target + step],
                                remainder: &remainders[target + step])
                        }
                    }
                }
            }
        }
    }

    // MARK: Layouts

    /// Lays the counts out anew over `wider` spans.
    private mutating func widen(to wider: [BucketSpan], runs ownRuns: [BucketRun]) {
        let total = wider.reduce(0) { $0 + Int($1.length) }
        var wide = BucketRow(
            spans: wider, buckets: [Double](repeating: 0, count: total),
            remainders: remainders.map { _ in [Double](repeating: 0, count: total) })
        let wideRuns = wide.runs
        var position = 0
        for run in ownRuns {
            guard let place = run.place(in: wideRuns, from: &position) else { continue }
            for step in 0..<run.length {
                wide.buckets[place + step] = buckets[run.place + step]
                if let remainders { wide.remainders?[place + step] = remainders[run.place + step] }
            }
        }
        self = wide
    }
}

extension FloatHistogram {
    /// Takes a side out of the histogram, so that its arrays are changed in place; to be put back by `put`.
    mutating func takePositive(remainders: [Double]? = nil) -> BucketRow {
        var row = BucketRow(spans: [], buckets: [], remainders: remainders)
        swap(&row.spans, &positiveSpans)
        swap(&row.buckets, &positiveBuckets)
        return row
    }

    mutating func takeNegative(remainders: [Double]? = nil) -> BucketRow {
        var row = BucketRow(spans: [], buckets: [], remainders: remainders)
        swap(&row.spans, &negativeSpans)
        swap(&row.buckets, &negativeBuckets)
        return row
    }

    mutating func put(positive: BucketRow) {
        positiveSpans = positive.spans
        positiveBuckets = positive.buckets
    }

    mutating func put(negative: BucketRow) {
        negativeSpans = negative.spans
        negativeBuckets = negative.buckets
    }

    var positiveRow: BucketRow { BucketRow(spans: positiveSpans, buckets: positiveBuckets) }
    var negativeRow: BucketRow { BucketRow(spans: negativeSpans, buckets: negativeBuckets) }
}
