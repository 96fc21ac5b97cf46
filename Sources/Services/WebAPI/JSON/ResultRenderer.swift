import HTTPServer
import Histograms
import NIOCore
import PromQL
import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Writes a query's answer as JSON, a piece at a time.
///
///     {"status":"success","data":{"resultType":"matrix","result":[ {"metric":{…},"values":[[t,"v"],…]} , … ]}}
///      └────────────── head ──────────────────────────────────┘  └────────── rows ──────────────────┘  └ tail ┘
///
/// `resultType` stands before `result`: Grafana reads the body as a stream. An answer that fits one piece is sent as one
/// buffer; a larger one is made while it is sent, so it never stands in memory twice.
///
/// The times of a range query are written once and copied to every point: about 16 bytes each. Native histograms stand behind a row's
/// floats, `"histograms":[[t,{…}],…]`; as one of them may be thousands of bytes, a piece may end between two.
final class ResultRenderer: PieceSource, @unchecked Sendable {
    // Sendable: used by one thread at a time (`PieceSource.next`), and handed over by the pool's lock.

    /// Bytes after which a piece is handed on. Handing on wakes two threads, which costs as much as writing some 5,000 points; of a
    /// piece of 512 kB that is an eighth, and it still stays in the cache from the digits to the socket.
    static let pieceSize = 512 << 10

    struct Statistics {
        var timings: QueryTimings
        var counts: SampleCount
        /// Most samples held at one time.
        var peak: Int
        var showsSteps: Bool
    }

    private enum Stage {
        case head
        case rows(next: Int)
        /// Histograms of `row` from `next` on are still to be written.
        case histograms(row: Int, next: Int)
        case done
    }

    private let result: QueryResult
    private let rowCount: Int
    private let isTruncated: Bool
    private let statistics: Statistics?
    private let explanation: Explanation?
    private let times: RenderedTimes
    /// Keeps what the answer holds counted until it is sent.
    private let context: QueryContext?
    private var stage = Stage.head
    private var json = JSONText(capacity: 64 << 10)
    /// The last two pieces. While one is on its way the next is made; the one before has arrived, and its memory is at hand: taking new
    /// memory for each would cost more in page faults than the writing.
    private var pieces = (ByteBuffer(), ByteBuffer())

    /// `limit` bounds the number of series.
    init(
        _ result: QueryResult, limit: Int?, statistics: Statistics?, explanation: Explanation? = nil,
        context: QueryContext? = nil
    ) {
        self.result = result
        self.explanation = explanation
        self.context = context
        self.statistics = statistics
        let count: Int
        switch result.value {
        case .scalar, .string:
            count = 0
            times = RenderedTimes()
        case .vector(let vector):
            count = vector.count
            times = RenderedTimes(StepGrid(start: vector.at.milliseconds, step: 1, count: 1))
        case .matrix(let matrix):
            count = matrix.count
            times = RenderedTimes(matrix.grid)
        case .samples(let samples):
            count = samples.count
            times = RenderedTimes()
        }
        rowCount = min(count, limit ?? count)
        isTruncated = rowCount < count
    }

    /// The whole reply: one buffer where it is small.
    func reply() -> Reply {
        guard let first = next() else { return .json(ByteBuffer()) }
        if case .done = stage { return .json(first) }
        return Reply(.ok, contentType: "application/json", pieces: Pieces(first: first, rest: self))
    }

    func next() -> ByteBuffer? {
        switch stage {
        case .done: return nil
        case .head:
            writeHead()
            stage = .rows(next: 0)
            return next()
        case .histograms(let row, let next):
            let all = histograms(of: row)
            let rest = write(all, from: next, to: &json)
            if rest < all.count {
                stage = .histograms(row: row, next: rest)
                return takePiece()
            }
            json.append("}")
            return rows(from: row + 1)
        case .rows(let row): return rows(from: row)
        }
    }

    /// The next piece, which begins with row `start` or in front of it.
    private func rows(from start: Int) -> ByteBuffer {
        var row = start
        while row < rowCount && json.count < Self.pieceSize {
            if row > 0 { json.append(byte: UInt8(ascii: ",")) }
            // Handed down as an argument, so that the accesses are checked once per row and not per point.
            write(row, to: &json)
            let histograms = histograms(of: row)
            if !histograms.isEmpty {
                json.append(",\"histograms\":[")
                let rest = write(histograms, from: 0, to: &json)
                if rest < histograms.count {
                    stage = .histograms(row: row, next: rest)
                    return takePiece()
                }
            }
            json.append("}")
            row += 1
        }
        if row < rowCount {
            stage = .rows(next: row)
        } else {
            writeTail()
            stage = .done
        }
        return takePiece()
    }

    private func takePiece() -> ByteBuffer {
        pieces = (pieces.1, pieces.0)
        return json.take(reusing: &pieces.0)
    }

    private func writeHead() {
        json.append("{\"status\":\"success\",\"data\":{\"resultType\":\"")
        switch result.value {
        case .scalar(let value, let time):
            json.append("scalar\",\"result\":[")
            json.appendTime(milliseconds: time.milliseconds)
            json.append(",")
            // As upstream: the value of a scalar never has an exponent, that of a sample may.
            json.appendSampleValue(value, style: .fixed)
        case .string(let text, let time):
            json.append("string\",\"result\":[")
            json.appendTime(milliseconds: time.milliseconds)
            json.append(",")
            json.appendQuoted(text)
        case .vector: json.append("vector\",\"result\":[")
        case .matrix, .samples: json.append("matrix\",\"result\":[")
        }
    }

    /// A row without its end: histograms may follow.
    private func write(_ row: Int, to json: inout JSONText) {
        switch result.value {
        case .scalar, .string: break
        case .vector(let vector):
            json.append("{\"metric\":")
            json.append(vector.labels[row])
            if let histogram = vector.histogram(row) {
                json.append(",\"histogram\":")
                json.append(histogram, at: vector.at)
            } else {
                json.append(",\"value\":")
                times.append(0, vector.values[row], to: &json)
            }
        case .matrix(let matrix):
            json.append("{\"metric\":")
            json.append(matrix.labels[row])
            guard matrix.pointCount(ofRow: row) > 0 else { break }
            json.append(",\"values\":")
            matrix.withRow(row) { values, presence in times.append(values, presence, to: &json) }
            json.append("]")
        case .samples(let samples):
            json.append("{\"metric\":")
            json.append(samples.labels[row])
            guard samples.pointCount(ofRow: row) > 0 else { break }
            json.append(",\"values\":[")
            var isFirst = true
            samples.forEachPoint(ofRow: row) { time, value in
                if !isFirst { json.append(byte: UInt8(ascii: ",")) }
                isFirst = false
                json.append(byte: UInt8(ascii: "["))
                json.appendTime(milliseconds: time.milliseconds)
                json.append(byte: UInt8(ascii: ","))
                json.appendSampleValue(value)
                json.append(byte: UInt8(ascii: "]"))
            }
            json.append("]")
        }
    }

    /// The histograms of a row of a matrix, in order of time.
    private func histograms(of row: Int) -> [TimedHistogram] {
        switch result.value {
        case .scalar, .string, .vector: []
        case .matrix(let matrix):
            matrix.histograms(ofRow: row).map { (Timestamp(milliseconds: matrix.grid.time($0.step)), $0.histogram) }
        case .samples(let samples): samples.histograms(ofRow: row)
        }
    }

    private typealias TimedHistogram = (time: Timestamp, histogram: FloatHistogram)

    /// Writes histograms and, behind the last one, what closes the list, until the piece is full. Returns the number of the next one.
    private func write(_ histograms: [TimedHistogram], from first: Int, to json: inout JSONText) -> Int {
        var next = first
        while next < histograms.count && (json.count < Self.pieceSize || next == first) {
            if next > 0 { json.append(byte: UInt8(ascii: ",")) }
            json.append(histograms[next].histogram, at: histograms[next].time)
            next += 1
        }
        if next == histograms.count { json.append("]") }
        return next
    }

    private func writeTail() {
        json.append("]")
        if let statistics { json.append(statistics) }
        if let explanation {
            json.append(",\"explain\":")
            json.append(explanation, mode: "analyze")
        }
        json.append("}")
        json.appendNotes(
            warnings: result.warnings + (isTruncated ? [WebAPI.truncationWarning] : []), infos: result.infos)
        json.append("}")
    }
}

/// A first piece that is there already, and the rest.
private final class Pieces: PieceSource, @unchecked Sendable {
    // Sendable: as ResultRenderer.
    private var first: ByteBuffer?
    private let rest: ResultRenderer

    init(first: ByteBuffer, rest: ResultRenderer) {
        self.first = first
        self.rest = rest
    }

    func next() -> ByteBuffer? {
        if let piece = first {
            first = nil
            return piece
        }
        return rest.next()
    }
}

extension JSONText {
    /// `{"__name__":"up","job":"api"}`; packed labels are sorted by name.
    public mutating func append(_ labels: Labels) {
        append("{")
        labels.packed.withUnsafeBytes { bytes in
            var cursor = PackedLabelCursor(bytes)
            var isFirst = true
            while let (name, value) = cursor.next() {
                if !isFirst { append(byte: UInt8(ascii: ",")) }
                isFirst = false
                appendQuoted(name)
                append(byte: UInt8(ascii: ":"))
                appendQuoted(value)
            }
        }
        append("}")
    }

    mutating func append(_ statistics: ResultRenderer.Statistics) {
        let timings = statistics.timings
        append(",\"stats\":{\"timings\":{\"evalTotalTime\":")
        append(timings.evaluationTotal)
        append(",\"resultSortTime\":0,\"queryPreparationTime\":")
        append(timings.prepared)
        append(",\"innerEvalTime\":")
        append(timings.evaluated)
        append(",\"execQueueTime\":")
        append(timings.queued)
        append(",\"execTotalTime\":")
        append(timings.total)
        append("},\"samples\":{")
        if statistics.showsSteps && !statistics.counts.perStep.isEmpty {
            append("\"totalQueryableSamplesPerStep\":[")
            for (step, count) in statistics.counts.perStep.enumerated() {
                append(step == 0 ? "[" : ",[" as StaticString)
                appendTime(milliseconds: statistics.counts.grid.time(step))
                append(",")
                append(count)
                append("]")
            }
            append("],")
        }
        append("\"totalQueryableSamples\":")
        append(statistics.counts.total)
        append(",\"peakSamples\":")
        append(statistics.peak)
        append("}}")
    }
}
