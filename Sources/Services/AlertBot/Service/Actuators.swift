import AsyncHTTPClient
import BotCore
import HTTPServer
import JSON
import NIOCore
import NIOHTTP1
import NIOPosix
import Programs
import PrometheusClient
import ServiceNames
import Synchronization
import TSDB

/// Does what the machine wants done: the only part of the bot that touches others.
public protocol Acting: Sendable {
    /// Numbers of an instant query, or `nil` where there was no answer.
    func query(_ query: String, at prometheus: String) async -> [Double]?
    func act(_ work: Work, timeout: TSDB.Duration) async -> Outcome
    /// `nil` is success.
    func deliver(_ notice: Notice, to notifier: BotPolicy.Notifier) async -> String?
}

/// Actuators over HTTP, the supervisor's unix socket and programs.
///
///     service      POST http://api:8000/-/quit            with ADMIN_TOKEN
///     supervisor   POST /services/api/restart             over SUPERVISOR_SOCKET
///     docker       POST /containers/flask_api/restart     at the filtering proxy, never at Docker's own socket
///     run          argv, no shell, killed at its timeout with everything it started
///
/// A request that broke after it was sent is `unknown`: it may have happened, so it is not sent again.
public final class Actuators: Acting {
    public struct Settings: Sendable {
        /// Of the services, for `/-/quit` and `/-/scale`.
        public var adminToken = ""
        public var supervisorSocket = ""
        /// Address of the filtering proxy.
        public var dockerProxy = ""
        public var dockerToken = ""
        /// Address under which people reach this bot.
        public var externalURL = ""
        /// Tokens of requests, by the variable that the policy names.
        public var tokens: [String: String] = [:]
        public init() {}
    }

    /// Bytes of an answer that are read.
    private static let answerLimit = 64 << 10

    private let settings: Settings
    private let http: HTTPClient
    /// Programs block their thread; as many as run at once.
    private let programs = ThreadPool("programs", threads: 4, queueLimit: 100)
    private let files = ThreadPool("notices", threads: 1, queueLimit: 1000)
    private let clients = Mutex<[String: PrometheusClient]>([:])
    private let isStopped = Atomic<Bool>(false)

    public init(_ settings: Settings) {
        self.settings = settings
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(5)
        configuration.httpVersion = .http1Only
        configuration.redirectConfiguration = .disallow
        configuration.connectionPool.retryConnectionEstablishment = false
        // A pooled connection may be closed by the other side as we send: that would be `unknown`.
        configuration.connectionPool.idleTimeout = .milliseconds(1)
        http = HTTPClient(eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton), configuration: configuration)
    }

    public func shutdown() async {
        isStopped.store(true, ordering: .relaxed)
        try? await http.shutdown()
        let all = clients.withLock { Array($0.values) }
        for client in all { await client.shutdown() }
    }

    public func query(_ query: String, at prometheus: String) async -> [Double]? {
        guard let client = client(prometheus), let answer = try? await client.query(query) else { return nil }
        guard case .success(let data) = answer.outcome else { return nil }
        switch data {
        case .scalar(_, let value): return [value]
        case .vector(let elements):
            return elements.compactMap { element in
                if case .float(let value) = element.value { value } else { nil }
            }
        case .string, .matrix: return nil
        }
    }

    private func client(_ url: String) -> PrometheusClient? {
        clients.withLock { clients in
            if let client = clients[url] { return client }
            var limits = PrometheusClient.Limits()
            limits.answer = 4 << 20
            limits.seconds = 8
            guard let client = try? PrometheusClient(Self.resolved(url), limits: limits) else { return nil }
            clients[url] = client
            return client
        }
    }

    public func act(_ work: Work, timeout: TSDB.Duration) async -> Outcome {
        switch work {
        case .serviceQuit(let url): return await post(url + "/-/quit", token: settings.adminToken, timeout)
        case .serviceScale(let url, let workers):
            return await post(url + "/-/scale?workers=\(workers)", token: settings.adminToken, timeout)
        case .supervisorRestart(let service): return await supervise("/services/\(service)/restart", timeout)
        case .supervisorScale(let service, let replicas):
            return await supervise("/services/\(service)/scale?replicas=\(replicas)", timeout)
        case .dockerRestart(let container):
            guard !settings.dockerProxy.isEmpty else { return .unavailable("no --docker.proxy is set") }
            return await post(settings.dockerProxy + "/containers/\(container)/restart", token: settings.dockerToken, timeout)
        case .http(let request):
            let token = request.tokenVariable.isEmpty ? "" : settings.tokens[request.tokenVariable] ?? ""
            return await send(HTTPMethod(rawValue: request.method), request.url, token: token, body: request.body, timeout)
        case .run(let argv): return await run(argv, timeout)
        }
    }

    private func supervise(_ path: String, _ timeout: TSDB.Duration) async -> Outcome {
        guard !settings.supervisorSocket.isEmpty else { return .unavailable("no supervisor: SUPERVISOR_SOCKET is not set") }
        return await post("http+unix://" + Self.escaped(settings.supervisorSocket) + path, token: "", timeout)
    }

    private func post(_ url: String, token: String, _ timeout: TSDB.Duration) async -> Outcome {
        await send(.POST, url, token: token, body: "", timeout)
    }

    private func send(_ method: HTTPMethod, _ url: String, token: String, body: String, _ timeout: TSDB.Duration) async -> Outcome {
        let place = Self.resolved(url)
        var request = HTTPClientRequest(url: place)
        request.method = method
        request.headers.add(name: "User-Agent", value: "minprom-bot")
        if place != url, let host = Self.authority(url) { request.headers.add(name: "Host", value: host) }
        if !token.isEmpty { request.headers.add(name: "Authorization", value: "Bearer " + token) }
        if method == .POST || method == .PUT { request.body = .bytes(ByteBuffer(string: body)) }
        if !body.isEmpty { request.headers.add(name: "Content-Type", value: "application/json") }
        do {
            let response = try await http.execute(request, deadline: .now() + .milliseconds(max(1, timeout.milliseconds)))
            let text = try? await response.body.collect(upTo: Self.answerLimit)
            let said = text.map { String(buffer: $0).prefix(200) } ?? ""
            let code = response.status.code
            // An answer is an answer: what it refuses has not happened.
            return (200..<300).contains(code) ? .ok("status \(code)") : .failed("status \(code): \(said)")
        } catch let error as NIOConnectionError {
            return .failed("no connection: \(error.connectionErrors.first.map { "\($0.error)" } ?? error.host)")
        } catch let error as HTTPClientError where error == .connectTimeout {
            return .failed("no connection in time")
        } catch let error as HTTPClientError where error == .invalidURL || error == .emptyHost || error == .emptyScheme {
            return .failed("not an address")
        } catch let error as IOError where [ECONNREFUSED, ENOENT, EACCES, EHOSTUNREACH, ENETUNREACH].contains(error.errnoCode) {
            return .failed("no connection: \(error)")
        } catch {
            return .unknown("no answer: \(error)")
        }
    }

    private func run(_ argv: [String], _ timeout: TSDB.Duration) async -> Outcome {
        let ending = try? await programs.run { [self] in
            Program(argv).run(input: [], within: .milliseconds(max(1, timeout.milliseconds))) { isStopped.load(ordering: .relaxed) }
        }
        guard let ending else { return .failed("too many programs are waiting") }
        let text = ending.errorText.isEmpty ? "" : ": \(ending.errorText.prefix(300))"
        switch ending.cause {
        case .exit(0): return .ok("exit status 0")
        case .exit(let status): return .failed("exit status \(status)\(text)")
        case .signal(let number): return .failed("killed by signal \(number)\(text)")
        case .late: return .killed("killed after \(timeout.milliseconds) ms\(text)")
        case .cancelled: return .unknown("killed because the bot stops")
        case .noPipe(let reason), .notStarted(let reason): return .failed(reason)
        }
    }

    public func deliver(_ notice: Notice, to notifier: BotPolicy.Notifier) async -> String? {
        let body = notice.body(base: settings.externalURL)
        switch notifier {
        case .url(let url):
            switch await send(.POST, url, token: "", body: String(decoding: body, as: UTF8.self), .seconds(10)) {
            case .ok: return nil
            // A notice may come twice: unlike an action.
            case .failed(let reason), .unavailable(let reason), .killed(let reason), .unknown(let reason): return reason
            }
        case .file(let path):
            let result: String?? = try? await files.run {
                do throws(TSDBError) {
                    let file = try DiskFileStore().openForAppending(path)
                    defer { file.close() }
                    try (body + [UInt8(ascii: "\n")]).withUnsafeBytes { bytes in
                        Result { () throws(TSDBError) in try file.append(bytes) }
                    }.get()
                    try file.synchronize()
                    return nil
                } catch { return error.message }
            }
            return result ?? "too many notices are waiting"
        }
    }

    // MARK: Addresses

    /// `http://name:port/…` with the place where that name's service really is.
    static func resolved(_ url: String) -> String {
        guard !ServiceNames.current.isEmpty, let authority = authority(url), let range = url.range(of: authority) else { return url }
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let host = parts.first else { return url }
        let port = parts.count == 2 ? Int(parts[1]) ?? 80 : url.hasPrefix("https") ? 443 : 80
        let place = ServiceNames.current.connecting(to: String(host), port)
        return url[..<range.lowerBound] + "\(place.host):\(place.port)" + url[range.upperBound...]
    }

    private static func authority(_ url: String) -> String? {
        for scheme in ["http://", "https://"] where url.hasPrefix(scheme) {
            return String(url.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" })
        }
        return nil
    }

    /// A path as the host of an `http+unix` URL.
    static func escaped(_ path: String) -> String {
        var text = ""
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return text
    }
}

extension String {
    fileprivate func range(of part: String) -> Range<String.Index>? { firstRange(of: part) }
}
