import Histograms
import NIOCore
import Protobuf
import TSDB

/// Series as a remote-read answer has them, in one of its two forms.
///
///     samples    ReadResponse { 1 results*: QueryResult { 1 timeseries*: TimeSeries { 1 labels*  2 samples*  4 histograms* } } }
///
///     chunks     frame │ frame │ …       frame   length varint │ CRC-32C u32, big-endian │ ChunkedReadResponse
///
///                ChunkedReadResponse { 1 chunked_series: ChunkedSeries { 1 labels*  2 chunks* }   2 query_index }
///                Chunk               { 1 min_time_ms   2 max_time_ms   3 type   4 data }
///
/// A frame has one series, or a part of one, so that whoever reads them holds no more than that.
/// Source: prompb/remote.proto, prompb/types.proto; Prometheus, `storage/remote/chunked.go`.
struct ReadAnswer {
    /// Bytes after which a frame is ended; Prometheus' own default.
    static let frameSize = 1 << 20

    private var writer = ProtobufWriter()
    private var frame = ProtobufWriter()
    private var pieces: [ByteBuffer] = []

    /// Bytes that were written and not taken.
    var size: Int { writer.bytes.count }

    // MARK: Chunks

    /// Adds a series as frames. Nothing is said of a series without chunks.
    mutating func add(_ labels: Labels, _ chunks: [EncodedChunk], query: Int) {
        var next = 0
        while next < chunks.count {
            let first = next
            var length = labels.packed.count
            repeat {
                length += chunks[next].bytes.count + 24
                next += 1
            } while next < chunks.count && length < Self.frameSize
            frame.removeAll()
            frame.message(1) { series in
                series.labels(labels)
                for chunk in chunks[first..<next] { series.chunk(chunk) }
            }
            if query > 0 { frame.integer(2, UInt64(query)) }
            endFrame()
        }
    }

    private mutating func endFrame() {
        let checksum = frame.bytes.withUnsafeBytes { crc32c(0, $0.baseAddress, $0.count) }
        writer.varint(UInt64(frame.bytes.count))
        for shift in [24, 16, 8, 0] as [UInt32] { writer.byte(UInt8(truncatingIfNeeded: checksum >> shift)) }
        writer.append(frame.bytes)
        if writer.bytes.count >= ResultRenderer.pieceSize { endPiece() }
    }

    private mutating func endPiece() {
        if writer.bytes.isEmpty { return }
        pieces.append(ByteBuffer(bytes: writer.bytes))
        writer.removeAll()
    }

    /// The frames, in pieces.
    mutating func takePieces() -> [ByteBuffer] {
        endPiece()
        defer { pieces = [] }
        return pieces
    }

    // MARK: Samples

    /// Adds the answer to the next query.
    mutating func addResult(_ series: [(labels: Labels, samples: ReadSamples)]) {
        writer.message(1) { result in
            for one in series {
                result.message(1) { message in
                    message.labels(one.labels)
                    message.append(one.samples.bytes)
                }
            }
        }
    }

    /// The whole message.
    var message: [UInt8] { writer.bytes }
}

/// Samples of one series as fields of a `TimeSeries`. Histograms go as those of floats, which is what they are read as.
struct ReadSamples {
    private var writer = ProtobufWriter()

    var bytes: [UInt8] { writer.bytes }

    init(_ columns: borrowing SampleColumns) {
        for index in 0..<columns.count where columns.histograms.row(of: index) < 0 {
            let time = columns.timestamps[index], value = columns.values[index]
            writer.message(2) { sample in
                sample.double(1, value)
                sample.signed(2, time)
            }
        }
        for index in 0..<columns.count {
            guard let histogram = columns.histograms.histogram(sample: index) else { continue }
            let time = columns.timestamps[index]
            writer.message(4) { $0.histogram(histogram, at: time) }
        }
    }
}

extension ProtobufWriter {
    /// `Label` messages in field 1.
    fileprivate mutating func labels(_ labels: Labels) {
        labels.forEachPair { name, value in
            message(1) { label in
                label.raw(1, name)
                label.raw(2, value)
            }
        }
    }

    fileprivate mutating func chunk(_ chunk: EncodedChunk) {
        message(2) { message in
            message.signed(1, chunk.minTime)
            message.signed(2, chunk.maxTime)
            message.integer(3, UInt64(chunk.encoding.rawValue))
            message.raw(4, chunk.bytes)
        }
    }

    /// The fields of a `Histogram`, as `HistogramMessage` reads them.
    fileprivate mutating func histogram(_ histogram: FloatHistogram, at time: Int64) {
        double(2, histogram.count)
        double(3, histogram.sum)
        zigzag(4, Int64(histogram.schema))
        double(5, histogram.zeroThreshold)
        double(7, histogram.zeroCount)
        spans(8, histogram.negativeSpans)
        doubles(10, histogram.negativeBuckets)
        spans(11, histogram.positiveSpans)
        doubles(13, histogram.positiveBuckets)
        let hint: UInt64 =
            switch histogram.hint {
            case .unknown: 0
            case .reset: 1
            case .notReset: 2
            case .gauge: 3
            }
        integer(14, hint)
        signed(15, time)
        doubles(16, histogram.customBounds)
    }

    private mutating func spans(_ field: UInt64, _ spans: [BucketSpan]) {
        for span in spans {
            message(field) { message in
                message.zigzag(1, Int64(span.offset))
                message.integer(2, UInt64(span.length))
            }
        }
    }
}
