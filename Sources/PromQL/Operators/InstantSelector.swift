import Histograms
import TSDB

/// `x{…}`: at each step the newest sample that is not older than the lookback.
///
///     lookback 5m        ├──────────────────┤
///     samples      ×   ×    ×         ×       ×
///     step                                  t        value of the second last, of `(t − 5m, t]`
///
/// A stale marker as the newest sample says that the series has ended: no value, however fresh the one before it.
/// Streaming: storage decodes series `i` when column `i` is asked for.
public struct InstantSelector: VectorOperator {
    private let series: any SeriesSet
    private let windows: WindowGrid
    private let context: QueryContext
    /// For `timestamp(x)`: the sample's own time in seconds takes the place of its value.
    private let yieldsTimestamps: Bool
    private let pinnedName: String?
    /// Count and sum of histograms are enough.
    private let readsStatistics: Bool
    /// For `start_timestamp(x)`: when the sample's count began takes that place.
    private let readsStarts: Bool

    /// `windows` have the lookback as length.
    public init(
        _ series: any SeriesSet, _ windows: WindowGrid, pinnedName: String? = nil, yieldsTimestamps: Bool = false,
        readsStatistics: Bool = false, readsStarts: Bool = false, context: QueryContext
    ) {
        self.series = series
        self.windows = windows
        self.pinnedName = pinnedName
        self.yieldsTimestamps = yieldsTimestamps
        self.readsStatistics = readsStatistics
        self.readsStarts = readsStarts
        self.context = context
    }

    public var count: Int { series.count }
    public var canFail: Bool { false }
    public var isDistinctWithoutNames: Bool {
        pinnedName != nil && groups(NameDropping.beside).labels.count <= 1
    }

    public func labels(at index: Int) -> Labels { series.labels(at: index) }

    public func groups(_ grouping: Grouping) -> Groups { series.groups(grouping) }

    public func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        try scratch.decode(index, of: series, windows, readingStarts: readsStarts, context)
        column.clear()
        let count = scratch.samples.count
        guard count > 0 else { return }
        let plan = scratch.plan(windows, fitting: scratch.samples.timestamps, count: count)
        if yieldsTimestamps && readsStarts {
            pick(plan, scratch.samples.values, into: &column) { scratch.samples.start(ofSample: $0) }
        } else if yieldsTimestamps {
            pick(plan, scratch.samples.values, into: &column) { scratch.samples.timestamps[$0] }
        } else {
            pick(plan, scratch.samples.values, into: &column)
            if !scratch.samples.histograms.isEmpty { pickHistograms(plan, scratch.samples, into: &column) }
        }
    }

    /// After the values, among which their sums are: a stale one is no longer present.
    private func pickHistograms(_ plan: WindowPlan, _ samples: borrowing SampleColumns, into column: inout StepColumn) {
        let statistics = readsStatistics ? HistogramStatistics(windows, of: samples) : nil
        // At neighbouring steps it is often the same sample: then they share its row.
        var last = (index: -1, step: -1)
        for step in 0..<windows.count where column.isPresent(step) {
            let index = plan.high[step] &- 1, row = samples.histograms.row(of: index)
            guard row >= 0 else { continue }
            let isShared = index == last.index
            if let statistics, !isShared {
                if let histogram = statistics.histogram(index, of: samples) { column.set(step, histogram) }
            } else {
                column.set(step, row: row, of: samples.histograms, sharedWith: isShared ? last.step : nil)
            }
            last = (index, step)
        }
    }

    private func pick(_ plan: WindowPlan, _ values: UnsafePointer<Double>, into column: inout StepColumn) {
        column.presence.update(from: plan.presence, count: plan.wordCount)
        var hasStale = false
        let result = column.values
        plan.forEachWindow { step, _, high in
            let value = values[high &- 1]
            result[step] = value
            hasStale = hasStale || StaleMarker.isStale(value)
        }
        if hasStale { dropStale(plan, values, from: &column) }
    }

    private func pick(
        _ plan: WindowPlan, _ values: UnsafePointer<Double>, into column: inout StepColumn, time: (Int) -> Int64
    ) {
        column.presence.update(from: plan.presence, count: plan.wordCount)
        plan.forEachWindow { step, _, high in column.values[step] = Double(time(high &- 1)) / 1000 }
        dropStale(plan, values, from: &column)
    }

    private func dropStale(_ plan: WindowPlan, _ values: UnsafePointer<Double>, from column: inout StepColumn) {
        for step in 0..<windows.count where column.isPresent(step) && StaleMarker.isStale(values[plan.high[step] &- 1]) {
            column.unset(step)
        }
    }
}

extension QueryError {
    /// Storage failed under a query.
    init(storage error: TSDBError) { self.init(.storage, "expanding series: \(error.description)") }
}
