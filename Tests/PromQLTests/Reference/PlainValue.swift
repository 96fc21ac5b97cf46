import TSDB

/// The answer to a query in the plainest form: what a script expects, what the reference evaluator gives, and what the engine's
/// result is turned into before the two are compared.
enum PlainValue: Sendable {
    case scalar(Double)
    case string(String)
    /// In the order of the answer, which matters for `sort` and `topk`.
    case vector([PlainSample])
    /// Sorted by labels.
    case matrix([PlainSeries])
}

/// One element of an instant vector; its time is the evaluation time.
struct PlainSample: Sendable {
    var labels: Labels
    var value: Double
}

/// One series of an answer with its points in time order.
struct PlainSeries: Sendable {
    var labels: Labels
    var points: [PlainPoint]
}

struct PlainPoint: Sendable {
    /// Milliseconds since the epoch.
    var time: Int64
    var value: Double
}

extension PlainValue: CustomStringConvertible {
    var description: String {
        switch self {
        case .scalar(let value): return "scalar \(value)"
        case .string(let text): return "string \(text)"
        case .vector(let samples): return samples.map { "\($0.labels) \($0.value)" }.joined(separator: "\n")
        case .matrix(let series):
            return series.map { row in
                "\(row.labels) " + row.points.map { "\($0.value)@\($0.time)" }.joined(separator: " ")
            }.joined(separator: "\n")
        }
    }
}
