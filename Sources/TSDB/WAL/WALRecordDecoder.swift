import Snappy

/// Turns records into calls of a visitor. Decompresses, checks everything, and keeps the state of batch records.
struct WALRecordDecoder: ~Copyable {
    private var batches = BatchDecoder()
    private var referenceColumn = ScratchColumn<UInt64>()
    private var timestampColumn = ScratchColumn<Int64>()
    private var valueColumn = ScratchColumn<Double>()
    private var normalizedLabels = ScratchColumn<UInt8>()
    private var decompressed = ScratchColumn<UInt8>()

    /// What was read so far.
    private(set) var seriesCount = 0
    private(set) var sampleCount = 0
    /// Samples whose record is sound but refers to one that is lost.
    private(set) var lostSampleCount = 0
    private(set) var otherRecordCount = 0

    /// Throws `.corruption` for a record that makes no sense, `.invalid` for zstd, and what the visitor throws.
    mutating func decode(
        _ record: UnsafeRawBufferPointer, _ compression: WALFormat.RecordCompression, _ visitor: inout some WALVisitor
    ) throws(TSDBError) {
        switch compression {
        case .none:
            try decode(record, isCompressed: false, &visitor)
        case .snappy:
            try decode(try decompress(record), isCompressed: true, &visitor)
        case .zstd:
            throw TSDBError(
                .invalid,
                "a record is compressed with zstd, which minprom does not read; "
                    + "run Prometheus once with --storage.tsdb.wal-compression-type=snappy until it has written a checkpoint")
        }
    }

    private mutating func decode(
        _ record: UnsafeRawBufferPointer, isCompressed: Bool, _ visitor: inout some WALVisitor
    ) throws(TSDBError) {
        guard let type = record.first else { throw TSDBError(.corruption, "empty record", offset: 0) }
        if WALRecordType.isOurs(type) {
            guard !isCompressed else { throw TSDBError(.corruption, "record of type \(type) under snappy", offset: 0) }
            return try decodeOurs(type, record, &visitor)
        }
        var cursor = ByteCursor(UnsafeRawBufferPointer(rebasing: record.dropFirst()))
        switch type {
        case WALRecordType.series: try decodeSeries(&cursor, &visitor)
        case WALRecordType.samples: try decodeSamples(&cursor, &visitor)
        case WALRecordType.startedSamples: try decodeStartedSamples(&cursor, &visitor)
        case WALRecordType.tombstones:
            while cursor.remaining > 0 {
                let reference = SeriesRef(rawValue: try cursor.takeBigEndianWord())
                let from = Timestamp(milliseconds: try cursor.takeSignedVarint())
                try visitor.tombstone(reference, from: from, through: Timestamp(milliseconds: try cursor.takeSignedVarint()))
            }
        case WALRecordType.exemplars: try decodeExemplars(&cursor, &visitor)
        case WALRecordType.histograms, WALRecordType.customHistograms, WALRecordType.floatHistograms,
            WALRecordType.customFloatHistograms:
            let isFloat = type == WALRecordType.floatHistograms || type == WALRecordType.customFloatHistograms
            try take(try PrometheusHistogramRecord.decode(&cursor, isFloat: isFloat), &visitor)
        case WALRecordType.startedHistograms, WALRecordType.startedFloatHistograms:
            let isFloat = type == WALRecordType.startedFloatHistograms
            try take(try PrometheusHistogramRecord.decodeStarted(&cursor, isFloat: isFloat), &visitor)
        case WALRecordType.prometheus:
            otherRecordCount += 1
            try visitor.other(type, record)
        default:
            throw TSDBError(.corruption, "record of unknown type \(type)", offset: 0)
        }
    }

    // MARK: Ours

    private mutating func decodeOurs(
        _ type: UInt8, _ record: UnsafeRawBufferPointer, _ visitor: inout some WALVisitor
    ) throws(TSDBError) {
        var cursor = ByteCursor(UnsafeRawBufferPointer(rebasing: record.dropFirst()))
        switch try cursor.takeByte() {
        case WALBodyForm.plain:
            try decodeBody(type, try cursor.takeBytes(cursor.remaining), &visitor)
        case WALBodyForm.lz4:
            let length = try cursor.takeCount(atMost: WALFormat.recordLimit)
            let block = try cursor.takeBytes(cursor.remaining)
            // LZ4 gives at most 255 bytes for one.
            guard length <= block.count * 255, let body = expand(block, to: length) else {
                throw TSDBError(.corruption, "not an LZ4 block of \(length) bytes", offset: cursor.position)
            }
            try decodeBody(type, body, &visitor)
        case let form:
            throw TSDBError(.corruption, "record of type \(type) in unknown form \(form)", offset: 1)
        }
    }

    private mutating func decodeBody(
        _ type: UInt8, _ body: UnsafeRawBufferPointer, _ visitor: inout some WALVisitor
    ) throws(TSDBError) {
        switch type {
        case WALRecordType.batch:
            try batches.decode(body)
            sampleCount += batches.count
            lostSampleCount += batches.lostCount
            try visitor.samples(
                WALSamples(
                    references: batches.references, timestamps: batches.timestamps, values: batches.values, count: batches.count))
        case WALRecordType.compactSeries:
            var cursor = ByteCursor(body)
            while cursor.remaining > 0 {
                let slot = UInt32(truncatingIfNeeded: try cursor.takeCount(atMost: Int(UInt32.max)))
                let generation = UInt32(truncatingIfNeeded: try cursor.takeCount(atMost: Int(UInt32.max)))
                let labels = try cursor.takeLengthPrefixed()
                guard try Self.isWellFormed(labels) else {
                    throw TSDBError(.corruption, "labels out of order", offset: cursor.position)
                }
                seriesCount += 1
                try visitor.series(SeriesRef(slot: slot, generation: generation), labels: labels)
            }
        case WALRecordType.chunks:
            try visitor.chunks(body)
        case WALRecordType.compactExemplars:
            try decodeCompactExemplars(body, &visitor)
        case WALRecordType.compactHistograms:
            let histograms = try WALHistogramRecord.decode(body)
            sampleCount += histograms.count
            try visitor.histograms(histograms)
        case WALRecordType.starts:
            try visitor.starts(try WALStartRecord.decode(body))
        default:
            throw TSDBError(.corruption, "record of unknown type \(type)", offset: 0)
        }
    }

    // MARK: Prometheus'

    private mutating func decodeSeries(_ cursor: inout ByteCursor, _ visitor: inout some WALVisitor) throws(TSDBError) {
        while cursor.remaining > 0 {
            let reference = SeriesRef(rawValue: try cursor.takeBigEndianWord())
            // A label takes two bytes at least.
            let count = try cursor.takeCount(atMost: cursor.remaining / 2)
            // Lengths and bytes in turn: what follows is packed as our own labels are.
            let start = cursor
            for _ in 0..<(count * 2) { _ = try cursor.takeLengthPrefixed() }
            var slice = start
            let packed = try slice.takeBytes(cursor.position - start.position)
            seriesCount += 1
            if try Self.isWellFormed(packed) {
                try visitor.series(reference, labels: packed)
            } else {
                // Empty values or another order, from an old version: as Prometheus reads it, an empty value is no label.
                let buffer = scratchCopy(Self.normalized(packed))
                try visitor.series(reference, labels: buffer)
            }
        }
    }

    private mutating func scratchCopy(_ labels: Labels) -> UnsafeRawBufferPointer {
        normalizedLabels.reserve(labels.packed.count)
        let buffer = UnsafeMutableRawBufferPointer(start: normalizedLabels.pointer, count: labels.packed.count)
        buffer.copyBytes(from: labels.packed)
        return UnsafeRawBufferPointer(buffer)
    }

    private mutating func decodeSamples(_ cursor: inout ByteCursor, _ visitor: inout some WALVisitor) throws(TSDBError) {
        guard cursor.remaining > 0 else { return }
        let reference = try cursor.takeBigEndianWord()
        let time = Int64(bitPattern: try cursor.takeBigEndianWord())
        // A sample takes ten bytes at least.
        let bound = cursor.remaining / 10
        referenceColumn.reserve(bound)
        timestampColumn.reserve(bound)
        valueColumn.reserve(bound)
        var count = 0
        while cursor.remaining > 0 {
            let delta = UInt64(bitPattern: try cursor.takeSignedVarint())
            let timeDelta = try cursor.takeSignedVarint()
            let bits = try cursor.takeBigEndianWord()
            referenceColumn.pointer[count] = reference &+ delta
            timestampColumn.pointer[count] = time &+ timeDelta
            valueColumn.pointer[count] = Double(bitPattern: bits)
            count += 1
        }
        sampleCount += count
        try visitor.samples(
            WALSamples(
                references: SeriesRef.column(referenceColumn.pointer), timestamps: UnsafePointer(timestampColumn.pointer),
                values: UnsafePointer(valueColumn.pointer), count: count))
    }

    /// As `decodeSamples`, by the newer record, whose rows follow the row before (`StartedRows`).
    private mutating func decodeStartedSamples(
        _ cursor: inout ByteCursor, _ visitor: inout some WALVisitor
    ) throws(TSDBError) {
        // A sample takes eleven bytes at least.
        let bound = cursor.remaining / 11
        referenceColumn.reserve(bound)
        timestampColumn.reserve(bound)
        valueColumn.reserve(bound)
        var rows = StartedRows()
        var count = 0
        while cursor.remaining > 0 {
            let (reference, time) = try rows.next(&cursor)
            let bits = try cursor.takeBigEndianWord()
            referenceColumn.pointer[count] = reference
            timestampColumn.pointer[count] = time
            valueColumn.pointer[count] = Double(bitPattern: bits)
            count += 1
        }
        guard count > 0 else { return }
        sampleCount += count
        try visitor.samples(
            WALSamples(
                references: SeriesRef.column(referenceColumn.pointer), timestamps: UnsafePointer(timestampColumn.pointer),
                values: UnsafePointer(valueColumn.pointer), count: count))
    }

    private mutating func take(
        _ decoded: (histograms: [WALHistogram], skipped: Int), _ visitor: inout some WALVisitor
    ) throws(TSDBError) {
        sampleCount += decoded.histograms.count
        lostSampleCount += decoded.skipped
        try visitor.histograms(decoded.histograms)
    }

    private mutating func decodeExemplars(
        _ cursor: inout ByteCursor, _ visitor: inout some WALVisitor
    ) throws(TSDBError) {
        guard cursor.remaining > 0 else { return }
        let reference = try cursor.takeBigEndianWord()
        let time = Int64(bitPattern: try cursor.takeBigEndianWord())
        while cursor.remaining > 0 {
            let delta = UInt64(bitPattern: try cursor.takeSignedVarint())
            let timeDelta = try cursor.takeSignedVarint()
            let value = Double(bitPattern: try cursor.takeBigEndianWord())
            // A label takes two bytes at least.
            let count = try cursor.takeCount(atMost: cursor.remaining / 2)
            var start = cursor
            for _ in 0..<(count * 2) { _ = try cursor.takeLengthPrefixed() }
            let labels = try Self.labels(try start.takeBytes(cursor.position - start.position))
            try visitor.exemplar(
                SeriesRef(rawValue: reference &+ delta),
                Exemplar(labels, value: value, at: Timestamp(milliseconds: time &+ timeDelta), hasOwnTimestamp: false))
        }
    }

    private func decodeCompactExemplars(
        _ body: UnsafeRawBufferPointer, _ visitor: inout some WALVisitor
    ) throws(TSDBError) {
        var cursor = ByteCursor(body)
        var time: Int64 = 0
        while cursor.remaining > 0 {
            let slot = UInt32(truncatingIfNeeded: try cursor.takeCount(atMost: Int(UInt32.max)))
            let generation = UInt32(truncatingIfNeeded: try cursor.takeCount(atMost: Int(UInt32.max)))
            time = time &+ (try cursor.takeSignedVarint())
            let value = Double(bitPattern: try cursor.takeWord())
            let labels = try Self.labels(try cursor.takeLengthPrefixed())
            try visitor.exemplar(
                SeriesRef(slot: slot, generation: generation),
                Exemplar(labels, value: value, at: Timestamp(milliseconds: time), hasOwnTimestamp: false))
        }
    }

    private static func labels(_ packed: UnsafeRawBufferPointer) throws(TSDBError) -> Labels {
        try isWellFormed(packed) ? Labels(uncheckedPacked: Array(packed)) : normalized(packed)
    }

    /// Names not empty and strictly ascending, values not empty, lengths in their shortest form. Throws where the bytes are no packed labels at all.
    private static func isWellFormed(_ packed: UnsafeRawBufferPointer) throws(TSDBError) -> Bool {
        var cursor = ByteCursor(packed)
        var previous = UnsafeRawBufferPointer(start: nil, count: 0)
        while cursor.remaining > 0 {
            let start = cursor.position
            let name = try cursor.takeLengthPrefixed()
            let value = try cursor.takeLengthPrefixed()
            let shortest = name.count + value.count + varintSize(name.count) + varintSize(value.count)
            if cursor.position - start != shortest { return false }
            if name.isEmpty || value.isEmpty || name.order(against: previous) <= 0 { return false }
            previous = name
        }
        return true
    }

    private static func varintSize(_ value: Int) -> Int { (63 - (value | 1).leadingZeroBitCount) / 7 + 1 }

    private static func normalized(_ packed: UnsafeRawBufferPointer) -> Labels {
        var cursor = PackedLabelCursor(packed)
        var pairs: [(name: String, value: String)] = []
        while let (name, value) = cursor.next() {
            pairs.append((String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
        }
        return Labels(pairs)
    }

    // MARK: Decompression. The bytes stand until the next record.

    private mutating func decompress(_ record: UnsafeRawBufferPointer) throws(TSDBError) -> UnsafeRawBufferPointer {
        do throws(SnappyError) {
            let length = try Snappy.declaredLength(record)
            guard length <= WALFormat.recordLimit, length <= record.count * 32 else { throw SnappyError(.overLimit, at: 0) }
            decompressed.reserve(length)
            let buffer = UnsafeMutableRawBufferPointer(start: decompressed.pointer, count: length)
            try Snappy.decompress(record, into: buffer)
            return UnsafeRawBufferPointer(buffer)
        } catch {
            throw TSDBError(.corruption, error.description, offset: error.offset)
        }
    }

    private mutating func expand(_ block: UnsafeRawBufferPointer, to length: Int) -> UnsafeRawBufferPointer? {
        decompressed.reserve(length)
        let buffer = UnsafeMutableRawBufferPointer(start: decompressed.pointer, count: length)
        return LZ4.decompress(block, into: buffer) ? UnsafeRawBufferPointer(buffer) : nil
    }
}

extension SeriesRef {
    /// A column of raw references as what they are: a struct of that one word.
    static func column(_ raw: UnsafeMutablePointer<UInt64>) -> UnsafePointer<SeriesRef> {
        UnsafeRawPointer(raw).assumingMemoryBound(to: SeriesRef.self)
    }
}
