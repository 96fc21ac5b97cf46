import Numbers

/// Histograms as text.
///
///     description       {count:10, sum:18.4, [-1,-0.5):2, (1,2]:5, (2,4]:3}                 for people: buckets with their bounds
///     testExpression    {{count:10 sum:18.4 offset:1 buckets:[5 3] n_buckets:[2]}}          as test scripts write it: indices
extension FloatHistogram: CustomStringConvertible {
    public var description: String {
        var text = "{count:\(Self.number(count)), sum:\(Self.number(sum))"
        var negative = ReverseBucketCursor(spans: negativeSpans, buckets: negativeBuckets)
        while negative.next() {
            if negative.count != 0 { text += ", \(negativeBucket(negative.index, count: negative.count))" }
        }
        if zeroCount != 0 { text += ", \(zeroBucket)" }
        var positive = positiveCursor
        while positive.next() {
            if positive.count != 0 { text += ", \(positiveBucket(positive.index, count: positive.count))" }
        }
        return text + "}"
    }

    /// As scripts of promqltest and rule tests write it. Buckets too far apart for one list are given as `description` has them.
    public var testExpression: String {
        var histogram = self
        histogram.compact(maximumEmptyBuckets: .max)
        guard histogram.positiveSpans.count <= 1, histogram.negativeSpans.count <= 1 else { return description }
        var fields: [String] = []
        if schema != 0 { fields.append("schema:\(schema)") }
        if count != 0 { fields.append("count:\(Self.number(count))") }
        if sum != 0 { fields.append("sum:\(Self.number(sum))") }
        if !hasCustomBounds, zeroCount != 0 { fields.append("z_bucket:\(Self.number(zeroCount))") }
        if !hasCustomBounds, zeroThreshold != 0 { fields.append("z_bucket_w:\(Self.number(zeroThreshold))") }
        if hasCustomBounds { fields.append("custom_values:\(Self.list(customBounds))") }
        switch hint {
        case .unknown: break
        case .reset: fields.append("counter_reset_hint:reset")
        case .notReset: fields.append("counter_reset_hint:not_reset")
        case .gauge: fields.append("counter_reset_hint:gauge")
        }
        fields += Self.fields(histogram.positiveRow, offset: "offset", buckets: "buckets")
        if !hasCustomBounds { fields += Self.fields(histogram.negativeRow, offset: "n_offset", buckets: "n_buckets") }
        return "{{" + fields.joined(separator: " ") + "}}"
    }

    private static func fields(_ row: BucketRow, offset: String, buckets: String) -> [String] {
        var fields: [String] = []
        if let span = row.spans.first, span.offset != 0 { fields.append("\(offset):\(span.offset)") }
        if !row.buckets.isEmpty { fields.append("\(buckets):\(list(row.buckets))") }
        return fields
    }

    private static func list(_ numbers: [Double]) -> String {
        "[" + numbers.map(number).joined(separator: " ") + "]"
    }

    private static func number(_ value: Double) -> String { NumberText.string(value, style: .general) }
}
