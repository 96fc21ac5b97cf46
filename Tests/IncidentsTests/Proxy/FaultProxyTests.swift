import HTTPServer
import HTTPTypes
import NIOCore
import NIOPosix
import ServiceNames
import Synchronization
import Testing

@testable import Incidents

@Suite("The proxy on loopback sockets", .timeLimit(.minutes(1)))
struct FaultProxyTests {
    typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// A server that sends back what it hears, and an end when it hears one; and a proxy in front of it.
    private func withProxy(
        limits: FaultProxy.Limits = .init(), target: Int? = nil, _ body: (FaultProxy, _ port: Int) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let server = try await ServerBootstrap(group: group)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Echo())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = target ?? server.localAddress?.port ?? 0
        let proxy = FaultProxy(
            listen: try SocketAddress(ipAddress: "127.0.0.1", port: 0), target: ServiceNames.Place("127.0.0.1", port), limits: limits,
            on: group.next())
        let front = try await proxy.start()
        do { try await body(proxy, front) } catch { Issue.record(error) }
        await proxy.stop()
        try await server.close()
    }

    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.writeAndFlush(data, promise: nil) }
        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if let event = event as? ChannelEvent, event == .inputClosed { context.close(mode: .output, promise: nil) }
        }
    }

    private func connect(_ port: Int) async throws -> Connection {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try Connection(wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
    }

    private func canConnect(_ port: Int) async -> Bool {
        let channel = try? await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(host: "127.0.0.1", port: port).get()
        try? await channel?.close()
        return channel != nil
    }

    /// Says `text`, ends its side, and gives back all that is heard until the other side's end.
    private func talk(_ port: Int, _ text: ByteBuffer) async throws -> ByteBuffer {
        try await connect(port).executeThenClose { inbound, outbound in
            let writing = Task {
                try await outbound.write(text)
                outbound.finish()
            }
            var heard = ByteBuffer()
            for try await piece in inbound { heard.writeImmutableBuffer(piece) }
            try await writing.value
            return heard
        }
    }

    @Test("without a fault it is not there: megabytes both ways, and half-close")
    func transparent() async throws {
        try await withProxy { proxy, port in
            var large = ByteBuffer()
            for number in 0..<UInt64(500_000) { large.writeInteger(number &* 0x9e37_79b9_7f4a_7c15) }
            let back = try await talk(port, large)
            #expect(back == large)
            #expect(proxy.counts.up.value == large.readableBytes && proxy.counts.down.value == large.readableBytes)
        }
    }

    @Test("cut: a new connection stands, nothing passes; healed, all that was said arrives")
    func drop() async throws {
        try await withProxy { proxy, port in
            await proxy.set(Fault(.drop))
            #expect(await proxy.fault() == Fault(.drop))
            let talking = Task { try await talk(port, ByteBuffer(string: "said into the dark")) }
            // The proxy has taken the connection, and read nothing of it.
            while proxy.counts.accepted.value == 0 { await Task.yield() }
            #expect(proxy.counts.up.value == 0)
            await proxy.clear()
            let heard = try await talking.value
            #expect(heard == ByteBuffer(string: "said into the dark"))
        }
    }

    @Test("a cut with an end heals by itself")
    func dropEnds() async throws {
        try await withProxy { proxy, port in
            await proxy.set(Fault(.drop, for: .milliseconds(50)))
            let heard = try await talk(port, ByteBuffer(string: "x"))
            #expect(heard == ByteBuffer(string: "x"))
            #expect(await proxy.fault() == nil)
        }
    }

    @Test("delay: what is said comes back after twice the delay, not before")
    func delay() async throws {
        try await withProxy { proxy, port in
            await proxy.set(Fault(.delay, delay: .milliseconds(60)))
            let start = ContinuousClock.now
            let heard = try await talk(port, ByteBuffer(string: "x"))
            #expect(heard == ByteBuffer(string: "x"))
            #expect(ContinuousClock.now - start >= .milliseconds(120))
        }
    }

    @Test("reset: connections break, new ones too, until it is taken back")
    func reset() async throws {
        try await withProxy { proxy, port in
            try await connect(port).executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: "hello"))
                var heard = inbound.makeAsyncIterator()
                #expect(try await heard.next() == ByteBuffer(string: "hello"))
                await proxy.set(Fault(.reset))
                await #expect(throws: (any Error).self) { while try await heard.next() != nil {} }
            }
            await #expect(throws: (any Error).self) {
                let heard = try await talk(port, ByteBuffer(string: "x"))
                if heard.readableBytes == 0 { throw ChannelError.eof }
            }
            await proxy.clear()
            let heard = try await talk(port, ByteBuffer(string: "x"))
            #expect(heard == ByteBuffer(string: "x"))
        }
    }

    @Test("refuse: nobody listens, until it is taken back; the port is the same")
    func refuse() async throws {
        try await withProxy { proxy, port in
            await proxy.set(Fault(.refuse))
            // The listener's close is under way: until it is done, the kernel may still take one.
            while await canConnect(port) { await Task.yield() }
            await proxy.clear()
            while await !canConnect(port) { await Task.yield() }
            let heard = try await talk(port, ByteBuffer(string: "x"))
            #expect(heard == ByteBuffer(string: "x"))
        }
    }

    @Test("no server behind it: the client's connection breaks")
    func nobody() async throws {
        try await withProxy(target: 1) { proxy, port in
            await #expect(throws: (any Error).self) {
                let heard = try await talk(port, ByteBuffer(string: "x"))
                if heard.readableBytes == 0 { throw ChannelError.eof }
            }
            #expect(proxy.counts.failed.value == 1)
        }
    }

    @Test("connections past the bound are reset; those before stay")
    func bounded() async throws {
        var limits = FaultProxy.Limits()
        limits.connections = 1
        try await withProxy(limits: limits) { proxy, port in
            try await connect(port).executeThenClose { inbound, outbound in
                var heard = inbound.makeAsyncIterator()
                try await outbound.write(ByteBuffer(string: "a"))
                #expect(try await heard.next() == ByteBuffer(string: "a"))
                await #expect(throws: (any Error).self) {
                    let heard = try await talk(port, ByteBuffer(string: "x"))
                    if heard.readableBytes == 0 { throw ChannelError.eof }
                }
                try await outbound.write(ByteBuffer(string: "b"))
                #expect(try await heard.next() == ByteBuffer(string: "b"))
                #expect(proxy.counts.refused.value == 1)
            }
        }
    }

    @Test("the control port wants the token, refuses what is no fault, and tells what is set")
    func control() async throws {
        try await withProxy { proxy, _ in
            let quits = Mutex(0)
            let control = ProxyControl(proxy, token: "s3cret") { quits.withLock { $0 += 1 } }
            func ask(_ method: HTTPRequest.Method, _ path: String, _ body: String = "", token: String? = "s3cret") async -> (Int, String) {
                var headers = HTTPFields()
                if let token { headers[.authorization] = "Bearer " + token }
                let reply = await control.answer(APIRequest(method, path, headers: headers, body: ByteBuffer(string: body)))
                guard case .buffer(let buffer) = reply.body else { return (reply.status.code, "") }
                return (reply.status.code, String(buffer: buffer))
            }
            for (token, status) in [(nil, 401), ("", 401), ("s3cre", 403), ("s3cret0", 403), ("s3creT", 403)] {
                #expect(await ask(.post, "/-/fault", #"{"mode":"drop"}"#, token: token).0 == status)
                #expect(await ask(.post, "/-/quit", token: token).0 == status)
            }
            #expect(await proxy.fault() == nil)
            #expect(await ask(.get, "/-/fault") == (200, #"{"mode":null}"#))
            #expect(await ask(.post, "/-/fault", #"{"mode":"sleep"}"#).0 == 400)
            #expect(await ask(.post, "/-/fault", #"{"mode":"delay","delay_ms":5}"#) == (200, #"{"mode":"delay","delay_ms":5}"#))
            #expect(await ask(.get, "/metrics", token: nil).1.contains("minprom_proxy_fault_active{mode=\"delay\"} 1\n"))
            #expect(await ask(.delete, "/-/fault") == (200, #"{"mode":null}"#))
            #expect(await ask(.put, "/-/fault").0 == 405)
            #expect(await ask(.get, "/-/quit").0 == 405)
            #expect(await ask(.get, "/x").0 == 404)
            #expect(await ask(.get, "/-/healthy", token: nil).0 == 200)
            #expect(quits.withLock { $0 } == 0)
            #expect(await ask(.post, "/-/quit").0 == 200)
            #expect(quits.withLock { $0 } == 1)

            let unguarded = ProxyControl(proxy, token: nil) {}
            let reply = await unguarded.answer(APIRequest(.delete, "/-/fault", headers: [.authorization: "Bearer "]))
            #expect(reply.status.code == 403)
        }
    }
}
