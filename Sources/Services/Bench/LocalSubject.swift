import PromQL
import TSDB

/// The engine in this process, over a database in memory.
struct LocalSubject {
    let api: LocalAPI
    private let database: Database
    private let engine: Engine
    private let plan: BenchPlan

    init(_ database: Database, engine: Engine, plan: BenchPlan) {
        self.database = database
        self.engine = engine
        self.plan = plan
        api = LocalAPI(database, engine: engine, time: plan.end)
    }

    /// The answer to one case, engine only: no JSON, no HTTP.
    func evaluate(_ query: QueryCase) throws -> QueryResult {
        let text = query.query(run: plan.shape.run)
        switch query.kind {
        case .range:
            return try engine.range(
                text, on: database, start: plan.start, end: plan.end, step: Duration(milliseconds: plan.step))
        case .instant: return try engine.instant(text, on: database, at: plan.end)
        }
    }

    /// Warms up, counts allocations, then measures the engine.
    func row(_ query: QueryCase) async throws -> BenchRow {
        try await row(query) { _ = try evaluate(query) }
    }

    /// The same through the API, where an answer is JSON at the end.
    func rowWithJSON(_ query: QueryCase) async throws -> BenchRow {
        let call = APICall(query, plan: plan)
        return try await row(query) { _ = await api.ask(call) }
    }

    private func row(_ query: QueryCase, _ body: () async throws -> Void) async throws -> BenchRow {
        let result = try evaluate(query)
        try await body()
        let allocations = try await AllocationCount.counting(body)
        let measurement = try await Measurement.of(budget: plan.budget, body)
        return BenchRow(
            group: query.group, name: query.name, kind: query.kind.rawValue, query: query.query,
            units: result.pointCount,
            samples: result.statistics.samplesRead, measurement: measurement, allocations: allocations)
    }
}

extension QueryResult {
    var pointCount: Int {
        switch value {
        case .scalar, .string: return 1
        case .vector(let vector): return vector.count
        case .matrix(let matrix): return matrix.pointCount
        case .samples(let samples): return samples.pointCount
        }
    }
}

/// A clock that stands still just behind the newest sample.
struct StillClock: WallClock {
    let time: Timestamp
    func now() -> Timestamp { time }
}
