import HTTPServer
import PromQL

/// `/api/v1/format_query` and `/api/v1/parse_query`: what a query says, without running it.
extension WebAPI {
    func addSyntax(to routes: inout Routes) {
        routes.on([.get, .post], "/api/v1/format_query") { request throws(APIError) in
            try await read(request) { expr, json in json.appendQuoted(expr.formatted) }
        }
        routes.on([.get, .post], "/api/v1/parse_query") { request throws(APIError) in
            try await read(request) { expr, json in json.append(tree: expr) }
        }
    }

    private func read(
        _ request: APIRequest, _ write: @escaping @Sendable (Expr, inout JSONText) -> Void
    ) async throws(APIError) -> Reply {
        let query = request.parameters["query"]
        let options = try parts().engine.options.parser
        return try await offload {
            do throws(QueryError) {
                let expr = try Parser.parse(query, options: options)
                return .success(.success { write(expr, &$0) })
            } catch {
                return .failure(.invalidParameter("query", error.positioned(in: query)))
            }
        }
    }
}
