import Alerter
import AsyncHTTPClient
import Digest
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceNames
import Synchronization
import TSDB

/// Posts bodies over HTTP, as `http_config` says: who we are, whom we trust, which way.
///
/// Connections are kept per set of TLS and proxy settings. Redirects are followed here: what says who we are stays with the host
/// it was meant for.
final class HTTPSender: Sendable {
    struct Answer {
        var status: Int
        var contentType: String
        /// At most `maximumAnswer` bytes.
        var body: String
        /// Whether the body came to its end, or to that bound.
        var isComplete: Bool
    }

    static let maximumAnswer = 64 << 10
    static let maximumRedirects = 10
    /// For an answer's body, in seconds. Whoever says 200 and then nothing has taken the notification.
    static let longestBody: Int64 = 5
    /// Kept clients; more sets of settings than this share the last slot's turn.
    static let maximumClients = 64
    /// For an attempt without a timeout of its own, in milliseconds. The group's flush usually ends it before.
    static let longestAttempt: Int64 = 300_000

    private let clients = Mutex<[(key: String, client: HTTPClient)]>([])

    func shutdown() async {
        let all = clients.withLock { clients in
            defer { clients = [] }
            return clients.map(\.client)
        }
        for client in all { try? await client.shutdown() }
    }

    /// `url` is never shown: it may hold a key.
    func post(
        _ body: [UInt8], to url: String, _ config: HTTPClientConfig, timeout: TSDB.Duration, _ exchange: Exchange
    ) async throws(AttemptError) -> Answer {
        guard var address = HTTPAddress(url) else {
            throw AttemptError(.other, "Post \"<redacted>\": unsupported or malformed URL", isRetryable: false)
        }
        exchange.hide(address.rest)
        exchange.hide(url)
        var identity = try self.identity(config, address, exchange)
        let milliseconds = timeout > .zero ? timeout.milliseconds : Self.longestAttempt
        let deadline = NIODeadline.now() + .milliseconds(milliseconds)
        let origin = address.origin
        var method = HTTPMethod.POST
        for _ in 0...Self.maximumRedirects {
            let answer = try await send(method, address, body, config, identity, deadline, exchange)
            guard (300..<400).contains(answer.status), config.followsRedirects, let location = answer.location else {
                return answer.answer
            }
            guard let next = address.resolved(location) else {
                throw AttemptError(.other, "Post \"<redacted>\": a redirect to a malformed URL", isRetryable: true)
            }
            address = next
            exchange.hide(address.rest)
            if address.origin != origin { identity = [] }
            if ![307, 308].contains(answer.status) { method = .GET }
        }
        throw AttemptError(
            .other, "Post \"<redacted>\": stopped after \(Self.maximumRedirects) redirects", isRetryable: true)
    }

    /// The headers that say who we are.
    private func identity(
        _ config: HTTPClientConfig, _ address: HTTPAddress, _ exchange: Exchange
    ) throws(AttemptError) -> [(String, String)] {
        var headers: [(String, String)] = []
        func basic(_ credentials: String) -> String {
            let encoded = Base64.encode(credentials.utf8)
            exchange.hide(encoded)
            return "Basic " + encoded
        }
        switch config.authorization {
        case .basic(let username, let password):
            let password = try password.value()
            exchange.hide(password)
            headers.append(("Authorization", basic(try username.value() + ":" + password)))
        case .bearer(let type, let credentials):
            let credentials = try credentials.value()
            exchange.hide(credentials)
            headers.append(("Authorization", (type.isEmpty ? "Bearer" : type) + " " + credentials))
        case nil:
            if let credentials = address.credentials { headers.append(("Authorization", basic(credentials))) }
        }
        for header in config.headers {
            for value in header.values {
                let text = try value.value()
                if case .file = value { exchange.hide(text) }
                headers.append((header.name, text))
            }
        }
        return headers
    }

    private func send(
        _ method: HTTPMethod, _ address: HTTPAddress, _ body: [UInt8], _ config: HTTPClientConfig,
        _ identity: [(String, String)],
        _ deadline: NIODeadline, _ exchange: Exchange
    ) async throws(AttemptError) -> (status: Int, location: String?, answer: Answer) {
        let client = try client(config, address)
        var target = address
        let serverName = config.tls.serverName
        var headers = HTTPHeaders()
        if address.isSecure, !serverName.isEmpty, serverName != address.host {
            // The name to verify is the URL's for the client; `dnsOverride` leads it to the right machine.
            headers.add(name: "Host", value: String(address.origin.dropFirst("https://".count)))
            target.host = serverName
        } else if !address.isSecure, config.proxyURL.isEmpty {
            let place = ServiceNames.current.connecting(to: address.host, address.port)
            if place.host != address.host || place.port != address.port {
                headers.add(name: "Host", value: String(address.origin.dropFirst("http://".count)))
                (target.host, target.port) = (place.host, place.port)
            }
        }
        var request = HTTPClientRequest(url: target.url)
        request.method = method
        headers.add(name: "User-Agent", value: "minprom")
        if method == .POST {
            headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        for (name, value) in identity { headers.replaceOrAdd(name: name, value: value) }
        request.headers = headers
        exchange.add("\(method) \(address.origin)/<redacted>")
        for (name, value) in headers {
            exchange.add("\(name): \(name.lowercased() == "authorization" ? "<redacted>" : value)")
        }
        if method == .POST { exchange.add("\n" + String(decoding: body.prefix(Exchange.maximumBytes), as: UTF8.self)) }
        do {
            let response = try await client.execute(request, deadline: deadline)
            let body = await Self.content(of: response.body)
            let text = String(decoding: body ?? [], as: UTF8.self)
            let status = Int(response.status.code)
            exchange.add("\(status) \(response.status.reasonPhrase)\n\n\(text)")
            let answer = Answer(
                status: status, contentType: response.headers.first(name: "Content-Type") ?? "", body: text,
                isComplete: body != nil)
            return (status, response.headers.first(name: "Location"), answer)
        } catch {
            let failure = Self.failure(error, exchange)
            exchange.add(failure.message)
            throw failure
        }
    }

    /// `nil`: it did not come in time, or broke off.
    private static func content(of body: HTTPClientResponse.Body) async -> [UInt8]? {
        await withTaskGroup(of: [UInt8]?.self) { group in
            group.addTask {
                var bytes: [UInt8] = []
                do {
                    for try await buffer in body {
                        bytes += buffer.readableBytesView.prefix(maximumAnswer - bytes.count)
                        if bytes.count >= maximumAnswer { break }
                    }
                } catch { return nil }
                return bytes
            }
            group.addTask {
                try? await Task.sleep(for: .seconds(longestBody))
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }

    private static func failure(_ error: any Error, _ exchange: Exchange) -> AttemptError {
        if error is CancellationError || Task.isCancelled || (error as? HTTPClientError) == .cancelled {
            return AttemptError(.contextCanceled, "Post \"<redacted>\": context canceled", isRetryable: true)
        }
        let late: [HTTPClientError] = [.deadlineExceeded, .readTimeout, .writeTimeout]
        if let error = error as? HTTPClientError, late.contains(error) {
            return AttemptError(
                .contextDeadlineExceeded, "Post \"<redacted>\": context deadline exceeded", isRetryable: true)
        }
        var text = "\(error)"
        if let error = error as? NIOConnectionError, let first = error.connectionErrors.first {
            text = "\(first.error)"
        }
        return AttemptError(.other, "Post \"<redacted>\": " + exchange.redacted(text), isRetryable: true)
    }

    // MARK: Clients

    private func client(_ config: HTTPClientConfig, _ address: HTTPAddress) throws(AttemptError) -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        // Each group is told on its own; a storm of groups must not queue behind eight connections to one host.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 256
        var key = config.proxyURL + "\u{0}" + config.tls.serverName
        if address.isSecure {
            configuration.tlsConfiguration = try config.tls.configuration()
            for secret in [config.tls.ca, config.tls.certificate, config.tls.key] {
                key += "\u{0}" + Base64.encode(SHA256.digest(Array(try secret?.value().utf8 ?? "".utf8)))
            }
            key += "\u{0}\(config.tls.skipsVerification) \(config.tls.minimumVersion) \(config.tls.maximumVersion)"
            if !config.tls.serverName.isEmpty, config.tls.serverName != address.host {
                configuration.dnsOverride = [config.tls.serverName: address.host]
                key += "\u{0}" + address.host
            }
        }
        if !config.proxyURL.isEmpty { configuration.proxy = try Self.proxy(config.proxyURL) }
        configuration.timeout.connect = .seconds(10)
        configuration.redirectConfiguration = .disallow
        configuration.httpVersion = .automatic
        configuration.connectionPool.retryConnectionEstablishment = false
        let made = configuration
        let lookup = key
        let (client, dropped) = clients.withLock { clients -> (HTTPClient, HTTPClient?) in
            if let index = clients.firstIndex(where: { $0.key == lookup }) { return (clients[index].client, nil) }
            let client = HTTPClient(
                eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton), configuration: made)
            clients.append((lookup, client))
            return (client, clients.count > Self.maximumClients ? clients.removeFirst().client : nil)
        }
        dropped?.shutdown { _ in }
        return client
    }

    private static func proxy(_ url: String) throws(AttemptError) -> HTTPClient.Configuration.Proxy {
        guard let address = HTTPAddress(url), !address.isSecure else {
            throw AttemptError(.other, "proxy_url: only http:// proxies are supported", isRetryable: false)
        }
        guard let credentials = address.credentials else { return .server(host: address.host, port: address.port) }
        let encoded = HTTPClient.Authorization.basic(credentials: Base64.encode(credentials.utf8))
        return .server(host: address.host, port: address.port, authorization: encoded)
    }
}
