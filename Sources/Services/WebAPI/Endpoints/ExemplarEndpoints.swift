import HTTPServer
import PromQL
import TSDB

/// `/api/v1/query_exemplars`: the exemplars of all series that a query selects, whatever it computes from them.
///
///     [{"seriesLabels":{"__name__":"x_bucket","le":"1"},
///       "exemplars":[{"labels":{"trace_id":"9f1c"},"value":"0.93","timestamp":1700000000.1}]}]
///
/// Grafana probes it with times in milliseconds, seconds of the year 58 000 to us: an empty list is the answer.
extension WebAPI {
    func addExemplars(to routes: inout Routes) {
        routes.on([.get, .post], "/api/v1/query_exemplars") { request throws(APIError) in
            let parameters = request.parameters
            let start = try parameters.time("start", default: Timestamp(milliseconds: Parameters.limits.lowerBound))
            let end = try parameters.time("end", default: Timestamp(milliseconds: Parameters.limits.upperBound))
            if end < start { throw APIError(.badData, "end timestamp must not be before start timestamp") }
            let query = parameters["query"]
            let parts = try self.parts()
            return try await offload {
                let expr: Expr
                do throws(QueryError) {
                    expr = try Parser.parse(query, options: parts.engine.options.parser)
                } catch {
                    return .failure(APIError(.badData, error.positioned(in: query)))
                }
                let selectors = expr.selectors
                // Upstream has nothing to say about nothing.
                if selectors.isEmpty { return .success(.noContent) }
                let found = parts.database.exemplars(selectors.map(\.matchers), from: start, through: end)
                return .success(.success { $0.append(found) })
            }
        }
    }
}

extension JSONText {
    fileprivate mutating func append(_ found: [SeriesExemplars]) {
        append("[")
        for (index, series) in found.enumerated() {
            append(index == 0 ? "{\"seriesLabels\":" : ",{\"seriesLabels\":" as StaticString)
            append(series.labels)
            append(",\"exemplars\":[")
            for (index, exemplar) in series.exemplars.enumerated() {
                append(index == 0 ? "{\"labels\":" : ",{\"labels\":" as StaticString)
                append(exemplar.labels)
                append(",\"value\":")
                appendSampleValue(exemplar.value)
                append(",\"timestamp\":")
                appendTime(milliseconds: exemplar.timestamp.milliseconds)
                append("}")
            }
            append("]}")
        }
        append("]")
    }
}
