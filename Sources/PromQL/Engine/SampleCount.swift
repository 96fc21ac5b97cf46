import TSDB

/// How many samples a query looks at, per step: what `stats=all` shows, by upstream's rules.
///
///     x                  1 per series and step that has a value; for a native histogram what it counts for (`HistogramWeight`)
///     rate(x[5m])        all samples of the window, at each step again
///     f(y[1h:5m])        all values of the window; what the inner part read does not count
///     y @ 100            as much at every step as at the one at which it is evaluated
///
/// "Each step should be what an instant query at its time would count", whatever work the engine saves. So it is
/// counted apart from evaluation, by a walk over the plan; only queries that ask for statistics pay for it.
public struct SampleCount: Sendable, Equatable {
    /// Samples at each step.
    public private(set) var perStep: [Int]
    /// The steps.
    public let grid: StepGrid

    public var total: Int { perStep.reduce(0, &+) }

    public init(_ grid: StepGrid = StepGrid(start: 0, step: 1, count: 0)) {
        self.grid = grid
        perStep = Array(repeating: 0, count: grid.count)
    }

    fileprivate mutating func add(_ count: Int, at step: Int) { perStep[step] &+= count }

    fileprivate mutating func addEverywhere(_ count: Int) {
        for step in perStep.indices { perStep[step] &+= count }
    }
}

/// The walk.
struct SampleCounter {
    let builder: OperatorBuilder
    private let scratch = Scratch()

    init(_ builder: OperatorBuilder) { self.builder = builder }

    func count(_ node: PlanNode, on grid: StepGrid) throws(QueryError) -> SampleCount {
        try builder.checkColumn(grid)
        var count = SampleCount(grid)
        try visit(node, grid, &count)
        return count
    }

    private func visit(_ node: PlanNode, _ grid: StepGrid, _ count: inout SampleCount) throws(QueryError) {
        try builder.context.check()
        switch node {
        case .scalar, .string: break
        case .selector(let plan): try selector(plan, grid, &count)
        case .range(let plan): try bareRange(plan, grid, &count)
        case .rangeFunction(let plan):
            for parameter in plan.parameters { try visit(parameter, grid, &count) }
            try windows(plan.range, grid, &count)
        case .function(let plan): for argument in plan.arguments { try visit(argument, grid, &count) }
        case .aggregate(let plan):
            if let parameter = plan.parameter { try visit(parameter, grid, &count) }
            try visit(plan.operand, grid, &count)
        case .binary(_, let left, let right):
            try visit(left, grid, &count)
            try visit(right, grid, &count)
        case .negate(let operand, _): try visit(operand, grid, &count)
        // Each time that it is written: upstream evaluates it each time.
        case .shared(_, let inner): try visit(inner, grid, &count)
        case .stepInvariant(let inner):
            let once = try self.count(
                inner, on: StepGrid(start: grid.start, step: grid.step, count: min(1, grid.count)))
            count.addEverywhere(once.total)
        }
    }

    private func selector(_ plan: SelectorPlan, _ grid: StepGrid, _ count: inout SampleCount) throws(QueryError) {
        let windows = WindowGrid(grid, length: builder.lookback, offset: plan.offset, at: plan.at)
        let selected = InstantSelector(
            try builder.select(plan, windows), windows, yieldsTimestamps: plan.yieldsTimestamps,
            readsStatistics: plan.readsStatistics, context: builder.context)
        var column = StepColumn(count: grid.count)
        for index in 0..<selected.count {
            try selected.fill(index, into: &column, scratch: scratch)
            for step in 0..<grid.count where column.isPresent(step) {
                count.add(column.histograms.sampleCount(step), at: step)
            }
        }
    }

    private func windows(_ plan: RangePlan, _ grid: StepGrid, _ count: inout SampleCount) throws(QueryError) {
        let (source, windows) = try builder.source(plan, grid)
        for index in 0..<source.count {
            try source.load(index, into: scratch, context: builder.context)
            guard scratch.samples.count > 0 else { continue }
            let fitted = scratch.plan(windows, fitting: scratch.samples.timestamps, count: scratch.samples.count)
            if scratch.samples.histograms.isEmpty {
                for step in 0..<grid.count { count.add(fitted.high[step] - fitted.low[step], at: step) }
            } else {
                // What all samples up to each one count for.
                var sums = [0]
                for index in 0..<scratch.samples.count {
                    sums.append(sums[index] &+ scratch.samples.histograms.sampleCount(index))
                }
                for step in 0..<grid.count { count.add(sums[fitted.high[step]] &- sums[fitted.low[step]], at: step) }
            }
        }
    }

    /// `x[5m]` as the whole query: the samples it answers; of a subquery, what its inner part looks at.
    private func bareRange(_ plan: RangePlan, _ grid: StepGrid, _ count: inout SampleCount) throws(QueryError) {
        guard case .subquery(let inner, let step, _, _) = plan.source else { return try windows(plan, grid, &count) }
        let windows = WindowGrid(grid, length: plan.length, offset: plan.offset, at: plan.at)
        let innerGrid = SubquerySource.grid(windows, step: step.milliseconds)
        guard innerGrid.count > 0, grid.count > 0 else { return }
        count.add(try self.count(inner, on: innerGrid).total, at: grid.count - 1)
    }
}

extension Engine {
    /// What a query looks at. A `step` of zero counts an instant query. Costs about what evaluating selectors does.
    public func countSamples(
        _ expr: Expr, on storage: any Queryable, start: Timestamp, end: Timestamp, step: Duration,
        lookback: Duration? = nil, context: QueryContext
    ) throws(QueryError) -> SampleCount {
        // The query as written: passes save reading, and upstream has none.
        var unchanged = options
        unchanged.passes = []
        let plan = try Engine(unchanged).plan(expr, start: start, end: end, step: step)
        return try SampleCounter(builder(storage, lookback, context)).count(plan.root, on: plan.grid)
    }
}
