import Histograms
import TSDB

/// Parts in which native histograms take part: the result, in words, and what went in. Their arithmetic is not spelled out — it has a term
/// per bucket — and a derivation says so, rather than show that of the sums.
///
///     sum = 34  at 180
///       histogram  {count:41, sum:34, …}
///       result     native histograms went in: …
extension PointExplainer {
    static let notShown = "native histograms went in, and the arithmetic on their buckets is not shown"
    static let valueIsSum = "a native histogram; the number shown for it is its sum"

    /// The derivation of `row`, where histograms are among the operands; `nil` where there are none.
    func deriveNative(_ part: Part, _ row: Row) throws(QueryError) -> Derivation? {
        var native = row.histogram != nil
        var operands: [(part: Part, rows: [Row])] = []
        for (index, node) in Self.vectors(of: part.node) {
            let operand = part.operand(index, node)
            let rows = try operand.rows(self)
            native = native || rows.contains { $0.histogram != nil }
            operands.append((operand, rows))
        }
        guard native, !operands.isEmpty else { return nil }
        var result = mention(part, row)
        result.steps.append(.init("result", note: Self.notShown))
        for (operand, rows) in operands {
            let ours = rows.filter { Self.mayHaveBecome(row, $0, part.node) }
            result.inputs += try inputs(operand, ours)
            result.omittedInputs += max(0, ours.count - Derivation.maximumInputs)
        }
        return result
    }

    /// The operands of a node that are vectors or scalars, with their numbers.
    private static func vectors(of node: PlanNode) -> [(Int, PlanNode)] {
        switch node {
        case .aggregate(let plan): return [(0, plan.operand)]
        case .binary(_, let left, let right): return [(0, left), (1, right)].filter { !$0.1.isNumber }
        case .negate(let operand, _): return [(0, operand)]
        case .function(let plan):
            return plan.arguments.enumerated().compactMap { index, argument in
                if case .string = argument { return nil }
                return argument.isNumber ? nil : (index, argument)
            }
        case .scalar, .string, .selector, .range, .rangeFunction, .stepInvariant, .shared: return []
        }
    }

    /// Whether an operand's row can have gone into `row`, by its labels.
    private static func mayHaveBecome(_ row: Row, _ input: Row, _ node: PlanNode) -> Bool {
        switch node {
        case .aggregate(let plan):
            switch plan.op {
            case .topk, .bottomk, .limitk, .limitRatio: return input.labels == row.labels
            case .countValues: return true
            default: return Aggregation.effective(plan.grouping).project(input.labels) == row.labels
            }
        case .binary(let expr, _, _):
            guard let matching = expr.matching else { return input.labels.droppingName() == row.labels.droppingName() }
            let signature: Grouping =
                matching.isOn ? .by(matching.labels) : .without(matching.labels + [MetricName.label] + matching.include)
            return signature.project(input.labels) == signature.project(row.labels)
        default: return input.labels == row.labels || input.labels.droppingName() == row.labels.droppingName()
        }
    }
}
