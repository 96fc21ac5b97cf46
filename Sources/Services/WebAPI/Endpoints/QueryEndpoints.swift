import NIOCore
import Numbers
import PromQL
import TSDB

/// `/api/v1/query`, `/api/v1/query_range`.
///
///     parameters ─▶ checks in upstream's order, with its words ─▶ thread pool: parse, evaluate, render ─▶ reply
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
        let clock = parts.engine.options.clock
        let job = QueryJob(
            query: parameters["query"], span: span, lookback: lookback, limit: limit,
            wantsStatistics: !parameters["stats"].isEmpty, explaining: explaining, engine: parts.engine,
            storage: parts.database,
            context: parts.engine.context(
                timeout: timeout, analysis: explaining == .analyze ? Analysis(clock: clock) : nil),
            metrics: queryMetrics)
        let result: Result<Reply, APIError>
        do {
            let connection = request.connection ?? Connection()
            result = try await connection.cancelling({ job.context.cancel() }) {
                try await pool.run { job.run() }
            }
        } catch {
            throw APIError(.unavailable, "too many queries are waiting; the limit is \(pool.queueLimit)")
        }
        return try result.get()
    }
}

/// When a query is evaluated.
enum QuerySpan: Sendable {
    case at(Timestamp)
    case from(Timestamp, through: Timestamp, step: Duration)
}

extension Engine {
    /// A context under the engine's bounds, whose time ends earlier when the request says so.
    func context(timeout: Duration?, analysis: Analysis? = nil) -> QueryContext {
        guard let timeout else { return options.context(analysis: analysis) }
        var own = options
        own.timeout = min(timeout, options.timeout ?? timeout)
        return own.context(analysis: analysis)
    }
}

/// One query from text to reply; runs on a thread of the pool.
struct QueryJob: Sendable {
    let query: String
    let span: QuerySpan
    let lookback: Duration?
    let limit: Int?
    let wantsStatistics: Bool
    var explaining = Explaining.not
    let engine: Engine
    let storage: any Queryable
    let context: QueryContext
    let metrics: QueryMetrics
    let submitted = ContinuousClock.now

    func run() -> Result<Reply, APIError> {
        let queued = WebAPI.seconds(since: submitted)
        metrics.begin()
        defer { metrics.end() }
        do throws(QueryError) { try context.check() } catch {
            return .failure(APIError(error.code == .timeout ? .timeout : .canceled, "query timed out in query queue"))
        }
        do throws(APIError) {
            let preparing = ContinuousClock.now
            let expr = try parse()
            let prepared = WebAPI.seconds(since: preparing)
            if explaining == .plan { return .success(try planned(expr)) }
            let evaluating = ContinuousClock.now
            let result = try evaluate(expr)
            let evaluated = WebAPI.seconds(since: evaluating)
            metrics.observe(
                queued: queued, prepared: prepared, evaluated: evaluated, samples: result.statistics.samplesRead)
            let statistics = wantsStatistics
                ? ResultRenderer.Statistics(
                    queued: queued, prepared: prepared, evaluated: evaluated, samples: result.statistics) : nil
            let explanation = context.analysis?.explanation
            return .success(
                ResultRenderer(result, limit: limit, statistics: statistics, explanation: explanation).reply())
        } catch {
            return .failure(error)
        }
    }

    private func parse() throws(APIError) -> Expr {
        let expr: Expr
        do throws(QueryError) {
            expr = try Parser.parse(query, options: engine.options.parser)
        } catch {
            throw .invalidParameter("query", error.positioned(in: query))
        }
        if case .from = span, expr.type != .scalar && expr.type != .vector {
            throw .invalidParameter(
                "query",
                "invalid expression type \"\(expr.type.rawValue)\" for range query, must be Scalar or instant Vector")
        }
        return expr
    }

    /// What would be done; nothing is read.
    private func planned(_ expr: Expr) throws(APIError) -> Reply {
        do throws(QueryError) {
            let plan: Plan
            switch span {
            case .at(let time): plan = try engine.plan(expr, start: time, end: time, step: .zero)
            case .from(let start, let end, let step): plan = try engine.plan(expr, start: start, end: end, step: step)
            }
            return .explained(Explanation(plan))
        } catch {
            throw APIError(error)
        }
    }

    private func evaluate(_ expr: Expr) throws(APIError) -> QueryResult {
        do throws(QueryError) {
            switch span {
            case .at(let time):
                return try engine.instant(expr, query, on: storage, at: time, lookback: lookback, context: context)
            case .from(let start, let end, let step):
                return try engine.range(
                    expr, query, on: storage, start: start, end: end, step: step, lookback: lookback, context: context)
            }
        } catch {
            throw APIError(error)
        }
    }
}

extension APIError {
    /// A query that parsed and then failed.
    init(_ error: QueryError) {
        switch error.code {
        case .syntax: self.init(.badData, error.message)
        case .evaluation, .notImplemented, .limit: self.init(.execution, error.message)
        case .timeout: self.init(.timeout, error.message)
        case .canceled: self.init(.canceled, error.message)
        case .storage: self.init(.internal, error.message)
        }
    }
}
