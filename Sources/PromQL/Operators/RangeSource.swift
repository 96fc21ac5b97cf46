import TSDB

/// Where windows get their samples: series in storage, or the columns of a subquery.
protocol RangeSource: Sendable {
    var count: Int { get }
    /// As `VectorOperator.canFail`.
    var canFail: Bool { get }
    func labels(at index: Int) -> Labels
    func dropsName(at index: Int) -> Bool
    func groups(_ grouping: Grouping) -> Groups

    /// Replaces `scratch.samples` with the samples of series `index` that any window may need, without stale markers:
    /// windows do not see them.
    func load(_ index: Int, into scratch: Scratch, context: QueryContext) throws(QueryError)
}

/// `x[5m]`: series as storage has them.
struct StoredRange: RangeSource {
    let series: any SeriesSet
    let windows: WindowGrid
    var readsStatistics = false
    var readsStarts = false

    var count: Int { series.count }
    var canFail: Bool { false }
    func labels(at index: Int) -> Labels { series.labels(at: index) }
    func dropsName(at index: Int) -> Bool { false }
    func groups(_ grouping: Grouping) -> Groups { series.groups(grouping) }

    func load(_ index: Int, into scratch: Scratch, context: QueryContext) throws(QueryError) {
        try scratch.decode(index, of: series, windows, readingStarts: readsStarts, context)
        scratch.samples.dropStaleMarkers()
        if readsStatistics, !scratch.samples.histograms.isEmpty {
            scratch.samples = HistogramStatistics(windows, of: scratch.samples, isRange: true).reduced(scratch.samples)
        }
    }
}
