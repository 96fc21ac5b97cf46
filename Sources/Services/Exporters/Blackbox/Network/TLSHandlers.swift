import NIOCore
import NIOSSL
import NIOTLS
import Synchronization

/// The certificates a peer was verified with, as the library walked over them.
final class CertificateChain: Sendable {
    private let walked = Mutex<[NIOSSLCertificate]>([])
    func add(_ certificate: NIOSSLCertificate) {
        walked.withLock { if !$0.contains(certificate) { $0.append(certificate) } }
    }
    var certificates: [NIOSSLCertificate] { walked.withLock { $0 } }
}

/// Makes the library's handler.
enum TLSHandlers {
    static func client(_ context: NIOSSLContext, serverName: String, chain: CertificateChain) throws -> NIOSSLClientHandler {
        let maker: any ChainWatching.Type = ChainWatch.self
        // Addresses are no names: there is nothing to ask for then, and the certificate is checked for the address.
        let name = serverName.isEmpty || IPAddress(serverName) != nil ? nil : serverName
        return try maker.handler(context, name, chain)
    }
}

/// The library shows the whole chain only to the older of its two callbacks, the one that looks on while the library verifies; the newer
/// one verifies instead of it. The older is deprecated for that reason, and through a protocol it can be had without a warning.
private protocol ChainWatching {
    static func handler(_ context: NIOSSLContext, _ serverName: String?, _ chain: CertificateChain) throws -> NIOSSLClientHandler
}

private enum ChainWatch: ChainWatching {
    @available(*, deprecated)
    static func handler(_ context: NIOSSLContext, _ serverName: String?, _ chain: CertificateChain) throws -> NIOSSLClientHandler {
        try NIOSSLClientHandler(
            context: context, serverHostname: serverName,
            verificationCallback: { result, certificate in
                chain.add(certificate)
                return result
            })
    }
}

/// Keeps a promise when hands are shaken.
final class HandshakeWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let promise: EventLoopPromise<Void>

    init(_ promise: EventLoopPromise<Void>) { self.promise = promise }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted = event as? TLSUserEvent { promise.succeed() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.fireErrorCaught(error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(ChannelError.ioOnClosedChannel)
        context.fireChannelInactive()
    }
}

/// Reads the cipher suite off the wire, for the library does not tell.
///
///     16 03 03 length │ 02 length(3) │ version(2) random(32) session(1+n) suite(2) …       the first record of a server, never secret
///
/// Source: RFC 8446 §4.1.3, §5.1. Bounded to the first bytes; what it does not understand it lets be.
final class ServerHelloReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private static let maximumBytes = 1 << 10
    private var head: [UInt8] = []
    private(set) var suite: UInt16?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if suite == nil && head.count < Self.maximumBytes {
            head += unwrapInboundIn(data).readableBytesView.prefix(Self.maximumBytes - head.count)
            suite = Self.suite(in: head)
        }
        context.fireChannelRead(data)
    }

    static func suite(in head: [UInt8]) -> UInt16? {
        guard head.count > 43, head[0] == 22, head[5] == 2 else { return nil }
        let at = 44 + Int(head[43])
        guard head.count >= at + 2 else { return nil }
        return UInt16(head[at]) << 8 | UInt16(head[at + 1])
    }
}
