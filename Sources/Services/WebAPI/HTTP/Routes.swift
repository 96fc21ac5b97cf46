import HTTPServer
import HTTPTypes

/// Which code answers which path: exact paths in a table, and one path with a name inside.
///
///     GET  POST   /api/v1/query
///     GET         /api/v1/label/<name>/values
///     POST PUT    /-/reload
///
/// Unknown paths are 404 with text, a wrong verb is 405 with `Allow`, both as upstream answers: clients probe for features
/// with exactly these.
struct Routes: Sendable {
    typealias Handler = @Sendable (APIRequest) async throws(APIError) -> Reply
    typealias NamedHandler = @Sendable (APIRequest, _ name: String) async throws(APIError) -> Reply

    /// What a path leads to.
    enum Match: Sendable {
        /// `hasGet`: it can be asked by GET as well, so it changes nothing.
        case handler(Handler, route: String, hasGet: Bool)
        case wrongMethod(allowed: [HTTPRequest.Method])
        case none
    }

    private struct Route {
        var methods: [HTTPRequest.Method]
        var handler: Handler
    }

    private struct NamedRoute {
        var prefix: String
        var suffix: String
        var methods: [HTTPRequest.Method]
        var handler: NamedHandler
    }

    private var exact: [String: [Route]] = [:]
    private var named: [NamedRoute] = []

    mutating func on(_ methods: [HTTPRequest.Method], _ path: String, _ handler: @escaping Handler) {
        exact[path, default: []].append(Route(methods: methods, handler: handler))
    }

    /// A path with one segment that is a name: `prefix` + name + `suffix`.
    mutating func on(
        _ methods: [HTTPRequest.Method], prefix: String, suffix: String, _ handler: @escaping NamedHandler
    ) {
        named.append(NamedRoute(prefix: prefix, suffix: suffix, methods: methods, handler: handler))
    }

    func match(_ method: HTTPRequest.Method, _ path: String) -> Match {
        if let routes = exact[path] {
            for route in routes where route.methods.contains(method) {
                return .handler(route.handler, route: path, hasGet: route.methods.contains(.get))
            }
            return .wrongMethod(allowed: routes.flatMap(\.methods))
        }
        var allowed: [HTTPRequest.Method] = []
        for route in named where path.hasPrefix(route.prefix) && path.hasSuffix(route.suffix) {
            let name = path.dropFirst(route.prefix.count).dropLast(route.suffix.count)
            guard path.count > route.prefix.count + route.suffix.count, !name.contains("/") else { continue }
            guard route.methods.contains(method) else {
                allowed += route.methods
                continue
            }
            let handler = route.handler, bound = String(name)
            return .handler(
                { request throws(APIError) in try await handler(request, bound) },
                route: route.prefix + ":name" + route.suffix, hasGet: route.methods.contains(.get))
        }
        return allowed.isEmpty ? .none : .wrongMethod(allowed: allowed)
    }
}
