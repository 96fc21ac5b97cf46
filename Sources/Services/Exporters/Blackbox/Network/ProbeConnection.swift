import NIOCore
import NIOPosix
import NIOSSL
import Notify
import Synchronization

/// A TCP connection of a probe: bytes out, bytes in, and on the way it may become a secret one.
///
/// It ends with the probe's deadline, wherever it stands then. Who answers is asked of the policy once more: an address that was fine
/// when the name was looked up is the one that was connected to, or nothing is sent.
final class ProbeConnection {
    private let channel: any Channel
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    /// Read, and not asked for yet.
    private var rest: [UInt8] = []
    /// Bytes that were read.
    private var received = 0
    private var isSecure = false

    private init(
        _ channel: any Channel, _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>, _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.channel = channel
        self.inbound = inbound.makeAsyncIterator()
        self.outbound = outbound
    }

    /// Connects, lets `body` talk, and closes. `source`: the address of ours to come from.
    static func open(
        _ destination: Destination, source: IPAddress?, policy: AddressPolicy, deadline: Deadline,
        _ body: (ProbeConnection) async throws -> Void
    ) async throws {
        guard !deadline.isOver else { throw ProbeFailure.late }
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connectTimeout(deadline.left)
        if let source { bootstrap = bootstrap.bind(to: try source.socketAddress(port: 0)) }
        let connected = try await bootstrap.connect(to: try destination.address.socketAddress(port: destination.port)) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(PlainByteCounter())
                return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
        let channel = connected.channel
        let timer = channel.eventLoop.scheduleTask(deadline: deadline.moment) { channel.close(promise: nil) }
        defer { timer.cancel() }
        try await withTaskCancellationHandler {
            try await connected.executeThenClose { inbound, outbound in
                try Self.check(channel.remoteAddress, destination, policy)
                try await body(ProbeConnection(channel, inbound, outbound))
            }
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    private static func check(_ peer: SocketAddress?, _ destination: Destination, _ policy: AddressPolicy) throws {
        guard !destination.isNamed else { return }
        guard let peer = IPAddress(peer) else { throw ProbeFailure("the connection has no address") }
        if let refusal = policy.refusal(of: peer, port: destination.port) { throw refusal }
    }

    // MARK: Bytes

    func write(_ bytes: [UInt8]) async throws { try await outbound.write(ByteBuffer(bytes: bytes)) }

    /// The next bytes, at least one; `nil` where the other side has ended.
    func read() async throws -> [UInt8]? {
        if !rest.isEmpty {
            defer { rest = [] }
            return rest
        }
        do {
            while let buffer = try await inbound.next() {
                received &+= buffer.readableBytes
                if buffer.readableBytes > 0 { return Array(buffer.readableBytesView) }
            }
            return nil
        } catch NIOSSLError.uncleanShutdown {
            // Most servers end this way.
            return nil
        }
    }

    /// Gives bytes back that were read too far.
    func unread(_ bytes: [UInt8]) { rest = bytes + rest }

    // MARK: TLS

    /// Shakes hands. Bytes that came before, in the open, are nobody's to trust.
    func startTLS(_ configuration: TLSConfiguration, serverName: String) async throws -> TLSReport {
        let context = try NIOSSLContext(configuration: configuration)
        let channel = channel, received = received, hasRest = !rest.isEmpty
        let chain = CertificateChain()
        let promise = channel.eventLoop.makePromise(of: Void.self)
        do {
            try await channel.eventLoop.submit {
                guard try !hasRest && !PlainByteCounter.hasUnread(in: channel, after: received) else {
                    throw ProbeFailure("the server talked before TLS began")
                }
                let pipeline = channel.pipeline.syncOperations
                let secure = try TLSHandlers.client(context, serverName: serverName, chain: chain)
                try pipeline.addHandler(HandshakeWatch(promise), position: .first)
                try pipeline.addHandler(secure, position: .first)
                try pipeline.addHandler(ServerHelloReader(), position: .first)
            }.get()
        } catch {
            promise.fail(error)
        }
        // A connection that went away in between tells nobody any more.
        if !channel.isActive { promise.fail(ChannelError.ioOnClosedChannel) }
        try await promise.futureResult.get()
        return try await channel.eventLoop.submit {
            let pipeline = channel.pipeline.syncOperations
            let secure = try pipeline.handler(type: NIOSSLClientHandler.self)
            let hello = try pipeline.handler(type: ServerHelloReader.self)
            let isVerified = configuration.certificateVerification != .none
            return TLSReport(
                version: secure.tlsVersion, suite: hello.suite, leaf: secure.peerCertificate, verified: isVerified ? chain.certificates : [])
        }.get()
    }
}
