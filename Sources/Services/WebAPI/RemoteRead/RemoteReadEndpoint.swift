import HTTPServer
import HTTPTypes
import NIOCore
import PromQL
import Snappy
import TSDB

/// `POST /api/v1/read`: hands stored series to other servers, which compute with them (`remote_read` of a Prometheus, Thanos' sidecar).
///
///     body ─▶ snappy, bounded ─▶ ReadRequest ─▶ select ─▶ sorted by labels ─▶ chunks, or samples
///
/// Series leave with the external labels of this server, and what is asked of those is not asked of storage. The whole answer is made, under
/// the bounds of a query, before its first byte is sent: what fails is then an error and no half answer. Chunks are a few bytes a sample.
extension WebAPI {
    /// Bytes of a request when decompressed.
    static let readRequestLimit = 4 << 20

    func addRemoteRead(to routes: inout Routes) {
        routes.on([.post], "/api/v1/read") { request throws(APIError) in
            let parts = try self.parts()
            let body = request.body
            return try await search(request) { context throws(SearchStop) in
                let read: ReadRequest, form: ReadRequest.Form
                do throws(ReadRequest.Refusal) {
                    read = try Self.readRequest(body)
                    form = try read.form()
                } catch {
                    return .text(error.message + "\n", .badRequest)
                }
                switch form {
                case .samples: return try RemoteRead(parts, context).samples(read)
                case .streamedChunks: return try RemoteRead(parts, context).chunks(read)
                }
            }
        }
    }

    private static func readRequest(_ body: ByteBuffer) throws(ReadRequest.Refusal) -> ReadRequest {
        var message: [UInt8] = []
        var failure: ReadRequest.Refusal?
        body.withUnsafeReadableBytes { compressed in
            do throws(SnappyError) {
                try Snappy.decompress(compressed, limit: readRequestLimit, into: &message)
            } catch {
                failure = ReadRequest.Refusal(
                    message: error.code == .overLimit ? "snappy: decoded block is too large" : "snappy: corrupt input")
            }
        }
        if let failure { throw failure }
        var result: ReadRequest?
        message.withUnsafeBytes { bytes in
            do throws(ReadRequest.Refusal) { result = try ReadRequest(bytes) } catch { failure = error }
        }
        guard let result else { throw failure ?? ReadRequest.Refusal(message: "no request") }
        return result
    }
}

/// The answering of one request.
private struct RemoteRead {
    private let database: Database
    private let external: Labels
    private let context: QueryContext

    init(_ parts: ServerParts, _ context: QueryContext) {
        database = parts.database
        external = parts.externalLabels
        self.context = context
    }

    func chunks(_ request: ReadRequest) throws(SearchStop) -> Reply {
        var answer = ReadAnswer()
        for (number, query) in request.queries.enumerated() {
            let set = try select(query)
            let (labels, order) = try ordered(set)
            for (place, index) in order.enumerated() {
                if place & 63 == 0 { try SearchStop.during(context) { () throws(TSDBError) in } }
                let chunks = try SearchStop.during(context) { () throws(TSDBError) in
                    try set.chunks(index, from: query.start.milliseconds, through: query.end.milliseconds)
                }
                try SearchStop.reserve(chunks.reduce(labels[index].packed.count + 64) { $0 + $1.bytes.count + 24 }, context)
                answer.add(outside(labels[index]), chunks, query: number)
            }
        }
        return Reply(
            .ok, contentType: "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse",
            pieces: ReadyPieces(answer.takePieces()))
    }

    func samples(_ request: ReadRequest) throws(SearchStop) -> Reply {
        var answer = ReadAnswer()
        var columns = SampleColumns()
        for query in request.queries {
            let set = try select(query)
            let (labels, order) = try ordered(set)
            var series: [(labels: Labels, samples: ReadSamples)] = []
            for index in order {
                columns.removeAll()
                var failure: SearchStop?
                do throws(TSDBError) {
                    try set.decode(index, from: query.start.milliseconds, through: query.end.milliseconds, into: &columns)
                } catch {
                    failure = .answer(APIError(error))
                }
                if let failure { throw failure }
                try SearchStop.during(context) { () throws(TSDBError) in }
                if columns.count == 0 { continue }
                let samples = ReadSamples(columns)
                // The series, the message they are put into, and that compressed.
                try SearchStop.reserve(3 * (samples.bytes.count + labels[index].packed.count * 2), context)
                series.append((outside(labels[index]), samples))
            }
            answer.addResult(series)
        }
        guard answer.size < Int(UInt32.max) else {
            throw .answer(APIError(.execution, "the answer is larger than a snappy block can be; ask for chunks"))
        }
        var reply = Reply(
            .ok, contentType: "application/x-protobuf",
            body: ByteBuffer(bytes: answer.message.withUnsafeBytes { Snappy.compress($0) }))
        reply.headers[.contentEncoding] = "snappy"
        return reply
    }

    private func select(_ query: ReadRequest.Query) throws(SearchStop) -> any SeriesSet {
        let matchers = ReadRequest.matchers(query.matchers, without: external)
        return try SearchStop.during(context) { () throws(TSDBError) in
            try database.select(matchers, from: query.start, through: query.end, stop: { context.shouldStop })
        }
    }

    /// The label sets, and the series in the order of them: readers merge several servers' answers as they come.
    private func ordered(_ set: any SeriesSet) throws(SearchStop) -> ([Labels], [Int]) {
        try SearchStop.reserve(set.count * 256, context)
        let labels = (0..<set.count).map { set.labels(at: $0) }
        return (labels, LabelOrder.sorted(labels))
    }

    /// With the external labels that the series does not have itself.
    private func outside(_ labels: Labels) -> Labels {
        if external.isEmpty { return labels }
        let own = labels.pairs
        let names = Set(own.map(\.name))
        return Labels(own + external.pairs.filter { !names.contains($0.name) })
    }
}
