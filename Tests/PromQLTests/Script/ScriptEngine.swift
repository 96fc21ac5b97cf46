import PromQL
import TSDB

/// Whatever answers PromQL queries and can be held against scripts: the engine, or the reference evaluator.
protocol ScriptEngine: Sendable {
    func instant(_ query: String, on storage: any Queryable, at time: Timestamp) throws -> ScriptAnswer

    func range(
        _ query: String, on storage: any Queryable, start: Timestamp, end: Timestamp, step: Duration
    ) throws -> ScriptAnswer
}

struct ScriptAnswer {
    var value: PlainValue
    /// Texts as the HTTP API shows them; `nil` where the engine gives none, and then they are not judged.
    var warnings: [String]?
    var infos: [String]?
}

/// The plain evaluator under the settings that the scripts rely on.
struct ReferenceEngine: ScriptEngine {
    var options: ReferenceEvaluator.Options

    init(delayedNameRemoval: Bool = true) {
        options = ReferenceEvaluator.Options()
        options.usesStarts = true
        options.delayedNameRemoval = delayedNameRemoval
    }

    func instant(_ query: String, on storage: any Queryable, at time: Timestamp) throws -> ScriptAnswer {
        let expr = try Parser.parse(query, options: .everything)
        return ScriptAnswer(value: try ReferenceEvaluator.instant(expr, on: storage, at: time, options: options))
    }

    func range(
        _ query: String, on storage: any Queryable, start: Timestamp, end: Timestamp, step: Duration
    ) throws -> ScriptAnswer {
        let expr = try Parser.parse(query, options: .everything)
        return ScriptAnswer(
            value: try ReferenceEvaluator.range(
                expr, on: storage, start: start, end: end, step: step, options: options))
    }
}

/// The real engine under the same settings.
struct EngineUnderTest: ScriptEngine {
    let engine: Engine

    init(delayedNameRemoval: Bool = true) {
        var options = EngineOptions()
        options.delayedNameRemoval = delayedNameRemoval
        options.usesStarts = true
        options.parser = .everything
        engine = Engine(options)
    }

    func instant(_ query: String, on storage: any Queryable, at time: Timestamp) throws -> ScriptAnswer {
        ScriptAnswer(try engine.instant(query, on: storage, at: time))
    }

    func range(
        _ query: String, on storage: any Queryable, start: Timestamp, end: Timestamp, step: Duration
    ) throws -> ScriptAnswer {
        ScriptAnswer(try engine.range(query, on: storage, start: start, end: end, step: step))
    }
}

extension ScriptAnswer {
    init(_ result: QueryResult) {
        self.init(value: PlainValue(result.value), warnings: result.warnings, infos: result.infos)
    }
}

extension PlainValue {
    init(_ value: QueryResult.Value) {
        switch value {
        case .scalar(let value, _): self = .scalar(value)
        case .string(let text, _): self = .string(text)
        case .vector(let vector):
            self = .vector(
                (0..<vector.count).map { row in
                    let histogram = vector.histogram(row)
                    return PlainSample(
                        labels: vector.labels[row], value: histogram?.sum ?? vector.values[row], histogram: histogram)
                })
        case .matrix(let matrix):
            self = .matrix(
                (0..<matrix.count).map { row in
                    var points: [PlainPoint] = []
                    matrix.forEachPoint(ofRow: row) { step, value in
                        points.append(PlainPoint(time: matrix.grid.time(step), value: value))
                    }
                    points += matrix.histograms(ofRow: row).map {
                        PlainPoint(time: matrix.grid.time($0.step), value: $0.histogram.sum, histogram: $0.histogram)
                    }
                    return PlainSeries(labels: matrix.labels[row], points: points.sorted { $0.time < $1.time })
                })
        case .samples(let matrix):
            self = .matrix(
                (0..<matrix.count).map { row in
                    var points: [PlainPoint] = []
                    matrix.forEachPoint(ofRow: row) { time, value in
                        points.append(PlainPoint(time: time.milliseconds, value: value))
                    }
                    points += matrix.histograms(ofRow: row).map {
                        PlainPoint(time: $0.time.milliseconds, value: $0.histogram.sum, histogram: $0.histogram)
                    }
                    return PlainSeries(labels: matrix.labels[row], points: points.sorted { $0.time < $1.time })
                })
        }
    }
}
