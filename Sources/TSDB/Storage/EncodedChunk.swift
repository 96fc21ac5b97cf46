import Histograms

/// A chunk in one of Prometheus' own encodings, for others to read: what remote read hands out.
///
///     encoding   1   floats, `XORChunk`                      encoded anew where the head keeps a decimal block
///                2   histograms of integers                  the head's own bytes
///                3   histograms of floats                    the head's own bytes
///
/// Source: Prometheus, `tsdb/chunkenc/chunk.go`; the numbers are those of its `prompb` as well.
public struct EncodedChunk: Sendable, Equatable {
    public enum Encoding: UInt8, Sendable {
        case xor = 1
        case histogram = 2
        case floatHistogram = 3
    }

    public let encoding: Encoding
    /// Times of the first and of the last sample, milliseconds since the epoch.
    public let minTime: Int64
    public let maxTime: Int64
    public let bytes: [UInt8]

    public init(_ encoding: Encoding, from minTime: Int64, through maxTime: Int64, bytes: [UInt8]) {
        self.encoding = encoding
        self.minTime = minTime
        self.maxTime = maxTime
        self.bytes = bytes
    }

    /// The samples `range` of `columns`, floats all of them: one at least, and no more than a header can count.
    static func xor(_ columns: borrowing SampleColumns, _ range: Range<Int>) -> EncodedChunk {
        precondition(!range.isEmpty && range.count <= XORChunk.maximumCount, "a chunk of \(range.count) samples")
        let timestamps = columns.timestamps, values = columns.values
        let room = XORChunk.headerSize + range.count * XORChunk.maximumSampleSize + XORChunk.appendReach
        let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, size in
            guard let base = buffer.baseAddress else { return }
            let chunk = UnsafeMutableRawPointer(base)
            var appender = XORAppender()
            for index in range { appender.append(timestamps[index], values[index].bitPattern, to: chunk) }
            XORChunk.writeHeader(appender.count, to: chunk)
            size = appender.byteCount
        }
        return EncodedChunk(.xor, from: timestamps[range.lowerBound], through: timestamps[range.upperBound - 1], bytes: bytes)
    }
}

/// Makes chunks of samples in time order: as many as a head would, cut for the reasons for which it would cut them.
///
///     float float histogram histogram histogram stale float      ─▶      xor │ float histograms │ xor
struct ChunkSequence {
    private(set) var chunks: [EncodedChunk] = []
    private var open: HistogramEncoder?
    private var openStart: Int64 = 0

    /// Takes all samples of `columns`; they are newer than those before.
    mutating func append(_ columns: borrowing SampleColumns) {
        var first = 0
        for index in 0..<columns.count {
            guard let fields = histogram(columns, index) else { continue }
            closeFloats(columns, first..<index)
            first = index + 1
            append(fields, at: columns.timestamps[index])
        }
        closeFloats(columns, first..<columns.count)
    }

    /// Ends the chunk that is open.
    mutating func close() {
        guard let encoder = open else { return }
        let chunk = encoder.chunk
        chunks.append(
            EncodedChunk(
                encoder.isFloat ? .floatHistogram : .histogram, from: openStart, through: encoder.timestamp,
                bytes: Array(chunk.buffer.prefix(chunk.size))))
        open = nil
    }

    /// Sample `index`, where it is a histogram or a stale marker behind one.
    private func histogram(_ columns: borrowing SampleColumns, _ index: Int) -> HistogramFields? {
        if let histogram = columns.histograms.histogram(sample: index) { return HistogramFields(.float(histogram)) }
        guard StaleMarker.isStale(columns.values[index]) else { return nil }
        let isBehindHistogram = index > 0 ? columns.histograms.row(of: index - 1) >= 0 : open != nil
        return isBehindHistogram ? HistogramFields(staleMarkerOf: true) : nil
    }

    private mutating func append(_ fields: HistogramFields, at time: Int64) {
        var header = fields.hint == .gauge || fields.hint == .reset ? fields.hint : CounterResetHint.unknown
        if var encoder = open {
            open = nil
            if encoder.isFull {
                header = encoder.header(following: fields)
            } else if let next = encoder.append(fields, at: time) {
                header = next
            } else {
                open = encoder
                return
            }
            open = encoder
            close()
        }
        open = HistogramEncoder(fields, at: time, header: header)
        openStart = time
    }

    private mutating func closeFloats(_ columns: borrowing SampleColumns, _ range: Range<Int>) {
        guard !range.isEmpty else { return }
        close()
        var start = range.lowerBound
        while start < range.upperBound {
            let end = min(start + SeriesStore.samplesPerChunk, range.upperBound)
            chunks.append(.xor(columns, start..<end))
            start = end
        }
    }
}
