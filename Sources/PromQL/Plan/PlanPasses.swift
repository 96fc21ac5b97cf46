/// Rewritings of a finished plan that change what it costs and not what it answers. Each is a file; each can be switched off,
/// so that a test can ask whether it made a difference.
///
///     plan ─▶ MatcherPropagation ─▶ SelectorMerging ─▶ CommonSubexpressions ─▶ plan
///              fewer series          fewer selections     fewer operators
///
/// What the planner itself does (constants, parts that are the same at every step) cannot be switched off: upstream does it, too.
/// Labels that nobody reads need no pass: operators are addressed by number, and labels are made for groups and answers only.
public struct PlanPasses: OptionSet, Sendable {
    public let rawValue: Int

    public init(rawValue: Int) { self.rawValue = rawValue }

    /// `a{x="1"} / b` selects `b{x="1"}`.
    public static let matcherPropagation = PlanPasses(rawValue: 1)
    /// `x{code="500"}` beside `x` is a part of one selection.
    public static let selectorMerging = PlanPasses(rawValue: 2)
    /// What is written twice is computed once.
    public static let commonSubexpressions = PlanPasses(rawValue: 4)

    public static let all: PlanPasses = [.matcherPropagation, .selectorMerging, .commonSubexpressions]

    func apply(to root: PlanNode) -> PlanNode {
        var root = root
        if contains(.matcherPropagation) { root = MatcherPropagation.apply(to: root) }
        if contains(.selectorMerging) { root = SelectorMerging.apply(to: root) }
        if contains(.commonSubexpressions) { root = CommonSubexpressions.apply(to: root) }
        return root
    }
}

extension PlanNode {
    /// The same node over changed children; `change` also gets the inner plans of subqueries.
    func mapChildren(_ change: (PlanNode) -> PlanNode) -> PlanNode {
        switch self {
        case .scalar, .string, .selector: return self
        case .range(var range):
            range.source = range.source.mapInner(change)
            return .range(range)
        case .rangeFunction(var plan):
            plan.range.source = plan.range.source.mapInner(change)
            plan.parameters = plan.parameters.map(change)
            return .rangeFunction(plan)
        case .function(var plan):
            plan.arguments = plan.arguments.map(change)
            return .function(plan)
        case .aggregate(var plan):
            plan.operand = change(plan.operand)
            plan.parameter = plan.parameter.map(change)
            return .aggregate(plan)
        case .binary(let expr, let left, let right): return .binary(expr, left: change(left), right: change(right))
        case .negate(let operand, let type): return .negate(change(operand), type: type)
        case .stepInvariant(let operand): return .stepInvariant(change(operand))
        case .shared(let number, let operand): return .shared(number, change(operand))
        }
    }
}

extension RangePlan.Source {
    fileprivate func mapInner(_ change: (PlanNode) -> PlanNode) -> RangePlan.Source {
        guard case .subquery(let inner, let step, let offset, let at) = self else { return self }
        return .subquery(change(inner), step: step, offset: offset, at: at)
    }
}
