import HTTPServer
import Logging
import NIOCore
import NIOPosix

/// Runs `body` while `service` answers on a free port of the loopback address.
public func serving(
    _ service: any HTTPService, limits: WebServer.Limits = .init(), _ body: @Sendable @escaping (_ port: Int) async throws -> Void
) async throws {
    let ports = AsyncStream.makeStream(of: Int.self)
    let server = WebServer(
        service, on: [.init(host: "127.0.0.1", port: 0)], limits: limits, eventLoops: MultiThreadedEventLoopGroup.singleton,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) { _, port in ports.continuation.yield(port) }
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            // Where it cannot listen, nobody is to wait for its port.
            defer { ports.continuation.finish() }
            try await server.run()
        }
        var failure: (any Error)?
        for await port in ports.stream {
            do { try await body(port) } catch { failure = error }
            break
        }
        await server.stop()
        try await group.waitForAll()
        if let failure { throw failure }
    }
}
