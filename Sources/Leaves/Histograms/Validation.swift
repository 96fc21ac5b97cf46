import Numbers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What comes from outside is looked at once, here; afterwards spans, buckets and bounds are known to fit together.
///
///     spans      offsets but the first not negative; lengths add up to the number of buckets; indices have 32 bits
///     counts     not negative (NaN may be: a query can make it); whole counts add up to the total
///     custom     bounds ascending and finite, enough of them for the spans; no zero bucket, no negative side
///     schema     −4…8, or −53
///
/// Sentences are Prometheus': they are seen by whoever sends such a histogram.
extension FloatHistogram {
    public func validate() throws(HistogramError) {
        if hasCustomBounds {
            try HistogramRules.checkCustom(
                customBounds, positiveSpans, buckets: positiveBuckets.count, hasZeroCount: zeroCount != 0,
                zeroThreshold: zeroThreshold, hasNegativeSpans: !negativeSpans.isEmpty,
                hasNegativeBuckets: !negativeBuckets.isEmpty)
        } else {
            try HistogramRules.checkExponential(
                schema: schema, positiveSpans, buckets: positiveBuckets.count, negativeSpans,
                buckets: negativeBuckets.count, zeroThreshold: zeroThreshold)
            try HistogramRules.checkCounts(negativeBuckets, side: "negative side: ")
            if zeroCount < 0 {
                throw .invalid(
                    "zero bucket has observation count of \(NumberText.string(zeroCount, style: .general)): "
                        + HistogramRules.negativeBucketCount)
            }
            if !customBounds.isEmpty { throw .invalid(HistogramRules.exponentialWithBounds) }
        }
        if count < 0 {
            throw .invalid(
                "observation count is  \(NumberText.string(count, style: .general)): histogram's observation count is negative"
            )
        }
        try HistogramRules.checkCounts(positiveBuckets, side: "positive side: ")
    }
}

extension IntegerHistogram {
    public func validate() throws(HistogramError) {
        var total = UInt64(0)
        if schema == FloatHistogram.customSchema {
            try HistogramRules.checkCustom(
                customBounds, positiveSpans, buckets: positiveDeltas.count, hasZeroCount: zeroCount != 0,
                zeroThreshold: zeroThreshold, hasNegativeSpans: !negativeSpans.isEmpty,
                hasNegativeBuckets: !negativeDeltas.isEmpty)
        } else {
            try HistogramRules.checkExponential(
                schema: schema, positiveSpans, buckets: positiveDeltas.count, negativeSpans,
                buckets: negativeDeltas.count, zeroThreshold: zeroThreshold)
            try HistogramRules.checkDeltas(negativeDeltas, side: "negative side: ", total: &total)
            if !customBounds.isEmpty { throw .invalid(HistogramRules.exponentialWithBounds) }
        }
        try HistogramRules.checkDeltas(positiveDeltas, side: "positive side: ", total: &total)
        total = try HistogramRules.sum(total, zeroCount)
        let found = "\(total) observations found in buckets, but the Count field is \(count): "
        if sum.isNaN {
            // Observations of NaN are in no bucket.
            guard total <= count else {
                throw .invalid(
                    found
                        + "histogram's observation count should be at least the number of observations found in the buckets"
                )
            }
        } else if total != count {
            throw .invalid(
                found
                    + "histogram's observation count should equal the number of observations found in the buckets (in absence of NaN)"
            )
        }
    }
}

/// The rules one by one.
private enum HistogramRules {
    static let negativeBucketCount = "histogram has a bucket whose observation count is negative"
    static let exponentialWithBounds = "histogram with exponential schema must not have custom bounds"
    static let negativeOffset = "histogram has a span whose offset is negative"

    static func checkExponential(
        schema: Int32, _ positive: [BucketSpan], buckets positiveCount: Int, _ negative: [BucketSpan],
        buckets negativeCount: Int, zeroThreshold: Double
    ) throws(HistogramError) {
        let schemas = FloatHistogram.exponentialSchemas
        guard schemas.contains(schema) else {
            throw .invalid(
                "histogram has an invalid schema, which must be between \(schemas.lowerBound) and \(schemas.upperBound) "
                    + "for exponential buckets, or \(FloatHistogram.customSchema) for custom buckets, got schema \(schema)"
            )
        }
        try checkSpans(positive, buckets: positiveCount, side: "positive side: ")
        try checkSpans(negative, buckets: negativeCount, side: "negative side: ")
        try checkIndices(positive, side: "positive side: ")
        try checkIndices(negative, side: "negative side: ")
        guard zeroThreshold >= 0 else {
            throw .invalid(
                "histogram has a zero threshold of \(NumberText.string(zeroThreshold, style: .general)), which must not be negative or NaN"
            )
        }
    }

    static func checkCustom(
        _ bounds: [Double], _ spans: [BucketSpan], buckets: Int, hasZeroCount: Bool, zeroThreshold: Double,
        hasNegativeSpans: Bool, hasNegativeBuckets: Bool
    ) throws(HistogramError) {
        try checkBounds(bounds)
        if let position = spans.firstIndex(where: { $0.offset < 0 }) {
            throw negativeOffset(spans, position, side: "custom buckets: ")
        }
        try checkSpans(spans, buckets: buckets, side: "custom buckets: ")
        let reach = spans.reduce(0) { $0 &+ Int($1.offset) &+ Int($1.length) }
        if bounds.count + 1 < reach {
            throw .invalid(
                "custom buckets: only \(bounds.count) custom bounds defined which is insufficient to cover total span length of "
                    + "\(reach): histogram custom bounds are too few")
        }
        if hasZeroCount { throw .invalid("custom buckets: must have zero count of 0") }
        if zeroThreshold != 0 { throw .invalid("custom buckets: must have zero threshold of 0") }
        if hasNegativeSpans { throw .invalid("custom buckets: must not have negative spans") }
        if hasNegativeBuckets { throw .invalid("custom buckets: must not have negative buckets") }
    }

    private static func checkBounds(_ bounds: [Double]) throws(HistogramError) {
        var previous = -Double.infinity
        for (position, bound) in bounds.enumerated() {
            if bound.isNaN { throw .invalid("custom buckets: histogram custom bounds must not be NaN") }
            if position > 0, bound <= previous {
                throw .invalid(
                    "custom buckets: previous bound is \(fixed(previous)) and current is \(fixed(bound)): "
                        + "histogram custom bounds must be in strictly increasing order")
            }
            previous = bound
        }
        if previous == .infinity {
            throw .invalid(
                "custom buckets: last +Inf bound must not be explicitly defined: histogram custom bounds must be finite"
            )
        }
    }

    private static func checkSpans(_ spans: [BucketSpan], buckets: Int, side: String) throws(HistogramError) {
        var needed = 0
        for (position, span) in spans.enumerated() {
            if position > 0, span.offset < 0 { throw negativeOffset(spans, position, side: side) }
            needed &+= Int(span.length)
        }
        if needed != buckets {
            throw .invalid(
                "\(side)spans need \(needed) buckets, have \(buckets) buckets: "
                    + "histogram spans specify different number of buckets than provided")
        }
    }

    /// Of spans that `checkSpans` has seen: indices only grow, the last one is the highest.
    private static func checkIndices(_ spans: [BucketSpan], side: String) throws(HistogramError) {
        let end = spans.reduce(0) { $0 &+ Int($1.offset) &+ Int($1.length) }
        if end > Int(Int32.max) {
            throw .invalid("\(side)spans reach bucket index \(end), but indices have 32 bits")
        }
    }

    private static func negativeOffset(_ spans: [BucketSpan], _ position: Int, side: String) -> HistogramError {
        .invalid("\(side)span number \(position + 1) with offset \(spans[position].offset): \(negativeOffset)")
    }

    static func checkCounts(_ counts: [Double], side: String) throws(HistogramError) {
        for (position, count) in counts.enumerated() where count < 0 {
            throw .invalid(
                "\(side)bucket number \(position + 1) has observation count of "
                    + "\(NumberText.string(count, style: .general)): \(negativeBucketCount)")
        }
    }

    static func checkDeltas(_ deltas: [Int64], side: String, total: inout UInt64) throws(HistogramError) {
        var count = Int64(0)
        for (position, delta) in deltas.enumerated() {
            count &+= delta
            if count < 0 {
                throw .invalid(
                    "\(side)bucket number \(position + 1) has observation count of \(count): \(negativeBucketCount)")
            }
            total = try sum(total, UInt64(count))
        }
    }

    static func sum(_ a: UInt64, _ b: UInt64) throws(HistogramError) -> UInt64 {
        let (sum, isTooMuch) = a.addingReportingOverflow(b)
        if isTooMuch { throw .invalid("observations found in buckets are more than 64 bits hold") }
        return sum
    }

    /// With six decimals, as Go's `%f`.
    private static func fixed(_ value: Double) -> String {
        guard value.isFinite else { return NumberText.string(value, style: .general) }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 400) { buffer in
            let count = withVaList([value]) { vsnprintf(buffer.baseAddress, buffer.count, "%f", $0) }
            return String(decoding: buffer.prefix(max(0, Int(count))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}
