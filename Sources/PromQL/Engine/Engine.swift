import TSDB

/// The front door of PromQL: text in, values out.
///
///     text ─▶ Parser ─▶ Expr ─▶ Planner ─▶ Plan ─▶ OperatorBuilder ─▶ operators ─▶ QueryResult
///
/// Calls block until the query is done and use the caller's thread: run them outside Swift's concurrency pool. Several
/// may run at once.
public struct Engine: Sendable {
    public let options: EngineOptions

    public init(_ options: EngineOptions = EngineOptions()) { self.options = options }

    /// Steps further than this from the epoch (73 million years) are refused.
    private static let farthest: Int64 = 1 << 61

    /// Evaluates `query` at one time. `context` lets the caller cancel it from another thread.
    public func instant(
        _ query: String, on storage: any Queryable, at time: Timestamp, lookback: Duration? = nil,
        context: QueryContext? = nil
    ) throws(QueryError) -> QueryResult {
        let expr = try parse(query)
        return try instant(expr, query, on: storage, at: time, lookback: lookback, context: context)
    }

    /// Evaluates `query` at `start`, `start + step`, … up to `end`. `step` must be positive.
    public func range(
        _ query: String, on storage: any Queryable, start: Timestamp, end: Timestamp, step: Duration,
        lookback: Duration? = nil, context: QueryContext? = nil
    ) throws(QueryError) -> QueryResult {
        let expr = try parse(query)
        return try range(
            expr, query, on: storage, start: start, end: end, step: step, lookback: lookback, context: context)
    }

    /// Evaluates an expression that was parsed before, as rules are. `text` is what places in it refer to.
    public func instant(
        _ expr: Expr, _ text: String, on storage: any Queryable, at time: Timestamp, lookback: Duration? = nil,
        context: QueryContext? = nil
    ) throws(QueryError) -> QueryResult {
        let context = context ?? options.context()
        let plan = try self.plan(expr, start: time, end: time, step: .zero)
        context.analysis?.begin(plan.grid)
        defer { context.analysis?.end() }
        let value = try evaluate(plan, storage, lookback, context)
        return result(value, text, context)
    }

    public func range(
        _ expr: Expr, _ text: String, on storage: any Queryable, start: Timestamp, end: Timestamp, step: Duration,
        lookback: Duration? = nil, context: QueryContext? = nil
    ) throws(QueryError) -> QueryResult {
        let context = context ?? options.context()
        guard expr.type == .vector || expr.type == .scalar else {
            throw QueryError(
                .syntax,
                "invalid expression type \"\(expr.type.rawValue)\" for range query, must be Scalar or instant Vector")
        }
        guard step > .zero else { throw QueryError(.evaluation, "step of a range query must be positive") }
        let plan = try self.plan(expr, start: start, end: end, step: step)
        context.analysis?.begin(plan.grid)
        defer { context.analysis?.end() }
        let builder = builder(storage, lookback, context)
        try builder.checkColumn(plan.grid)
        guard plan.grid.count > 0 else { return result(.matrix(RangeMatrix(grid: plan.grid)), text, context) }
        let root = try builder.build(plan.root, on: plan.grid)
        return result(.matrix(try collectMatrix(root, plan.grid, context)), text, context)
    }

    /// What would be done: for `EXPLAIN` and tests. A `step` of zero plans an instant query.
    public func plan(
        _ expr: Expr, start: Timestamp, end: Timestamp, step: Duration
    ) throws(QueryError) -> Plan {
        guard start.milliseconds.magnitude <= UInt64(Self.farthest), end.milliseconds.magnitude <= UInt64(Self.farthest)
        else { throw QueryError(.evaluation, "evaluation time is out of range") }
        let grid: StepGrid
        if step > .zero {
            let span = (end - start).milliseconds
            grid = StepGrid(
                start: start.milliseconds, step: step.milliseconds,
                count: span < 0 ? 0 : Int(span / step.milliseconds) + 1)
        } else {
            grid = StepGrid(start: start.milliseconds, step: 1, count: 1)
        }
        var plan = try Planner(grid, end: end, step: step, defaultSubqueryStep: options.defaultSubqueryStep).plan(expr)
        if options.usesStarts { plan.root = StartReading.mark(plan.root) }
        plan.root = options.passes.apply(to: plan.root)
        return plan
    }

    private func parse(_ query: String) throws(QueryError) -> Expr {
        try Parser.parse(query, options: options.parser)
    }

    func builder(_ storage: any Queryable, _ lookback: Duration?, _ context: QueryContext) -> OperatorBuilder {
        let lookback = lookback.flatMap { $0 > .zero ? $0 : nil } ?? options.lookback, fault = options.fault
        return OperatorBuilder(
            storage: fault?.storage(storage) ?? storage, lookback: fault?.lookback(lookback) ?? lookback,
            delayedNameRemoval: options.delayedNameRemoval, context: context, fault: fault)
    }

    private func result(_ value: QueryResult.Value, _ text: String, _ context: QueryContext) -> QueryResult {
        let annotations = context.annotations
        return QueryResult(
            value: value, annotations: annotations, warnings: annotations.descriptions(.warning, in: text),
            infos: annotations.descriptions(.info, in: text),
            statistics: QueryStatistics(samplesRead: context.samplesRead, samplesPeak: context.samplesPeak))
    }
}

// MARK: Instant queries

extension Engine {
    private func evaluate(
        _ plan: Plan, _ storage: any Queryable, _ lookback: Duration?, _ context: QueryContext
    ) throws(QueryError) -> QueryResult.Value {
        let time = Timestamp(milliseconds: plan.grid.start)
        let builder = builder(storage, lookback, context)
        switch plan.root {
        case .string(let text): return .string(text, at: time)
        case .range(let range): return .samples(try collectSamples(range, plan.grid, builder))
        default: break
        }
        let root = try builder.build(plan.root, on: plan.grid)
        if plan.type == .scalar {
            let scratch = Scratch()
            var column = StepColumn(count: 1)
            try root.fill(0, into: &column, scratch: scratch)
            return .scalar(column.isPresent(0) ? column.values[0] : .nan, at: time)
        }
        return .vector(try collectVector(root, time, context))
    }

    private func collectVector(
        _ root: any VectorOperator, _ time: Timestamp, _ context: QueryContext
    ) throws(QueryError) -> InstantVector {
        let root = finished(root)
        var vector = InstantVector(at: time)
        var budget = LabelBudget(context)
        try root.forEachColumn(steps: 1, context) { (index, column) throws(QueryError) in
            guard column.isPresent(0) else { return }
            try context.reserve(samples: 1)
            try context.reserve(histogramsOf: column)
            let labels = root.labels(at: index)
            try budget.add(labels)
            vector.append(labels, column.values[0], column.histogram(0))
        }
        try budget.settle()
        return vector
    }

    /// The samples of the one window that ends at the query's time, series sorted by labels.
    private func collectSamples(
        _ range: RangePlan, _ grid: StepGrid, _ builder: OperatorBuilder
    ) throws(QueryError) -> SampleMatrix {
        let (source, windows) = try builder.source(range, grid)
        let scratch = Scratch()
        var matrix = SampleMatrix()
        var budget = LabelBudget(builder.context)
        for index in 0..<source.count {
            try source.load(index, into: scratch, context: builder.context)
            // A subquery's steps may reach out of the window; storage's samples do not.
            scratch.samples.trim(
                from: windows.from.milliseconds, through: windows.through.milliseconds, start: 0)
            if range.reach != .window { try scratch.samples.closeWindow(windows) }
            guard scratch.samples.count > 0 else { continue }
            try builder.context.reserve(samples: scratch.samples.count)
            // Twice: sorting by labels copies them.
            try builder.context.reserve(bytes: scratch.samples.count * 32)
            try builder.context.reserve(histogramsOf: scratch.samples)
            let labels = source.labels(at: index)
            try budget.add(labels)
            matrix.append(source.dropsName(at: index) ? labels.droppingName() : labels, scratch.samples)
        }
        try budget.settle()
        return matrix.reordered(try sortedByLabels(matrix.labels, builder.context))
    }
}

// MARK: Range queries

extension Engine {
    private func collectMatrix(
        _ root: any VectorOperator, _ grid: StepGrid, _ context: QueryContext
    ) throws(QueryError) -> RangeMatrix {
        let root = finished(root)
        var labels: [Labels] = []
        labels.reserveCapacity(root.count)
        var budget = LabelBudget(context)
        for index in 0..<root.count {
            let one = root.labels(at: index)
            try budget.add(one)
            labels.append(one)
        }
        try budget.settle()
        // Sorted before the values are there: rows are written in their final order, once.
        let order = try sortedByLabels(labels, context)
        var matrix = RangeMatrix(grid: grid)
        matrix.reserve(series: root.count)
        try root.forEachColumn(order, steps: grid.count, context) { (index, column) throws(QueryError) in
            let count = column.presentCount
            guard count > 0 else { return }
            try context.reserve(samples: count)
            try context.reserve(bytes: count * 8 + column.wordCount * 8)
            try context.reserve(histogramsOf: column)
            matrix.append(labels[index], column)
        }
        return matrix
    }

    /// Indices in upstream's order of results.
    private func sortedByLabels(_ labels: [Labels], _ context: QueryContext) throws(QueryError) -> [Int] {
        try context.reserve(bytes: labels.count * MemoryLayout<Int>.stride)
        return LabelOrder.sorted(labels)
    }

    /// With delayed name removal names go now, and series that become equal are one.
    private func finished(_ root: any VectorOperator) -> any VectorOperator {
        options.delayedNameRemoval ? DistinctRows.of(WithoutMarkedNames(input: root)) : root
    }
}

/// The end of a query with delayed name removal: names that were marked on the way are taken away.
private struct WithoutMarkedNames: VectorOperator {
    let input: any VectorOperator

    var count: Int { input.count }
    var canFail: Bool { input.canFail }

    func labels(at index: Int) -> Labels {
        input.dropsName(at: index) ? input.labels(at: index).droppingName() : input.labels(at: index)
    }

    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        try input.fill(index, into: &column, scratch: scratch)
    }
}
