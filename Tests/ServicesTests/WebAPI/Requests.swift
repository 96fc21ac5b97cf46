import HTTPServer
import HTTPTypes
import NIOCore
import PromQL
import RegularExpression
import SelfMetrics
import Support
import Synchronization
import TSDB

@testable import WebAPI

/// The API over a database in memory, asked without a socket.
struct TestAPI {
    let api: WebAPI
    let status: ServerStatus
    let database: Database
    let clock: ManualClock

    init(
        ready: Bool = true, remoteWrite: Bool = true, lifecycle: Bool = false, assets: WebAssets = WebAssets(),
        options: EngineOptions = EngineOptions(), prefix: String = "", hooks: WebAPI.Hooks = .init(),
        exemplars: Int = 0, origins: Pattern? = try? Pattern(".*"), lanes: QueryLanes.Options = .init(), queryLog: String? = nil,
        activeQueries: String? = nil
    ) {
        let clock = ManualClock(Timestamp(milliseconds: 1_000_000))
        var storage = DatabaseOptions()
        storage.maxExemplars = exemplars
        let database = Database.inMemory(options: storage, clock: clock)
        let status = ServerStatus(
            startTime: clock.now(), flags: [("web.enable-lifecycle", "\(lifecycle)"), ("a", "1")],
            isLifecycleEnabled: lifecycle)
        var doors = WebAPI.Options()
        doors.acceptsRemoteWrite = remoteWrite
        doors.routePrefix = prefix
        doors.allowedOrigins = origins
        api = WebAPI(
            status: status, registry: MetricsRegistry(), lanes: QueryLanes(lanes), clock: clock, options: doors,
            assets: assets, hooks: hooks)
        status.use(
            ServerParts(
                database: database, engine: Engine(options), configuration: "global: {}\n",
                queryLog: queryLog.flatMap { try? QueryLog(path: $0, clock: clock) },
                activeQueries: activeQueries.flatMap { try? ActiveQueries(directory: $0, places: 4, clock: clock) }))
        status.setReady(ready)
        self.status = status
        self.database = database
        self.clock = clock
    }

    /// Stores samples of one series, 10 s apart, from time 0.
    func load(_ labels: Labels, _ values: [Double]) throws {
        let series = try database.reference(for: labels)
        for (index, value) in values.enumerated() {
            var batch = SampleBatch()
            batch.append(series, at: Timestamp(milliseconds: Int64(index) * 10_000), value: value)
            _ = try database.append(batch)
        }
    }

    func ask(
        _ method: HTTPRequest.Method, _ path: String, _ query: String = "", headers: HTTPFields = [:], body: String = ""
    ) async -> (status: Int, body: String, reply: Reply) {
        await ask(method, path, query, headers: headers, bytes: Array(body.utf8))
    }

    func ask(
        _ method: HTTPRequest.Method, _ path: String, _ query: String = "", headers: HTTPFields = [:], bytes: [UInt8]
    ) async -> (status: Int, body: String, reply: Reply) {
        let reply = await api.answer(
            APIRequest(method, path, query: query, headers: headers, body: ByteBuffer(bytes: bytes)))
        return (reply.status.code, String(decoding: reply.wholeBody, as: UTF8.self), reply)
    }

    func get(_ path: String, _ query: String = "") async -> String { await ask(.get, path, query).body }
}

extension Reply {
    /// The whole body, pieces put together.
    var wholeBody: [UInt8] {
        switch body {
        case .buffer(let buffer): return Array(buffer.readableBytesView)
        case .pieces(let source):
            var bytes: [UInt8] = []
            while let piece = source.next() { bytes.append(contentsOf: piece.readableBytesView) }
            return bytes
        }
    }
}
