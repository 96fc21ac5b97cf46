import TSDB

/// What a query will do, with nothing left to look up: durations are numbers, `@ end()` is a time, constants are folded,
/// and parts that do not depend on the step are marked.
///
///     sum by (le) (rate(b[5m] offset 1m))  →  aggregate sum by (le)
///                                               rangeFunction rate
///                                                 window [300s] b{…} offset 60s
///
/// Between the tree, which says what was written, and the operators, which work. Printing a plan is `EXPLAIN`.
public indirect enum PlanNode: Sendable {
    case scalar(Double)
    case string(String)
    case selector(SelectorPlan)
    /// A range vector; below a range function, or as the whole of an instant query.
    case range(RangePlan)
    case rangeFunction(RangeFunctionPlan)
    case function(FunctionPlan)
    case aggregate(AggregatePlan)
    case binary(BinaryExpr, left: PlanNode, right: PlanNode)
    case negate(PlanNode, type: ValueType)
    /// The same at every step: computed once, at the first step, and repeated.
    case stepInvariant(PlanNode)
    /// Occurs more than once; parts with one number are one operator (`CommonSubexpressions`).
    case shared(Int, PlanNode)
}

extension PlanNode {
    /// What is shared under a number.
    var unshared: PlanNode {
        if case .shared(_, let inner) = self { return inner.unshared }
        return self
    }
}

/// `x{…} offset 5m @ 100`
public struct SelectorPlan: Sendable {
    public var matchers: [Matcher]
    /// Positive looks back.
    public var offset: Duration
    /// Takes the place of the step's time.
    public var at: Timestamp?
    /// Answers the samples' times in seconds: the argument of `timestamp`.
    public var yieldsTimestamps: Bool
    /// `anchored`, `smoothed`.
    public var reach = WindowReach.window
    /// Place in the query.
    public var place: Range<Int>
    /// Of native histograms only count, sum and reset hint are wanted (`StatisticsOnly`).
    public var readsStatistics = false
    /// When the samples' counts began is wanted (`StartReading`); of an instant selector that answers times, in the place of these.
    public var readsStarts = false
    /// Some of the matchers: another part of the query selects by these, and this one takes its series from there
    /// (`SelectorMerging`).
    public var whole: [Matcher]?

    /// The name that all its series have, where one `=` says so.
    public var pinnedName: String? {
        matchers.first { $0.kind == .equal && $0.name == MetricName.label && !$0.value.isEmpty }?.value
    }
}

/// `x[5m]` or `(…)[1h:5m]`
public struct RangePlan: Sendable {
    public indirect enum Source: Sendable {
        case selector(SelectorPlan)
        /// `step` is positive. The inner part runs on multiples of it.
        case subquery(PlanNode, step: Duration, offset: Duration, at: Timestamp?)
    }

    public var source: Source
    /// The window is `(t − length, t]`.
    public var length: Duration
    /// Place in the query.
    public var place: Range<Int>

    public var offset: Duration {
        switch source {
        case .selector(let selector): return selector.offset
        case .subquery(_, _, let offset, _): return offset
        }
    }

    public var at: Timestamp? {
        switch source {
        case .selector(let selector): return selector.at
        case .subquery(_, _, _, let at): return at
        }
    }

    var reach: WindowReach {
        switch source {
        case .selector(let selector): return selector.reach
        case .subquery: return .window
        }
    }
}

/// `rate(x[5m])`, `quantile_over_time(0.9, x[5m])`
public struct RangeFunctionPlan: Sendable {
    public var call: Call
    public var range: RangePlan
    /// The scalar arguments, in order.
    public var parameters: [PlanNode]

    public var name: String { call.function.name }
    /// Where notes point.
    public var firstArgumentPlace: Range<Int> { call.arguments[0].unparenthesized.range }
}

/// A function of instant vectors, scalars and strings.
public struct FunctionPlan: Sendable {
    public var call: Call
    public var arguments: [PlanNode]
}

public struct AggregatePlan: Sendable {
    public var op: AggregateOperator
    public var operand: PlanNode
    public var parameter: PlanNode?
    public var grouping: Grouping
    public var operandPlace: Range<Int>
    public var parameterPlace: Range<Int>
    public var place: Range<Int>
}

/// A plan and the steps that it was made for.
public struct Plan: Sendable {
    public var root: PlanNode
    public var grid: StepGrid
    public var type: ValueType
}

// MARK: Printing

extension Plan: CustomStringConvertible {
    public var description: String {
        "\(grid.count) step\(grid.count == 1 ? "" : "s") from \(grid.start)ms by \(grid.step)ms\n" + root.description
    }
}

extension PlanNode: CustomStringConvertible {
    /// One line per node, children two columns further in.
    public var description: String { lines(0).joined(separator: "\n") }

    private func lines(_ depth: Int) -> [String] {
        let margin = String(repeating: "  ", count: depth)
        func node(_ title: String, _ children: [PlanNode] = []) -> [String] {
            [margin + title] + children.flatMap { $0.lines(depth + 1) }
        }
        switch self {
        case .scalar(let value): return node("scalar \(value)")
        case .string(let text): return node("string \(text.goQuoted)")
        case .selector(let plan): return node("select \(plan)")
        case .range(let plan): return plan.lines(margin, depth)
        case .rangeFunction(let plan):
            return node("rangeFunction \(plan.name)", plan.parameters)
                + plan.range.lines(margin + "  ", depth + 1)
        case .function(let plan): return node("function \(plan.call.function.name)", plan.arguments)
        case .aggregate(let plan):
            return node(
                "aggregate \(plan.op.rawValue) \(plan.grouping.planText)",
                (plan.parameter.map { [$0] } ?? []) + [plan.operand])
        case .binary(let expr, let left, let right): return node("binary \(expr.op.rawValue)", [left, right])
        case .negate(let operand, _): return node("negate", [operand])
        case .stepInvariant(let operand): return node("once", [operand])
        case .shared(let number, let operand): return node("shared \(number)", [operand])
        }
    }

    fileprivate func nested(_ depth: Int) -> [String] { lines(depth) }
}

extension RangePlan {
    fileprivate func lines(_ margin: String, _ depth: Int) -> [String] {
        switch source {
        case .selector(let selector): return ["\(margin)window [\(length.seconds)s] \(selector)"]
        case .subquery(let inner, let step, let offset, let at):
            return ["\(margin)subquery [\(length.seconds)s:\(step.seconds)s]" + shift(offset, at)]
                + inner.nested(depth + 1)
        }
    }
}

extension SelectorPlan: CustomStringConvertible {
    public var description: String {
        Self.text(matchers) + shift(offset, at) + (reach == .window ? "" : " \(reach.rawValue)")
            + (yieldsTimestamps && !readsStarts ? " times" : "") + (readsStarts ? " starts" : "") + (readsStatistics ? " statistics" : "")
            + (whole.map { " of " + Self.text($0) } ?? "")
    }

    private static func text(_ matchers: [Matcher]) -> String {
        "{" + matchers.map { "\($0.name)\($0.kind.rawValue)\($0.value.goQuoted)" }.joined(separator: ", ") + "}"
    }
}

private func shift(_ offset: Duration, _ at: Timestamp?) -> String {
    (offset == .zero ? "" : " offset \(offset.seconds)s") + (at.map { " @ \($0.seconds)" } ?? "")
}

extension Grouping {
    fileprivate var planText: String {
        switch self {
        case .by(let names): return "by (\(names.joined(separator: ", ")))"
        case .without(let names): return "without (\(names.joined(separator: ", ")))"
        }
    }
}
