import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import ServiceNames

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Puts a service on a port: Hummingbird reads requests and writes answers, the service is asked in between.
///
///     socket ▶ HTTP/1.1 decoder ▶ ConnectionWatch ▶ body, collected and bounded ▶ HTTPService.answer ▶ socket
///
/// What a client can take from us is bounded here: connections, time for a head, time for a body, bytes of both.
public struct WebServer: Sendable {
    public struct Limits: Sendable {
        /// `--web.max-connections`.
        public var connections = 512
        /// For the whole head of the first request.
        public var headTime = TimeAmount.seconds(10)
        /// Between two requests, and between two pieces of a body (`--web.read-timeout` is 5 m upstream).
        public var idleTime = TimeAmount.minutes(5)
        /// For the whole body.
        public var bodyTime = TimeAmount.seconds(60)
        /// For taking the whole answer.
        public var writeTime = TimeAmount.minutes(10)
        /// Bytes of one head.
        public var headBytes = 64 << 10
        /// Bytes of a remote-write body, compressed.
        public var writeBodyBytes = 32 << 20
        /// Bytes of any other body: a query is at most 64 KiB, so this is room for long lists of matchers.
        public var formBytes = 1 << 20

        public init() {}
    }

    public struct Address: Sendable {
        public var host: String
        public var port: Int
        /// A unix socket instead; nothing may be there yet.
        public var socketPath: String?
        public init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        public init(socketPath: String) {
            self.init(host: "", port: 0)
            self.socketPath = socketPath
        }

        /// `host:port`, `:port` (all addresses) or `[v6]:port`.
        public init?(_ text: String) {
            guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
                (0...65535).contains(port)
            else { return nil }
            var host = String(text[..<colon])
            if host.hasPrefix("[") && host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
            self.init(host: host.isEmpty ? "0.0.0.0" : host, port: port)
        }
    }

    private let group: ServiceGroup

    /// `whenListening` gets the bound port of each address.
    public init(
        _ service: any HTTPService, on addresses: [Address], limits: Limits = Limits(), eventLoops: any EventLoopGroup, logger: Logger,
        whenListening: @escaping @Sendable (_ address: String, _ port: Int) -> Void = { _, _ in }
    ) {
        let table = ConnectionTable(limit: limits.connections)
        var http = HTTP1Channel.Configuration(
            additionalChannelHandlers: [ConnectionWatch(table: table, headDeadline: limits.headTime)],
            idleTimeout: limits.idleTime)
        http.httpDecoder = .init(
            maxHeaderFieldSize: limits.headBytes, maxHeaderListSize: limits.headBytes, maxHeaderFieldCount: 200)
        // The library logs its own life at `info`; ours is told by our own lines.
        var quiet = logger
        quiet.logLevel = max(.error, logger.logLevel)
        let applications = addresses.map { asked in
            let place = ServiceNames.current.listening(on: asked.host, asked.port)
            // A socket's address is its path, and its port 0.
            let address = Address(host: asked.socketPath ?? place.host, port: asked.socketPath == nil ? place.port : 0)
            return Application(
                responder: Responder(service: service, table: table, limits: limits),
                server: HTTPServerBuilder { [http] in LoopBoundChannel(http: HTTP1Channel(responder: $0, configuration: http)) },
                configuration: ApplicationConfiguration(
                    address: asked.socketPath.map { .unixDomainSocket(path: $0) } ?? .hostname(address.host, port: address.port),
                    backlog: 1024),
                onServerRunning: { channel in
                    whenListening(address.host, channel.localAddress?.port ?? address.port)
                },
                eventLoopGroupProvider: .shared(eventLoops), logger: quiet)
        }
        var configuration = ServiceGroupConfiguration(services: applications, logger: quiet)
        configuration.maximumGracefulShutdownDuration = .seconds(8)
        group = ServiceGroup(configuration: configuration)
    }

    /// Serves until `stop`. Throws when an address cannot be bound.
    public func run() async throws { try await group.run() }

    /// Takes no new requests, finishes those in progress, bounded to 8 s.
    public func stop() async { await group.triggerGracefulShutdown() }
}

/// A connection whose requests are read, answered and written on its event loop, not on threads in turn.
struct LoopBoundChannel: ServerChildChannel {
    let http: HTTP1Channel

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        http.setup(channel: channel, logger: logger)
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await withTaskExecutorPreference(EventLoopExecutor(value.channel.eventLoop)) {
            await http.handle(value: value, logger: logger)
        }
    }
}

/// The channel of a request is all we want from the library's context.
struct ChannelContext: InitializableFromSource {
    let channel: any Channel
    init(source: ApplicationRequestContextSource) { channel = source.channel }
}

struct Responder: HTTPResponder {
    typealias Context = ChannelContext

    let service: any HTTPService
    let table: ConnectionTable
    let limits: WebServer.Limits

    func respond(to request: Request, context: ChannelContext) async throws -> Response {
        let connection = table.connection(on: context.channel)
        connection?.begin()
        defer { connection?.end() }
        guard let path = PercentCoding.decode(Substring(request.uri.path).utf8, plusIsSpace: false) else {
            return response(to: .text("400 Bad Request", .badRequest), request, context)
        }
        let body: ByteBuffer
        do {
            body = try await collect(request, context, limit: service.bodyLimit(path, limits))
        } catch is BodyTooLarge {
            var refused = response(to: service.bodyTooLarge(path), request, context)
            refused.headers[.connection] = "close"
            return refused
        }
        var asked = APIRequest(
            request.method, path, query: request.uri.query ?? "", headers: request.headers, body: body,
            connection: connection)
        asked.clientAddress = context.channel.remoteAddress?.ipAddress ?? ""
        let reply = await service.answer(asked)
        return response(
            to: await reply.compressed(for: request.headers[.acceptEncoding], on: service.packing), request, context)
    }

    private struct BodyTooLarge: Error {}

    private func collect(_ request: Request, _ context: ChannelContext, limit: Int) async throws -> ByteBuffer {
        let declared = request.headers[.contentLength].flatMap { Int($0) }
        if let declared, declared > limit { throw BodyTooLarge() }
        // No body: nothing to wait for.
        if declared == 0 || (declared == nil && request.headers[.transferEncoding] == nil) { return ByteBuffer() }
        let channel = context.channel
        let deadline = channel.eventLoop.scheduleTask(in: limits.bodyTime) { channel.close(promise: nil) }
        defer { deadline.cancel() }
        var collected = ByteBuffer()
        var isFirst = true
        for try await piece in request.body {
            if collected.readableBytes + piece.readableBytes > limit { throw BodyTooLarge() }
            if isFirst {
                collected = piece
                // Room for what was declared is made only after the first bytes came.
                if let declared, declared > piece.readableBytes { collected.reserveCapacity(declared) }
                isFirst = false
            } else {
                collected.writeImmutableBuffer(piece)
            }
        }
        return collected
    }

    private func response(to reply: Reply, _ request: Request, _ context: ChannelContext) -> Response {
        var headers = reply.headers
        if !reply.contentType.isEmpty { headers[.contentType] = reply.contentType }
        headers[.contentSecurityPolicy] = "default-src 'self'; frame-ancestors 'none'"
        headers[.xContentTypeOptions] = "nosniff"
        headers[Self.frameOptions] = "DENY"
        headers[Self.referrerPolicy] = "same-origin"
        if request.method == .head {
            if case .buffer(let buffer) = reply.body { headers[.contentLength] = String(buffer.readableBytes) }
            return Response(status: reply.status, headers: headers)
        }
        let channel = context.channel, writeTime = limits.writeTime
        switch reply.body {
        case .buffer(let buffer):
            return Response(status: reply.status, headers: headers, body: .init(byteBuffer: buffer))
        case .pieces(let source):
            let pool = service.answers
            return Response(
                status: reply.status, headers: headers,
                body: .init { writer in
                    let deadline = channel.eventLoop.scheduleTask(in: writeTime) { channel.close(promise: nil) }
                    defer { deadline.cancel() }
                    while let piece = try await pool.run({ source.next() }) { try await writer.write(piece) }
                    try await writer.finish(nil)
                })
        }
    }

    // Names of our own making are valid, so these are never nil; the fallbacks keep it without `!`.
    private static let frameOptions = HTTPField.Name("X-Frame-Options") ?? .xContentTypeOptions
    private static let referrerPolicy = HTTPField.Name("Referrer-Policy") ?? .xContentTypeOptions
}

extension WebServer {
    /// One line on why an address could not be listened on.
    public static func describe(_ error: any Error, addresses: [String]) -> String {
        let place = addresses.joined(separator: ", ")
        guard let io = error as? IOError else { return "cannot listen on \(place): \(error)" }
        switch io.errnoCode {
        case EADDRINUSE: return "cannot listen on \(place): the port is in use by another process"
        case EACCES: return "cannot listen on \(place): not permitted"
        case EADDRNOTAVAIL: return "cannot listen on \(place): no such address on this machine"
        default: return "cannot listen on \(place): \(io)"
        }
    }
}
