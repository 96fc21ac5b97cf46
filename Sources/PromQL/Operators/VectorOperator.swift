import TSDB

/// A piece of a running query: a list of series, and a function from the number of a series to its column over all
/// steps of the query.
///
///     histogram_quantile ◄─ Aggregation ◄─ RangeFunction(rate) ◄─ storage
///           5 columns          60 columns     62,000 columns, one at a time
///
/// Series are addressed by index, so any range of them can be worked on by any thread, and nobody holds more columns than it
/// needs. Operators that must see everything (aggregations, the sides of a join, `sort`) do so when they are made, keep
/// their result as `ColumnTable`, and answer from it.
///
/// A scalar is an operator with one series, no labels and a value at every step.
public protocol VectorOperator: Sendable {
    /// Number of series; some of their columns may turn out empty.
    var count: Int { get }

    /// Labels of series `index`. Makes a value: ask only for what is needed.
    func labels(at index: Int) -> Labels

    /// With delayed name removal: series `index` keeps its `__name__` for now and loses it at the end of the query.
    func dropsName(at index: Int) -> Bool

    /// No two series become equal when names are taken away: all have the same name, or none. When in doubt, `false`.
    var isDistinctWithoutNames: Bool { get }

    /// Computing a column may end the query by what its data are (equal label sets that meet, two matches for one series). Upstream computes
    /// every operand as a whole; whoever has no use for some of the columns calls `computeUnused` for them, so that an error stays an error.
    /// Bounds and storage's errors do not count. Operators of several inputs decide it once, when they are made.
    var canFail: Bool { get }

    /// The columns are there already, and asking for one is a copy: not worth a second thread.
    var isHeld: Bool { get }

    /// Sorts the series into groups by their labels, the whole set at once (on symbol numbers where storage can).
    func groups(_ grouping: Grouping) -> Groups

    /// Overwrites `column` with series `index`. Columns have the operator's step count. May be called from several threads
    /// at once with a `scratch` of their own.
    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError)
}

extension VectorOperator {
    public func dropsName(at index: Int) -> Bool { false }

    public var isDistinctWithoutNames: Bool { false }

    public var isHeld: Bool { false }

    /// Computes columns that nobody will look at, for the sake of the errors that they may have.
    func computeUnused(_ indices: some Sequence<Int>, steps: Int, _ context: QueryContext) throws(QueryError) {
        guard canFail else { return }
        try forEachColumn(Array(indices), steps: steps, context) { (_, _) throws(QueryError) in }
    }

    public func groups(_ grouping: Grouping) -> Groups {
        Groups(grouping, count: count) { labels(at: $0) }
    }
}

/// Buffers of one thread of one query, reused from series to series.
public final class Scratch {
    /// Samples of the series being decoded.
    public var samples = SampleColumns()
    private var columns: [Box] = []
    private var used = 0

    final class Box {
        var column: StepColumn
        init(count: Int) { column = StepColumn(count: count) }
    }

    private var work = 0
    private var samplesRead = 0
    /// Where samples read are counted in the end.
    private var context: QueryContext?
    /// One per different grid of windows in the query: a handful.
    var plans: [WindowPlan] = []

    /// Samples or steps worked on between two looks at the clock: about a millisecond.
    static let workBetweenChecks = 1 << 18

    public init() {}

    /// Counts `amount` samples or steps of work and throws when the query was cancelled or its time is over.
    @inline(__always)
    public func spend(_ amount: Int, _ context: QueryContext) throws(QueryError) {
        try context.checkCanceled()
        work &+= amount
        if work > Self.workBetweenChecks {
            work = 0
            try context.check()
        }
    }

    /// Puts the samples of a stored series that `windows` may need in the place of `samples`. They count as work together with the steps that
    /// will look at them, and as read from storage: here until the scratch goes, as a counter that all threads wrote to for every series would
    /// cost more than the counting.
    @inline(__always)
    func decode(
        _ index: Int, of series: any SeriesSet, _ windows: WindowGrid, readingStarts: Bool = false, _ context: QueryContext
    ) throws(QueryError) {
        samples.removeAll(readingStarts: readingStarts)
        do {
            try series.decode(index, from: windows.from.milliseconds, through: windows.through.milliseconds, into: &samples)
        } catch {
            throw QueryError(storage: error)
        }
        try spend(samples.count + windows.count, context)
        samplesRead &+= samples.count
        if self.context == nil { self.context = context }
    }

    deinit { context?.countRead(samples: samplesRead) }

    /// Lends a column of `count` steps for the duration of `body`; nested calls get columns of their own.
    /// The content is whatever was in it before.
    public func withColumn<R>(
        count: Int, _ body: (inout StepColumn) throws(QueryError) -> R
    ) throws(QueryError) -> R {
        if used == columns.count { columns.append(Box(count: count)) }
        let box = columns[used]
        if box.column.count != count { box.column = StepColumn(count: count) }
        used += 1
        defer { used -= 1 }
        return try body(&box.column)
    }
}
