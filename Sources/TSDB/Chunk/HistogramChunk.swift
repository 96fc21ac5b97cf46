import Histograms

/// Chunks of native histograms: a layout, then samples as differences to the sample before, field by field.
///
///     count u16 │ flags u8 │ layout │ sample │ sample │ …            flags: counter reset in the two highest bits
///
///     layout    zero threshold │ schema varbit │ positive spans │ negative spans │ custom bounds (schema −53 only)
///     spans     count │ ( length │ offset ) …        unsigned and signed varbits
///
///     integer (encoding 2)      t       count   zero count   sum     buckets, as differences from bucket to bucket
///       first sample            varbit  varbit  varbit       64 bit  varbit each
///       the others              ΔΔ      ΔΔ      ΔΔ           xor     ΔΔ each
///     float (encoding 3)        t       count   zero count   sum     buckets, absolute
///       first sample            varbit  64 bit  64 bit       64 bit  64 bit each
///       the others              ΔΔ      xor     xor          xor     xor each, every bucket with a window of its own
///
/// A stale marker stands in the sum: such a sample has no buckets, and only stale markers follow it.
///
/// Byte-compatible with Prometheus' chunk encodings 2 and 3.
/// Source: Prometheus, `tsdb/chunkenc/{histogram,float_histogram,histogram_meta}.go`.
///
/// Invariant: timestamps inside one chunk are strictly increasing, and in a counter's chunk no bucket ever falls.
public enum HistogramChunk {
    /// The number of samples, big endian, and the flags.
    static let headerSize = 3
    static let flagPosition = 2

    /// Schemas that a chunk may have: what we compute with, and the coarser ones that are reserved.
    static func isKnown(schema: Int32) -> Bool { schema == FloatHistogram.customSchema || (-9...8).contains(schema) }
}

extension CounterResetHint {
    /// The flags of a chunk's header.
    var headerBits: UInt8 { rawValue << 6 }

    init(headerBits: UInt8) { self = CounterResetHint(rawValue: headerBits >> 6) ?? .unknown }

    /// Memory's and the wire's numbers, which are not the header's.
    init?(wireValue: UInt8) {
        switch wireValue {
        case 0: self = .unknown
        case 1: self = .reset
        case 2: self = .notReset
        case 3: self = .gauge
        default: return nil
        }
    }

    var wireValue: UInt8 {
        switch self {
        case .unknown: 0
        case .reset: 1
        case .notReset: 2
        case .gauge: 3
        }
    }
}

extension HistogramRows.Layout {
    /// Of stale markers.
    static let empty = HistogramRows.Layout(
        schema: 0, zeroThreshold: 0, positiveSpans: [], negativeSpans: [], customBounds: [])

    /// Most bytes that `write` takes.
    var maximumSize: Int {
        9 + 3 * Varbit.maximumSize + (positiveSpans.count + negativeSpans.count) * 2 * Varbit.maximumSize
            + customBounds.count * (1 + 8)
    }

    func write(to writer: inout BitWriter) {
        Self.write(zeroThreshold: zeroThreshold, to: &writer)
        writer.writeVarbit(Int64(schema))
        for spans in [positiveSpans, negativeSpans] {
            writer.writeVarbit(unsigned: UInt64(spans.count))
            for span in spans {
                writer.writeVarbit(unsigned: UInt64(span.length))
                writer.writeVarbit(Int64(span.offset))
            }
        }
        guard schema == FloatHistogram.customSchema else { return }
        writer.writeVarbit(unsigned: UInt64(customBounds.count))
        for bound in customBounds { Self.write(customBound: bound, to: &writer) }
    }

    /// One byte for 0 (0) and for the powers 2⁻²⁴³ … 2¹⁰ (1…254); others as 255 and their bits.
    private static func write(zeroThreshold: Double, to writer: inout BitWriter) {
        if zeroThreshold == 0 { return writer.write(0, 8) }
        if zeroThreshold > 0, zeroThreshold.isNormal, zeroThreshold.significand == 1, (-243...10).contains(zeroThreshold.exponent) {
            return writer.write(UInt64(zeroThreshold.exponent + 244), 8)
        }
        writer.write(255, 8)
        writer.writeWide(zeroThreshold.bitPattern, 64)
    }

    /// Thousandths up to 33554.43 as a varbit of their number plus one; others as a zero and their bits.
    private static func write(customBound bound: Double, to writer: inout BitWriter) {
        let thousandths = bound * 1000
        if thousandths >= 0, thousandths <= 33_554_430 {
            let whole = thousandths.rounded()
            if whole / 1000 == bound { return writer.writeVarbit(unsigned: UInt64(whole) + 1) }
        }
        writer.write(0, 1)
        writer.writeWide(bound.bitPattern, 64)
    }

    /// Reads a layout that ends before bit `end`, counted from `base`, together with as many bits as it has buckets: a damaged
    /// length must not ask for more memory than the chunk could fill.
    static func read(
        _ reader: inout BitReader, _ base: UnsafeRawPointer, end: Int
    ) throws(TSDBError) -> HistogramRows.Layout {
        func check(_ reader: BitReader) throws(TSDBError) {
            guard reader.consumed(from: base) <= end else {
                throw TSDBError(.corruption, "histogram chunk of \(end / 8) bytes ends inside its layout", offset: end / 8)
            }
        }
        func left(_ reader: BitReader) -> UInt64 { UInt64(max(0, end &- reader.consumed(from: base))) }
        func spans(_ reader: inout BitReader) throws(TSDBError) -> [BucketSpan] {
            let count = reader.takeUnsignedVarbit()
            try check(reader)
            // A span takes two bits at least.
            guard count <= left(reader) / 2 else {
                throw TSDBError(.corruption, "histogram chunk with \(count) spans")
            }
            var spans: [BucketSpan] = []
            spans.reserveCapacity(Int(count))
            for _ in 0..<Int(count) {
                let length = reader.takeUnsignedVarbit(), offset = reader.takeVarbit()
                try check(reader)
                guard let length = UInt32(exactly: length), let offset = Int32(exactly: offset) else {
                    throw TSDBError(.corruption, "histogram chunk with a span of \(length) buckets at \(offset)")
                }
                spans.append(BucketSpan(offset: offset, length: length))
            }
            return spans
        }

        reader.refill()
        let code = reader.take(8)
        let zeroThreshold: Double =
            switch code {
            case 0: 0
            case 255: Double(bitPattern: reader.takeWide(64))
            default: Double(sign: .plus, exponent: Int(code) - 244, significand: 1)
            }
        let schemaNumber = reader.takeVarbit()
        try check(reader)
        guard let schema = Int32(exactly: schemaNumber), HistogramChunk.isKnown(schema: schema) else {
            throw TSDBError(.corruption, "histogram chunk of unknown schema \(schemaNumber)")
        }
        let positive = try spans(&reader), negative = try spans(&reader)
        var bounds: [Double] = []
        if schema == FloatHistogram.customSchema {
            let count = reader.takeUnsignedVarbit()
            try check(reader)
            guard count <= left(reader) / 5 else {
                throw TSDBError(.corruption, "histogram chunk with \(count) bounds")
            }
            bounds.reserveCapacity(Int(count))
            for _ in 0..<Int(count) {
                let code = reader.takeUnsignedVarbit()
                bounds.append(code == 0 ? Double(bitPattern: reader.takeWide(64)) : Double(code - 1) / 1000)
                try check(reader)
            }
        }
        try check(reader)
        let layout = HistogramRows.Layout(
            schema: schema, zeroThreshold: zeroThreshold, positiveSpans: positive, negativeSpans: negative,
            customBounds: bounds)
        guard UInt64(layout.bucketCount) <= left(reader) else {
            throw TSDBError(.corruption, "histogram chunk of \(end / 8) bytes with \(layout.bucketCount) buckets")
        }
        return layout
    }
}
