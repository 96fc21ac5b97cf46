import Histograms

/// A native histogram as it goes into the log and comes out of it.
public struct WALHistogram: Sendable {
    public let reference: SeriesRef
    /// Milliseconds since the epoch.
    public let timestamp: Int64
    public let sample: HistogramSample

    public init(_ reference: SeriesRef, _ timestamp: Int64, _ sample: HistogramSample) {
        self.reference = reference
        self.timestamp = timestamp
        self.sample = sample
    }
}

/// Our record of histograms: what a batch's have in common with the one before is said once.
///
///     slot │ generation │ Δtime │ flags u8 │ [layout] │ sum f64 │ [counts]
///
///     flags    bits 0–1 counter reset (as in chunk headers) · 2 float · 3 layout is that of the histogram before · 4 stale marker:
///              neither layout nor counts · 5 floats that are all whole: kept as integers are
///     layout   schema zigzag │ zero threshold f64 │ positive spans │ negative spans │ bounds (schema −53: n varint, f64 each)
///     spans    n varint │ ( offset zigzag │ length varint ) …
///     counts   count │ zero count │ positive buckets │ negative buckets       as many as the spans name
///              whole: varints, then zigzag differences from bucket to bucket; else f64 each, the bits
///
/// `docs/format/wal.md` draws the bytes.
enum WALHistogramRecord {
    static let isFloat: UInt8 = 4
    static let sameLayout: UInt8 = 8
    static let isStale: UInt8 = 16
    static let isWhole: UInt8 = 32

    /// Appends the body of a record.
    static func encode(_ histograms: [WALHistogram], to output: inout [UInt8]) {
        var time: Int64 = 0
        var last: HistogramFields?
        for item in histograms {
            guard let fields = HistogramFields(item.sample) else { continue }
            output.appendVarint(UInt64(item.reference.slot))
            output.appendVarint(UInt64(item.reference.generation))
            output.appendVarint(ValueTag.zigzag(item.timestamp &- time))
            time = item.timestamp
            let whole = fields.isFloat ? wholeNumbers(fields) : nil
            let hasLastLayout = last?.hasLayout(of: fields) ?? false
            output.append(
                fields.hint.rawValue | (fields.isFloat ? isFloat : 0) | (hasLastLayout ? sameLayout : 0)
                    | (fields.isStale ? isStale : 0) | (whole != nil ? isWhole : 0))
            if fields.isStale {
                output.appendWord(fields.sum)
                continue
            }
            if !hasLastLayout { encodeLayout(fields, to: &output) }
            last = fields
            output.appendWord(fields.sum)
            if !fields.isFloat {
                output.appendVarint(fields.count)
                output.appendVarint(fields.zeroCount)
                for bits in fields.positive.buckets { output.appendVarint(ValueTag.zigzag(Int64(bitPattern: bits))) }
                for bits in fields.negative.buckets { output.appendVarint(ValueTag.zigzag(Int64(bitPattern: bits))) }
            } else if let whole {
                output.appendVarint(whole.count)
                output.appendVarint(whole.zeroCount)
                for delta in whole.deltas { output.appendVarint(ValueTag.zigzag(delta)) }
            } else {
                output.appendWord(fields.count)
                output.appendWord(fields.zeroCount)
                for bits in fields.positive.buckets { output.appendWord(bits) }
                for bits in fields.negative.buckets { output.appendWord(bits) }
            }
        }
    }

    private static func encodeLayout(_ fields: HistogramFields, to output: inout [UInt8]) {
        output.appendVarint(ValueTag.zigzag(Int64(fields.schema)))
        output.appendWord(fields.zeroThreshold.bitPattern)
        for side in [fields.positive, fields.negative] {
            output.appendVarint(UInt64(side.spans.count))
            for span in side.spans {
                output.appendVarint(ValueTag.zigzag(Int64(span.offset)))
                output.appendVarint(UInt64(span.length))
            }
        }
        guard fields.schema == FloatHistogram.customSchema else { return }
        output.appendVarint(UInt64(fields.customBounds.count))
        for bound in fields.customBounds { output.appendWord(bound.bitPattern) }
    }

    /// Counts and buckets of a float histogram as integers; `nil` where that would change a bit.
    private static func wholeNumbers(_ fields: HistogramFields) -> (count: UInt64, zeroCount: UInt64, deltas: [Int64])? {
        func whole(_ bits: UInt64) -> Int64? {
            let integer = ValueTag.rounded(Double(bitPattern: bits))
            return Double(integer).bitPattern == bits ? integer : nil
        }
        guard let count = whole(fields.count), count >= 0, let zeroCount = whole(fields.zeroCount), zeroCount >= 0
        else { return nil }
        var deltas: [Int64] = []
        deltas.reserveCapacity(fields.positive.buckets.count + fields.negative.buckets.count)
        for side in [fields.positive.buckets, fields.negative.buckets] {
            var before: Int64 = 0
            for bits in side {
                guard let integer = whole(bits) else { return nil }
                deltas.append(integer &- before)
                before = integer
            }
        }
        return (UInt64(count), UInt64(zeroCount), deltas)
    }

    /// Reads a body. Throws `.corruption` where it is none.
    static func decode(_ body: UnsafeRawBufferPointer) throws(TSDBError) -> [WALHistogram] {
        var cursor = ByteCursor(body)
        var histograms: [WALHistogram] = []
        var time: Int64 = 0
        var layout: HistogramRows.Layout?
        while cursor.remaining > 0 {
            let slot = UInt32(truncatingIfNeeded: try cursor.takeCount(atMost: Int(UInt32.max)))
            let generation = UInt32(truncatingIfNeeded: try cursor.takeCount(atMost: Int(UInt32.max)))
            time = time &+ (try cursor.takeSignedVarint())
            let flags = try cursor.takeByte()
            guard flags & 0xc0 == 0 else {
                throw TSDBError(.corruption, "histogram with unknown flags \(flags)", offset: cursor.position)
            }
            let hint = CounterResetHint(rawValue: flags & 3) ?? .unknown
            let sample: HistogramSample
            if flags & isStale != 0 {
                let sum = Double(bitPattern: try cursor.takeWord())
                sample =
                    flags & isFloat != 0
                    ? .float(FloatHistogram(hint: hint, sum: sum)) : .integer(IntegerHistogram(hint: hint, sum: sum))
            } else {
                if flags & sameLayout == 0 { layout = try decodeLayout(&cursor) }
                guard let layout else {
                    throw TSDBError(.corruption, "histogram with the layout of none", offset: cursor.position)
                }
                sample = try decodeCounts(&cursor, layout, hint, flags)
            }
            histograms.append(WALHistogram(SeriesRef(slot: slot, generation: generation), time, sample))
        }
        return histograms
    }

    private static func decodeLayout(_ cursor: inout ByteCursor) throws(TSDBError) -> HistogramRows.Layout {
        let number = try cursor.takeSignedVarint()
        guard let schema = Int32(exactly: number), HistogramChunk.isKnown(schema: schema) else {
            throw TSDBError(.corruption, "histogram of unknown schema \(number)", offset: cursor.position)
        }
        let zeroThreshold = Double(bitPattern: try cursor.takeWord())
        let positive = try WALHistogramParts.spans(&cursor), negative = try WALHistogramParts.spans(&cursor)
        var bounds: [Double] = []
        if schema == FloatHistogram.customSchema {
            let count = try cursor.takeCount(atMost: cursor.remaining / 8)
            bounds.reserveCapacity(count)
            for _ in 0..<count { bounds.append(Double(bitPattern: try cursor.takeWord())) }
        }
        return HistogramRows.Layout(
            schema: schema, zeroThreshold: zeroThreshold, positiveSpans: positive, negativeSpans: negative,
            customBounds: bounds)
    }

    private static func decodeCounts(
        _ cursor: inout ByteCursor, _ layout: HistogramRows.Layout, _ hint: CounterResetHint, _ flags: UInt8
    ) throws(TSDBError) -> HistogramSample {
        let sum = Double(bitPattern: try cursor.takeWord())
        // A bucket takes a byte at least.
        guard layout.positiveCount <= cursor.remaining, layout.negativeCount <= cursor.remaining else {
            throw TSDBError(.corruption, "histogram of \(layout.bucketCount) buckets", offset: cursor.position)
        }
        if flags & isFloat != 0 && flags & isWhole == 0 {
            let count = Double(bitPattern: try cursor.takeWord()), zeroCount = Double(bitPattern: try cursor.takeWord())
            return .float(
                FloatHistogram(
                    hint: hint, schema: layout.schema, zeroThreshold: layout.zeroThreshold, zeroCount: zeroCount, count: count,
                    sum: sum, positiveSpans: layout.positiveSpans, negativeSpans: layout.negativeSpans,
                    positiveBuckets: try WALHistogramParts.words(&cursor, layout.positiveCount),
                    negativeBuckets: try WALHistogramParts.words(&cursor, layout.negativeCount),
                    customBounds: layout.customBounds))
        }
        let count = try cursor.takeVarint(), zeroCount = try cursor.takeVarint()
        let histogram = IntegerHistogram(
            hint: hint, schema: layout.schema, zeroThreshold: layout.zeroThreshold, zeroCount: zeroCount, count: count, sum: sum,
            positiveSpans: layout.positiveSpans, negativeSpans: layout.negativeSpans,
            positiveDeltas: try WALHistogramParts.deltas(&cursor, layout.positiveCount),
            negativeDeltas: try WALHistogramParts.deltas(&cursor, layout.negativeCount), customBounds: layout.customBounds)
        return flags & isFloat != 0 ? .float(FloatHistogram(histogram)) : .integer(histogram)
    }
}

/// Prometheus' records 7…10: integer and float histograms, with exponential buckets and with bounds of their own.
///
///     reference u64 │ time u64 │ ( Δreference zigzag │ Δtime zigzag │ histogram ) …      Δ to the first pair, in every row
///     histogram   hint u8 │ schema zigzag │ zero threshold f64 │ zero count │ count │ sum f64 │ spans │ spans │ buckets │ buckets │ [bounds]
///
/// Words are big-endian; integer counts are varints and zigzag differences, float ones f64. Lists are preceded by their length.
/// Source: `tsdb/record/record.go`.
enum PrometheusHistogramRecord {
    static func encode(_ histograms: [WALHistogram], type: UInt8, to output: inout [UInt8]) {
        guard let first = histograms.first else { return }
        let reference = first.reference.rawValue, time = first.timestamp
        output.append(type)
        output.appendBigEndian(reference)
        output.appendBigEndian(UInt64(bitPattern: time))
        for item in histograms {
            guard let fields = HistogramFields(item.sample) else { continue }
            output.appendVarint(ValueTag.zigzag(Int64(bitPattern: item.reference.rawValue &- reference)))
            output.appendVarint(ValueTag.zigzag(item.timestamp &- time))
            encode(fields, to: &output)
        }
    }

    private static func encode(_ fields: HistogramFields, to output: inout [UInt8]) {
        output.append(fields.hint.wireValue)
        output.appendVarint(ValueTag.zigzag(Int64(fields.schema)))
        output.appendBigEndian(fields.zeroThreshold.bitPattern)
        if fields.isFloat {
            output.appendBigEndian(fields.zeroCount)
            output.appendBigEndian(fields.count)
        } else {
            output.appendVarint(fields.zeroCount)
            output.appendVarint(fields.count)
        }
        output.appendBigEndian(fields.sum)
        for side in [fields.positive, fields.negative] {
            output.appendVarint(UInt64(side.spans.count))
            for span in side.spans {
                output.appendVarint(ValueTag.zigzag(Int64(span.offset)))
                output.appendVarint(UInt64(span.length))
            }
        }
        for side in [fields.positive, fields.negative] {
            output.appendVarint(UInt64(side.buckets.count))
            for bits in side.buckets {
                if fields.isFloat { output.appendBigEndian(bits) } else { output.appendVarint(ValueTag.zigzag(Int64(bitPattern: bits))) }
            }
        }
        guard fields.schema == FloatHistogram.customSchema else { return }
        output.appendVarint(UInt64(fields.customBounds.count))
        for bound in fields.customBounds { output.appendBigEndian(bound.bitPattern) }
    }

    /// The type of record that a histogram goes into.
    static func type(of sample: HistogramSample) -> UInt8 {
        switch sample {
        case .integer(let histogram):
            histogram.schema == FloatHistogram.customSchema ? WALRecordType.customHistograms : WALRecordType.histograms
        case .float(let histogram):
            histogram.hasCustomBounds ? WALRecordType.customFloatHistograms : WALRecordType.floatHistograms
        }
    }

    /// Reads a record behind its type. Histograms of a schema that nobody can read are left out and counted.
    static func decode(
        _ cursor: inout ByteCursor, isFloat: Bool
    ) throws(TSDBError) -> (histograms: [WALHistogram], skipped: Int) {
        var histograms: [WALHistogram] = []
        var skipped = 0
        guard cursor.remaining > 0 else { return ([], 0) }
        let reference = try cursor.takeBigEndianWord()
        let time = Int64(bitPattern: try cursor.takeBigEndianWord())
        while cursor.remaining > 0 {
            let delta = UInt64(bitPattern: try cursor.takeSignedVarint())
            let timeDelta = try cursor.takeSignedVarint()
            guard let sample = try decodeSample(&cursor, isFloat: isFloat) else {
                skipped += 1
                continue
            }
            histograms.append(WALHistogram(SeriesRef(rawValue: reference &+ delta), time &+ timeDelta, sample))
        }
        return (histograms, skipped)
    }

    /// The same of a record with start timestamps, whose rows begin otherwise (`StartedRows`).
    static func decodeStarted(
        _ cursor: inout ByteCursor, isFloat: Bool
    ) throws(TSDBError) -> (histograms: [WALHistogram], skipped: Int) {
        var histograms: [WALHistogram] = []
        var skipped = 0
        var rows = StartedRows()
        while cursor.remaining > 0 {
            let (reference, time) = try rows.next(&cursor)
            guard let sample = try decodeSample(&cursor, isFloat: isFloat) else {
                skipped += 1
                continue
            }
            histograms.append(WALHistogram(SeriesRef(rawValue: reference), time, sample))
        }
        return (histograms, skipped)
    }

    private static func decodeSample(_ cursor: inout ByteCursor, isFloat: Bool) throws(TSDBError) -> HistogramSample? {
        let hintCode = try cursor.takeByte()
        guard let hint = CounterResetHint(wireValue: hintCode) else {
            throw TSDBError(.corruption, "histogram with hint \(hintCode)", offset: cursor.position)
        }
        let number = try cursor.takeSignedVarint()
        let zeroThreshold = Double(bitPattern: try cursor.takeBigEndianWord())
        let zeroCount = isFloat ? try cursor.takeBigEndianWord() : try cursor.takeVarint()
        let count = isFloat ? try cursor.takeBigEndianWord() : try cursor.takeVarint()
        let sum = Double(bitPattern: try cursor.takeBigEndianWord())
        let positiveSpans = try WALHistogramParts.spans(&cursor), negativeSpans = try WALHistogramParts.spans(&cursor)
        var floats: [[Double]] = [], deltas: [[Int64]] = []
        for _ in 0..<2 {
            let length = try cursor.takeCount(atMost: cursor.remaining)
            if isFloat {
                guard length <= cursor.remaining / 8 else {
                    throw TSDBError(.corruption, "histogram of \(length) buckets", offset: cursor.position)
                }
                floats.append(try WALHistogramParts.words(&cursor, length, bigEndian: true))
            } else {
                deltas.append(try WALHistogramParts.deltas(&cursor, length))
            }
        }
        var bounds: [Double] = []
        if number == Int64(FloatHistogram.customSchema) {
            let length = try cursor.takeCount(atMost: cursor.remaining / 8)
            bounds = try WALHistogramParts.words(&cursor, length, bigEndian: true)
        }
        guard let schema = Int32(exactly: number), HistogramChunk.isKnown(schema: schema) else { return nil }
        if isFloat {
            return .float(
                FloatHistogram(
                    hint: hint, schema: schema, zeroThreshold: zeroThreshold, zeroCount: Double(bitPattern: zeroCount),
                    count: Double(bitPattern: count), sum: sum, positiveSpans: positiveSpans, negativeSpans: negativeSpans,
                    positiveBuckets: floats[0], negativeBuckets: floats[1], customBounds: bounds))
        }
        return .integer(
            IntegerHistogram(
                hint: hint, schema: schema, zeroThreshold: zeroThreshold, zeroCount: zeroCount, count: count, sum: sum,
                positiveSpans: positiveSpans, negativeSpans: negativeSpans, positiveDeltas: deltas[0], negativeDeltas: deltas[1],
                customBounds: bounds))
    }
}

/// What both forms have in common.
private enum WALHistogramParts {
    static func spans(_ cursor: inout ByteCursor) throws(TSDBError) -> [BucketSpan] {
        // A span takes two bytes at least.
        let count = try cursor.takeCount(atMost: cursor.remaining / 2)
        var spans: [BucketSpan] = []
        spans.reserveCapacity(count)
        for _ in 0..<count {
            let offset = try cursor.takeSignedVarint(), length = try cursor.takeVarint()
            guard let offset = Int32(exactly: offset), let length = UInt32(exactly: length) else {
                throw TSDBError(.corruption, "span of \(length) buckets at \(offset)", offset: cursor.position)
            }
            spans.append(BucketSpan(offset: offset, length: length))
        }
        return spans
    }

    /// `count` is at most what remains.
    static func deltas(_ cursor: inout ByteCursor, _ count: Int) throws(TSDBError) -> [Int64] {
        var deltas: [Int64] = []
        deltas.reserveCapacity(count)
        for _ in 0..<count { deltas.append(try cursor.takeSignedVarint()) }
        return deltas
    }

    /// `count` is at most what remains.
    static func words(_ cursor: inout ByteCursor, _ count: Int, bigEndian: Bool = false) throws(TSDBError) -> [Double] {
        var words: [Double] = []
        words.reserveCapacity(count)
        for _ in 0..<count {
            words.append(Double(bitPattern: bigEndian ? try cursor.takeBigEndianWord() : try cursor.takeWord()))
        }
        return words
    }
}

extension HistogramFields {
    /// The same places for the buckets.
    func hasLayout(of other: HistogramFields) -> Bool {
        schema == other.schema && zeroThreshold.bitPattern == other.zeroThreshold.bitPattern
            && positive.spans == other.positive.spans && negative.spans == other.negative.spans
            && customBounds.elementsEqual(other.customBounds) { $0.bitPattern == $1.bitPattern }
    }
}
