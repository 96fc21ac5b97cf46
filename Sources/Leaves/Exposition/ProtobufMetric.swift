import Histograms

/// One `Metric` of a page, read: numbers as numbers, texts as ranges of the page. Reused from metric to metric.
///
///     message Metric { repeated LabelPair label = 1; Gauge gauge = 2; Counter counter = 3; Summary summary = 4;
///                      Untyped untyped = 5; int64 timestamp_ms = 6; Histogram histogram = 7; }
///
/// Every message inside is read to its end, whatever the family's type says: a page that is broken anywhere is refused.
/// Source: prometheus/client_model, `metrics.proto`.
struct ProtobufMetric {
    /// Buckets, spans or exemplars of one histogram. A schema has two million buckets at most, almost all of them beyond what is ever observed.
    static let maximumBuckets = 1 << 17

    struct Bucket {
        var upperBound = 0.0
        var cumulativeCount: UInt64 = 0
        /// Counts where it is not zero.
        var cumulativeCountFloat = 0.0
        var exemplar: ProtobufExemplar?

        var count: Double { cumulativeCountFloat != 0 ? cumulativeCountFloat : Double(cumulativeCount) }
    }

    /// Names and values of the labels in turn.
    private(set) var labels: [Range<Int>] = []
    /// Milliseconds; 0 for none.
    private(set) var timestamp: Int64 = 0
    /// Of the counter, gauge or untyped metric.
    private(set) var counter = 0.0
    private(set) var gauge = 0.0
    private(set) var untyped = 0.0
    private(set) var counterExemplar: ProtobufExemplar?
    /// When counting began, in milliseconds; 0 where nobody says.
    private(set) var counterStart: Int64 = 0
    private(set) var summaryStart: Int64 = 0
    private(set) var histogramStart: Int64 = 0

    private(set) var summaryCount: UInt64 = 0
    private(set) var summarySum = 0.0
    private(set) var quantiles: [(quantile: Double, value: Double)] = []

    private(set) var buckets: [Bucket] = []
    private(set) var histogramExemplars: [ProtobufExemplar] = []
    private var sampleCount: UInt64 = 0
    private var sampleCountFloat = 0.0
    private(set) var histogramSum = 0.0
    private var schema: Int32 = 0
    private var zeroThreshold = 0.0
    private var zeroCount: UInt64 = 0
    private var zeroCountFloat = 0.0
    private var positive = Side(), negative = Side()

    private struct Side {
        var spans: [BucketSpan] = []
        var deltas: [Int64] = []
        var counts: [Double] = []

        mutating func removeAll() {
            spans.removeAll(keepingCapacity: true)
            deltas.removeAll(keepingCapacity: true)
            counts.removeAll(keepingCapacity: true)
        }
    }

    mutating func removeAll() {
        labels.removeAll(keepingCapacity: true)
        (timestamp, counter, gauge, untyped) = (0, 0, 0, 0)
        (counterExemplar, counterStart, summaryStart, histogramStart) = (nil, 0, 0, 0)
        (summaryCount, summarySum) = (0, 0)
        quantiles.removeAll(keepingCapacity: true)
        buckets.removeAll(keepingCapacity: true)
        histogramExemplars.removeAll(keepingCapacity: true)
        (sampleCount, sampleCountFloat, histogramSum) = (0, 0, 0)
        (schema, zeroThreshold, zeroCount, zeroCountFloat) = (0, 0, 0, 0)
        positive.removeAll()
        negative.removeAll()
    }

    /// Replaces what is here by the metric that `message` is.
    mutating func read(_ message: consuming ProtobufMessage) throws(ExpositionError) {
        removeAll()
        while let field = try message.next() {
            switch field {
            case 1: try readLabel(message.message("Label", as: "LabelPair"))
            case 2: gauge = try Self.value(message.message("Gauge", as: "Gauge"), gauge)
            case 3: try readCounter(message.message("Counter", as: "Counter"))
            case 4: try readSummary(message.message("Summary", as: "Summary"))
            case 5: untyped = try Self.value(message.message("Untyped", as: "Untyped"), untyped)
            case 6: timestamp = Int64(bitPattern: try message.unsigned("TimestampMs"))
            case 7: try readHistogram(message.message("Histogram", as: "Histogram"))
            default: try message.skip()
            }
        }
    }

    private mutating func readLabel(_ message: consuming ProtobufMessage) throws(ExpositionError) {
        let page = message.page
        let (name, value) = try Self.label(message)
        guard !name.isEmpty, UTF8Check.isValid(page[clamped: name]) else {
            let shown = String(decoding: page[clamped: name], as: UTF8.self)
            throw ExpositionError("invalid label name: \(shown)", offset: name.lowerBound)
        }
        guard UTF8Check.isValid(page[clamped: value]) else {
            let shown = String(decoding: page[clamped: value], as: UTF8.self)
            throw ExpositionError("invalid label value: \(shown)", offset: value.lowerBound)
        }
        labels.append(name)
        labels.append(value)
    }

    static func label(_ message: consuming ProtobufMessage) throws(ExpositionError) -> (name: Range<Int>, value: Range<Int>) {
        var name = message.position..<message.position, value = name
        while let field = try message.next() {
            switch field {
            case 1: name = try message.bytes("Name")
            case 2: value = try message.bytes("Value")
            default: try message.skip()
            }
        }
        return (name, value)
    }

    /// `double value = 1` of gauges and untyped metrics.
    private static func value(_ message: consuming ProtobufMessage, _ before: Double) throws(ExpositionError) -> Double {
        var value = before
        while let field = try message.next() {
            if field == 1 { value = try message.double("Value") } else { try message.skip() }
        }
        return value
    }

    private mutating func readCounter(_ message: consuming ProtobufMessage) throws(ExpositionError) {
        while let field = try message.next() {
            switch field {
            case 1: counter = try message.double("Value")
            case 2: counterExemplar = try ProtobufExemplar(message.message("Exemplar", as: "Exemplar"))
            case 3: counterStart = try Self.milliseconds(message.message("StartTimestamp", as: "Timestamp"))
            default: try message.skip()
            }
        }
    }

    private mutating func readSummary(_ message: consuming ProtobufMessage) throws(ExpositionError) {
        while let field = try message.next() {
            switch field {
            case 1: summaryCount = try message.unsigned("SampleCount")
            case 2: summarySum = try message.double("SampleSum")
            case 3:
                var part = try message.message("Quantile", as: "Quantile")
                var quantile = 0.0, value = 0.0
                while let field = try part.next() {
                    switch field {
                    case 1: quantile = try part.double("Quantile")
                    case 2: value = try part.double("Value")
                    default: try part.skip()
                    }
                }
                quantiles.append((quantile, value))
            case 4: summaryStart = try Self.milliseconds(message.message("StartTimestamp", as: "Timestamp"))
            default: try message.skip()
            }
        }
    }

    private mutating func readHistogram(_ message: consuming ProtobufMessage) throws(ExpositionError) {
        let limit = Self.maximumBuckets
        while let field = try message.next() {
            switch field {
            case 1: sampleCount = try message.unsigned("SampleCount")
            case 2: histogramSum = try message.double("SampleSum")
            case 3: buckets.append(try Self.bucket(message.message("Bucket", as: "Bucket")))
            case 4: sampleCountFloat = try message.double("SampleCountFloat")
            case 5: schema = Int32(truncatingIfNeeded: ProtobufMessage.zigzag(try message.unsigned("Schema")))
            case 6: zeroThreshold = try message.double("ZeroThreshold")
            case 7: zeroCount = try message.unsigned("ZeroCount")
            case 8: zeroCountFloat = try message.double("ZeroCountFloat")
            case 9: negative.spans.append(try Self.span(message.message("NegativeSpan", as: "BucketSpan")))
            case 10: try message.signed("NegativeDelta", into: &negative.deltas, limit: limit)
            case 11: try message.doubles("NegativeCount", into: &negative.counts, limit: limit)
            case 12: positive.spans.append(try Self.span(message.message("PositiveSpan", as: "BucketSpan")))
            case 13: try message.signed("PositiveDelta", into: &positive.deltas, limit: limit)
            case 14: try message.doubles("PositiveCount", into: &positive.counts, limit: limit)
            case 15: histogramStart = try Self.milliseconds(message.message("StartTimestamp", as: "Timestamp"))
            case 16: histogramExemplars.append(try ProtobufExemplar(message.message("Exemplars", as: "Exemplar")))
            default: try message.skip()
            }
            if max(max(buckets.count, histogramExemplars.count), max(positive.spans.count, negative.spans.count)) > limit {
                throw message.tooMany("Bucket", limit)
            }
        }
    }

    private static func bucket(_ message: consuming ProtobufMessage) throws(ExpositionError) -> Bucket {
        var bucket = Bucket()
        while let field = try message.next() {
            switch field {
            case 1: bucket.cumulativeCount = try message.unsigned("CumulativeCount")
            case 2: bucket.upperBound = try message.double("UpperBound")
            case 3: bucket.exemplar = try ProtobufExemplar(message.message("Exemplar", as: "Exemplar"))
            case 4: bucket.cumulativeCountFloat = try message.double("CumulativeCountFloat")
            default: try message.skip()
            }
        }
        return bucket
    }

    private static func span(_ message: consuming ProtobufMessage) throws(ExpositionError) -> BucketSpan {
        var span = BucketSpan(offset: 0, length: 0)
        while let field = try message.next() {
            switch field {
            case 1: span.offset = Int32(truncatingIfNeeded: ProtobufMessage.zigzag(try message.unsigned("Offset")))
            case 2: span.length = UInt32(truncatingIfNeeded: try message.unsigned("Length"))
            default: try message.skip()
            }
        }
        return span
    }

    /// `google.protobuf.Timestamp` in milliseconds.
    static func milliseconds(_ message: consuming ProtobufMessage) throws(ExpositionError) -> Int64 {
        var seconds: Int64 = 0, nanoseconds: Int32 = 0
        while let field = try message.next() {
            switch field {
            case 1: seconds = Int64(bitPattern: try message.unsigned("Seconds"))
            case 2: nanoseconds = Int32(truncatingIfNeeded: try message.unsigned("Nanos"))
            default: try message.skip()
            }
        }
        return seconds &* 1000 &+ Int64(nanoseconds / 1_000_000)
    }
}

extension ProtobufMetric {
    /// Observations of the classic histogram.
    var histogramCount: Double { sampleCountFloat != 0 ? sampleCountFloat : Double(sampleCount) }

    /// Whether the histogram has native parts. One without observations says so by a span of length 0, or by its zero bucket's width.
    var isNative: Bool {
        !positive.spans.isEmpty || !negative.spans.isEmpty || zeroThreshold > 0 || zeroCount > 0
    }

    /// The native histogram, not validated yet; spans name as many buckets as there are.
    func native(isGauge: Bool, name: Range<Int>, page: UnsafeRawBufferPointer) throws(ExpositionError) -> HistogramSample {
        let isFloat = sampleCountFloat > 0 || zeroCountFloat > 0
        for (side, word) in [(positive, "positive"), (negative, "negative")] {
            let wanted = side.spans.reduce(0) { $0 &+ Int($1.length) }
            let present = isFloat ? side.counts.count : side.deltas.count
            if wanted != present {
                let family = String(decoding: page[clamped: name], as: UTF8.self)
                throw ExpositionError(
                    "histogram \"\(family)\": \(word) side: spans require \(wanted) buckets, have \(present)",
                    offset: name.lowerBound)
            }
        }
        if isFloat {
            return .float(
                FloatHistogram(
                    hint: isGauge ? .gauge : .unknown, schema: schema, zeroThreshold: zeroThreshold, zeroCount: zeroCountFloat,
                    count: sampleCountFloat, sum: histogramSum, positiveSpans: positive.spans, negativeSpans: negative.spans,
                    positiveBuckets: positive.counts, negativeBuckets: negative.counts))
        }
        return .integer(
            IntegerHistogram(
                hint: isGauge ? .gauge : .unknown, schema: schema, zeroThreshold: zeroThreshold, zeroCount: zeroCount,
                count: sampleCount, sum: histogramSum, positiveSpans: positive.spans, negativeSpans: negative.spans,
                positiveDeltas: positive.deltas, negativeDeltas: negative.deltas))
    }
}

/// An exemplar on a protobuf page: its numbers, and where it stands.
struct ProtobufExemplar {
    var parts = ExemplarParts(value: 0, timestamp: nil)
    /// The message, to be walked again for its labels.
    let range: Range<Int>

    init(_ message: consuming ProtobufMessage) throws(ExpositionError) {
        range = message.position..<message.end
        while let field = try message.next() {
            switch field {
            case 1: _ = try ProtobufMetric.label(message.message("Label", as: "LabelPair"))
            case 2: parts.value = try message.double("Value")
            case 3: parts.timestamp = try ProtobufMetric.milliseconds(message.message("Timestamp", as: "Timestamp"))
            default: try message.skip()
            }
        }
    }

    /// Names and values of its labels in turn.
    func appendLabels(of page: UnsafeRawBufferPointer, to tokens: inout [Range<Int>]) throws(ExpositionError) {
        var message = ProtobufMessage(page, range, name: "Exemplar")
        while let field = try message.next() {
            guard field == 1 else {
                try message.skip()
                continue
            }
            let (name, value) = try ProtobufMetric.label(message.message("Label", as: "LabelPair"))
            tokens.append(name)
            tokens.append(value)
        }
    }
}
