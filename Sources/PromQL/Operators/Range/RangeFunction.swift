import TSDB

/// `f(x[5m])`: one value per step from the samples of the window that ends there.
///
///     samples  × ×  × × ×   × × ×
///     window        ( ──────────]            one kernel call per series slides over all steps
///
/// Generic over the kernel: choosing the function costs one call per series, not one per step. Streaming.
struct RangeFunction<Kernel: WindowKernel>: VectorOperator {
    let source: any RangeSource
    let windows: WindowGrid
    let kernel: Kernel
    let names: NameTreatment
    let context: QueryContext
    /// Where notes about native histograms point: the first argument.
    private let place: Range<Int>
    /// Says something about a counter's name once a series has answered.
    private let nameNote: CounterNameNote?
    let canFail: Bool

    init(
        source: any RangeSource, windows: WindowGrid, kernel: Kernel, names: NameTreatment, context: QueryContext,
        place: Range<Int>, nameNote: CounterNameNote? = nil
    ) {
        self.source = source
        self.windows = windows
        self.kernel = kernel
        self.names = names
        self.context = context
        self.place = place
        self.nameNote = nameNote
        canFail = source.canFail || kernel.canFail
    }

    var count: Int { source.count }
    var isDistinctWithoutNames: Bool { names == .dropped }

    func labels(at index: Int) -> Labels {
        names == .dropped ? source.labels(at: index).droppingName() : source.labels(at: index)
    }

    func dropsName(at index: Int) -> Bool { names == .marked || source.dropsName(at: index) }

    func groups(_ grouping: Grouping) -> Groups {
        source.groups(names == .dropped ? NameDropping.beneath(grouping) : grouping)
    }

    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        try source.load(index, into: scratch, context: context)
        column.clear()
        let samples = WindowSamples(
            times: scratch.samples.timestamps, values: scratch.samples.values, count: scratch.samples.count)
        guard samples.count > 0 else { return }
        let plan = scratch.plan(windows, fitting: samples.times, count: samples.count)
        // Once per series: nearly all have floats only.
        if !scratch.samples.starts.isEmpty {
            try fillStarted(index, samples, plan, into: &column, scratch)
        } else if scratch.samples.histograms.isEmpty {
            try kernel.run(samples, plan, into: &column, context)
        } else {
            try fillNative(index, plan, into: &column, scratch)
        }
        if let nameNote, column.hasFloats { nameNote.check(index, source, context) }
    }

    private func fillStarted(
        _ index: Int, _ samples: WindowSamples, _ plan: WindowPlan, into column: inout StepColumn, _ scratch: Scratch
    ) throws(QueryError) {
        let starts = SampleStarts(scratch.samples)
        if scratch.samples.histograms.isEmpty {
            try kernel.run(samples, starting: starts, plan, into: &column, context)
        } else {
            try fillNative(index, plan, into: &column, scratch)
        }
        guard kernel.notesOverlaps else { return }
        let overlaps = starts.overlapCount(plan, column)
        if overlaps > 0 {
            context.annotate(
                SampleStarts.overlapNote(source.labels(at: index).metricName ?? "", count: overlaps, at: place))
        }
    }

    private func fillNative(
        _ index: Int, _ plan: WindowPlan, into column: inout StepColumn, _ scratch: Scratch
    ) throws(QueryError) {
        var notes: WindowNotes = []
        try kernel.run(native: NativeSamples(scratch.samples), plan, into: &column, &notes, scratch, context)
        if !notes.isEmpty { notes.say(of: source.labels(at: index).metricName ?? "", at: place, context) }
    }
}

/// What an operator does with the metric name of its series.
enum NameTreatment: Sendable {
    case kept
    case dropped
    /// With delayed name removal: kept for now, dropped at the end of the query.
    case marked
}

/// The samples of one series, without stale markers, times strictly ascending.
struct WindowSamples {
    let times: UnsafePointer<Int64>
    let values: UnsafePointer<Double>
    let count: Int
}

/// The arithmetic of a range function over all windows of one series.
protocol WindowKernel: Sendable {
    /// Sets the steps that have a value; `column` comes cleared. `samples` are not empty, and `plan` is theirs.
    func run(
        _ samples: WindowSamples, _ plan: WindowPlan, into column: inout StepColumn, _ context: QueryContext
    ) throws(QueryError)

    /// The same of a series of which it is known when it began.
    func run(
        _ samples: WindowSamples, starting starts: SampleStarts, _ plan: WindowPlan, into column: inout StepColumn,
        _ context: QueryContext
    ) throws(QueryError)

    /// Windows may be refused for what is asked of them.
    var canFail: Bool { get }

    /// Whether starts that contradict the samples before are to be told.
    var notesOverlaps: Bool { get }

    /// The same of a series that has native histograms. `scratch` is for plans of other times.
    func run(
        native samples: NativeSamples, _ plan: WindowPlan, into column: inout StepColumn, _ notes: inout WindowNotes,
        _ scratch: Scratch, _ context: QueryContext
    ) throws(QueryError)
}

/// The plain kernel: every window is computed from its samples alone, in order, as the definition says it.
///
/// Costs O(samples in all windows). Functions whose rounding depends on the order of additions stay with it, so that
/// they give upstream's bits; others have kernels that carry state from window to window.
struct Rescanning<Function: WindowFunction>: WindowKernel {
    let function: Function

    func run(
        _ samples: WindowSamples, _ plan: WindowPlan, into column: inout StepColumn, _ context: QueryContext
    ) throws(QueryError) {
        var visited = 0
        for step in 0..<plan.windows.count {
            let low = plan.low[step]
            let size = plan.high[step] &- low
            guard size >= Function.minimumCount else { continue }
            column.set(step, function.value(samples.times + low, samples.values + low, count: size, step: step))
            visited &+= size
            if visited > Scratch.workBetweenChecks {
                visited = 0
                try context.check()
            }
        }
    }
}

/// A function of the samples of one window.
protocol WindowFunction: Sendable {
    /// Windows with fewer samples have no value.
    static var minimumCount: Int { get }
    func value(_ times: UnsafePointer<Int64>, _ values: UnsafePointer<Double>, count: Int, step: Int) -> Double
}

extension WindowFunction {
    static var minimumCount: Int { 1 }
}
