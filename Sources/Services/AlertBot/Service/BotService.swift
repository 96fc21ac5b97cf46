import BotCore
import Digest
import HTTPServer
import HTTPTypes
import NIOCore
import SelfMetrics
import ServiceProcess
import TSDB

/// The bot's address: webhooks in, pages and numbers out.
///
///     POST /webhook            bearer BOT_TOKEN; answered once it is durable
///     GET  /                   the page; GET /api/incidents is what it shows
///     GET  /approve/ID?sig=…   asks; POST /approve/ID?sig=…&verdict=approve|deny  decides
///     /healthz  /-/healthy  /-/ready  /metrics
///
/// Links of approvals are secrets: `/api/incidents` gives them to the bearer of the token only.
public struct BotService: HTTPService {
    private let driver: BotDriver
    private let token: String
    private let files: [String: [UInt8]]
    private let registry: MetricsRegistry
    public let packing = ThreadPool("packing", threads: 1)
    public let answers = ThreadPool("answers", threads: 1)

    /// `files`: the page's, by path below `/assets/`. An empty token refuses every webhook.
    public init(_ driver: BotDriver, token: String, files: [String: [UInt8]], registry: MetricsRegistry) {
        self.driver = driver
        self.token = token
        self.files = files
        self.registry = registry
    }

    public func bodyLimit(_ path: String, _ limits: WebServer.Limits) -> Int { path == "/webhook" ? Webhook.Limits.body : 4096 }

    public func bodyTooLarge(_ path: String) -> Reply {
        if path == "/webhook" { driver.metrics.webhook("too_large") }
        return .text("request body too large\n", .contentTooLarge)
    }

    public func answer(_ request: APIRequest) async -> Reply {
        switch (request.method, request.path) {
        case (.post, "/webhook"): return await webhook(request)
        case (_, "/webhook"): return .text("POST a version 4 webhook\n", .methodNotAllowed)
        case (.get, "/healthz"), (.get, "/-/healthy"), (.head, "/-/healthy"), (.head, "/healthz"): return .text("minprom bot is healthy.\n")
        case (.get, "/-/ready"), (.head, "/-/ready"):
            guard let trouble = driver.trouble else { return .text("minprom bot is ready.\n") }
            return .text("the incident log cannot be written: \(trouble)\n", .serviceUnavailable)
        case (.get, "/metrics"):
            return Reply(.ok, contentType: "text/plain; version=0.0.4; charset=utf-8", body: ByteBuffer(bytes: registry.page()))
        case (.get, "/api/incidents"): return .json(BotPage.json(driver.snapshot(), withLinks: isTrusted(request)))
        case (.get, "/"): return file("bot/index.html")
        // The page of a link names its files relative to itself.
        case (.get, let path) where path.hasPrefix("/approve/assets/"): return file(String(path.dropFirst("/approve/assets/".count)))
        case (.get, let path) where path.hasPrefix("/assets/"): return file(String(path.dropFirst("/assets/".count)))
        case (_, let path) where path.hasPrefix("/approve/"): return await approval(request, String(path.dropFirst("/approve/".count)))
        default: return .notFound
        }
    }

    private func isTrusted(_ request: APIRequest) -> Bool { AccessToken("BOT_TOKEN", token).refusal(of: request) == nil }

    private func webhook(_ request: APIRequest) async -> Reply {
        guard !token.isEmpty else {
            driver.metrics.webhook("unauthorized")
            return .text("no BOT_TOKEN is configured: webhooks are refused\n", .forbidden)
        }
        guard isTrusted(request) else {
            driver.metrics.webhook("unauthorized")
            var reply = Reply.text("a bearer token is needed\n", .unauthorized)
            reply.headers[.wwwAuthenticate] = "Bearer"
            return reply
        }
        switch await driver.receive(Array(request.body.readableBytesView), userAgent: request.headers[.userAgent] ?? "") {
        case .taken:
            driver.metrics.webhook("accepted")
            return .text("taken\n")
        case .malformed(let reason):
            driver.metrics.webhook("malformed")
            return .text(reason + "\n", .badRequest)
        case .full:
            driver.metrics.webhook("full")
            return .text("too many webhooks are waiting\n", .serviceUnavailable)
        case .failed(let reason):
            driver.metrics.webhook("failed")
            return .text("cannot keep it: \(reason)\n", .serviceUnavailable)
        }
    }

    private func file(_ path: String) -> Reply {
        guard let bytes = files[path] else { return .notFound }
        let types = [
            "html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml",
        ]
        let type = types[String(path.split(separator: ".").last ?? "")] ?? "application/octet-stream"
        return Reply(.ok, contentType: type, body: ByteBuffer(bytes: bytes))
    }

    private func approval(_ request: APIRequest, _ id: String) async -> Reply {
        let parameters = request.parameters
        let signature = parameters["sig"]
        guard request.method == .post else {
            // Shows the page, which asks. Nothing is decided by a GET: links are looked at by machines, too.
            return request.method == .get ? file("bot/index.html") : .text("GET or POST\n", .methodNotAllowed)
        }
        guard let verdict = Approvals.Verdict(rawValue: parameters["verdict"]) else {
            return .text("verdict must be approve or deny\n", .badRequest)
        }
        let isTrusted = isTrusted(request)
        let approver = (isTrusted ? "token" : "link") + " from \(request.clientAddress)"
        switch await driver.decide(id, verdict, signature: isTrusted ? nil : signature, approver: approver) {
        case .done(let verdict)?: return .text(verdict == .approve ? "approved\n" : "denied\n")
        case .forged?: return .text("this link is not ours\n", .forbidden)
        case .expired?: return .text("this link has expired\n", .gone)
        case .tooLate?: return .text("nothing waits for this decision any more\n", .gone)
        case .unknown?: return .text("no such approval\n", .notFound)
        case nil: return .text("the incident log cannot be written\n", .serviceUnavailable)
        }
    }
}
