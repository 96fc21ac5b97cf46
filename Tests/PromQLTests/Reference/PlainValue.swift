import Histograms
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
    /// Of a histogram its sum.
    var value: Double
    var histogram: FloatHistogram?
}

/// One series of an answer with its points in time order.
struct PlainSeries: Sendable {
    var labels: Labels
    var points: [PlainPoint]
}

struct PlainPoint: Sendable {
    /// Milliseconds since the epoch.
    var time: Int64
    /// Of a histogram its sum.
    var value: Double
    var histogram: FloatHistogram?

    /// A float, or a histogram as scripts write it.
    var text: String { histogram?.testExpression ?? "\(value)" }
}

extension PlainSample {
    var text: String { histogram?.testExpression ?? "\(value)" }
}

extension PlainValue: CustomStringConvertible {
    var description: String {
        switch self {
        case .scalar(let value): return "scalar \(value)"
        case .string(let text): return "string \(text)"
        case .vector(let samples): return samples.map { "\($0.labels) \($0.text)" }.joined(separator: "\n")
        case .matrix(let series):
            return series.map { row in
                "\(row.labels) " + row.points.map { "\($0.text)@\($0.time)" }.joined(separator: " ")
            }.joined(separator: "\n")
        }
    }
}
