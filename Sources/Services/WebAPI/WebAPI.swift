import HTTPServer
import HTTPTypes
import NIOCore
import RegularExpression
import SelfMetrics
import TSDB

/// Prometheus' HTTP API v1, the pages of the UI and the lifecycle endpoints, as a function from request to reply.
///
/// The front door of this module: it knows the database, the engine, the scraper and the configuration by their seams, and no
/// sockets. `WebServer` puts it on a port.
public struct WebAPI: Sendable {
    /// Where queries run, and whatever else computes.
    public let lanes: QueryLanes
    let status: ServerStatus
    private var routes = Routes()
    private let metrics = HTTPMetrics()
    private let prefix: String
    private let crossOrigin: CrossOrigin

    let clock: any WallClock
    let hooks: Hooks
    let queryMetrics: QueryMetrics

    public init(
        status: ServerStatus, registry: MetricsRegistry, lanes: QueryLanes, clock: any WallClock,
        options: Options = Options(), assets: WebAssets = WebAssets(), hooks: Hooks = Hooks()
    ) {
        self.clock = clock
        self.hooks = hooks
        prefix = options.routePrefix
        crossOrigin = CrossOrigin(allowed: options.allowedOrigins)
        let queryMetrics = QueryMetrics(lanes)
        self.queryMetrics = queryMetrics
        registry.add { queryMetrics.write(to: &$0) }
        self.status = status
        self.lanes = lanes
        let metrics = metrics
        registry.add { metrics.write(to: &$0) }
        addLifecycle(to: &routes, registry: registry)
        addStatus(to: &routes)
        addQueries(to: &routes)
        addSyntax(to: &routes)
        addExemplars(to: &routes)
        addExplanations(to: &routes)
        addSeries(to: &routes)
        addRemoteRead(to: &routes)
        addTargets(to: &routes)
        addRules(to: &routes)
        assets.add(to: &routes, prefix: options.routePrefix)
        addRemoteWrite(
            to: &routes, registry: registry, isEnabled: options.acceptsRemoteWrite,
            pool: ThreadPool("append", threads: 2, queueLimit: 1_000))
    }

    /// Which doors are open.
    public struct Options: Sendable {
        /// `--web.enable-remote-write-receiver`.
        public var acceptsRemoteWrite = false
        /// `--web.route-prefix`: what all paths begin with; empty for nothing.
        public var routePrefix = ""
        /// `--web.cors.origin`: pages of which origins may read answers of the API; `nil` for none.
        public var allowedOrigins = try? Pattern(".*")

        public init() {}
    }

    /// Shown where `limit` cut something off.
    static let truncationWarning = "results truncated due to limit"

    func parts() throws(APIError) -> ServerParts {
        guard let parts = status.parts else { throw APIError(.unavailable, "the server is not ready") }
        return parts
    }

    /// Runs what computes for a moment on a thread of its own. What a request can make long runs in the lanes instead.
    func offload(
        _ body: @escaping @Sendable () -> Result<Reply, APIError>
    ) async throws(APIError) -> Reply {
        let result: Result<Reply, APIError>
        do throws(ThreadPool.Full) {
            result = try await lanes.light.run(body)
        } catch {
            throw APIError(.unavailable, "too many requests are waiting; the limit is \(error.limit)")
        }
        return try result.get()
    }

    /// Answers; never throws: what goes wrong is an answer, too.
    public func answer(_ request: APIRequest) async -> Reply {
        let begin = ContinuousClock.now
        var route = "unknown"
        var reply: Reply
        let path = routed(request.path)
        switch routes.match(request.method, path) {
        case .handler(let handler, let pattern, let hasGet):
            route = pattern
            if crossOrigin.refuses(request, changesNothing: hasGet) {
                reply = .text("cross-site request refused\n", .forbidden)
            } else if !status.isReady && pattern.hasPrefix("/api/") && pattern != "/api/v1/status/walreplay" {
                reply = .text("Service Unavailable", .serviceUnavailable)
            } else {
                do throws(APIError) {
                    reply = try await handler(request)
                } catch {
                    reply = error.reply
                }
            }
            if path.hasPrefix("/api/v1/") { crossOrigin.mark(&reply, for: request) }
        case _ where request.method == .options && path.hasPrefix("/api/v1/"):
            reply = .noContent
            crossOrigin.mark(&reply, for: request)
        case .wrongMethod(let allowed): reply = Self.wrongMethod(request, allowed)
        case .none: reply = .notFound
        }
        if case .buffer(let buffer) = reply.body {
            metrics.observe(
                route: route, status: reply.status.code, seconds: Self.seconds(since: begin), bytes: buffer.readableBytes)
        } else {
            metrics.observe(route: route, status: reply.status.code, seconds: Self.seconds(since: begin), bytes: 0)
        }
        return reply
    }

    /// The path below the prefix. Outside of it there is nothing but the way in.
    private func routed(_ path: String) -> String {
        if prefix.isEmpty { return path }
        if path == "/" || path == prefix { return "/" }
        guard path.hasPrefix(prefix + "/") else { return "" }
        return String(path.dropFirst(prefix.count))
    }

    private static func wrongMethod(_ request: APIRequest, _ allowed: [HTTPRequest.Method]) -> Reply {
        let names = (allowed + [.options]).map(\.rawValue).sorted().joined(separator: ", ")
        var reply: Reply
        if request.method == .options {
            reply = .text("", .noContent)
            reply.contentType = ""
        } else if request.path.hasPrefix("/-/") && !allowed.contains(.get) {
            return .text("Only POST or PUT requests allowed", .methodNotAllowed)
        } else {
            reply = .text("Method Not Allowed\n", .methodNotAllowed)
        }
        reply.headers[.allow] = names
        return reply
    }

    static func seconds(since begin: ContinuousClock.Instant) -> Double {
        let elapsed = begin.duration(to: .now).components
        return Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
    }
}
