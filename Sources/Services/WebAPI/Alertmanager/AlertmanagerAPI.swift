import Alerter
import ConfigurationFile
import HTTPServer
import HTTPTypes
import NIOCore
import Numbers
import RegularExpression
import SelfMetrics
import TSDB

/// Alertmanager's HTTP API v2, its pages and lifecycle endpoints, as a function from request to reply.
///
///     /api/v2/alerts  /alerts/groups  /silences  /silence/<id>  /receivers  /status      as upstream
///     /api/v2/explain  /explain/routes  /history  /receivers/<name>/test                 ours
///
/// It knows `Alertmanager`, the machine, and no sockets; `WebServer` puts it on a port of its own, since clients tell the two
/// servers apart by their ports.
///
/// Source: Alertmanager, `api/v2/openapi.yaml`.
public struct AlertmanagerAPI: Sendable {
    let parts: AlertmanagerParts
    let clock: any WallClock
    let hooks: WebAPI.Hooks
    let pool: ThreadPool
    private var routes = Routes()
    private let metrics = HTTPMetrics(prefix: "alertmanager")
    private let prefix: String

    /// `pool` runs what waits for a disk or computes for a moment.
    public init(
        _ parts: AlertmanagerParts, registry: MetricsRegistry, pool: ThreadPool, clock: any WallClock, routePrefix: String = "",
        assets: WebAssets = WebAssets(), hooks: WebAPI.Hooks = .init()
    ) {
        self.parts = parts
        self.clock = clock
        self.hooks = hooks
        self.pool = pool
        prefix = routePrefix
        let metrics = metrics
        registry.add { metrics.write(to: &$0) }
        addLifecycle(registry)
        addStatus(to: &routes)
        addAlerts(to: &routes)
        addSilences(to: &routes)
        addExplanations(to: &routes)
        assets.add(to: &routes, prefix: routePrefix)
    }

    private mutating func addLifecycle(_ registry: MetricsRegistry) {
        let hooks = hooks, pool = pool
        routes.on([.get, .head], "/-/healthy") { _ in .text("OK") }
        routes.on([.get, .head], "/-/ready") { _ in .text("OK") }
        routes.on([.post], "/-/reload") { _ in
            if let failure = await hooks.reload() {
                return .text("failed to reload config: \(failure)\n", .internalServerError)
            }
            return .text("")
        }
        routes.on([.get], "/metrics") { request throws(APIError) in
            let format = PageFormat(accepted: request.headers[.accept])
            do throws(ThreadPool.Full) {
                let page = try await pool.run { registry.page(format) }
                return Reply(.ok, contentType: format.contentType, body: ByteBuffer(bytes: page))
            } catch {
                throw APIError(.unavailable, "too many requests are waiting")
            }
        }
    }

    /// An endpoint of the API: what goes wrong is said in one of the API's two forms.
    static func handler(
        _ body: @escaping @Sendable (APIRequest) async throws(V2Failure) -> Reply
    ) -> Routes.Handler {
        { request in
            do throws(V2Failure) { return try await body(request) } catch { return error.reply }
        }
    }

    /// Runs what computes or waits for a disk on a thread of its own.
    func offload<Value: Sendable>(
        _ body: @escaping @Sendable () -> Result<Value, V2Failure>
    ) async throws(V2Failure) -> Value {
        let result: Result<Value, V2Failure>
        do throws(ThreadPool.Full) {
            result = try await pool.run(body)
        } catch {
            throw .sentence("too many requests are waiting; the limit is \(error.limit)", .serviceUnavailable)
        }
        return try result.get()
    }
}

extension AlertmanagerAPI: HTTPService {
    public var packing: ThreadPool { pool }
    public var answers: ThreadPool { pool }

    /// Ten thousand alerts with long annotations are some tens of megabytes.
    public func bodyLimit(_ path: String, _ limits: WebServer.Limits) -> Int {
        path.hasSuffix("/alerts") ? limits.writeBodyBytes : limits.formBytes
    }

    public func answer(_ request: APIRequest) async -> Reply {
        let begin = ContinuousClock.now
        let path = routed(request.path)
        var route = "unknown"
        var reply: Reply
        switch routes.match(request.method, path) {
        case .handler(let handler, let pattern, let hasGet):
            route = pattern
            if let refusal = refusal(request, path, hasGet: hasGet) {
                reply = refusal
            } else {
                do throws(APIError) { reply = try await handler(request) } catch { reply = error.reply }
            }
        case .wrongMethod(let allowed): reply = wrongMethod(request, path, allowed)
        case .none: reply = notFound(path)
        }
        if path.hasPrefix("/api/v2/") { reply.headers[.cacheControl] = "no-store" }
        var bytes = 0
        if case .buffer(let buffer) = reply.body { bytes = buffer.readableBytes }
        metrics.observe(
            route: route, status: reply.status.code, seconds: WebAPI.seconds(since: begin), bytes: bytes)
        return reply
    }

    private func routed(_ path: String) -> String {
        if prefix.isEmpty { return path }
        if path == "/" || path == prefix { return "/" }
        return path.hasPrefix(prefix + "/") ? String(path.dropFirst(prefix.count)) : ""
    }

    /// What changes something must not come from a page of another site: browsers send forms unasked, JSON they do not.
    private func refusal(_ request: APIRequest, _ path: String, hasGet: Bool) -> Reply? {
        guard request.method != .get && request.method != .head else { return nil }
        if CrossOrigin(allowed: nil).refuses(request, changesNothing: false) {
            return .text("cross-site request refused\n", .forbidden)
        }
        guard request.method == .post, path.hasPrefix("/api/v2/") else { return nil }
        let type = request.headers[.contentType] ?? "application/octet-stream"
        let media = type.prefix { $0 != ";" }.lowercased()
        if media == "application/json" || (request.headers[.contentType] == nil && request.body.readableBytes == 0) { return nil }
        return V2Failure.refused(
            code: 415, "unsupported media type \(QuotedText.go(type)), only [application/json] are allowed", .unsupportedMediaType
        ).reply
    }

    private func wrongMethod(_ request: APIRequest, _ path: String, _ allowed: [HTTPRequest.Method]) -> Reply {
        var reply: Reply
        if request.method == .options {
            reply = Reply(.noContent, contentType: "", body: ByteBuffer())
        } else if path.hasPrefix("/api/v2/") {
            let names = allowed.map(\.rawValue).sorted().joined(separator: ",")
            reply =
                V2Failure.refused(
                    code: 405, "method \(request.method.rawValue) is not allowed, but [\(names)] are", .methodNotAllowed
                ).reply
        } else {
            reply = .text("Method Not Allowed\n", .methodNotAllowed)
        }
        reply.headers[.allow] = (allowed + [.options]).map(\.rawValue).sorted().joined(separator: ", ")
        return reply
    }

    private func notFound(_ path: String) -> Reply {
        if path.hasPrefix("/api/v2/") {
            return V2Failure.refused(code: 404, "path \(path) was not found", .notFound).reply
        }
        guard
            ["/api/v1/alerts", "/api/v1/silences", "/api/v1/status", "/api/v1/receivers", "/api/v1/alerts/groups"].contains(path)
                || path.hasPrefix("/api/v1/silence/")
        else { return .notFound }
        var json = JSONText()
        json.append("{")
        json.append("status", string: "deprecated", first: true)
        json.append(
            "error",
            string: "The Alertmanager v1 API was deprecated in version 0.16.0 and is removed as of version 0.27.0 - please use "
                + "the equivalent route in the v2 API")
        json.append("}\n")
        return .json(json.take(), .gone)
    }
}
