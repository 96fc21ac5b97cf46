import HTTPServer
import HTTPTypes
import Logging
import Loopback
import NIOCore
import NIOPosix
import Scraper
import Synchronization
import TSDB
import Testing

@testable import WebAPI

/// A connection of plain bytes.
private final class RawClient: Sendable {
    private let channel: any Channel
    private let received: Box
    final class Box: Sendable {
        let text = Mutex("")
        let isClosed = Mutex(false)
    }
    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let box: Box
        init(_ box: Box) { self.box = box }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let piece = String(buffer: unwrapInboundIn(data))
            box.text.withLock { $0 += piece }
        }
        func channelInactive(context: ChannelHandlerContext) { box.isClosed.withLock { $0 = true } }
    }

    init(port: Int) async throws {
        let box = Box()
        received = box
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Handler(box)) }
            }
            .connect(host: "127.0.0.1", port: port).get()
    }

    func send(_ text: String) async throws { try await channel.writeAndFlush(ByteBuffer(string: text)) }
    func close() { channel.close(promise: nil) }
    /// Waits for the server to close, bounded by the test's own time limit.
    func closed() async { try? await channel.closeFuture.get() }
    /// Waits until `part` has come, or the connection is closed.
    func text(until part: String) async -> String {
        while !received.text.withLock({ $0.contains(part) }) && !received.isClosed.withLock({ $0 }) { await Task.yield() }
        return received.text.withLock { $0 }
    }
}

@Suite("The server on a real port", .timeLimit(.minutes(2)), .serialized)
struct WebServerTests {
    private func get(_ path: String, _ extra: String = "") -> String { "GET \(path) HTTP/1.1\r\nHost: x\r\n\(extra)\r\n" }

    @Test("answers over one kept connection, with the headers that keep browsers safe")
    func answers() async throws {
        try await serving(TestAPI().api) { port in
            let client = try await RawClient(port: port)
            try await client.send(get("/-/healthy"))
            let first = await client.text(until: "Healthy.\n")
            #expect(first.hasPrefix("HTTP/1.1 200 OK\r\n"))
            for header in ["X-Content-Type-Options: nosniff", "X-Frame-Options: DENY", "Content-Security-Policy: default-src 'self'"] {
                #expect(first.contains(header + "\r\n") || first.contains(header + ";"))
            }
            #expect(!first.contains("Access-Control"))
            try await client.send(get("/api/v1/query?query=1%2B1&time=4"))
            #expect(await client.text(until: "\"2\"]}}").hasSuffix(#"{"status":"success","data":{"resultType":"scalar","result":[4,"2"]}}"#))
            try await client.send(
                "POST /api/v1/query HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 14\r\n\r\nquery=5&time=4"
            )
            #expect(await client.text(until: "\"5\"]}}").hasSuffix(#"[4,"5"]}}"#))
            client.close()
        }
    }

    @Test("HEAD has a length and no body")
    func head() async throws {
        try await serving(TestAPI().api) { port in
            let client = try await RawClient(port: port)
            try await client.send("HEAD /-/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            await client.closed()
            let text = await client.text(until: "nothing")
            #expect(text.contains("Content-Length: 28\r\n") && text.hasSuffix("\r\n\r\n"))
        }
    }

    @Test("a body over its limit is refused by its declared and by its real size")
    func bodies() async throws {
        var limits = WebServer.Limits()
        limits.formBytes = 1000
        try await serving(TestAPI().api, limits: limits) { port in
            for request in [
                "POST /api/v1/query HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n",
                "POST /api/v1/query HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n\(String(repeating: "x", count: 2000))\r\n0\r\n\r\n",
            ] {
                let client = try await RawClient(port: port)
                try await client.send(request)
                #expect(await client.text(until: "too large").hasPrefix("HTTP/1.1 413 "))
                client.close()
            }
        }
    }

    @Test("a client that dribbles its head is cut off; one that sends rubbish gets 400")
    func slow() async throws {
        var limits = WebServer.Limits()
        limits.headTime = .milliseconds(200)
        try await serving(TestAPI().api, limits: limits) { port in
            let slow = try await RawClient(port: port)
            try await slow.send("GET / HT")
            await slow.closed()
        }
        try await serving(TestAPI().api) { port in
            let rubbish = try await RawClient(port: port)
            try await rubbish.send("\u{1}\u{2} rubbish\r\n\r\n")
            #expect(await rubbish.text(until: "400").contains("400"))
            rubbish.close()
            let huge = try await RawClient(port: port)
            try? await huge.send("GET / HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "y", count: 200_000))\r\n\r\n")
            await huge.closed()
        }
    }

    @Test("past the bound on connections the oldest idle one makes room")
    func crowd() async throws {
        var limits = WebServer.Limits()
        limits.connections = 4
        try await serving(TestAPI().api, limits: limits) { port in
            var idle: [RawClient] = []
            for _ in 0..<8 { idle.append(try await RawClient(port: port)) }
            let client = try await RawClient(port: port)
            try await client.send(get("/-/healthy"))
            #expect(await client.text(until: "Healthy.\n").contains("Healthy."))
            await idle[0].closed()
            client.close()
            for one in idle { one.close() }
        }
    }

    @Test("a large answer is streamed in pieces and arrives whole")
    func streamed() async throws {
        let test = TestAPI()
        for series in 0..<200 { try test.load(["__name__": "big", "n": "\(series)"], [1, 2, 3]) }
        try await serving(test.api) { port in
            let transport = NIOScrapeTransport(eventLoops: MultiThreadedEventLoopGroup.singleton)
            let request = ScrapeRequest(
                scheme: "http", address: "127.0.0.1:\(port)", path: "/api/v1/query_range",
                query: "query=big&start=0&end=1000&step=0.25", timeout: .seconds(60), bodyLimit: 0)
            let response = try await transport.get(request)
            #expect(response.status == 200 && response.body.count > ResultRenderer.pieceSize)
            let direct = await test.ask(.get, "/api/v1/query_range", "query=big&start=0&end=1000&step=0.25").body
            #expect(response.body == Array(direct.utf8))
            transport.close()
        }
    }

    @Test("a port that is taken is told in one line")
    func portInUse() async throws {
        try await serving(TestAPI().api) { port in
            let second = WebServer(
                TestAPI().api, on: [.init(host: "127.0.0.1", port: port)], eventLoops: MultiThreadedEventLoopGroup.singleton,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            do {
                try await second.run()
                Issue.record("listened")
            } catch {
                #expect(WebServer.describe(error, addresses: ["a:1"]) == "cannot listen on a:1: the port is in use by another process")
            }
        }
    }

    @Test(
        "listen addresses",
        arguments: [("0.0.0.0:9090", "0.0.0.0", 9090), (":1", "0.0.0.0", 1), ("[::1]:2", "::1", 2), ("localhost:0", "localhost", 0)])
    func addresses(_ text: String, _ host: String, _ port: Int) {
        let address = WebServer.Address(text)
        #expect(address?.host == host && address?.port == port)
    }
}
