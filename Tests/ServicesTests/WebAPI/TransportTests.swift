import HTTPServer
import NIOCore
import NIOPosix
import Scraper
import Synchronization
import TSDB
import Testing

@testable import WebAPI

/// A server on a free port that answers every connection's requests with prepared bytes, one after the other.
private final class ScriptedTarget: Sendable {
    private let channel: any Channel
    /// `answers` by request number over all connections; past the end the last one is repeated. `nil`: no answer.
    init(_ answers: [String?], closes: Bool = false) async throws {
        let received = Box(), connections = Box()
        let counter = Shared()
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                connections.add("c")
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        Handler(answers: answers, closes: closes, counter: counter, received: received))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        boxes = (received, connections)
    }

    private let boxes: (Box, Box)
    var requests: [String] { boxes.0.all }
    var connectionCount: Int { boxes.1.all.count }
    var address: String { "127.0.0.1:\(channel.localAddress?.port ?? 0)" }
    func close() async { try? await channel.close() }

    final class Box: Sendable {
        private let items = Mutex<[String]>([])
        func add(_ item: String) { items.withLock { $0.append(item) } }
        var all: [String] { items.withLock { $0 } }
    }

    final class Shared: Sendable {
        private let count = Mutex(0)
        func next() -> Int {
            count.withLock { count in
                defer { count += 1 }
                return count
            }
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        let answers: [String?]
        let closes: Bool
        let counter: Shared
        let received: Box
        var text = ""

        init(answers: [String?], closes: Bool, counter: Shared, received: Box) {
            self.answers = answers
            self.closes = closes
            self.counter = counter
            self.received = received
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            text += String(buffer: unwrapInboundIn(data))
            guard text.hasSuffix("\r\n\r\n") else { return }
            received.add(text)
            text = ""
            let number = counter.next()
            guard let answer = answers[min(number, answers.count - 1)] else { return }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: answer.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) })), promise: nil)
            if closes { context.close(promise: nil) }
        }
    }
}

/// Bytes as a string of scalars 0…255, for answers that are not text.
private func latin1(_ bytes: [UInt8]) -> String {
    var result = ""
    for byte in bytes { result.unicodeScalars.append(Unicode.Scalar(byte)) }
    return result
}

@Suite("The scrape transport: one GET, with bounds on everything")
struct TransportTests {
    private func request(_ server: ScriptedTarget, timeout: TSDB.Duration = .seconds(60), limit: Int = 1 << 20) -> ScrapeRequest {
        ScrapeRequest(
            scheme: "http", address: server.address, path: "/metrics", query: "a=b",
            headers: [.init("Accept", "text/plain"), .init("Authorization", "Bearer s", isSecret: true)], timeout: timeout,
            bodyLimit: limit)
    }

    private let page = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nup 1\n"

    private func transport() -> NIOScrapeTransport { NIOScrapeTransport(eventLoops: MultiThreadedEventLoopGroup.singleton) }

    private func failure(_ server: ScriptedTarget, _ request: ScrapeRequest? = nil, _ transport: NIOScrapeTransport? = nil) async -> ScrapeError? {
        do throws(ScrapeError) {
            _ = try await (transport ?? self.transport()).get(request ?? self.request(server))
            return nil
        } catch {
            return error
        }
    }

    @Test("sends path, query, host and headers; gives status, content type and body; keeps the connection")
    func keepAlive() async throws {
        let server = try await ScriptedTarget([page])
        let transport = transport()
        for _ in 0..<3 {
            let response = try await transport.get(request(server))
            #expect(response.status == 200 && response.contentType == "text/plain" && response.body == Array("up 1\n".utf8))
        }
        #expect(server.connectionCount == 1)
        let sent = server.requests[0]
        #expect(sent.hasPrefix("GET /metrics?a=b HTTP/1.1\r\n") && sent.contains("Host: \(server.address)\r\n"))
        #expect(sent.contains("Accept: text/plain\r\n") && sent.contains("Authorization: Bearer s\r\n"))
        transport.close()
        await server.close()
    }

    @Test("targets that share an address keep a connection each")
    func shared() async throws {
        let server = try await ScriptedTarget([page])
        let transport = transport(), request = request(server)
        for _ in 0..<5 {
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { try await transport.get(request).status } }
                for try await status in group { #expect(status == 200) }
            }
        }
        #expect(server.requests.count == 40 && (1...8).contains(server.connectionCount))
        transport.close()
        await server.close()
    }

    @Test("a task that is cancelled stops waiting at once, and its answer is nobody else's")
    func cancelled() async throws {
        let server = try await ScriptedTarget([nil, page])
        let transport = transport(), request = request(server)
        let task = Task { () -> Bool in (try? await transport.get(request)) == nil }
        while server.requests.isEmpty { await Task.yield() }
        task.cancel()
        #expect(await task.value)
        #expect(try await transport.get(request).status == 200)
        #expect(server.connectionCount == 2)
        transport.close()
        await server.close()
    }

    @Test("a kept connection that the server has ended is replaced")
    func replaced() async throws {
        let server = try await ScriptedTarget([page], closes: true)
        let transport = transport()
        for _ in 0..<3 { #expect(try await transport.get(request(server)).status == 200) }
        #expect(server.connectionCount == 3)
        await server.close()
    }

    @Test("a body over the limit is refused: declared, sent, or unpacked")
    func limits() async throws {
        let long = String(repeating: "x", count: 2000)
        for answer in [
            "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n\(long)", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\(long)",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n\(long)\r\n0\r\n\r\n",
        ] {
            let server = try await ScriptedTarget([answer], closes: true)
            #expect(await failure(server, request(server, limit: 1000)) == .bodySizeLimit)
            await server.close()
        }
        let zeros = [UInt8](repeating: 0x30, count: 1 << 20)
        let packed = zeros.withUnsafeBytes { Gzip.deflate($0) } ?? []
        #expect(packed.count < 10_000)
        let server = try await ScriptedTarget([
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(packed.count)\r\n\r\n" + latin1(packed)
        ])
        #expect(await failure(server, request(server, limit: 1 << 19)) == .bodySizeLimit)
        #expect(try await transport().get(request(server, limit: 2 << 20)).body == zeros)
        await server.close()
    }

    @Test("no answer in time is upstream's deadline error")
    func timeout() async throws {
        let server = try await ScriptedTarget([nil])
        let request = request(server, timeout: .milliseconds(150))
        #expect(await failure(server, request) == .timeout(request.url))
        await server.close()
    }

    @Test("a name with two addresses, one of which refuses, is scraped at the other")
    func twoAddresses() async throws {
        let server = try await ScriptedTarget([page])
        var request = request(server)
        request.address = server.address.replacing("127.0.0.1", with: "localhost")
        #expect(latin1(try await transport().get(request).body) == "up 1\n")
        await server.close()
    }

    @Test("refused, cut off and not HTTP are told apart")
    func broken() async throws {
        let gone = try await ScriptedTarget([page])
        var request = request(gone)
        await gone.close()
        // Nobody gets this port by asking for any; the one just closed may be another test's already.
        request.address = "127.0.0.1:1"
        let refused = await failure(gone, request)
        #expect(refused?.message == "Get \"\(request.url)\": dial tcp \(request.address): connect: connection refused")
        for (answer, reason) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", "EOF"), ("", "EOF"), ("hello\r\n\r\n", "net/http: malformed HTTP response"),
        ] {
            let server = try await ScriptedTarget([answer], closes: true)
            let message = await failure(server)?.message ?? ""
            #expect(message == "Get \"http://\(server.address)/metrics?a=b\": \(reason)")
            await server.close()
        }
    }

    @Test("redirects are followed, ten of them; secrets stay with the first host")
    func redirects() async throws {
        let other = try await ScriptedTarget([page])
        let server = try await ScriptedTarget([
            "HTTP/1.1 302 Found\r\nLocation: /again?x=1\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://\(other.address)/m\r\nContent-Length: 0\r\n\r\n",
        ])
        #expect(try await transport().get(request(server)).status == 200)
        #expect(server.requests[1].hasPrefix("GET /again?x=1 ") && server.requests[1].contains("Authorization"))
        #expect(other.requests[0].hasPrefix("GET /m ") && !other.requests[0].contains("Authorization"))
        let circle = try await ScriptedTarget(["HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"])
        #expect(await failure(circle)?.message.hasSuffix("stopped after 10 redirects") == true)
        var stays = request(circle)
        stays.followsRedirects = false
        #expect(try await transport().get(stays).status == 302)
        for location in ["https://x/", "ftp://x/", "file:///etc/passwd"] {
            let server = try await ScriptedTarget(["HTTP/1.1 302 Found\r\nLocation: \(location)\r\nContent-Length: 0\r\n\r\n"])
            #expect(await failure(server)?.code == .transport)
            await server.close()
        }
        for server in [other, server, circle] { await server.close() }
    }

    @Test("a header with a line break is not sent")
    func headerInjection() async throws {
        let server = try await ScriptedTarget([page])
        var request = request(server)
        request.headers.append(.init("X", "a\r\nY: b"))
        #expect(await failure(server, request) != nil)
        #expect(server.requests.isEmpty)
        await server.close()
    }

    @Test(
        "addresses", arguments: [("a", "a", 80), ("a:1", "a", 1), ("[::1]:9", "::1", 9), ("[::1]", "::1", 80), ("1.2.3.4:65535", "1.2.3.4", 65535)])
    func addresses(_ text: String, _ host: String, _ port: Int) {
        let address = HTTPAddress(text)
        #expect(address?.host == host && address?.port == port)
    }

    @Test("no addresses", arguments: ["", ":", "a:", "a:0", "a:65536", "a:-1", "[", "[]", "[::1", "[::1]x", "a b:1", "a:99999999999999999999"])
    func noAddresses(_ text: String) { #expect(HTTPAddress(text) == nil) }
}

@Suite("gzip")
struct GzipTests {
    @Test("unpacks what it packs, several members included")
    func roundTrip() throws {
        for count in [0, 1, 1000, 300_000, 1 << 20] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
            let packed = try #require(bytes.withUnsafeBytes { Gzip.deflate($0) })
            #expect(try Gzip.inflate(packed, limit: 0) == bytes)
            #expect(try Gzip.inflate(packed, limit: max(1, count)) == bytes)
            #expect(try Gzip.inflate(packed + packed, limit: 0) == bytes + bytes)
            if count > 1 { #expect(throws: Gzip.Failure.overLimit) { try Gzip.inflate(packed, limit: count - 1) } }
        }
    }

    @Test("a reply is packed for who asks: in one piece and in many")
    func replies() async throws {
        let pool = ThreadPool("t", threads: 1)
        let text = String(repeating: "{\"a\":1},", count: 1000)
        var whole = Reply.text(text)
        whole = await whole.compressed(for: "deflate, gzip;q=0.5", on: pool)
        #expect(whole.headers[.contentEncoding] == "gzip" && whole.headers[.vary] == "Accept-Encoding")
        #expect(try Gzip.inflate(whole.wholeBody, limit: 0) == Array(text.utf8))
        final class Pieces: PieceSource, @unchecked Sendable {
            // Sendable: one task uses it.
            var left = 50
            let text: String
            init(_ text: String) { self.text = text }
            func next() -> ByteBuffer? {
                left -= 1
                return left >= 0 ? ByteBuffer(string: text) : nil
            }
        }
        let many = await Reply(.ok, contentType: "application/json", pieces: Pieces(text)).compressed(for: "gzip", on: pool)
        #expect(try Gzip.inflate(many.wholeBody, limit: 0) == Array(String(repeating: text, count: 50).utf8))
        for refused in ["", "br", "gzip;q=0", "identity"] {
            #expect(await Reply.text(text).compressed(for: refused, on: pool).headers[.contentEncoding] == nil)
        }
        #expect(await Reply.text("short").compressed(for: "gzip", on: pool).wholeBody == Array("short".utf8))
    }

    @Test("damage is an error, at whichever byte")
    func damage() throws {
        let bytes = Array("a metrics page, a metrics page, a metrics page".utf8)
        let packed = try #require(bytes.withUnsafeBytes { Gzip.deflate($0) })
        for count in 0..<packed.count { #expect(throws: Gzip.Failure.self) { try Gzip.inflate(Array(packed[..<count]), limit: 0) } }
        for index in packed.indices {
            var damaged = packed
            damaged[index] ^= 0x55
            // A flipped bit of the header's optional fields may go unnoticed; the content may not.
            if let content = try? Gzip.inflate(damaged, limit: 1 << 20) { #expect(content == bytes) }
        }
    }
}
