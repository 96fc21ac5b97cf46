import TSDB

/// What a query says twice is planned once and shared.
///
///     sum(rate(e[5m])) / sum(rate(x[5m])) > 0.05 and sum(rate(x[5m])) > 1
///                        └── shared 1 ──┘                └── shared 1 ──┘
///
/// An aggregation is a table: its second reader gets it for nothing. Streaming parts share their selection and compute a
/// column for each reader, as they would have anyway; nothing is held that would not be held without this pass.
///
/// Equal means: the same operators over the same selections, wherever they stand. Notes of one text point to the last of their
/// places, so the last occurrence stands for all.
enum CommonSubexpressions {
    /// Plans larger than this are left alone; keys of all parts are compared as texts.
    private static let largest = 2000

    static func apply(to root: PlanNode) -> PlanNode {
        var counter = Counter()
        counter.visit(root)
        guard counter.total <= largest, counter.counts.values.contains(where: { $0 > 1 }) else { return root }
        var numbers: [String: Int] = [:]
        return share(root, within: 1, counter, &numbers)
    }

    private struct Counter {
        var counts: [String: Int] = [:]
        /// Per key the occurrence furthest to the right.
        var last: [String: PlanNode] = [:]
        var total = 0

        mutating func visit(_ node: PlanNode) {
            total += 1
            guard total <= largest else { return }
            if node.isWorthSharing {
                let key = node.key
                counts[key, default: 0] += 1
                last[key] = node
            }
            _ = node.mapChildren { child in
                visit(child)
                return child
            }
        }
    }

    /// `outer`: how often the part around this one occurs. What occurs no more often is shared with it already.
    private static func share(
        _ node: PlanNode, within outer: Int, _ counter: Counter, _ numbers: inout [String: Int]
    ) -> PlanNode {
        guard node.isWorthSharing, case let key = node.key, let count = counter.counts[key], count > outer else {
            return node.mapChildren { share($0, within: outer, counter, &numbers) }
        }
        let number = numbers[key] ?? numbers.count + 1
        numbers[key] = number
        let one = counter.last[key] ?? node
        return .shared(number, one.mapChildren { share($0, within: count, counter, &numbers) })
    }
}

extension PlanNode {
    fileprivate var isWorthSharing: Bool {
        switch self {
        case .scalar, .string, .range, .shared: return false
        // The argument of `timestamp` is told by its kind.
        case .selector(let plan): return !plan.yieldsTimestamps
        case .function(let plan): return !plan.arguments.isEmpty
        case .rangeFunction, .aggregate, .binary, .negate, .stepInvariant: return true
        }
    }

    /// Equal for parts that do the same; the place in the query is left out.
    fileprivate var key: String {
        switch self {
        case .scalar(let value): return "\(value.bitPattern)"
        case .string(let text): return text.goQuoted
        case .selector(let plan): return plan.description
        case .range(let plan): return plan.key
        case .rangeFunction(let plan):
            return "\(plan.name)(\(plan.range.key);\(plan.parameters.map(\.key).joined(separator: ";")))"
        case .function(let plan):
            return "\(plan.call.function.name)(\(plan.arguments.map(\.key).joined(separator: ";")))"
        case .aggregate(let plan):
            return "\(plan.op.rawValue) \(plan.grouping) (\(plan.parameter?.key ?? "");\(plan.operand.key))"
        case .binary(let expr, let left, let right):
            return "(\(left.key))\(expr.op.rawValue)\(Printer.modifiers(expr))(\(right.key))"
        case .negate(let operand, let type): return "-\(type)(\(operand.key))"
        case .stepInvariant(let operand): return "once(\(operand.key))"
        case .shared(_, let operand): return operand.key
        }
    }
}

extension RangePlan {
    fileprivate var key: String {
        switch source {
        case .selector(let selector): return "[\(length.milliseconds)]\(selector)"
        case .subquery(let inner, let step, let offset, let at):
            return "[\(length.milliseconds):\(step.milliseconds) \(offset.milliseconds) \(at?.milliseconds ?? .min)](\(inner.key))"
        }
    }
}

/// Operators of parts that several others read, by number and grid.
final class SharedOperators {
    private var made: [(number: Int, grid: StepGrid, operation: any VectorOperator)] = []

    func find(_ number: Int, on grid: StepGrid) -> (any VectorOperator)? {
        made.first { $0.number == number && $0.grid == grid }?.operation
    }

    func keep(_ operation: any VectorOperator, _ number: Int, on grid: StepGrid) { made.append((number, grid, operation)) }
}
