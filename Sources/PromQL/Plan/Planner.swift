import Numbers
import TSDB

/// Turns a tree into a plan: everything that start, end, step and options decide is decided here, once.
///
/// - durations are computed (`DurationArithmetic`), `start()`, `end()`, `range()`, `step()` become numbers;
/// - scalars are folded: `2 * 3600` is one number before the first sample is read;
/// - parts that do not depend on the step (every selector in them fixed by `@`) are marked to run once.
///
/// Recursion follows the tree, whose depth the parser bounds.
struct Planner {
    let grid: StepGrid
    /// The query's own last time; `grid.end` lies on a step and may be earlier.
    let end: Timestamp
    let defaultSubqueryStep: Duration
    private let durations: DurationArithmetic

    /// `step` is zero for an instant query.
    init(_ grid: StepGrid, end: Timestamp, step: Duration, defaultSubqueryStep: Duration) {
        self.grid = grid
        self.end = end
        self.defaultSubqueryStep = defaultSubqueryStep
        let range = end - Timestamp(milliseconds: grid.start)
        durations = DurationArithmetic(step: step.seconds, range: range.seconds)
        queryStep = step
        queryRange = range
    }

    private let queryStep: Duration
    private let queryRange: Duration

    func plan(_ expr: Expr) throws(QueryError) -> Plan {
        Plan(root: StatisticsOnly.mark(try part(expr).once), grid: grid, type: expr.type)
    }

    /// A node, and whether it is the same at every step.
    private struct Part {
        var node: PlanNode
        var isInvariant: Bool

        /// The node, marked to run once if it can. Constants cost nothing anyway.
        var once: PlanNode {
            guard isInvariant else { return node }
            switch node {
            case .scalar, .string, .range, .stepInvariant: return node
            default: return .stepInvariant(node)
            }
        }
    }

    private func part(_ expr: Expr) throws(QueryError) -> Part {
        switch expr {
        case .number(let literal): return Part(node: .scalar(literal.value), isInvariant: true)
        case .string(let literal): return Part(node: .string(literal.value), isInvariant: true)
        case .paren(let inner, _): return try part(inner)
        case .unary(let unary): return try negation(unary)
        case .binary(let binary): return try binaryPart(binary)
        case .aggregate(let aggregate): return try aggregatePart(aggregate)
        case .call(let call): return try callPart(call)
        case .vectorSelector(let selector):
            let plan = try selectorPlan(selector)
            return Part(node: .selector(plan), isInvariant: plan.at != nil)
        case .matrixSelector, .subquery:
            let plan = try rangePlan(expr)
            return Part(node: .range(plan), isInvariant: plan.at != nil)
        }
    }

    private func negation(_ unary: UnaryExpr) throws(QueryError) -> Part {
        let operand = try part(unary.operand)
        guard unary.op == .minus else { return operand }
        if case .scalar(let value) = operand.node { return Part(node: .scalar(-value), isInvariant: true) }
        return Part(node: .negate(operand.node, type: unary.operand.type), isInvariant: operand.isInvariant)
    }

    private func binaryPart(_ binary: BinaryExpr) throws(QueryError) -> Part {
        let chain = binary.leftSpine
        var result = try part(chain[chain.count - 1].left)
        for binary in chain.reversed() { result = combine(binary, result, try part(binary.right)) }
        return result
    }

    private func combine(_ binary: BinaryExpr, _ left: Part, _ right: Part) -> Part {
        if case .scalar(let a) = left.node, case .scalar(let b) = right.node,
            let value = ConstantFolding.value(binary.op, a, b)
        {
            return Part(node: .scalar(value), isInvariant: true)
        }
        if left.isInvariant && right.isInvariant {
            return Part(node: .binary(binary, left: left.node, right: right.node), isInvariant: true)
        }
        return Part(node: .binary(binary, left: left.once, right: right.once), isInvariant: false)
    }

    private func aggregatePart(_ aggregate: AggregateExpr) throws(QueryError) -> Part {
        if aggregate.op == .countValues, case .string(let name)? = aggregate.parameter?.unparenthesized,
            let bytes = name.bytes
        {
            throw QueryError(.evaluation, "invalid label name \(QuotedText.go(bytes))", range: name.range)
        }
        let operand = try part(aggregate.operand)
        var parameter: PlanNode?
        if let expr = aggregate.parameter { parameter = try part(expr).once }
        let plan = AggregatePlan(
            op: aggregate.op, operand: operand.node, parameter: parameter,
            grouping: aggregate.isWithout ? .without(aggregate.grouping) : .by(aggregate.grouping),
            operandPlace: aggregate.operand.unparenthesized.range,
            parameterPlace: aggregate.parameter?.unparenthesized.range ?? aggregate.range, place: aggregate.range)
        // Upstream looks at the operand alone, so `topk(scalar(k), x @ 10)` takes its k from the first step.
        return Part(node: .aggregate(plan), isInvariant: operand.isInvariant)
    }

    private func selectorPlan(_ selector: VectorSelector) throws(QueryError) -> SelectorPlan {
        return SelectorPlan(
            matchers: selector.matchers,
            offset: try durations.resolve(selector.offset, selector.offsetExpr, allowsNegative: true),
            at: time(selector.at), yieldsTimestamps: false,
            reach: selector.isAnchored ? .anchored : selector.isSmoothed ? .smoothed : .window, place: selector.range)
    }

    private func rangePlan(_ expr: Expr) throws(QueryError) -> RangePlan {
        switch expr {
        case .matrixSelector(let matrix):
            return RangePlan(
                source: .selector(try selectorPlan(matrix.selector)),
                length: try durations.resolve(matrix.window, matrix.windowExpr, allowsNegative: false),
                place: matrix.range)
        case .subquery(let subquery):
            let length = try durations.resolve(subquery.window, subquery.windowExpr, allowsNegative: false)
            var step = try durations.resolve(subquery.step, subquery.stepExpr, allowsNegative: false)
            if step.milliseconds <= 0 { step = defaultSubqueryStep }
            let offset = try durations.resolve(subquery.offset, subquery.offsetExpr, allowsNegative: true)
            return RangePlan(
                source: .subquery(
                    try part(subquery.operand).once, step: Duration(milliseconds: max(1, step.milliseconds)), offset: offset,
                    at: time(subquery.at)),
                length: length, place: subquery.range)
        case .paren(let inner, _): return try rangePlan(inner)
        default: throw QueryError(.syntax, "expected range vector, got \(expr.type.rawValue)", range: expr.range)
        }
    }

    private func time(_ modifier: AtModifier?) -> Timestamp? {
        switch modifier {
        case nil: return nil
        case .timestamp(let time): return time
        case .start: return Timestamp(milliseconds: grid.start)
        case .end: return end
        }
    }
}

// MARK: Calls

extension Planner {
    /// Functions whose answer depends on the step's time, or on the times of the elements, whatever their arguments.
    private static let variant: Set<String> = [
        "days_in_month", "day_of_month", "day_of_week", "day_of_year", "hour", "minute", "month", "year",
        "predict_linear", "time", "timestamp", "start_timestamp",
    ]

    private func callPart(_ call: Call) throws(QueryError) -> Part {
        let name = call.function.name
        if let value = queryConstant(name) { return Part(node: .scalar(value), isInvariant: true) }
        var isInvariant = !Self.variant.contains(name)

        if let rangeIndex = call.arguments.firstIndex(where: { $0.type == .matrix }) {
            let range = try rangePlan(call.arguments[rangeIndex])
            isInvariant = isInvariant && range.at != nil
            var parameters: [Part] = []
            for (index, argument) in call.arguments.enumerated() where index != rangeIndex {
                let parameter = try part(argument)
                isInvariant = isInvariant && parameter.isInvariant
                parameters.append(parameter)
            }
            let whole = isInvariant
            let plan = RangeFunctionPlan(
                call: call, range: range, parameters: parameters.map { whole ? $0.node : $0.once })
            return Part(node: .rangeFunction(plan), isInvariant: isInvariant)
        }

        // `timestamp(x)` asks for the samples' own times, and those of `x @ 1` are fixed, too. So with `start_timestamp(x)`.
        if name == "timestamp" || name == "start_timestamp", call.arguments.count == 1,
            case .vectorSelector(let selector) = call.arguments[0].unparenthesized
        {
            var argument = try selectorPlan(selector)
            argument.yieldsTimestamps = true
            return Part(
                node: .function(FunctionPlan(call: call, arguments: [.selector(argument)])),
                isInvariant: argument.at != nil)
        }

        if name == "info" { return try infoPart(call) }

        var parts: [Part] = []
        for argument in call.arguments {
            let part = try part(argument)
            isInvariant = isInvariant && part.isInvariant
            parts.append(part)
        }
        let whole = isInvariant
        return Part(
            node: .function(FunctionPlan(call: call, arguments: parts.map { whole ? $0.node : $0.once })),
            isInvariant: isInvariant)
    }

    /// `info(v, {…})`: the second argument is a selector of info series, which look at the time that `v` looks at.
    private func infoPart(_ call: Call) throws(QueryError) -> Part {
        let base = try part(call.arguments[0])
        let reference = try InfoReference(call.arguments[0]) { (offset, expr) throws(QueryError) in
            try durations.resolve(offset, expr, allowsNegative: true)
        }
        var matchers: [Matcher]?
        var place = call.range
        if call.arguments.count > 1, case .vectorSelector(let selector) = call.arguments[1].unparenthesized {
            matchers = selector.matchers
            place = selector.range
        }
        let selection = InfoSelection(matchers)
        let info = SelectorPlan(
            matchers: selection.data + selection.names, offset: reference.offset, at: time(reference.at), yieldsTimestamps: false,
            place: place)
        return Part(
            node: .function(FunctionPlan(call: call, arguments: [base.isInvariant ? base.node : base.once, .selector(info)])),
            isInvariant: base.isInvariant)
    }

    /// Functions of the query itself, in seconds.
    private func queryConstant(_ name: String) -> Double? {
        switch name {
        case "start": return Double(grid.start) / 1000
        case "end": return end.seconds
        case "range": return queryRange.seconds
        case "step": return queryRange == .zero ? 0 : queryStep.seconds
        default: return nil
        }
    }
}
