#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif
import NIOCore
import NIOHTTP1
import NIOPosix
import Scraper
import Synchronization
import TSDB

/// Fetches metrics pages over plain HTTP/1.1.
///
///     get ─▶ idle connection of this address, or a new one ─▶ exchange ─▶ redirect? again ─▶ gunzip, bounded ─▶ page
///                        ▲                                      │
///                        └───────────── kept for the next scrape ┘
///
/// One idle connection per address is kept. A kept connection that turns out to be closed is replaced once: the server may
/// have ended it between two scrapes.
public final class NIOScrapeTransport: ScrapeTransport {
    /// Redirects that are followed, as upstream.
    private static let maximumRedirects = 10

    private let eventLoops: any EventLoopGroup
    private let idle = Mutex<[HTTPAddress: any Channel]>([:])

    public init(eventLoops: any EventLoopGroup) { self.eventLoops = eventLoops }

    /// Closes the connections that are kept.
    public func close() {
        let channels = idle.withLock { idle in
            defer { idle.removeAll() }
            return Array(idle.values)
        }
        for channel in channels { channel.close(promise: nil) }
    }

    public func get(_ request: ScrapeRequest) async throws(ScrapeError) -> ScrapeResponse {
        let deadline = NIODeadline.now() + .milliseconds(request.timeout.milliseconds)
        var current = request
        for _ in 0...Self.maximumRedirects {
            let answer = try await exchange(current, original: request, deadline: deadline)
            guard request.followsRedirects, [301, 302, 303, 307, 308].contains(answer.status),
                let location = answer.headers.first(name: "location")
            else { return try response(answer, request) }
            guard let target = RedirectTarget(location, from: current.scheme, current.address, current.path) else {
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

    private func response(_ answer: HTTPExchange.Answer, _ request: ScrapeRequest) throws(ScrapeError) -> ScrapeResponse {
        var body = answer.body
        let encoding = answer.headers.first(name: "content-encoding")?.lowercased() ?? ""
        switch encoding {
        case "", "identity": break
        case "gzip":
            do throws(Gzip.Failure) {
                body = try Gzip.inflate(body, limit: request.bodyLimit)
            } catch {
                if error == .overLimit { throw .bodySizeLimit }
                throw ScrapeError(.transport, "gzip: invalid body")
            }
        default: throw ScrapeError(.transport, "unsupported content encoding \(encoding)")
        }
        if request.bodyLimit > 0 && body.count >= request.bodyLimit { throw .bodySizeLimit }
        return ScrapeResponse(
            status: answer.status, reason: answer.reason, contentType: answer.headers.first(name: "content-type") ?? "",
            body: body)
    }

    // MARK: Connections

    private func exchange(
        _ request: ScrapeRequest, original: ScrapeRequest, deadline: NIODeadline
    ) async throws(ScrapeError) -> HTTPExchange.Answer {
        guard request.scheme == "http" else {
            throw .transport(
                original.url,
                request.scheme == "https" ? "TLS is not built in yet" : "unsupported protocol scheme \"\(request.scheme)\"")
        }
        guard let address = HTTPAddress(request.address) else {
            throw .transport(original.url, "\"\(request.address)\" is not a valid address")
        }
        let head = head(of: request)
        if let kept = idle.withLock({ $0.removeValue(forKey: address) }) {
            do {
                return try await send(head, request, on: kept, address, deadline)
            } catch HTTPExchange.Failure.closed(hasBegun: false) {
                // Closed between two scrapes; a new connection follows.
            } catch {
                throw Self.describe(error, original.url, address)
            }
        }
        do {
            let channel = try await connect(address, deadline)
            return try await send(head, request, on: channel, address, deadline)
        } catch {
            throw Self.describe(error, original.url, address)
        }
    }

    private func head(of request: ScrapeRequest) -> HTTPRequestHead {
        var headers = HTTPHeaders()
        headers.add(name: "Host", value: request.address)
        for header in request.headers { headers.add(name: header.name, value: header.value) }
        let path = request.path.isEmpty ? "/" : request.path.hasPrefix("/") ? request.path : "/" + request.path
        return HTTPRequestHead(
            version: .http1_1, method: .GET, uri: request.query.isEmpty ? path : path + "?" + request.query,
            headers: headers)
    }

    private func connect(_ address: HTTPAddress, _ deadline: NIODeadline) async throws -> any Channel {
        let left = deadline - .now()
        guard left > .zero else { throw HTTPExchange.Failure.timeout }
        let bootstrap = ClientBootstrap(group: eventLoops)
            .connectTimeout(left)
            .channelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .channelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers(leftOverBytesStrategy: .dropBytes)
                    try channel.pipeline.syncOperations.addHandler(HTTPExchangeHandler())
                }
            }
        let channel = try await bootstrap.connect(host: address.host, port: address.port).get()
        channel.closeFuture.whenComplete { [weak self] _ in
            self?.idle.withLock { idle in
                if idle[address] === channel { idle[address] = nil }
            }
        }
        return channel
    }

    private func send(
        _ head: HTTPRequestHead, _ request: ScrapeRequest, on channel: any Channel, _ address: HTTPAddress,
        _ deadline: NIODeadline
    ) async throws -> HTTPExchange.Answer {
        let promise = channel.eventLoop.makePromise(of: HTTPExchange.Answer.self)
        let exchange = HTTPExchange(head, limit: request.bodyLimit, promise: promise)
        let timer = channel.eventLoop.scheduleTask(deadline: deadline) {
            // The handler's own failure would come first otherwise, and say that the connection was closed.
            promise.fail(HTTPExchange.Failure.timeout)
            channel.close(promise: nil)
        }
        defer { timer.cancel() }
        let answer = try await withTaskCancellationHandler {
            // On a connection that has just closed, nobody else would tell the promise.
            channel.writeAndFlush(exchange).whenFailure { _ in
                promise.fail(HTTPExchange.Failure.closed(hasBegun: false))
            }
            return try await promise.futureResult.get()
        } onCancel: {
            channel.close(promise: nil)
        }
        if answer.isReusable && channel.isActive { keep(channel, address) }
        return answer
    }

    private func keep(_ channel: any Channel, _ address: HTTPAddress) {
        let replaced = idle.withLock { $0.updateValue(channel, forKey: address) }
        if let replaced, replaced !== channel { replaced.close(promise: nil) }
    }

    /// Upstream's words for what went wrong.
    private static func describe(_ error: any Error, _ url: String, _ address: HTTPAddress) -> ScrapeError {
        switch error {
        case HTTPExchange.Failure.timeout, ChannelError.connectTimeout, is CancellationError: return .timeout(url)
        case HTTPExchange.Failure.bodyTooLarge: return .bodySizeLimit
        case HTTPExchange.Failure.closed: return .transport(url, "EOF")
        case HTTPExchange.Failure.notHTTP: return .transport(url, "net/http: malformed HTTP response")
        case let error as NIOConnectionError:
            if error.connectionErrors.contains(where: { failure in
                if case ChannelError.connectTimeout = failure.error { return true }
                return false
            }) { return .timeout(url) }
            if let first = error.connectionErrors.first {
                let reason = (first.error as? IOError).map { text(of: $0.errnoCode) } ?? "\(first.error)"
                let place = first.target.ipAddress.map { "\($0):\(address.port)" } ?? "\(address.host):\(address.port)"
                return .transport(url, "dial tcp \(place): connect: \(reason)")
            }
            return .transport(url, "dial tcp: lookup \(address.host): no such host")
        case let error as IOError: return .transport(url, text(of: error.errnoCode))
        default: return .transport(url, "\(error)")
        }
    }

    private static func text(of code: CInt) -> String { String(cString: strerror(code)).lowercased() }
}
