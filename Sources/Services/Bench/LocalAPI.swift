import HTTPServer
import HTTPTypes
import NIOCore
import PromQL
import PrometheusClient
import SelfMetrics
import TSDB
import WebAPI

/// The HTTP API of a database in this process, asked without a socket: what an answer costs with its JSON.
struct LocalAPI {
    private let api: WebAPI

    init(_ database: Database, engine: Engine = Engine(), time: Timestamp) {
        let status = ServerStatus(startTime: time)
        status.use(ServerParts(database: database, engine: engine))
        status.setReady(true)
        var options = WebAPI.Options()
        options.acceptsRemoteWrite = true
        api = WebAPI(
            status: status, registry: MetricsRegistry(), lanes: QueryLanes(), clock: StillClock(time: time),
            options: options)
    }

    func ask(_ call: APICall) async -> ClientAnswer {
        let type: HTTPFields = [.contentType: "application/x-www-form-urlencoded"]
        return await answer(APIRequest(.post, call.path, headers: type, body: ByteBuffer(string: call.encodedForm)))
    }

    /// `body` is a compressed remote-write request.
    func write(_ body: ByteBuffer) async throws(BenchError) {
        let type: HTTPFields = [.contentType: "application/x-protobuf", .contentEncoding: "snappy"]
        let answer = await answer(APIRequest(.post, "/api/v1/write", headers: type, body: body))
        guard answer.status == 204 else { throw BenchError("a request was refused: \(answer.text)") }
    }

    private func answer(_ request: APIRequest) async -> ClientAnswer {
        let reply = await api.answer(request)
        switch reply.body {
        case .buffer(let body): return ClientAnswer(status: reply.status.code, body: body)
        case .pieces(let source):
            var body = ByteBuffer()
            while var piece = source.next() { body.writeBuffer(&piece) }
            return ClientAnswer(status: reply.status.code, body: body)
        }
    }
}
