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

    /// `windows` have the lookback as length.
    public init(_ series: any SeriesSet, _ windows: WindowGrid, pinnedName: String? = nil, yieldsTimestamps: Bool = false,
        context: QueryContext) {
        self.series = series
        self.windows = windows
        self.pinnedName = pinnedName
        self.yieldsTimestamps = yieldsTimestamps
        self.context = context
    }

    public var count: Int { series.count }
    public var isDistinctWithoutNames: Bool { pinnedName != nil }

    public func labels(at index: Int) -> Labels { series.labels(at: index) }

    public func groups(_ grouping: Grouping) -> Groups { series.groups(grouping) }

    public func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        scratch.samples.removeAll()
        do {
            try series.decode(
                index, from: windows.from.milliseconds, through: windows.through.milliseconds, into: &scratch.samples)
        } catch {
            throw QueryError(storage: error)
        }
        let count = scratch.samples.count
        try scratch.spend(count + windows.count, context)
        context.countRead(samples: count)
        column.clear()
        pick(scratch.samples.timestamps, scratch.samples.values, count, into: &column)
    }

    private func pick(
        _ times: UnsafePointer<Int64>, _ values: UnsafePointer<Double>, _ count: Int, into column: inout StepColumn
    ) {
        var next = 0
        for step in 0..<windows.count {
            let time = windows.end(step)
            while next < count && times[next] <= time { next &+= 1 }
            guard next > 0 else { continue }
            let newest = next &- 1
            if times[newest] > time &- windows.length && !StaleMarker.isStale(values[newest]) {
                column.set(step, yieldsTimestamps ? Double(times[newest]) / 1000 : values[newest])
            }
        }
    }
}

extension QueryError {
    /// Storage failed under a query.
    init(storage error: TSDBError) { self.init(.storage, "expanding series: \(error.description)") }
}
