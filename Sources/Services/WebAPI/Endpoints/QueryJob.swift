import HTTPServer
import PromQL
import TSDB

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

/// One query from text to reply; runs on a thread of one of the lanes.
struct QueryJob: Sendable {
    /// What `stats=` asks for.
    enum Statistics: Sendable {
        case none, totals, perStep

        init(_ parameter: String) { self = parameter.isEmpty ? .none : parameter == "all" ? .perStep : .totals }
    }

    let query: String
    let span: QuerySpan
    let lookback: Duration?
    let limit: Int?
    let statistics: Statistics
    let engine: Engine
    let storage: any Queryable
    let metrics: QueryMetrics
    let active: ActiveQueries?
    let log: QueryLog?
    var client: QueryLog.Client?
    var explaining = Explaining.not
    let submitted = ContinuousClock.now

    /// The same for queries that cost the same: text, and number of steps.
    var key: UInt64 {
        var query = query
        let hash = query.withUTF8 { Hash64.hash(UnsafeRawBufferPointer($0), seed: 0) }
        guard case .from(let start, let end, let step) = span else { return hash }
        return hash ^ UInt64(truncatingIfNeeded: (end - start).milliseconds / max(1, step.milliseconds) &+ 1)
    }

    func run(_ context: QueryContext) -> QueryLanes.Outcome {
        var timings = QueryTimings(queued: WebAPI.seconds(since: submitted))
        metrics.begin()
        let entry = active?.begin(query)
        defer {
            entry?.end()
            metrics.end()
        }
        do throws(QueryError) { try context.check() } catch {
            if error.code == .heavy { return .tooHeavy }
            return .answer(
                .failure(APIError(error.code == .timeout ? .timeout : .canceled, "query timed out in query queue")))
        }
        var counts: SampleCount?
        var isParsed = false
        var peak: Int?
        let answer: Result<Reply, APIError>
        do throws(Stop) {
            let preparing = ContinuousClock.now
            let expr = try parse()
            isParsed = true
            timings.prepared = WebAPI.seconds(since: preparing)
            if explaining == .plan { return .answer(.success(try planned(expr))) }
            let evaluating = ContinuousClock.now
            let result = try evaluate(expr, context)
            timings.evaluated = WebAPI.seconds(since: evaluating)
            peak = result.statistics.samplesPeak
            // Before samples are counted, which walks the same plan.
            let explanation = context.analysis?.explanation
            if statistics != .none || log != nil { counts = try count(expr, context) }
            metrics.observe(
                queued: timings.queued, prepared: timings.prepared, evaluated: timings.evaluated,
                samples: result.statistics.samplesRead)
            let shown =
                statistics == .none
                ? nil
                : ResultRenderer.Statistics(
                    timings: timings, counts: counts ?? SampleCount(), peak: result.statistics.samplesPeak,
                    showsSteps: statistics == .perStep && engine.options.perStepStatistics)
            answer = .success(
                ResultRenderer(
                    result, limit: limit, statistics: shown, explanation: explanation, context: context
                ).reply())
        } catch {
            guard case .answer(let failure) = error else { return .tooHeavy }
            answer = .failure(failure)
        }
        if let log, isParsed {
            log.add(
                QueryLog.Entry(
                    query: query, span: span, timings: timings, counts: counts ?? SampleCount(),
                    peak: peak ?? context.samplesPeak, error: answer.failure?.message, client: client))
        }
        return .answer(answer)
    }

    /// Why a query has no result.
    private enum Stop: Error {
        case answer(APIError)
        case tooHeavy

        init(_ error: QueryError) { self = error.code == .heavy ? .tooHeavy : .answer(APIError(error)) }
    }

    private func parse() throws(Stop) -> Expr {
        let expr: Expr
        do throws(QueryError) {
            expr = try Parser.parse(query, options: engine.options.parser)
        } catch {
            throw .answer(.invalidParameter("query", error.positioned(in: query)))
        }
        if case .from = span, expr.type != .scalar && expr.type != .vector {
            throw .answer(
                .invalidParameter(
                    "query",
                    "invalid expression type \"\(expr.type.rawValue)\" for range query, must be Scalar or instant Vector"
                ))
        }
        return expr
    }

    /// What would be done; nothing is read.
    private func planned(_ expr: Expr) throws(Stop) -> Reply {
        do throws(QueryError) {
            let plan: Plan
            switch span {
            case .at(let time): plan = try engine.plan(expr, start: time, end: time, step: .zero)
            case .from(let start, let end, let step): plan = try engine.plan(expr, start: start, end: end, step: step)
            }
            return .explained(Explanation(plan))
        } catch {
            throw Stop(error)
        }
    }

    private func evaluate(_ expr: Expr, _ context: QueryContext) throws(Stop) -> QueryResult {
        do throws(QueryError) {
            switch span {
            case .at(let time):
                return try engine.instant(expr, query, on: storage, at: time, lookback: lookback, context: context)
            case .from(let start, let end, let step):
                return try engine.range(
                    expr, query, on: storage, start: start, end: end, step: step, lookback: lookback, context: context)
            }
        } catch {
            throw Stop(error)
        }
    }

    private func count(_ expr: Expr, _ context: QueryContext) throws(Stop) -> SampleCount {
        do throws(QueryError) {
            switch span {
            case .at(let time):
                return try engine.countSamples(
                    expr, on: storage, start: time, end: time, step: .zero, lookback: lookback, context: context)
            case .from(let start, let end, let step):
                return try engine.countSamples(
                    expr, on: storage, start: start, end: end, step: step, lookback: lookback, context: context)
            }
        } catch {
            throw Stop(error)
        }
    }
}

/// Where the time of a query went, in seconds.
struct QueryTimings: Sendable {
    var queued: Double
    var prepared = 0.0
    var evaluated = 0.0

    var evaluationTotal: Double { prepared + evaluated }
    var total: Double { queued + prepared + evaluated }
}

extension Result {
    fileprivate var failure: Failure? { if case .failure(let failure) = self { failure } else { nil } }
}

extension APIError {
    /// A query that parsed and then failed.
    init(_ error: QueryError) {
        switch error.code {
        case .syntax: self.init(.badData, error.message)
        case .evaluation, .notImplemented, .limit: self.init(.execution, error.message)
        case .busy: self.init(.unavailable, error.message)
        case .heavy: self.init(.internal, error.message)
        case .timeout: self.init(.timeout, error.message)
        case .canceled: self.init(.canceled, error.message)
        case .storage: self.init(.internal, error.message)
        }
    }
}
