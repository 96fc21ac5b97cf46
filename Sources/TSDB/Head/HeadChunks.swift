import Histograms

/// The head's series as chunks in Prometheus' encodings.
///
///     closed   decimal block │ histograms │ decimal block           open   XOR bits, or histograms
///                  ▼              ▼             ▼                              ▼
///                 XOR        as they are       XOR                        as they are
///
/// Where late samples fall into the range there are no such chunks: then the merged samples are encoded anew.
extension HeadSeriesSet {
    func chunks(_ index: Int, from: Int64, through: Int64) throws(TSDBError) -> [EncodedChunk] {
        let captured = series[index]
        if captured.hasOutOfOrder, let late = late(ofSlot: captured.slot), late.isIn(from, through) {
            return try encodedChunks(index, from: from, through: through)
        }
        var chunks: [EncodedChunk] = []
        var columns = SampleColumns(capacity: SeriesStore.samplesPerChunk)
        if let closed = captured.closed {
            for position in 0..<Int(captured.closedCount) {
                let chunk = closed[position]
                if chunk.maxTime < from { continue }
                if chunk.minTime > through { break }
                columns.removeAll()
                if let encoded = try chunk.encoded(&columns) { chunks.append(encoded) }
            }
        }
        guard captured.openStart <= through else { return chunks }
        if captured.openCount > 0 {
            columns.removeAll()
            try decodeOpen(index, into: &columns)
            if columns.count > 0, columns.timestamps[columns.count - 1] >= from {
                chunks.append(.xor(columns, 0..<columns.count))
            }
        }
        if captured.endsInHistogram, let open = openHistograms(ofSlot: captured.slot) {
            let last = try open.lastTimestamp()
            if last >= from {
                chunks.append(
                    EncodedChunk(
                        open.isFloat ? .floatHistogram : .histogram, from: captured.openStart, through: last,
                        bytes: Array(open.buffer.prefix(open.size))))
            }
        }
        return chunks
    }
}

extension ClosedChunk {
    /// `columns` is scratch space, empty.
    fileprivate func encoded(_ columns: inout SampleColumns) throws(TSDBError) -> EncodedChunk? {
        let kind: EncodedChunk.Encoding
        switch encoding {
        case .decimalBlock:
            try decode(into: &columns)
            return columns.count > 0 ? .xor(columns, 0..<columns.count) : nil
        case .histogram: kind = .histogram
        case .floatHistogram: kind = .floatHistogram
        }
        return EncodedChunk(kind, from: minTime, through: maxTime, bytes: Array(buffer))
    }
}

extension HistogramChunkBytes {
    fileprivate func lastTimestamp() throws(TSDBError) -> Int64 {
        var last = Int64.min
        try withCursor { cursor throws(TSDBError) in
            while try cursor.next() { last = cursor.timestamp }
        }
        return last
    }
}
