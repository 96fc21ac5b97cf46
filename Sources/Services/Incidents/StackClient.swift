import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceNames

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Asks the services of the stack over HTTP: one small request, one bounded answer, in time or not at all.
///
///     http://api:8000/-/chaos                          over the network, by `ServiceNames`
///     unix:.minprom/supervisor.sock  +  /services      over the supervisor's socket
///
/// Only the connection goes where `ServiceNames` says; the `Host` header keeps the name.
public final class StackClient: Sendable {
    public struct Answer: Equatable, Sendable {
        public var status: Int
        public var text: String

        public init(status: Int, text: String) {
            self.status = status
            self.text = text
        }
    }

    /// Bytes of an answer that we read: a long list of incidents fits.
    public static let maximumAnswer = 8 << 20

    private let http: HTTPClient
    private let names: ServiceNames

    /// `connections` to one host at most.
    public init(names: ServiceNames = .current, connections: Int = 8, connectTimeout: TimeAmount = .seconds(5)) {
        self.names = names
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = connectTimeout
        configuration.httpVersion = .http1Only
        configuration.redirectConfiguration = .disallow
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(1, connections)
        http = HTTPClient(
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton), configuration: configuration)
    }

    /// Closes all connections. Call it once, after the last request.
    public func shutdown() async { try? await http.shutdown() }

    /// `base` is a service's address, `path` begins with a slash. Any status is an answer.
    public func send(
        _ method: HTTPMethod = .GET, _ base: String, _ path: String, json: String? = nil, token: String? = nil,
        timeout: TimeAmount = .seconds(10)
    ) async throws(IncidentError) -> Answer {
        var request = try prepared(base, path)
        request.method = method
        if let json {
            request.headers.replaceOrAdd(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: json))
        }
        if let token { request.headers.replaceOrAdd(name: "Authorization", value: "Bearer " + token) }
        do {
            let response = try await http.execute(request, deadline: .now() + timeout)
            let body = try await response.body.collect(upTo: Self.maximumAnswer)
            return Answer(status: Int(response.status.code), text: String(buffer: body))
        } catch {
            throw IncidentError(Self.isTimeout(error) ? .timeout : .connection, "\(base)\(path): \(Self.reason(error))")
        }
    }

    /// As `send`, but only the status counts: the body is read and dropped.
    func outcome(of request: HTTPClientRequest, timeout: TimeAmount) async -> LoadReport.Outcome {
        do {
            let response = try await http.execute(request, deadline: .now() + timeout)
            for try await _ in response.body {}
            return .status(Int(response.status.code))
        } catch {
            if Task.isCancelled { return .cut }
            return Self.isTimeout(error) ? .timeout : .error(Self.reason(error))
        }
    }

    /// A request that connects to where the name really is.
    func prepared(_ base: String, _ path: String) throws(IncidentError) -> HTTPClientRequest {
        var request: HTTPClientRequest
        if base.hasPrefix("unix:") {
            request = HTTPClientRequest(url: "http+unix://" + Watcher.escaped(String(base.dropFirst(5))) + path)
            request.headers.add(name: "Host", value: "supervisor")
        } else {
            let address = try ServiceAddress(base)
            let place = address.isSecure ? ServiceNames.Place(address.host, address.port) : names.connecting(to: address.host, address.port)
            request = HTTPClientRequest(url: address.url(at: place) + path)
            request.headers.add(name: "Host", value: address.authority)
        }
        request.headers.add(name: "User-Agent", value: "minprom")
        return request
    }

    private static func isTimeout(_ error: any Error) -> Bool {
        if let error = error as? HTTPClientError {
            return [.deadlineExceeded, .readTimeout, .writeTimeout, .connectTimeout, .getConnectionFromPoolTimeout].contains(error)
        }
        if let error = error as? ChannelError, case .connectTimeout = error { return true }
        return false
    }

    /// A reason in few words, so that equal ones are counted together.
    static func reason(_ error: any Error) -> String {
        let inner = (error as? NIOConnectionError)?.connectionErrors.first?.error ?? error
        if let io = inner as? IOError {
            switch io.errnoCode {
            case ECONNREFUSED: return "connection refused"
            case ECONNRESET, EPIPE: return "connection reset"
            case EHOSTUNREACH, ENETUNREACH: return "no route"
            case ENOENT: return "no such socket"
            case EACCES, EPERM: return "not permitted"
            default: return "error \(io.errnoCode)"
            }
        }
        if let error = inner as? HTTPClientError {
            if isTimeout(error) { return "timeout" }
            if error == .remoteConnectionClosed { return "connection closed" }
            if error == .invalidURL { return "not a URL" }
            return error.shortDescription
        }
        if let error = error as? NIOConnectionError { return "unknown host \(error.host)" }
        if inner is NIOTooManyBytesError { return "more than \(maximumAnswer) bytes" }
        return "\(type(of: inner))"
    }
}
