import HTTPServer
import NIOCore
import Numbers
import PromQL
import TSDB

/// `/api/v1/query`, `/api/v1/query_range`.
///
///     parameters ─▶ checks in upstream's order, with its words ─▶ lanes: parse, evaluate, render (`QueryJob`) ─▶ reply
///
/// A client that goes away cancels its query.
extension WebAPI {
    /// Points per series that a range query may ask for.
    static let maximumResolution: Int64 = 11_000

    func addQueries(to routes: inout Routes) {
        routes.on([.get, .post], "/api/v1/query") { request throws(APIError) in
            let parameters = request.parameters
            let limit = try parameters.limit()
            let time = try parameters.time("time", default: clock.now())
            return try await evaluate(QuerySpan.at(time), parameters, limit, request)
        }
        routes.on([.get, .post], "/api/v1/query_range") { request throws(APIError) in
            let parameters = request.parameters
            let limit = try parameters.limit()
            let start = try parameters.time("start"), end = try parameters.time("end")
            if end < start { throw APIError.invalidParameter("end", "end timestamp must not be before start time") }
            let step = try parameters.duration("step")
            if step <= .zero {
                throw APIError.invalidParameter(
                    "step", "zero or negative query resolution step widths are not accepted. Try a positive integer")
            }
            if (end - start).milliseconds / step.milliseconds > Self.maximumResolution {
                throw APIError(
                    .badData,
                    "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)")
            }
            return try await evaluate(.from(start, through: end, step: step), parameters, limit, request)
        }
    }

    private func evaluate(
        _ span: QuerySpan, _ parameters: Parameters, _ limit: Int?, _ request: APIRequest
    ) async throws(APIError) -> Reply {
        let parts = try self.parts()
        let timeout: Duration? = parameters["timeout"].isEmpty ? nil : try parameters.duration("timeout")
        var lookback: Duration?
        if !parameters["lookback_delta"].isEmpty {
            switch Parameters.parseDuration(parameters["lookback_delta"]) {
            case .success(let duration): lookback = duration
            case .failure(let failure):
                throw APIError(.badData, "error parsing lookback delta duration: \(failure.message)")
            }
        }
        let explaining = try Explaining(parameters)
        let query = parameters["query"]
        if let remaining = parts.activeQueries?.refusal(of: query) {
            throw APIError(
                .execution,
                "the server went down twice while this query ran; it is refused for another \(remaining) seconds")
        }
        var job = QueryJob(
            query: query, span: span, lookback: lookback, limit: limit, statistics: .init(parameters["stats"]),
            engine: parts.engine, storage: parts.database, metrics: queryMetrics, active: parts.activeQueries,
            log: parts.queryLog)
        job.explaining = explaining
        job.client = QueryLog.Client(address: request.clientAddress, method: request.method.rawValue, path: request.path)
        let engine = parts.engine
        return try await lanes.run(
            job.key, request.connection,
            context: {
                engine.context(
                    timeout: timeout, analysis: explaining == .analyze ? Analysis(clock: engine.options.clock) : nil)
            }
        ) {
            [job] context in job.run(context)
        }
    }
}
