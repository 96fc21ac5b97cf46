/// The head written as it lies in memory, and read back: labels, closed chunks as they are, the open chunk's bits.
///
///     series   reference u64 │ labels length, bytes │ newest time zigzag │ newest value u64
///     closed   count varint, then per chunk  min zigzag │ max − min varint │ samples + encoding · 2¹⁶ varint │ size varint, bytes
///     open     samples + encoding · 2¹⁶ varint │ if any: size varint, chunk
///
/// Encodings: 0 is a decimal block, of an open chunk XOR; 2 and 3 are histograms' (`HistogramChunk`).
/// Late samples go as samples, behind the chunks. A series of very many chunks takes several entries.
/// A checkpoint takes as much disk as the data (1–2 bytes a sample), and reading it costs a copy per chunk instead of an append per
/// sample. Records hold many series, up to `recordSize`; each has the log's checksum around it.
struct HeadCheckpoint {
    /// A record is finished when it has grown to this.
    static let recordSize = 256 << 10

    /// One series as noted under the locks.
    struct Entry {
        var captured: CapturedSeries
        var reference: UInt64
        var newest: Int64
        var newestValue: UInt64
    }

    /// Chunks in one entry at the most, so that records stay far below the log's bound.
    static let chunksPerEntry = 2048

    /// Appends one series, or the part of it with the closed chunks `chunks`, to a record. The last part has the open chunk.
    static func write(
        _ entry: Entry, labels: Labels, chunks: Range<Int>, openHistograms histograms: HistogramChunkBytes?,
        to record: inout [UInt8]
    ) {
        record.appendWord(entry.reference)
        record.appendVarint(UInt64(labels.packed.count))
        record.append(contentsOf: labels.packed)
        record.appendVarint(zigzag(entry.newest))
        record.appendWord(entry.newestValue)
        record.appendVarint(UInt64(chunks.count))
        if let closed = entry.captured.closed {
            for index in chunks {
                let chunk = closed[index]
                record.appendVarint(zigzag(chunk.minTime))
                record.appendVarint(UInt64(bitPattern: chunk.maxTime &- chunk.minTime))
                record.appendVarint(UInt64(chunk.count) | UInt64(chunk.encoding.rawValue) << 16)
                record.appendVarint(UInt64(chunk.size))
                record.append(contentsOf: chunk.buffer)
            }
        }
        let isLastPart = chunks.upperBound == Int(entry.captured.closedCount)
        if isLastPart, let histograms {
            record.appendVarint(UInt64(histograms.count) | UInt64(histograms.encoding.rawValue) << 16)
            record.appendVarint(UInt64(histograms.size))
            record.append(contentsOf: histograms.buffer[..<histograms.size])
            return
        }
        let openCount = isLastPart ? entry.captured.openCount : 0
        record.appendVarint(UInt64(openCount))
        if openCount > 0, let last = entry.captured.open {
            let size = Int(entry.captured.openBytes)
            record.appendVarint(UInt64(size))
            let start = record.count
            record.append(contentsOf: repeatElement(0, count: size))
            record.withUnsafeMutableBytes { bytes in
                guard let base = bytes.baseAddress else { return }
                OpenChunk.copy(last, Int(entry.captured.openLastStart), size, to: base + start)
                XORChunk.writeHeader(entry.captured.openCount, to: base + start)
            }
        }
    }

    /// Reads a record's series, one after the other, into the head. What does not add up is `.corruption`; series read before stay.
    static func read(_ record: UnsafeRawBufferPointer, into head: Head) throws(TSDBError) {
        var cursor = ByteCursor(record)
        var columns = SampleColumns(capacity: 256)
        while cursor.remaining > 0 {
            let reference = SeriesRef(rawValue: try cursor.takeWord())
            let packed = try cursor.takeBytes(try cursor.takeCount(atMost: cursor.remaining))
            try Labels.validate(packed: packed)
            try head.restoreSeries(reference, packed)
            let newest = unzigzag(try cursor.takeVarint())
            let newestValue = try cursor.takeWord()
            let closedCount = try cursor.takeCount(atMost: cursor.remaining)
            for _ in 0..<closedCount {
                let minTime = unzigzag(try cursor.takeVarint())
                let span = Int64(bitPattern: try cursor.takeVarint())
                let (count, encoding) = try takeCount(&cursor)
                let bytes = try cursor.takeBytes(try cursor.takeCount(atMost: cursor.remaining))
                let (maxTime, overflow) = minTime.addingReportingOverflow(span)
                guard span >= 0, !overflow, !bytes.isEmpty, count > 0 else {
                    throw TSDBError(.corruption, "chunk of \(bytes.count) bytes, \(count) samples, span \(span)")
                }
                head.restore(reference, minTime...maxTime, count: count, encoding, closed: bytes)
            }
            let (openCount, encoding) = try takeCount(&cursor)
            columns.removeAll()
            var histograms: (encoder: HistogramEncoder, start: Int64)?
            if openCount > 0 {
                let bytes = try cursor.takeBytes(try cursor.takeCount(atMost: cursor.remaining))
                if encoding == .decimalBlock {
                    try padded(bytes) { bytes throws(TSDBError) in try XORChunk.decode(bytes, into: &columns) }
                } else {
                    try padded(bytes) { bytes throws(TSDBError) in
                        histograms = try reopen(bytes, isFloat: encoding == .floatHistogram)
                    }
                }
            }
            head.restore(reference, newest: newest, newestValue: newestValue, open: columns)
            if let histograms { head.restore(reference, histograms.encoder, from: histograms.start) }
        }
    }

    private static func takeCount(_ cursor: inout ByteCursor) throws(TSDBError) -> (UInt16, ClosedChunk.Encoding) {
        let code = try cursor.takeCount(atMost: 0xff_ffff)
        guard let encoding = ClosedChunk.Encoding(rawValue: UInt8(truncatingIfNeeded: code >> 16)) else {
            throw TSDBError(.corruption, "chunk of unknown encoding \(code >> 16)")
        }
        return (UInt16(truncatingIfNeeded: code), encoding)
    }

    /// Reads a chunk of histograms to its end, so that it can grow on.
    private static func reopen(
        _ bytes: UnsafeRawBufferPointer, isFloat: Bool
    ) throws(TSDBError) -> (encoder: HistogramEncoder, start: Int64)? {
        var cursor = try HistogramCursor(bytes, isFloat: isFloat)
        guard try cursor.next() else { return nil }
        let start = cursor.timestamp
        while try cursor.next() {}
        return (HistogramEncoder(cursor, bytes), start)
    }

    /// Hands a chunk in the middle of a record on with room behind it, for the reader's look-ahead might leave the buffer.
    private static func padded(
        _ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws(TSDBError) -> Void
    ) throws(TSDBError) {
        var failure: TSDBError?
        withUnsafeTemporaryAllocation(byteCount: bytes.count + BitReader.spare, alignment: 16) { copy in
            copy.copyMemory(from: bytes)
            do throws(TSDBError) {
                try body(UnsafeRawBufferPointer(rebasing: copy[..<bytes.count]))
            } catch { failure = error }
        }
        if let failure { throw failure }
    }
}

extension Head {
    /// Notes all series as they are now, with their epochs. Call while nobody appends.
    func captureAll() -> (set: HeadSeriesSet, entries: [HeadCheckpoint.Entry]) {
        index.withLock { index in
            let indexEpoch = index.epochs.enter()
            return store.withLock { store in
                var captured: [CapturedSeries] = []
                var entries: [HeadCheckpoint.Entry] = []
                captured.reserveCapacity(index.all.count)
                entries.reserveCapacity(index.all.count)
                var histograms: [UInt32: HistogramChunkBytes] = [:]
                for slot in index.all {
                    let identity = index.identities[Int(slot)].pointee
                    guard let pairs = identity.pairs else { continue }
                    let one = CapturedSeries(store.series[Int(slot)].pointee, slot, pairs, identity.count)
                    captured.append(one)
                    if one.endsInHistogram { histograms[slot] = store.histograms[slot]?.encoder.chunk }
                    let place = store.series[Int(slot)].pointee
                    entries.append(
                        HeadCheckpoint.Entry(
                            captured: one,
                            reference: SeriesRef(slot: slot, generation: identity.generation).rawValue,
                            newest: place.newest, newestValue: place.appender.value))
                }
                let set = HeadSeriesSet(
                    head: self, series: captured, symbols: index.symbols.reader, indexEpoch: indexEpoch,
                    storeEpoch: store.epochs.enter(), outOfOrder: store.outOfOrder, histograms: histograms,
                    starts: store.starts)
                return (set, entries)
            }
        }
    }

    /// Writes what `captureAll` noted, record by record; late samples are left to the caller.
    func writeCheckpoint(
        _ capture: (set: HeadSeriesSet, entries: [HeadCheckpoint.Entry]), emit: ([UInt8]) throws(TSDBError) -> Void
    ) throws(TSDBError) {
        var record: [UInt8] = []
        record.reserveCapacity(HeadCheckpoint.recordSize + 65536)
        for (position, entry) in capture.entries.enumerated() {
            let labels = capture.set.labels(at: position)
            let total = Int(entry.captured.closedCount)
            var first = 0
            repeat {
                let end = min(first + HeadCheckpoint.chunksPerEntry, total)
                HeadCheckpoint.write(
                    entry, labels: labels, chunks: first..<end,
                    openHistograms: capture.set.openHistograms(ofSlot: entry.captured.slot), to: &record)
                first = end
                if record.count >= HeadCheckpoint.recordSize {
                    try emit(record)
                    record.removeAll(keepingCapacity: true)
                }
            } while first < total
        }
        if !record.isEmpty { try emit(record) }
    }

    /// Puts a series where the log says it was. A series that stands in its way, or the same labels elsewhere, were dropped before:
    /// dropping is not logged, a newer record for the place is how a reader learns of it.
    func restoreSeries(_ reference: SeriesRef, _ packed: UnsafeRawBufferPointer) throws(TSDBError) {
        let hash = Hash64.hash(packed)
        try index.withLock { index throws(TSDBError) in
            if let known = index.find(packed, hash: hash) {
                if known == reference { return }
                store.withLock { $0.drop(known.slot) }
                index.remove([known.slot])
            }
            if let occupant = index.occupant(of: reference.slot) {
                store.withLock { $0.drop(occupant.slot) }
                index.remove([occupant.slot])
            }
            _ = try index.insert(packed, hash: hash, at: reference)
            store.withLock { $0.prepare(reference) }
        }
    }

    /// Puts a closed chunk behind the others of a series.
    func restore(
        _ reference: SeriesRef, _ times: ClosedRange<Int64>, count: UInt16, _ encoding: ClosedChunk.Encoding,
        closed bytes: UnsafeRawBufferPointer
    ) {
        store.withLock { store in
            guard let place = store.find(reference) else { return }
            store.restore(place, times, count: count, encoding: encoding, copying: bytes)
        }
    }

    /// Puts an open chunk of histograms back.
    func restore(_ reference: SeriesRef, _ histograms: HistogramEncoder, from minTime: Int64) {
        store.withLock { store in
            guard let place = store.find(reference) else { return }
            store.restoreOpen(place, reference.slot, histograms, from: minTime)
        }
    }

    func restore(_ reference: SeriesRef, newest: Int64, newestValue: UInt64, open columns: borrowing SampleColumns) {
        store.withLock { store in
            guard let place = store.find(reference) else { return }
            // What the last closed chunk ended with decides about repeats and order.
            place.pointee.newest = max(place.pointee.newest, newest)
            place.pointee.appender.timestamp = newest
            place.pointee.appender.value = newestValue
            guard columns.count > 0 else { return }
            for index in 0..<columns.count {
                store.append(place, reference.slot, columns.timestamps[index], columns.values[index].bitPattern)
            }
            store.minTime = min(store.minTime, columns.timestamps[0])
            store.maxTime = max(store.maxTime, columns.timestamps[columns.count - 1])
        }
    }
}
