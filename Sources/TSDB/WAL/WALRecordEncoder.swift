/// Records as bytes, all kinds but the batch record (`BatchEncoder`).
///
/// Prometheus' kinds are its tsdb/record package byte for byte: big-endian words, Go's varints.
enum WALRecordEncoder {
    /// One series; a record is `header` and any number of them.
    static func appendSeries(
        _ reference: SeriesRef, packed labels: UnsafeRawBufferPointer, _ compression: WALCompression, to output: inout [UInt8]
    ) {
        if compression == .lz4 {
            output.appendVarint(UInt64(reference.slot))
            output.appendVarint(UInt64(reference.generation))
            output.appendLabelPart(labels)
        } else {
            output.appendBigEndian(reference.rawValue)
            var count: UInt64 = 0
            var counter = PackedLabelCursor(labels)
            while counter.next() != nil { count += 1 }
            output.appendVarint(count)
            // Packed labels are already length, bytes, length, bytes …
            output.append(contentsOf: labels)
        }
    }

    static func appendSeriesHeader(_ compression: WALCompression, to output: inout [UInt8]) {
        if compression == .lz4 {
            output.append(WALRecordType.compactSeries)
            output.append(WALBodyForm.plain)
        } else {
            output.append(WALRecordType.series)
        }
    }

    /// Prometheus' samples record.
    static func appendSamples(
        _ references: UnsafePointer<SeriesRef>, _ timestamps: UnsafePointer<Int64>, _ values: UnsafePointer<Double>,
        count: Int, to output: inout [UInt8]
    ) {
        output.append(WALRecordType.samples)
        guard count > 0 else { return }
        let reference = references[0].rawValue, time = timestamps[0]
        output.appendBigEndian(reference)
        output.appendBigEndian(UInt64(bitPattern: time))
        for index in 0..<count {
            output.appendVarint(ValueTag.zigzag(Int64(bitPattern: references[index].rawValue &- reference)))
            output.appendVarint(ValueTag.zigzag(timestamps[index] &- time))
            output.appendBigEndian(values[index].bitPattern)
        }
    }

    /// Ours: `( slot, generation, Δtime, value, labels ) …`; Prometheus': deltas to the first one, in every row.
    static func appendExemplars(
        _ exemplars: [SeriesExemplar], _ compression: WALCompression, to output: inout [UInt8]
    ) {
        if compression == .lz4 {
            output.append(WALRecordType.compactExemplars)
            output.append(WALBodyForm.plain)
            var time: Int64 = 0
            for item in exemplars {
                let exemplar = item.exemplar
                output.appendVarint(UInt64(item.reference.slot))
                output.appendVarint(UInt64(item.reference.generation))
                output.appendVarint(ValueTag.zigzag(exemplar.timestamp.milliseconds &- time))
                output.appendBigEndian(exemplar.value.bitPattern.byteSwapped)
                exemplar.labels.packed.withUnsafeBytes { output.appendLabelPart($0) }
                time = exemplar.timestamp.milliseconds
            }
            return
        }
        output.append(WALRecordType.exemplars)
        guard let first = exemplars.first else { return }
        let reference = first.reference.rawValue, time = first.exemplar.timestamp.milliseconds
        output.appendBigEndian(reference)
        output.appendBigEndian(UInt64(bitPattern: time))
        for item in exemplars {
            output.appendVarint(ValueTag.zigzag(Int64(bitPattern: item.reference.rawValue &- reference)))
            output.appendVarint(ValueTag.zigzag(item.exemplar.timestamp.milliseconds &- time))
            output.appendBigEndian(item.exemplar.value.bitPattern)
            output.appendVarint(UInt64(item.exemplar.labels.count))
            output.append(contentsOf: item.exemplar.labels.packed)
        }
    }

    static func appendTombstone(_ reference: SeriesRef, from: Timestamp, through: Timestamp, to output: inout [UInt8]) {
        output.append(WALRecordType.tombstones)
        output.appendBigEndian(reference.rawValue)
        output.appendVarint(ValueTag.zigzag(from.milliseconds))
        output.appendVarint(ValueTag.zigzag(through.milliseconds))
    }
}

extension [UInt8] {
    mutating func appendBigEndian(_ word: UInt64) {
        Swift.withUnsafeBytes(of: word.bigEndian) { append(contentsOf: $0) }
    }
}
