import HTTPServer
import Loopback
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A server of a test: what it hears is kept, what it says the test has written.
final class NotifyServer: Sendable {
    typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private let listening = Mutex<(any Channel)?>(nil)
    private let heard = Mutex<[String]>([])
    private let tasks = Mutex<[Task<Void, Never>]>([])

    var port: Int { listening.withLock { $0?.localAddress?.port } ?? 0 }
    /// Everything that was heard, by request or line.
    var transcript: [String] { heard.withLock { $0 } }

    private init() {}

    func note(_ text: String) { heard.withLock { $0.append(text) } }

    private func stop() async {
        for task in tasks.withLock({ $0 }) { task.cancel() }
        try? await listening.withLock { $0 }?.close()
    }

    /// Runs `body` against a server on a free port that treats each connection with `serve`.
    static func with(
        _ serve: @escaping @Sendable (NotifyServer, NotifyStream) async throws -> Void,
        _ body: (NotifyServer) async throws -> Void
    ) async throws {
        let server = NotifyServer()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let connection = try Connection(wrappingChannelSynchronously: channel)
                    let task = Task<Void, Never> {
                        _ = try? await connection.executeThenClose { inbound, outbound in
                            try await serve(server, NotifyStream(connection.channel, inbound, outbound))
                        }
                    }
                    server.tasks.withLock { $0.append(task) }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        server.listening.withLock { $0 = channel }
        do { try await body(server) } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    /// An HTTP server that gives these answers one after the other, the last one again and again, and none when there are none.
    static func http(_ answers: String..., body: (NotifyServer) async throws -> Void) async throws {
        let next = Answers(answers)
        try await with(
            { server, stream in
                let head = try await stream.read(until: "\r\n\r\n")
                var length = 0
                for line in head.split(whereSeparator: { $0 == "\r\n" })
                where line.lowercased().hasPrefix("content-length:") {
                    length = Int(line.split(separator: ":")[1].drop { $0 == " " }) ?? 0
                }
                let content = try await stream.read(count: length)
                server.note(head + content)
                guard let answer = next.next() else {
                    // Nothing is said until the other side goes away.
                    _ = try await stream.read(until: "never")
                    return
                }
                try await stream.write(answer)
            }, body)
    }

    private final class Answers: Sendable {
        private let rest: Mutex<[String]>
        init(_ answers: [String]) { rest = Mutex(answers) }
        func next() -> String? { rest.withLock { $0.count > 1 ? $0.removeFirst() : $0.first } }
    }

    static func answer(_ status: String, _ content: String = "", headers: String = "") -> String {
        "HTTP/1.1 \(status)\r\nContent-Length: \(content.utf8.count)\r\nConnection: close\r\n\(headers)\r\n\(content)"
    }
}

/// One connection's bytes.
final class NotifyStream {
    private let channel: any Channel
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var bytes: [UInt8] = []

    struct Closed: Error {}

    init(
        _ channel: any Channel, _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>,
        _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.channel = channel
        self.inbound = inbound.makeAsyncIterator()
        self.outbound = outbound
    }

    private func fill() async throws {
        guard let buffer = try await inbound.next() else { throw Closed() }
        bytes += buffer.readableBytesView
    }

    func read(until end: String) async throws -> String {
        let pattern = Array(end.utf8)
        while true {
            for index in bytes.indices where bytes[index...].starts(with: pattern) {
                return take(index + pattern.count)
            }
            try await fill()
        }
    }

    func read(count: Int) async throws -> String {
        while bytes.count < count { try await fill() }
        return take(count)
    }

    private func take(_ count: Int) -> String {
        defer { bytes.removeFirst(count) }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    func write(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

    /// Says `text`, and what comes from then on is TLS: both in one turn of the event loop, as the client begins as soon as it has heard it.
    func startTLS(saying text: String) async throws {
        let context = try Self.context.get()
        let channel = channel
        try await channel.eventLoop.submit {
            channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context), position: .first)
        }.get()
    }

    private static let context = Result {
        let certificate = try NIOSSLCertificate.fromPEMBytes(Array(TestCertificate.certificate.utf8)).map {
            NIOSSLCertificateSource.certificate($0)
        }
        let key = try NIOSSLPrivateKey(bytes: Array(TestCertificate.key.utf8), format: .pem)
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(certificateChain: certificate, privateKey: .privateKey(key)))
    }
}
