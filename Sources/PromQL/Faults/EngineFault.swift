import TSDB

/// Mistakes that the engine makes when told to: a comparison that finds none of them would find no real one either.
///
///     minprom serve --test.engine-fault=missed-reset        (not in the help; for tests alone)
///
/// Each stands for a mistake that was made in some implementation of PromQL. A fault is looked at when operators are
/// made, once per node of the plan, and never while they run: without one, nothing is different and nothing costs.
public enum EngineFault: String, Sendable, CaseIterable {
    /// `rate` and `increase` as if the samples reached the window's edges.
    case extrapolation
    /// Windows `[t − length, t]`, closed on both sides, as before Prometheus 3.
    case closedWindows = "closed-windows"
    /// A counter that falls is taken for one that shrank.
    case missedReset = "missed-reset"
    /// Buckets in the order in which they came.
    case unsortedBuckets = "unsorted-buckets"
    /// A sample stands for its series a millisecond too short.
    case shortLookback = "short-lookback"
    /// A stale marker does not end a series.
    case staleMarkers = "stale-markers"
    /// Sums without compensation of what rounding loses.
    case plainSum = "plain-sum"
    /// `avg` divides by all series of the group, those without a value included.
    case averageCount = "average-count"
    /// `group_left (a)` forgets to copy `a`.
    case groupLabels = "group-labels"
    /// `offset 5m` looks ahead.
    case offsetSign = "offset-sign"
    /// `sort` leaves the order as it is.
    case unsortedSort = "unsorted-sort"
    /// Functions of ranges keep the metric's name.
    case keptName = "kept-name"
}

extension EngineFault {
    /// The plan of a node with the mistake in it.
    func rewritten(_ node: PlanNode) -> PlanNode {
        switch (self, node) {
        case (.closedWindows, .rangeFunction(var plan)):
            plan.range.length = plan.range.length + .milliseconds(1)
            return .rangeFunction(plan)
        case (.offsetSign, .selector(let plan)): return .selector(Self.ahead(plan))
        case (.offsetSign, .rangeFunction(var plan)):
            if case .selector(let selector) = plan.range.source { plan.range.source = .selector(Self.ahead(selector)) }
            return .rangeFunction(plan)
        case (.groupLabels, .binary(var expr, let left, let right)):
            expr.matching?.include = []
            return .binary(expr, left: left, right: right)
        default: return node
        }
    }

    private static func ahead(_ plan: SelectorPlan) -> SelectorPlan {
        var plan = plan
        plan.offset = Duration.zero - plan.offset
        return plan
    }

    /// The operator in the place of the right one; `nil` where this fault has nothing to do with the node.
    func wrongOperator(
        for node: PlanNode, on grid: StepGrid, _ builder: OperatorBuilder
    ) throws(QueryError) -> (any VectorOperator)? {
        switch (self, node) {
        case (.extrapolation, .rangeFunction(let plan)) where ["rate", "increase"].contains(plan.name):
            let seconds = plan.name == "rate" ? plan.range.length.seconds : 1
            return try range(plan, grid, builder, Rescanning(function: PlainIncrease(divisor: seconds)))
        case (.missedReset, .rangeFunction(let plan)) where ["rate", "increase"].contains(plan.name):
            return try range(plan, grid, builder, Rate(isCounter: false, isPerSecond: plan.name == "rate"))
        case (.keptName, .rangeFunction(let plan)) where plan.name == "rate":
            return try range(plan, grid, builder, Rate(isCounter: true, isPerSecond: true), names: .kept)
        case (.unsortedBuckets, .function(let plan)) where plan.call.function.name == "histogram_quantile":
            let phi = try builder.build(plan.arguments[0], on: grid)
            let buckets = Misplaced(inner: try builder.build(plan.arguments[1], on: grid))
            return try FunctionLibrary.make(
                plan.call, arguments: [.operatorNode(phi), .operatorNode(buckets)], grid: grid, names: builder.dropping,
                context: builder.context)
        case (.unsortedSort, .function(let plan)) where ["sort", "sort_desc"].contains(plan.call.function.name):
            return try builder.build(plan.arguments[0], on: grid)
        case (.plainSum, .aggregate(let plan)) where plan.op == .sum:
            return try Aggregation.fold(
                try builder.build(plan.operand, on: grid), Aggregation.effective(plan.grouping), grid.count,
                plan.operandPlace, builder.context, PlainSum.self)
        case (.averageCount, .aggregate(let plan)) where plan.op == .avg:
            return try Aggregation.fold(
                try builder.build(plan.operand, on: grid), Aggregation.effective(plan.grouping), grid.count,
                plan.operandPlace, builder.context, AverageOfAll.self)
        default: return nil
        }
    }

    private func range(
        _ plan: RangeFunctionPlan, _ grid: StepGrid, _ builder: OperatorBuilder, _ kernel: some WindowKernel,
        names: NameTreatment? = nil
    ) throws(QueryError) -> any VectorOperator {
        let (source, windows) = try builder.source(plan.range, grid)
        return RangeFunction(
            source: source, windows: windows, kernel: kernel, names: names ?? builder.dropping, context: builder.context,
            place: plan.firstArgumentPlace)
    }

    /// The lookback with the mistake in it.
    func lookback(_ lookback: Duration) -> Duration {
        self == .shortLookback ? lookback - .milliseconds(1) : lookback
    }

    /// Storage with the mistake in it.
    func storage(_ storage: any Queryable) -> any Queryable {
        self == .staleMarkers ? UnmarkedStorage(inner: storage) : storage
    }
}
