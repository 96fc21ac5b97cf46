import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A connection to a mail server: commands go out, answers come back, and on the way it may become a secret one.
///
/// Everything together has one time limit; at its end, or when nobody waits any more, the connection is closed.
final class SMTPConnection {
    let channel: any Channel
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var reader = SMTPAnswerReader()
    /// Bytes that `reader` was given.
    private var received = 0
    private let exchange: Exchange

    private init(
        _ channel: any Channel, _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>,
        _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>, _ exchange: Exchange
    ) {
        self.channel = channel
        self.inbound = inbound.makeAsyncIterator()
        self.outbound = outbound
        self.exchange = exchange
    }

    /// Connects, lets `body` talk, and closes. `tls`: from the first byte on.
    static func open(
        host: String, port: Int, tls: TLSConfiguration?, serverName: String, seconds: Int64, _ exchange: Exchange,
        _ body: (SMTPConnection) async throws -> Void
    ) async throws {
        let context = try tls.map { try NIOSSLContext(configuration: $0) }
        let connected = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(min(seconds, 10)))
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(try Self.handler(context, serverName))
                    } else {
                        try channel.pipeline.syncOperations.addHandler(PlainByteCounter())
                    }
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let channel = connected.channel
        let late = LateFlag()
        let timer = channel.eventLoop.scheduleTask(in: .seconds(seconds)) {
            late.set()
            channel.close(promise: nil)
        }
        defer { timer.cancel() }
        do {
            try await withTaskCancellationHandler {
                try await connected.executeThenClose { inbound, outbound in
                    try await body(SMTPConnection(channel, inbound, outbound, exchange))
                }
            } onCancel: {
                channel.close(promise: nil)
            }
        } catch {
            if late.isSet { throw SMTPTimeout() }
            throw error
        }
    }

    private static func handler(_ context: NIOSSLContext, _ serverName: String) throws -> NIOSSLClientHandler {
        // Addresses are no names: there is nothing to ask for then.
        do { return try NIOSSLClientHandler(context: context, serverHostname: serverName) } catch {
            return try NIOSSLClientHandler(context: context, serverHostname: nil)
        }
    }

    // MARK: Talking

    func answer() async throws -> SMTPAnswer {
        while true {
            if let answer = try reader.next() {
                for line in answer.lines { exchange.add("← \(answer.code) \(line)") }
                return answer
            }
            guard let buffer = try await inbound.next() else { throw SMTPError("the server closed the connection") }
            received &+= buffer.readableBytes
            reader.feed(buffer.readableBytesView)
        }
    }

    /// `shown`: what people see of a line that holds a secret.
    func send(_ line: String, shown: String? = nil) async throws -> SMTPAnswer {
        guard line.utf8.allSatisfy({ $0 != 13 && $0 != 10 }) else {
            throw SMTPError("a command may not have a line's end in it")
        }
        exchange.add("→ \(shown ?? line)")
        try await outbound.write(ByteBuffer(string: line + "\r\n"))
        return try await answer()
    }

    /// The same, where only one answer will do.
    func send(_ line: String, shown: String? = nil, expecting code: Int) async throws {
        let answer = try await send(line, shown: shown)
        guard answer.code == code else { throw SMTPError("\(answer.code) \(answer.text)") }
    }

    func send(message: [UInt8]) async throws -> SMTPAnswer {
        exchange.add(String(decoding: message.prefix(Exchange.maximumBytes), as: UTF8.self) + "→ .")
        try await outbound.write(ByteBuffer(bytes: DotStuffing.stuffed(message)))
        return try await answer()
    }

    /// Behind STARTTLS. Answers that came early, in the open, are nobody's to trust: neither those that were read, nor those that wait to be.
    func startTLS(_ configuration: TLSConfiguration, serverName: String) async throws {
        let context = try NIOSSLContext(configuration: configuration)
        let channel = channel, received = received, hasRest = reader.hasRest
        try await channel.eventLoop.submit {
            guard try !hasRest && !PlainByteCounter.hasUnread(in: channel, after: received) else {
                throw SMTPError("the server talked before TLS began")
            }
            try channel.pipeline.syncOperations.addHandler(try Self.handler(context, serverName), position: .first)
        }.get()
        exchange.add("· TLS")
    }
}

/// The time for a mail is over.
struct SMTPTimeout: Error {}

private final class LateFlag: Sendable {
    private let flag = Atomic<Bool>(false)
    func set() { flag.store(true, ordering: .relaxed) }
    var isSet: Bool { flag.load(ordering: .relaxed) }
}
