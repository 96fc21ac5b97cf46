/// Sums and differences of histograms whose layouts need not be the same.
///
///     hint        equal stays; gauge wins; unknown wins over (not) reset; reset with not reset is unknown, and a note
///     zero bucket the wider one (`ZeroBucket`)
///     schema      the coarser one (`Resolution`)
///     bounds      those that both have (`CustomBounds`), and a note
///     buckets     those that one of the two has (`BucketRow`)
///
/// Adding to a histogram of the same layout allocates nothing. Empty buckets may be left over: `compact` drops them.
extension FloatHistogram {
    /// Adds `other`, bucket by bucket.
    @discardableResult
    public mutating func add(_ other: FloatHistogram) throws(HistogramError) -> AdditionNotes {
        try combine(with: other, sign: 1)
    }

    /// Subtracts `other`. The hint follows the same rules; where the result is a gauge (the operator `-`) the caller says so.
    @discardableResult
    public mutating func subtract(_ other: FloatHistogram) throws(HistogramError) -> AdditionNotes {
        try combine(with: other, sign: -1)
    }

    /// Adds `other` and keeps what rounding loses in `compensation`, a histogram of the same layout (nil before the first addition). The
    /// exact sum is this histogram plus its compensation: `sum.add(compensation)` once, at the end.
    @discardableResult
    public mutating func add(
        _ other: FloatHistogram, compensation: inout FloatHistogram?
    ) throws(HistogramError) -> AdditionNotes {
        guard hasCustomBounds == other.hasCustomBounds else { throw .incompatibleSchemas }
        var notes = AdditionNotes(resetCollision: mergeHint(of: other))
        var rest = compensation ?? emptyCompensation
        compensation = nil  // One owner: its arrays are changed in place.
        if !hasCustomBounds {
            var held: FloatHistogram? = rest
            let zero = reconcileZeroBucket(with: other, compensation: &held)
            rest = held ?? rest
            CompensatedSum.add(zero.count, to: &zeroCount, remainder: &rest.zeroCount)
            CompensatedSum.add(zero.remainder, to: &zeroCount, remainder: &rest.zeroCount)
        }
        CompensatedSum.add(other.count, to: &count, remainder: &rest.count)
        CompensatedSum.add(other.sum, to: &sum, remainder: &rest.sum)
        if hasCustomBounds, !hasSameBounds(as: other) {
            notes.boundsReconciled = true
            addReconcilingBounds(other, sign: 1, compensation: &rest)
            compensation = rest
            return notes
        }
        var positive = takePositive(remainders: remainders(rest.takePositive().buckets, count: positiveBuckets.count))
        var negative = takeNegative(remainders: remainders(rest.takeNegative().buckets, count: negativeBuckets.count))
        var otherPositive = other.positiveRow
        var otherNegative = other.negativeRow
        if schema != other.schema {
            otherPositive.remainders = [Double](repeating: 0, count: otherPositive.buckets.count)
            otherNegative.remainders = [Double](repeating: 0, count: otherNegative.buckets.count)
        }
        reconcileSchemas(with: other.schema, &positive, &negative, &otherPositive, &otherNegative)
        positive.add(otherPositive, sign: 1, skipping: bucketsInZeroBucket(of: otherPositive))
        negative.add(otherNegative, sign: 1, skipping: bucketsInZeroBucket(of: otherNegative))
        rest.schema = schema
        rest.zeroThreshold = zeroThreshold
        compensation = rest
        put(positive: positive, negative: negative, compensation: &compensation)
        return notes
    }

    private mutating func combine(with other: FloatHistogram, sign: Double) throws(HistogramError) -> AdditionNotes {
        guard hasCustomBounds == other.hasCustomBounds else { throw .incompatibleSchemas }
        var notes = AdditionNotes(resetCollision: mergeHint(of: other))
        if !hasCustomBounds {
            var none: FloatHistogram?
            zeroCount += sign * reconcileZeroBucket(with: other, compensation: &none).count
        }
        count += sign * other.count
        sum += sign * other.sum
        if hasCustomBounds, !hasSameBounds(as: other) {
            notes.boundsReconciled = true
            var none = emptyCompensation
            addReconcilingBounds(other, sign: sign, compensation: &none)
            return notes
        }
        var positive = takePositive()
        var negative = takeNegative()
        var otherPositive = other.positiveRow
        var otherNegative = other.negativeRow
        reconcileSchemas(with: other.schema, &positive, &negative, &otherPositive, &otherNegative)
        positive.add(otherPositive, sign: sign, skipping: bucketsInZeroBucket(of: otherPositive))
        negative.add(otherNegative, sign: sign, skipping: bucketsInZeroBucket(of: otherNegative))
        put(positive: positive)
        put(negative: negative)
        return notes
    }

    /// Brings all four rows to the coarser of the two schemas, and this histogram's with them.
    private mutating func reconcileSchemas(
        with otherSchema: Int32, _ positive: inout BucketRow, _ negative: inout BucketRow,
        _ otherPositive: inout BucketRow, _ otherNegative: inout BucketRow
    ) {
        let halvings = Int(schema) - Int(otherSchema)
        if halvings > 0 {
            positive.reduceResolution(halvings: halvings)
            negative.reduceResolution(halvings: halvings)
            schema = otherSchema
        } else if halvings < 0 {
            otherPositive.reduceResolution(halvings: -halvings)
            otherNegative.reduceResolution(halvings: -halvings)
        }
    }

    /// How many of the first buckets of `row` (in this histogram's schema) end inside the zero bucket, which counts them already. One that
    /// became coarser and only begins inside is added whole, as Prometheus does.
    private func bucketsInZeroBucket(of row: BucketRow) -> Int {
        guard !hasCustomBounds else { return 0 }
        var cursor = BucketCursor(spans: row.spans, buckets: row.buckets)
        var inside = 0
        while cursor.next(), bound(cursor.index) <= zeroThreshold { inside += 1 }
        return inside
    }

    /// Returns whether one side knows of a reset and the other of none.
    private mutating func mergeHint(of other: FloatHistogram) -> Bool {
        let merged = hint.merged(with: other.hint)
        hint = merged.hint
        return merged.isCollision
    }

    // MARK: Compensation

    /// All remainders zero, laid out as this histogram.
    private var emptyCompensation: FloatHistogram {
        FloatHistogram(
            hint: hint, schema: schema, zeroThreshold: zeroThreshold, positiveSpans: positiveSpans,
            negativeSpans: negativeSpans, positiveBuckets: [Double](repeating: 0, count: positiveBuckets.count),
            negativeBuckets: [Double](repeating: 0, count: negativeBuckets.count), customBounds: customBounds)
    }

    /// `held`, when it has one for each bucket; a compensation that belongs to another histogram is not used.
    private func remainders(_ held: [Double], count: Int) -> [Double] {
        held.count == count ? held : [Double](repeating: 0, count: count)
    }

    /// Puts both sides back, and their remainders into the compensation.
    mutating func put(positive: BucketRow, negative: BucketRow, compensation: inout FloatHistogram?) {
        put(positive: positive)
        put(negative: negative)
        if let remainders = positive.remainders {
            compensation?.positiveSpans = positive.spans
            compensation?.positiveBuckets = remainders
        }
        if let remainders = negative.remainders {
            compensation?.negativeSpans = negative.spans
            compensation?.negativeBuckets = remainders
        }
    }
}
