import HTTPServer
import HTTPTypes
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Incidents

/// A server of a test: what it hears is kept, what it answers the test says.
final class ScriptedService: HTTPService {
    typealias Answer = @Sendable (_ request: String, _ count: Int) async -> Reply

    private let heard = Mutex<[String]>([])
    private let script: Answer
    let packing = ThreadPool("packing", threads: 1)
    var answers: ThreadPool { packing }

    init(_ script: @escaping Answer) { self.script = script }

    /// `METHOD path?query [token] body`, in order.
    var transcript: [String] { heard.withLock { $0 } }

    func answer(_ request: APIRequest) async -> Reply {
        var line = "\(request.method.rawValue) \(request.path)"
        if !request.query.isEmpty { line += "?" + request.query }
        let short = line
        if let token = request.headers[.authorization] { line += " [\(token)]" }
        if request.body.readableBytes > 0 { line += " " + String(buffer: request.body) }
        let full = line
        let count = heard.withLock { heard in
            heard.append(full)
            return heard.count
        }
        return await script(short, count)
    }

    /// Runs `body` while `service` answers on a free port.
    static func serving(_ service: any HTTPService, _ body: @Sendable @escaping (_ port: Int) async throws -> Void) async throws {
        let ports = AsyncStream.makeStream(of: Int.self)
        let server = WebServer(
            service, on: [.init(host: "127.0.0.1", port: 0)], eventLoops: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { _, port in ports.continuation.yield(port) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            for await port in ports.stream {
                do { try await body(port) } catch { Issue.record(error) }
                break
            }
            await server.stop()
            try await group.waitForAll()
        }
    }
}

extension Reply {
    static func object(_ text: String, _ status: HTTPResponse.Status = .ok) -> Reply { .json(ByteBuffer(string: text), status) }
}
