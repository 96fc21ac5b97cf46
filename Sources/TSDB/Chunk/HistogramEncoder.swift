import Histograms

/// Writes one histogram chunk: appends samples, widens the layout where new buckets appear, and says when another chunk is due.
///
/// New buckets make all samples before be written again, with those buckets empty; buckets that a sample lacks are put in empty.
/// A chunk ends where schema, zero threshold or bounds change, where a counter was reset, where counter and gauge
/// meet, and behind a stale marker.
///
/// Source: `AppendHistogram` and `AppendFloatHistogram` of Prometheus' `tsdb/chunkenc`, whose bytes it gives.
struct HistogramEncoder {
    let isFloat: Bool
    /// What is known of a reset before the first sample; `.gauge` for all of them.
    let header: CounterResetHint
    private(set) var count = 0
    private(set) var layout: HistogramRows.Layout
    private(set) var timestamp: Int64 = 0
    private(set) var sum = HistogramField()
    private var timeDelta: Int64 = 0
    private var observations = HistogramField()
    private var zeroCount = HistogramField()
    /// Positive ones first.
    private var buckets: [HistogramField] = []
    /// The chunk, and room behind it.
    private var buffer: [UInt8] = []
    private var bit = HistogramChunk.headerSize * 8
    private var partial: UInt8 = 0

    /// Begins a chunk with its first sample.
    init(_ fields: HistogramFields, at time: Int64, header: CounterResetHint) {
        isFloat = fields.isFloat
        self.header = header
        layout = fields.layout
        begin(layout)
        write(fields, time)
    }

    /// Goes on with a chunk that was read to its end.
    init(_ cursor: HistogramCursor, _ bytes: UnsafeRawBufferPointer) {
        isFloat = cursor.isFloat
        header = cursor.header
        count = cursor.count
        layout = cursor.layout
        timestamp = cursor.timestamp
        timeDelta = cursor.timeDelta
        sum = cursor.sum
        observations = cursor.observations
        zeroCount = cursor.zeroCount
        buckets = cursor.buckets
        bit = cursor.consumedBits
        let size = (bit + 7) >> 3
        buffer = Array(bytes.prefix(size)) + [UInt8](repeating: 0, count: BitReader.spare)
        partial = bit & 7 == 0 ? 0 : buffer[size - 1] & ~(0xff >> UInt8(truncatingIfNeeded: bit & 7))
        writeHeader()
    }

    /// Bytes of the chunk.
    var size: Int { (bit + 7) >> 3 }

    /// The chunk's bytes; behind them stands what decoders may look ahead at.
    var chunk: HistogramChunkBytes { HistogramChunkBytes(buffer: buffer, size: size, count: count, isFloat: isFloat) }

    var isStale: Bool { sum.value == StaleMarker.bits }

    /// The last sample.
    var last: HistogramFields {
        HistogramFields(
            isFloat: isFloat, hint: header == .gauge ? .gauge : .unknown, layout, count: observations.value,
            zeroCount: zeroCount.value, sum: sum.value, buckets: buckets)
    }

    /// Appends a sample that is newer than all. Where it does not belong into this chunk, nothing changes, and the answer is the header of
    /// the chunk that has to be begun with it.
    mutating func append(_ fields: HistogramFields, at time: Int64) -> CounterResetHint? {
        switch assess(fields) {
        case .cut(let header): return header
        case .append(let positive, let negative):
            var fields = fields
            let lacksOld = positive.lacksOld || negative.lacksOld, hasNew = positive.hasNew || negative.hasNew
            if lacksOld {
                if fields.hint == .gauge {
                    fields.respread(positive: union(positive, fields.positive), negative: union(negative, fields.negative))
                } else if hasNew {
                    fields.respread(
                        positive: positive.lacksOld ? positive.union : nil, negative: negative.lacksOld ? negative.union : nil)
                } else {
                    fields.respread(positive: layout.positiveSpans, negative: layout.negativeSpans)
                }
            }
            if hasNew { widen(fields.positive.spans, fields.negative.spans) }
            write(fields, time)
            return nil
        }
    }

    /// The header of a chunk that begins with `fields` behind this one for no reason of theirs.
    func header(following fields: HistogramFields) -> CounterResetHint {
        if fields.hint == .gauge || fields.hint == .reset { return fields.hint }
        guard isFloat == fields.isFloat else { return .unknown }
        switch assess(fields) {
        case .append: return .notReset
        case .cut(let header): return isFloat && header == .unknown ? .notReset : header
        }
    }

    // MARK: What fits

    private enum Assessment {
        case append(HistogramSide.Fit, HistogramSide.Fit)
        case cut(CounterResetHint)
    }

    private func assess(_ fields: HistogramFields) -> Assessment {
        let isGauge = fields.hint == .gauge
        // Upstream, too, has two answers here.
        if isGauge != (header == .gauge) { return .cut(isGauge ? .gauge : isFloat ? .unknown : .notReset) }
        if fields.hint == .reset { return .cut(.reset) }
        if fields.isStale { return .append(HistogramSide.Fit(), HistogramSide.Fit()) }
        if isStale { return .cut(isGauge ? .gauge : .unknown) }
        if !isGauge && isBelow(fields.count, observations.value) { return .cut(.reset) }
        if fields.schema != layout.schema || fields.zeroThreshold != layout.zeroThreshold {
            return .cut(isGauge ? .gauge : .unknown)
        }
        if fields.schema == FloatHistogram.customSchema && fields.customBounds != layout.customBounds {
            return .cut(isGauge ? .gauge : .reset)
        }
        if !isGauge && isBelow(fields.zeroCount, zeroCount.value) { return .cut(.reset) }
        let last = self.last
        let positive = fields.positive.fit(behind: last.positive, isFloat: isFloat, detectingResets: !isGauge)
        if positive.isReset { return .cut(.reset) }
        let negative = fields.negative.fit(behind: last.negative, isFloat: isFloat, detectingResets: !isGauge)
        if negative.isReset { return .cut(.reset) }
        return .append(positive, negative)
    }

    private func isBelow(_ a: UInt64, _ b: UInt64) -> Bool {
        isFloat ? Double(bitPattern: a) < Double(bitPattern: b) : a < b
    }

    /// The fewest spans for the buckets of both.
    private func union(_ fit: HistogramSide.Fit, _ side: HistogramSide) -> [BucketSpan] {
        fit.hasNew || fit.lacksOld ? fit.union : HistogramSide.spans(of: HistogramSide.indices(side.spans))
    }

    // MARK: Writing

    /// Writes all samples again, with more buckets.
    private mutating func widen(_ positive: [BucketSpan], _ negative: [BucketSpan]) {
        let old = chunk
        let total = count
        begin(
            HistogramRows.Layout(
                schema: layout.schema, zeroThreshold: layout.zeroThreshold, positiveSpans: positive, negativeSpans: negative,
                customBounds: layout.customBounds))
        do throws(TSDBError) {
            try old.withCursor { cursor throws(TSDBError) in
                while try cursor.next() {
                    var fields = cursor.fields
                    if !fields.isStale { fields.respread(positive: positive, negative: negative) }
                    write(fields, cursor.timestamp)
                }
            }
        } catch {
            // Written by this encoder: a failure here is a bug in the coder, not an input.
            preconditionFailure("histogram chunk of \(total) samples does not decode: \(error)")
        }
    }

    /// Forgets all samples and writes the layout.
    private mutating func begin(_ layout: HistogramRows.Layout) {
        self.layout = layout
        count = 0
        timeDelta = 0
        sum = HistogramField()
        observations = HistogramField()
        zeroCount = HistogramField()
        buckets = [HistogramField](repeating: HistogramField(), count: layout.bucketCount)
        bit = HistogramChunk.headerSize * 8
        partial = 0
        buffer = [UInt8](
            repeating: 0, count: HistogramChunk.headerSize + layout.maximumSize + (layout.bucketCount + 4) * 10 + BitReader.spare)
        withWriter { encoder, writer in encoder.layout.write(to: &writer) }
    }

    /// `fields` have this chunk's layout, or are a stale marker.
    private mutating func write(_ fields: HistogramFields, _ time: Int64) {
        let needed = size + (buckets.count + 4) * 10 + BitReader.spare
        if buffer.count < needed {
            buffer.append(contentsOf: repeatElement(0, count: max(needed, buffer.count + buffer.count / 2) - buffer.count))
        }
        let isFirst = count == 0
        withWriter { encoder, writer in
            let delta = isFirst ? 0 : time &- encoder.timestamp
            writer.writeVarbit(isFirst ? time : delta &- encoder.timeDelta)
            encoder.timeDelta = delta
            encoder.timestamp = time
            if encoder.isFloat {
                encoder.writeFloat(fields, isFirst, &writer)
            } else {
                encoder.writeInteger(fields, isFirst, &writer)
            }
        }
        count += 1
        writeHeader()
    }

    private mutating func writeInteger(_ fields: HistogramFields, _ isFirst: Bool, _ writer: inout BitWriter) {
        if isFirst {
            writer.writeVarbit(unsigned: fields.count)
            writer.writeVarbit(unsigned: fields.zeroCount)
            observations.value = fields.count
            zeroCount.value = fields.zeroCount
            writer.writeWide(fields.sum, 64)
        } else {
            Self.writeChange(&observations, fields.count, isStale: fields.isStale, &writer)
            Self.writeChange(&zeroCount, fields.zeroCount, isStale: fields.isStale, &writer)
            writer.writeXOR(fields.sum, after: sum.value, &sum.leading, &sum.trailing)
        }
        sum.value = fields.sum
        var place = 0
        for side in [fields.positive.buckets, fields.negative.buckets] {
            for value in side {
                if isFirst {
                    writer.writeVarbit(Int64(bitPattern: value))
                    buckets[place].value = value
                } else {
                    Self.writeChange(&buckets[place], value, isStale: false, &writer)
                }
                place += 1
            }
        }
    }

    /// A stale marker's counts are written as if nothing had changed in how they change.
    @inline(__always)
    private static func writeChange(_ field: inout HistogramField, _ value: UInt64, isStale: Bool, _ writer: inout BitWriter) {
        let change = Int64(bitPattern: value &- field.value)
        writer.writeVarbit(isStale ? 0 : change &- field.change)
        field.change = change
        field.value = value
    }

    private mutating func writeFloat(_ fields: HistogramFields, _ isFirst: Bool, _ writer: inout BitWriter) {
        Self.writeValue(&observations, fields.count, isFirst, &writer)
        Self.writeValue(&zeroCount, fields.zeroCount, isFirst, &writer)
        Self.writeValue(&sum, fields.sum, isFirst, &writer)
        var place = 0
        for side in [fields.positive.buckets, fields.negative.buckets] {
            for value in side {
                Self.writeValue(&buckets[place], value, isFirst, &writer)
                place += 1
            }
        }
    }

    @inline(__always)
    private static func writeValue(_ field: inout HistogramField, _ value: UInt64, _ isFirst: Bool, _ writer: inout BitWriter) {
        if isFirst {
            writer.writeWide(value, 64)
        } else {
            writer.writeXOR(value, after: field.value, &field.leading, &field.trailing)
        }
        field.value = value
    }

    private mutating func writeHeader() {
        buffer[0] = UInt8(truncatingIfNeeded: count >> 8)
        buffer[1] = UInt8(truncatingIfNeeded: count)
        buffer[HistogramChunk.flagPosition] = header.headerBits
    }

    /// The buffer has room for what `body` writes.
    private mutating func withWriter(_ body: (inout HistogramEncoder, inout BitWriter) -> Void) {
        // Out of the struct meanwhile, so that `body` may change the rest of it.
        var taken: [UInt8] = []
        swap(&taken, &buffer)
        taken.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            var writer = BitWriter(base, at: bit, kept: partial)
            body(&self, &writer)
            bit = writer.bit
            partial = writer.kept
        }
        swap(&taken, &buffer)
    }
}

/// A histogram chunk as it was at one moment: whoever holds it keeps it.
struct HistogramChunkBytes: Sendable {
    /// At least `BitReader.spare` bytes behind `size`.
    let buffer: [UInt8]
    let size: Int
    let count: Int
    let isFloat: Bool

    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws(TSDBError) -> Result) throws(TSDBError) -> Result {
        var failure: TSDBError?
        let result: Result? = buffer.withUnsafeBytes { bytes in
            do throws(TSDBError) { return try body(UnsafeRawBufferPointer(rebasing: bytes[..<size])) } catch {
                failure = error
                return nil
            }
        }
        if let result { return result }
        throw failure ?? TSDBError(.corruption, "no histogram chunk")
    }

    func withCursor(_ body: (inout HistogramCursor) throws(TSDBError) -> Void) throws(TSDBError) {
        try withBytes { bytes throws(TSDBError) in
            var cursor = try HistogramCursor(bytes, isFloat: isFloat)
            try body(&cursor)
        }
    }
}
