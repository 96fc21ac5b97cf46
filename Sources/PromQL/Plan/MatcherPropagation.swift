import TSDB

/// What one side of a join demands of a label that both sides must agree on, the other side may as well select by.
///
///     rate(errors{job="api"}[5m]) / rate(requests[5m])     →   … / rate(requests{job="api"}[5m])
///     sum by (job) (a) and on (job) b{job=~"api|db"}       →   sum by (job) (a{job=~"api|db"}) and …
///
/// Which way it may go depends on the join, because an answer must stay an answer and an error an error:
///
///     and                     both ways
///     unless                  to the right: what the right side loses could not have removed anything
///     or, fill                neither
///     one-to-one, many-to-one both ways, but only where no two series of the “one” side can share a signature. Where two
///                             do, upstream reports them as duplicates, even in groups that the other side does not have.
///                             So the “one” side must not lose them, nor the “many” side become empty: a join with an
///                             empty side answers nothing before it looks for duplicates.
///
/// A matcher travels only through operators that leave its label as it is: functions of values, range functions, aggregations
/// that keep the label. The name never travels. Nor does a matcher pass what could fail for a series that it takes away: where names go and series
/// of several names may become equal, and where a parameter may be refused.
enum MatcherPropagation {
    static func apply(to node: PlanNode) -> PlanNode {
        let node = node.mapChildren { apply(to: $0) }
        guard case .binary(let expr, let left, let right) = node, let matching = expr.matching,
            matching.fillLeft == nil, matching.fillRight == nil
        else { return node }
        let join = Join(matching)
        let toLeft: Bool, toRight: Bool
        switch expr.op {
        case .and: (toLeft, toRight) = (true, true)
        case .unless: (toLeft, toRight) = (false, true)
        case .or: return node
        default:
            switch matching.cardinality {
            case .oneToOne, .manyToOne:
                toRight = join.hasOwnSignatures(right)
                toLeft = toRight
            case .oneToMany:
                toLeft = join.hasOwnSignatures(left)
                toRight = toLeft
            case .manyToMany: return node
            }
        }
        let demanded = (left: join.demands(of: left), right: join.demands(of: right))
        return .binary(
            expr, left: toLeft ? restricting(left, to: demanded.right) : left,
            right: toRight ? restricting(right, to: demanded.left) : right)
    }

    /// The labels that both sides of a join agree on.
    private struct Join {
        let matching: VectorMatching

        init(_ matching: VectorMatching) { self.matching = matching }

        func compares(_ name: String) -> Bool {
            !NameDropping.labels.contains(name) && matching.labels.contains(name) == matching.isOn
        }

        func demands(of node: PlanNode) -> [Matcher] { MatcherPropagation.demands(of: node).filter { compares($0.name) } }

        /// No two series of `node` can have the same signature.
        func hasOwnSignatures(_ node: PlanNode) -> Bool {
            switch node {
            case .selector(let plan): return plan.pinnedName != nil && comparesAll
            case .rangeFunction(let plan):
                guard case .selector(let selector) = plan.range.source else { return false }
                return selector.pinnedName != nil && comparesAll
            case .aggregate(let plan):
                guard MatcherPropagation.folds.contains(plan.op) else { return false }
                switch plan.grouping {
                case .by(let names): return names.allSatisfy { compares($0) }
                case .without: return comparesAll
                }
            case .stepInvariant(let inner), .negate(let inner, _), .shared(_, let inner): return hasOwnSignatures(inner)
            case .function(let plan): return plan.elementwiseOperand.map { hasOwnSignatures($0) } ?? false
            default: return false
            }
        }

        private var comparesAll: Bool { !matching.isOn && matching.labels.isEmpty }
    }

    /// Aggregations that answer one series per group.
    private static let folds: Set<AggregateOperator> = [
        .sum, .avg, .count, .min, .max, .group, .stddev, .stdvar, .quantile,
    ]

    /// Conditions that every series of `node` satisfies.
    private static func demands(of node: PlanNode) -> [Matcher] {
        switch node {
        case .selector(let plan): return plan.matchers
        case .rangeFunction(let plan):
            guard case .selector(let selector) = plan.range.source, plan.name != "absent_over_time" else { return [] }
            return selector.matchers
        case .aggregate(let plan):
            guard plan.op != .countValues else { return [] }
            let isFold = folds.contains(plan.op)
            return demands(of: plan.operand).filter { !isFold || plan.grouping.keeps($0.name) }
        case .stepInvariant(let inner), .negate(let inner, _), .shared(_, let inner): return demands(of: inner)
        case .function(let plan): return plan.elementwiseOperand.map { demands(of: $0) } ?? []
        case .binary(let expr, let left, let right):
            if expr.op == .and || expr.op == .unless { return demands(of: left) }
            guard expr.matching == nil else { return [] }
            return demands(of: expr.left.type == .vector ? left : right)
        case .scalar, .string, .range: return []
        }
    }

    /// `node` without the series that fail `matchers`, as far as selecting fewer can do that. What cannot be pushed down is
    /// left as it is: the join sorts it out.
    private static func restricting(_ node: PlanNode, to matchers: [Matcher]) -> PlanNode {
        guard !matchers.isEmpty else { return node }
        switch node {
        case .selector(var plan):
            plan.add(matchers)
            return .selector(plan)
        case .rangeFunction(var plan):
            guard case .selector(var selector) = plan.range.source, selector.pinnedName != nil, !refusing.contains(plan.name) else { return node }
            selector.add(matchers)
            plan.range.source = .selector(selector)
            return .rangeFunction(plan)
        case .aggregate(var plan):
            guard plan.op != .countValues else { return node }
            // Whole groups go or stay.
            plan.operand = restricting(plan.operand, to: matchers.filter { plan.grouping.keeps($0.name) })
            return .aggregate(plan)
        case .stepInvariant(let inner): return .stepInvariant(restricting(inner, to: matchers))
        case .negate(let inner, let type):
            guard hasOneName(inner) else { return node }
            return .negate(restricting(inner, to: matchers), type: type)
        case .function(var plan):
            guard let operand = plan.elementwiseOperand, hasOneName(operand) else { return node }
            plan.arguments[0] = restricting(operand, to: matchers)
            return .function(plan)
        case .binary(let expr, let left, let right):
            if expr.op == .and || expr.op == .unless {
                return .binary(expr, left: restricting(left, to: matchers), right: right)
            }
            guard expr.matching == nil, hasOneName(expr.left.type == .vector ? left : right) else { return node }
            return expr.left.type == .vector
                ? .binary(expr, left: restricting(left, to: matchers), right: right)
                : .binary(expr, left: left, right: restricting(right, to: matchers))
        case .scalar, .string, .range, .shared: return node
        }
    }
}

extension MatcherPropagation {
    /// Functions whose answer, or whose error, hangs on there being any series at all.
    private static let refusing: Set<String> = ["absent_over_time", "double_exponential_smoothing"]

    /// No two series of `node` become equal when names are taken away.
    private static func hasOneName(_ node: PlanNode) -> Bool {
        switch node {
        case .selector(let plan): return plan.pinnedName != nil
        case .rangeFunction(let plan):
            guard case .selector(let selector) = plan.range.source else { return false }
            return selector.pinnedName != nil
        case .aggregate(let plan): return folds.contains(plan.op)
        case .stepInvariant(let inner), .negate(let inner, _), .shared(_, let inner): return hasOneName(inner)
        case .function(let plan): return plan.elementwiseOperand.map { hasOneName($0) } ?? false
        case .binary(let expr, let left, let right):
            if expr.op == .and || expr.op == .unless { return hasOneName(left) }
            return expr.matching == nil && hasOneName(expr.left.type == .vector ? left : right)
        case .scalar, .string, .range: return false
        }
    }
}

extension SelectorPlan {
    fileprivate mutating func add(_ more: [Matcher]) {
        for matcher in more where !matchers.contains(matcher) { matchers.append(matcher) }
    }
}

extension Grouping {
    /// Whether members of a group have the label in common.
    fileprivate func keeps(_ name: String) -> Bool {
        switch self {
        case .by(let names): return names.contains(name)
        case .without(let names): return !names.contains(name)
        }
    }
}

extension FunctionPlan {
    private static let elementwise: Set<String> = [
        "abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "clamp", "clamp_max", "clamp_min", "cos", "cosh",
        "deg", "exp", "floor", "ln", "log10", "log2", "rad", "round", "sgn", "sin", "sinh", "sqrt", "tan", "tanh",
    ]

    /// The vector whose values are changed one by one, labels staying as they are.
    fileprivate var elementwiseOperand: PlanNode? {
        Self.elementwise.contains(call.function.name) ? arguments.first : nil
    }
}
