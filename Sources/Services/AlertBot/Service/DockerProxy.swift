import AsyncHTTPClient
import BotCore
import HTTPServer
import HTTPTypes
import JSON
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import SelfMetrics
import ServiceProcess
import TSDB

/// A filter in front of Docker's socket: it holds the socket, so that the bot does not have to.
///
///     bot ─ POST /containers/flask_api/restart ─▶ DockerRule ─▶ docker.sock
///         ─ anything else ──────────────────────▶ 403, written down
///
/// What Docker says of a container holds its environment, and with it passwords: only its state is passed on.
public struct DockerProxy: HTTPService {
    private static let answerLimit = 4 << 20

    private let rule: DockerRule
    private let socket: String
    private let token: String
    private let http: HTTPClient
    private let audit: @Sendable (_ method: String, _ path: String, _ client: String, _ result: String) -> Void
    private let allowed = Counter()
    private let refused = Counter()
    public let packing = ThreadPool("packing", threads: 1)
    public let answers = ThreadPool("answers", threads: 1)

    /// `token` empty: none is asked for, the network is the guard.
    public init(
        _ rule: DockerRule, socket: String, token: String, http: HTTPClient,
        audit: @escaping @Sendable (_ method: String, _ path: String, _ client: String, _ result: String) -> Void
    ) {
        self.rule = rule
        self.socket = socket
        self.token = token
        self.http = http
        self.audit = audit
    }

    /// No request that is let through has a body; a small one is read so that its refusal is written down.
    public func bodyLimit(_ path: String, _ limits: WebServer.Limits) -> Int { 1024 }

    public func bodyTooLarge(_ path: String) -> Reply {
        refused.increment()
        audit("?", path, "", "refused: a body")
        return .text("refused\n", .forbidden)
    }

    public func answer(_ request: APIRequest) async -> Reply {
        let method = request.method.rawValue
        if method == "GET", request.path == "/-/healthy", request.query.isEmpty { return .text("minprom docker-proxy is healthy.\n") }
        if method == "GET", request.path == "/metrics", request.query.isEmpty { return metrics() }
        let hasBody = request.body.readableBytes > 0
        let isKnown = token.isEmpty || AccessToken("DOCKER_PROXY_TOKEN", token).refusal(of: request) == nil
        guard isKnown, let asked = rule.allows(method, request.path, query: request.query, hasBody: hasBody) else {
            refused.increment()
            audit(method, request.path, request.clientAddress, isKnown ? "refused" : "refused: no token")
            return .text("refused\n", .forbidden)
        }
        allowed.increment()
        let reply = await forward(asked)
        audit(method, request.path, request.clientAddress, "status \(reply.status.code)")
        return reply
    }

    private func metrics() -> Reply {
        var page = MetricsPage()
        page.family("docker_proxy_requests_total", .counter, "Requests by verdict.")
        page.sample("docker_proxy_requests_total", [("verdict", "allowed")], allowed.value)
        page.sample("docker_proxy_requests_total", [("verdict", "refused")], refused.value)
        return Reply(.ok, contentType: "text/plain; version=0.0.4; charset=utf-8", body: ByteBuffer(bytes: page.bytes))
    }

    /// The address is made from the list's name, not from the request.
    private func forward(_ asked: DockerRule.Request) async -> Reply {
        let base = "http+unix://" + Actuators.escaped(socket)
        var request: HTTPClientRequest
        switch asked {
        case .restart(let name):
            request = HTTPClientRequest(url: "\(base)/containers/\(name)/restart")
            request.method = .POST
        case .inspect(let name): request = HTTPClientRequest(url: "\(base)/containers/\(name)/json")
        }
        request.headers.add(name: "Host", value: "docker")
        do {
            let response = try await http.execute(request, deadline: .now() + .seconds(60))
            let body = try await response.body.collect(upTo: Self.answerLimit)
            let status = HTTPTypes.HTTPResponse.Status(code: Int(response.status.code))
            if case .inspect(let name) = asked { return Self.state(name, body, status) }
            return Reply(status, contentType: "application/json", body: ByteBuffer())
        } catch { return .text("docker does not answer: \(error)\n", .badGateway) }
    }

    private static func state(_ name: String, _ body: ByteBuffer, _ status: HTTPTypes.HTTPResponse.Status) -> Reply {
        let parsed = body.withUnsafeReadableBytes { try? JSONValue(parsing: $0) }
        guard let state = parsed?["State"] else { return Reply(status, contentType: "application/json", body: ByteBuffer(string: "{}")) }
        var out = JSONText()
        out.append("{\"Name\":")
        out.appendQuoted("/" + name)
        out.append(",\"State\":{\"Status\":")
        out.appendQuoted(state["Status"]?.string ?? "")
        out.append(",\"Running\":")
        out.append(state["Running"]?.bool ?? false)
        if let health = state["Health"]?["Status"]?.string {
            out.append(",\"Health\":{\"Status\":")
            out.appendQuoted(health)
            out.append("}")
        }
        out.append("}}")
        return Reply(status, contentType: "application/json", body: out.take())
    }
}
