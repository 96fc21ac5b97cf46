import HTTPServer
import NIOCore
import PromQL
import TSDB

/// `explain=plan|analyze` on the queries, and `/api/v1/explain_point`: how a query works, and how one point came about.
///
///     /api/v1/query?query=…&explain=plan         the plan, nothing is read                  ours: upstream has neither,
///     /api/v1/query?query=…&explain=analyze      the answer, and what each operator did     and is never sent them unasked
///     /api/v1/explain_point?query=…&time=…&metric={job="api"}
///
/// `start`, `end` and `step` tell a point which range query it belongs to: `@ end()`, `step()` and the like depend on it.
/// Documentation for readers: docs/learn/reading-a-query-plan.md.
enum Explaining: Sendable, Equatable {
    case not, plan, analyze

    init(_ parameters: Parameters) throws(APIError) {
        switch parameters["explain"] {
        case "", "0", "false": self = .not
        case "plan", "1", "true": self = .plan
        case "analyze": self = .analyze
        default: throw .invalidParameter("explain", "must be plan or analyze")
        }
    }
}

extension WebAPI {
    func addExplanations(to routes: inout Routes) {
        routes.on([.get, .post], "/api/v1/explain_point") { request throws(APIError) in
            let parameters = request.parameters
            let time = try parameters.time("time", default: clock.now())
            let parts = try self.parts()
            var steps = PointSteps.instant
            if !parameters["step"].isEmpty {
                let step = try parameters.duration("step")
                guard step > .zero else { throw .invalidParameter("step", "must be positive") }
                steps = .range(start: try parameters.time("start"), end: try parameters.time("end"), step: step)
            }
            let query = parameters["query"], metric = parameters["metric"]
            let range = steps
            return try await offload {
                do throws(APIError) {
                    let expr: Expr
                    do throws(QueryError) {
                        expr = try Parser.parse(query, options: parts.engine.options.parser)
                    } catch { throw .invalidParameter("query", error.positioned(in: query)) }
                    var labels: Labels?
                    if !metric.isEmpty {
                        do throws(QueryError) { labels = try Parser.parseMetric(metric) } catch {
                            throw .invalidParameter("metric", error.positioned(in: metric))
                        }
                    }
                    do throws(QueryError) {
                        let derivation = try parts.engine.explainPoint(
                            expr, query, of: labels, at: time, steps: range, on: parts.database)
                        return .success(.derived(derivation))
                    } catch { throw APIError(error) }
                } catch { return .failure(error) }
            }
        }
    }
}

extension Reply {
    /// A query that was planned only: an answer without series, as an instant query without matches has it.
    static func explained(_ explanation: Explanation) -> Reply {
        .success { json in
            json.append("{\"resultType\":\"vector\",\"result\":[],\"explain\":")
            json.append(explanation, mode: "plan")
            json.append("}")
        }
    }

    static func derived(_ derivation: Derivation) -> Reply {
        .success { json in
            json.append("{\"text\":")
            json.append(lines: derivation.lines)
            json.append(",\"point\":")
            json.append(derivation)
            json.append("}")
        }
    }
}
