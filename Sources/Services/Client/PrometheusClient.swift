import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import Numbers
import ServiceNames
import Synchronization
import TSDB

/// A client of the Prometheus HTTP API, for the tools that talk to servers: ours or another's.
///
///     let client = try PrometheusClient("http://localhost:9090")
///     let answer = try await client.query("up", at: now)
///     await client.shutdown()
///
/// Connections are kept and reused. An error the server *answers* (`status: error`) is a value, `QueryAnswer`; a
/// `ClientError` is thrown when there is no such answer. Answers are bounded in bytes, nesting and time: the other
/// side is not trusted.
public final class PrometheusClient: Sendable {
    public struct Limits: Sendable {
        /// Bytes of one answer.
        public var answer = 512 << 20
        /// Time until the answer is complete, in seconds.
        public var seconds: Int64 = 150

        public init() {}
    }

    /// The server's address, with the path in front of `/api/v1` and without a slash at the end.
    public let base: String
    private let credentials: (user: String, password: String)?
    private let limits: Limits
    private let http: HTTPClient
    private let isShutDown = Atomic<Bool>(false)

    /// `address` is `http://host:port/prefix`, with `https` and `user:password@` if need be; a bare `host:port` means
    /// http.
    public init(_ address: String, limits: Limits = Limits()) throws(ClientError) {
        let parsed = try ServerAddress(address)
        base = parsed.base
        credentials = parsed.credentials
        self.limits = limits
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(10)
        configuration.httpVersion = .http1Only
        configuration.redirectConfiguration = .disallow
        // Nobody listening is news, not something to wait for.
        configuration.connectionPool.retryConnectionEstablishment = false
        http = HTTPClient(
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton), configuration: configuration)
    }

    /// Closes all connections. Call it once, after the last request.
    public func shutdown() async {
        isShutDown.store(true, ordering: .relaxed)
        try? await http.shutdown()
    }

    deinit {
        // Where an error came in between: the HTTP client insists on being shut down.
        if !isShutDown.load(ordering: .relaxed) { http.shutdown { _ in } }
    }

    // MARK: Queries

    /// An instant query; `nil` leaves the time to the server.
    public func query(_ text: String, at time: Timestamp? = nil) async throws(ClientError) -> QueryAnswer {
        var form = [("query", text)]
        if let time { form.append(("time", Self.seconds(time.milliseconds))) }
        return try QueryAnswer(decoding: try await post("/api/v1/query", form: form))
    }

    /// A range query; both ends are included.
    public func queryRange(
        _ text: String, from start: Timestamp, to end: Timestamp, step: TSDB.Duration
    ) async throws(ClientError) -> QueryAnswer {
        let form = [
            ("query", text), ("start", Self.seconds(start.milliseconds)), ("end", Self.seconds(end.milliseconds)),
            ("step", Self.seconds(step.milliseconds)),
        ]
        return try QueryAnswer(decoding: try await post("/api/v1/query_range", form: form))
    }

    // MARK: Remote write

    /// Sends samples (remote-write 1.0) and waits until the server has taken them; any other answer is an error.
    public func write(_ request: WriteRequest) async throws(ClientError) {
        let answer = try await send(.POST, "/api/v1/write", body: request.compressed()) { headers in
            headers.add(name: "Content-Type", value: "application/x-protobuf")
            headers.add(name: "Content-Encoding", value: "snappy")
            headers.add(name: "X-Prometheus-Remote-Write-Version", value: "0.1.0")
        }
        try answer.requireSuccess()
    }

    // MARK: Plain requests

    /// `path` begins with a slash, below `base`; parameters are escaped here. Any status is an answer.
    public func get(_ path: String, _ parameters: [(String, String)] = []) async throws(ClientError) -> ClientAnswer {
        let query = parameters.isEmpty ? "" : "?" + Self.form(parameters)
        return try await send(.GET, path + query, body: []) { _ in }
    }

    public func post(_ path: String, form: [(String, String)]) async throws(ClientError) -> ClientAnswer {
        try await send(.POST, path, body: Array(Self.form(form).utf8)) { headers in
            headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        }
    }

    func send(
        _ method: HTTPMethod, _ path: String, body: [UInt8], _ addHeaders: (inout HTTPHeaders) -> Void
    ) async throws(ClientError) -> ClientAnswer {
        let place = ServiceNames.current.connecting(toURL: base + path)
        var request = HTTPClientRequest(url: place.url)
        request.method = method
        if let name = place.hostHeader { request.headers.add(name: "Host", value: name) }
        request.headers.add(name: "User-Agent", value: "minprom")
        addHeaders(&request.headers)
        if let credentials { request.setBasicAuth(username: credentials.user, password: credentials.password) }
        if method == .POST { request.body = .bytes(ByteBuffer(bytes: body)) }
        do {
            let response = try await http.execute(request, deadline: .now() + .seconds(limits.seconds))
            let body = try await response.body.collect(upTo: limits.answer)
            return ClientAnswer(status: Int(response.status.code), body: body)
        } catch {
            throw ClientError(error, base: base, limits: limits)
        }
    }

    /// Milliseconds as the API takes them: seconds with up to three decimals.
    package static func seconds(_ milliseconds: Int64) -> String {
        let sign = milliseconds < 0 ? "-" : ""
        let size = milliseconds.magnitude
        let fraction = String(size % 1000)
        return "\(sign)\(size / 1000)." + String(repeating: "0", count: 3 - fraction.utf8.count) + fraction
    }

    /// `application/x-www-form-urlencoded`.
    package static func form(_ parameters: [(String, String)]) -> String {
        parameters.map { PercentEncoding.encode($0.0) + "=" + PercentEncoding.encode($0.1) }.joined(separator: "&")
    }
}

/// What a server answered, undecoded.
public struct ClientAnswer: Sendable {
    /// The HTTP status code.
    public var status: Int
    public var body: ByteBuffer

    public init(status: Int, body: ByteBuffer) {
        self.status = status
        self.body = body
    }

    public var text: String { String(decoding: body.readableBytesView, as: UTF8.self) }

    /// Throws unless the status is one of success (2xx); the error quotes the answer.
    public func requireSuccess() throws(ClientError) {
        guard !(200..<300).contains(status) else { return }
        throw ClientError(.refused, "status \(status): \(text.prefix(500))")
    }
}
