import TSDB

/// Makes the operators that carry out a plan, leaves first.
///
/// Selectors ask storage here, breakers do their work here; what is left streams when its columns are asked for.
struct OperatorBuilder {
    let storage: any Queryable
    let lookback: Duration
    let delayedNameRemoval: Bool
    let context: QueryContext
    /// A mistake to make, in tests.
    private let fault: EngineFault?
    private let sharedOperators = SharedOperators()
    private let sharedSelections = SharedSelections()

    init(
        storage: any Queryable, lookback: Duration, delayedNameRemoval: Bool, context: QueryContext,
        fault: EngineFault? = nil
    ) {
        self.storage = storage
        self.lookback = lookback
        self.delayedNameRemoval = delayedNameRemoval
        self.context = context
        self.fault = fault
    }

    /// What a set holds per series.
    private static let bytesPerSeries = 96

    /// What a function that changes a value's meaning does to names.
    var dropping: NameTreatment { delayedNameRemoval ? .marked : .dropped }

    func build(_ node: PlanNode, on grid: StepGrid) throws(QueryError) -> any VectorOperator {
        try context.check()
        // What an operator borrows while it works: a few columns, the windows of its series. Deep queries add up.
        try context.reserve(bytes: grid.count.multipliedReportingOverflow(by: 64).overflow ? .max : grid.count * 64)
        guard let analysis = context.analysis else { return try make(node, on: grid) }
        return try analysis.watch(Explanation(alone: node)) { (measures) throws(QueryError) in
            Measured(try make(node, on: grid, measures), measures, analysis.clock)
        }
    }

    /// `measures` of the node itself, where the query is watched.
    private func make(
        _ node: PlanNode, on grid: StepGrid, _ measures: OperatorMeasures? = nil
    ) throws(QueryError) -> any VectorOperator {
        if let fault, let wrong = try fault.wrongOperator(for: node, on: grid, self) { return wrong }
        switch fault?.rewritten(node) ?? node {
        case .scalar(let value): return ConstantScalar(value: value)
        case .selector(let plan): return try selector(plan, grid, measures)
        case .rangeFunction(let plan): return try rangeFunction(plan, grid)
        case .aggregate(let plan): return try aggregate(plan, grid)
        case .stepInvariant(let inner):
            if grid.count <= 1 { return try build(inner, on: grid) }
            return Repeat(once: try build(inner, on: StepGrid(start: grid.start, step: grid.step, count: 1)))
        case .negate(let operand, let type): return try negate(operand, type, grid)
        case .binary(let expr, let left, let right): return try binary(expr, left, right, grid)
        case .function(let plan): return try function(plan, grid)
        case .shared(let number, let inner):
            if let known = sharedOperators.find(number, on: grid) { return known }
            let made = try build(inner, on: grid)
            sharedOperators.keep(made, number, on: grid)
            return made
        case .string, .range: throw QueryError(.evaluation, "a string or range vector stands where a vector is wanted")
        }
    }

    func select(
        _ plan: SelectorPlan, _ windows: WindowGrid, _ measures: OperatorMeasures? = nil, isWindow: Bool = false
    ) throws(QueryError) -> any SeriesSet {
        let began = context.analysis?.clock() ?? 0
        let set: any SeriesSet
        do {
            set = try select(plan, from: windows.from, through: windows.through)
        } catch {
            // Storage gave up because we asked it to: say why.
            try context.check()
            throw QueryError(storage: error)
        }
        try context.reserve(bytes: set.count * Self.bytesPerSeries)
        try context.weigh(series: set.count, steps: windows.count)
        guard let measures, let clock = context.analysis?.clock else { return set }
        measures.selected(set.count, nanoseconds: clock() &- began, isWindow: isWindow)
        return Counted(inner: set, measures: measures, clock: clock)
    }

    private func select(
        _ plan: SelectorPlan, from: Timestamp, through: Timestamp
    ) throws(TSDBError) -> any SeriesSet {
        let stop: StopCheck = { [context] in context.shouldStop }
        guard let whole = plan.whole else {
            return try storage.select(plan.matchers, from: from, through: through, stop: stop)
        }
        let set = try sharedSelections.whole(whole, from: from, through: through) { () throws(TSDBError) in
            try storage.select(whole, from: from, through: through, stop: stop)
        }
        return PartialSeriesSet.of(set, where: plan.matchers.filter { !whole.contains($0) })
    }

    private func selector(
        _ plan: SelectorPlan, _ grid: StepGrid, _ measures: OperatorMeasures?
    ) throws(QueryError) -> any VectorOperator {
        if plan.reach == .smoothed && !plan.yieldsTimestamps { return try smoothedSelector(plan, grid, measures) }
        let windows = WindowGrid(grid, length: lookback, offset: plan.offset, at: plan.at)
        return InstantSelector(
            try select(plan, windows, measures), windows, pinnedName: plan.pinnedName,
            yieldsTimestamps: plan.yieldsTimestamps, readsStatistics: plan.readsStatistics, readsStarts: plan.readsStarts,
            context: context)
    }

    /// `x smoothed`: a window of one lookback that also sees the next sample.
    private func smoothedSelector(
        _ plan: SelectorPlan, _ grid: StepGrid, _ measures: OperatorMeasures?
    ) throws(QueryError) -> any VectorOperator {
        let windows = WindowGrid(grid, length: lookback, offset: plan.offset, at: plan.at, after: lookback)
        return RangeFunction(
            source: StoredRange(series: try select(plan, windows, measures, isWindow: true), windows: windows),
            windows: windows, kernel: SmoothedValue(), names: .kept, context: context, place: plan.place)
    }

    private func aggregate(_ plan: AggregatePlan, _ grid: StepGrid) throws(QueryError) -> any VectorOperator {
        let operand = try build(plan.operand, on: grid)
        guard plan.op.takesParameter, let parameter = plan.parameter else {
            return try Aggregation.make(
                plan.op, operand, plan.grouping, steps: grid.count, place: plan.operandPlace, context: context)
        }
        if plan.op == .countValues {
            guard case .string(let label) = parameter else {
                throw QueryError(.evaluation, "count_values wants the name of a label", range: plan.parameterPlace)
            }
            return try CountValues.make(
                operand, plan.grouping, label: label, grid: grid, place: plan.parameterPlace, context: context)
        }
        let scalar = try ScalarColumn(try build(parameter, on: grid), stepCount: grid.count)
        switch plan.op {
        case .topk, .bottomk:
            return try TopK.make(
                operand, plan.grouping, k: scalar, isTop: plan.op == .topk, grid: grid, place: plan.place, context: context)
        case .limitk: return try LimitK.make(operand, plan.grouping, k: scalar, grid: grid, context: context)
        case .quantile:
            return try QuantileAggregation.make(
                operand, plan.grouping, phi: scalar, grid: grid, place: plan.parameterPlace, operandPlace: plan.operandPlace,
                context: context)
        case .limitRatio:
            return try LimitRatio.make(operand, ratio: scalar, place: plan.parameterPlace, context: context)
        case .sum, .avg, .count, .min, .max, .group, .stddev, .stdvar, .countValues:
            preconditionFailure("\(plan.op.rawValue) takes no number")
        }
    }

    private func negate(
        _ operand: PlanNode, _ type: ValueType, _ grid: StepGrid
    ) throws(QueryError) -> any VectorOperator {
        let operand = try build(operand, on: grid)
        // Series that become equal are merged, as 3.14 does; only two values at one step are an error.
        return MappedSeries.make(operand, Negation(), names: type == .scalar ? .kept : dropping)
    }

    private func binary(
        _ expr: BinaryExpr, _ left: PlanNode, _ right: PlanNode, _ grid: StepGrid
    ) throws(QueryError) -> any VectorOperator {
        let left = try build(left, on: grid), right = try build(right, on: grid)
        return try BinaryLibrary.make(
            expr, left: left, right: right, leftType: expr.left.type, rightType: expr.right.type, grid: grid,
            names: dropping, context: context)
    }

    /// Info series are selected once the base series are known: only those of their targets.
    private func info(_ plan: FunctionPlan, _ grid: StepGrid) throws(QueryError) -> any VectorOperator {
        guard plan.arguments.count == 2, case .selector(var selector) = plan.arguments[1].unshared else {
            throw QueryError(.evaluation, "info() without a selector of info series", range: plan.call.range)
        }
        let base = try build(plan.arguments[0], on: grid)
        let windows = WindowGrid(grid, length: lookback, offset: selector.offset, at: selector.at)
        selector.whole = nil
        return try InfoEnrichment.make(base, InfoSelection(selector.matchers), windows, context: context) {
            (matchers) throws(QueryError) in
            selector.matchers = matchers
            return try select(selector, windows)
        }
    }

    private func function(_ plan: FunctionPlan, _ grid: StepGrid) throws(QueryError) -> any VectorOperator {
        if plan.call.function.name == "info" { return try info(plan, grid) }
        var arguments: [FunctionArgument] = []
        for argument in plan.arguments {
            switch argument {
            case .string(let text): arguments.append(.string(text))
            case .selector(let selector) where selector.yieldsTimestamps:
                let times = try build(argument, on: grid)
                arguments.append(selector.readsStarts ? .starts(times) : .timestamps(times))
            default: arguments.append(.operatorNode(try build(argument, on: grid)))
            }
        }
        return try FunctionLibrary.make(plan.call, arguments: arguments, grid: grid, names: dropping, context: context)
    }
}

// MARK: Ranges

extension OperatorBuilder {
    /// Where the windows of `plan` get their samples, and the windows.
    func source(_ plan: RangePlan, _ grid: StepGrid) throws(QueryError) -> (any RangeSource, WindowGrid) {
        guard let analysis = context.analysis else { return try source(plan, grid, nil) }
        return try analysis.watch(Explanation(alone: plan)) { (measures) throws(QueryError) in
            let made = try source(plan, grid, measures)
            if case .subquery = plan.source { measures.passesOn(made.0.count) }
            return made
        }
    }

    private func source(
        _ plan: RangePlan, _ grid: StepGrid, _ measures: OperatorMeasures?
    ) throws(QueryError) -> (any RangeSource, WindowGrid) {
        let windows = WindowGrid(
            grid, length: plan.length, offset: plan.offset, at: plan.at, reach: plan.reach, lookback: lookback)
        switch plan.source {
        case .selector(let selector):
            let series = try select(selector, windows, measures, isWindow: true)
            let range = StoredRange(
                series: series, windows: windows, readsStatistics: selector.readsStatistics, readsStarts: selector.readsStarts)
            return (range, windows)
        case .subquery(let inner, let step, _, _):
            let innerGrid = SubquerySource.grid(windows, step: step.milliseconds)
            if innerGrid.count == 0 { return (SubquerySource(inner: EmptyVector(), grid: innerGrid), windows) }
            try checkColumn(innerGrid)
            return (SubquerySource(inner: try build(inner, on: innerGrid), grid: innerGrid), windows)
        }
    }

    /// Refuses a grid of which not even one column may be held. Counts the bytes of what every grid needs once: a column,
    /// the samples it may become, the indices of its windows.
    func checkColumn(_ grid: StepGrid) throws(QueryError) {
        try context.reserve(samples: grid.count)
        context.release(samples: grid.count)
        let (bytes, overflow) = grid.count.multipliedReportingOverflow(by: 48)
        try context.reserve(bytes: overflow ? .max : bytes)
    }

    private func rangeFunction(
        _ plan: RangeFunctionPlan, _ grid: StepGrid
    ) throws(QueryError) -> any VectorOperator {
        if let refusal = plan.reachRefusal { throw refusal }
        let (source, windows) = try source(plan.range, grid)
        var parameters: [any VectorOperator] = []
        for parameter in plan.parameters { parameters.append(try build(parameter, on: grid)) }
        return try RangeFunctions.make(
            plan, source, windows, parameters: parameters, grid: grid, names: dropping, context: context)
    }
}
