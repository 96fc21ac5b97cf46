import HTTPServer
import NIOCore
import NIOPosix
import Scraper
import ServiceNames
import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Fetches metrics pages over plain HTTP/1.1.
///
///     get ─▶ idle connection of this address, or a new one ─▶ exchange ─▶ redirect? again ─▶ gunzip, bounded ─▶ page
///                        ▲                                      │
///                        └───────────── kept for the next scrape ┘
///
/// All of it happens on one event loop, by callbacks; the task that asked is resumed once. A kept connection that turns out to be
/// closed is replaced once: the server may have ended it between two scrapes.
public final class NIOScrapeTransport: ScrapeTransport, @unchecked Sendable {
    // Sendable: `idle` is touched on `loop` only.

    /// Redirects that are followed, as upstream.
    private static let maximumRedirects = 10

    /// Bytes of one read. A connection keeps a buffer of this size as long as it lives, and there is one connection per target.
    private static let readSize = 32 << 10

    private let loop: any EventLoop
    private let deadlines: ExchangeDeadlines
    private var idle = IdleConnections()

    /// Uses one of `eventLoops`: best the one on which scrapes run.
    public init(eventLoops: any EventLoopGroup) {
        loop = eventLoops.next()
        deadlines = ExchangeDeadlines(loop)
    }

    /// Closes the connections that are kept.
    public func close() {
        onLoop { transport in
            for connection in transport.idle.removeAll() { connection.drop() }
        }
    }

    private func onLoop(_ body: @escaping @Sendable (NIOScrapeTransport) -> Void) {
        if loop.inEventLoop { body(self) } else { loop.execute { body(self) } }
    }

    public func get(_ request: ScrapeRequest) async throws(ScrapeError) -> ScrapeResponse {
        let deadline = NIODeadline.now() + .milliseconds(request.timeout.milliseconds)
        var current = request
        for _ in 0...Self.maximumRedirects {
            let answer = try await exchange(current, original: request, deadline: deadline)
            guard request.followsRedirects, [301, 302, 303, 307, 308].contains(answer.status), !answer.location.isEmpty
            else { return try response(answer, request) }
            guard let target = RedirectTarget(answer.location, from: current.scheme, current.address, current.path) else {
                throw .transport(request.url, "failed to parse Location header")
            }
            // Credentials and configured headers stay with the host they were meant for.
            if target.address != request.address { current.headers.removeAll(where: \.isSecret) }
            current.scheme = target.scheme
            current.address = target.address
            current.path = target.path
            current.query = target.query
        }
        throw .transport(request.url, "stopped after \(Self.maximumRedirects) redirects")
    }

    private func response(
        _ answer: HTTPResponseReader.Answer, _ request: ScrapeRequest
    ) throws(ScrapeError) -> ScrapeResponse {
        var body = answer.body
        switch answer.contentEncoding.lowercased() {
        case "", "identity": break
        case "gzip":
            do throws(Gzip.Failure) {
                body = try Gzip.inflate(body, limit: request.bodyLimit)
            } catch {
                if error == .overLimit { throw .bodySizeLimit }
                throw ScrapeError(.transport, "gzip: invalid body")
            }
        case let encoding: throw ScrapeError(.transport, "unsupported content encoding \(encoding)")
        }
        if request.bodyLimit > 0 && body.count >= request.bodyLimit { throw .bodySizeLimit }
        return ScrapeResponse(status: answer.status, reason: answer.reason, contentType: answer.contentType, body: body)
    }

    private func exchange(
        _ request: ScrapeRequest, original: ScrapeRequest, deadline: NIODeadline
    ) async throws(ScrapeError) -> HTTPResponseReader.Answer {
        guard request.scheme == "http" else {
            throw .transport(
                original.url,
                request.scheme == "https" ? "TLS is not built in yet" : "unsupported protocol scheme \"\(request.scheme)\"")
        }
        guard let address = HTTPAddress(request.address) else {
            throw .transport(original.url, "\"\(request.address)\" is not a valid address")
        }
        let exchange = HTTPExchange(
            to: address, try HTTPRequestText.bytes(of: request), limit: request.bodyLimit, deadline: deadline)
        let outcome = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                onLoop { transport in
                    exchange.await(continuation)
                    transport.start(exchange)
                }
            }
        } onCancel: {
            onLoop { transport in
                transport.deadlines.release(exchange)
                exchange.abandon(.cancelled)
            }
        }
        switch outcome {
        case .success(let answer): return answer
        case .failure(let failure): throw Self.describe(failure, original.url, address)
        }
    }

    // MARK: On the loop

    private func start(_ exchange: HTTPExchange) {
        guard !exchange.isFinished else { return }
        guard let kept = idle.take(exchange.address) else { return connect(exchange) }
        deadlines.watch(exchange)
        kept.send(exchange)
    }

    private func done(_ connection: HTTPConnection, _ exchange: HTTPExchange, _ outcome: HTTPExchange.Outcome) {
        deadlines.release(exchange)
        switch outcome {
        case .success(let answer):
            if answer.isReusable && connection.isOpen {
                for old in idle.keep(connection, now: .now()) { old.drop() }
            }
        case .failure(.closed(hasBegun: false)) where connection.isProven:
            // Closed between two scrapes; a new connection follows.
            exchange.connection = nil
            return connect(exchange)
        case .failure: break
        }
        exchange.finish(outcome)
    }

    private func connect(_ exchange: HTTPExchange) {
        let address = exchange.address
        let left = exchange.deadline - .now()
        guard left > .zero else { return exchange.finish(.failure(.timeout)) }
        let connection = HTTPConnection(
            address, whenDone: { [weak self] in self?.done($0, $1, $2) }, whenClosed: { [weak self] in self?.idle.forget($0) })
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(left)
            .channelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .channelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.readSize))
        // Numbers need no resolver, which is a thread away.
        let place = ServiceNames.current.connecting(to: address.host, address.port)
        let connected =
            if let numeric = try? SocketAddress(ipAddress: place.host, port: place.port) {
                bootstrap.connect(to: numeric)
            } else {
                bootstrap.connect(host: place.host, port: place.port)
            }
        connected.hop(to: loop).whenComplete { [self] result in
            switch result {
            case .success(let channel):
                // Cancelled meanwhile: the connection is of use to nobody.
                if exchange.isFinished { return channel.close(promise: nil) }
                // Only now: a name with two addresses makes two channels, and the one that is refused must not end the other's exchange.
                guard channel.isActive, (try? channel.pipeline.syncOperations.addHandler(connection)) != nil else {
                    return exchange.finish(.failure(.closed(hasBegun: false)))
                }
                deadlines.watch(exchange)
                connection.send(exchange)
            case .failure(let error): exchange.finish(.failure(.connecting(error)))
            }
        }
    }

    /// Upstream's words for what went wrong.
    private static func describe(_ failure: HTTPExchange.Failure, _ url: String, _ address: HTTPAddress) -> ScrapeError {
        switch failure {
        case .timeout, .cancelled, .connecting(ChannelError.connectTimeout): return .timeout(url)
        case .unreadable(.bodyTooLarge): return .bodySizeLimit
        case .unreadable(.notHTTP): return .transport(url, "net/http: malformed HTTP response")
        case .closed: return .transport(url, "EOF")
        case .connecting(let error as NIOConnectionError):
            if error.connectionErrors.contains(where: { failure in
                if case ChannelError.connectTimeout = failure.error { return true }
                return false
            }) {
                return .timeout(url)
            }
            guard let first = error.connectionErrors.first else {
                return .transport(url, "dial tcp: lookup \(address.host): no such host")
            }
            return dial(first.error, url, first.target.ipAddress, address)
        case .connecting(let error): return dial(error, url, nil, address)
        }
    }

    private static func dial(_ error: any Error, _ url: String, _ ip: String?, _ address: HTTPAddress) -> ScrapeError {
        let reason = (error as? IOError).map { String(cString: strerror($0.errnoCode)).lowercased() } ?? "\(error)"
        let host = ip ?? address.host
        let place = host.contains(":") ? "[\(host)]" : host
        return .transport(url, "dial tcp \(place):\(address.port): connect: \(reason)")
    }
}
