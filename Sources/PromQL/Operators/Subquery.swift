import TSDB

/// `(…)[1h:5m]`: the columns of an inner query become samples for windows.
///
///     outer steps                    t₀        t₁
///     windows          (─────────────┤
///                                (─────────────┤
///     inner steps     ×   ×   ×   ×   ×   ×   ×          at multiples of 5m since the epoch, whatever t₀ is
///
/// The inner plan has a grid of its own. Its columns are asked for one series at a time, like everything: nothing is held.
struct SubquerySource: RangeSource {
    let inner: any VectorOperator
    let grid: StepGrid

    /// The multiples of `step` that lie in any of `windows`.
    static func grid(_ windows: WindowGrid, step: Int64) -> StepGrid {
        let before = windows.from.milliseconds &- 1
        var first = before / step &* step
        if first <= before { first = first &+ step }
        let last = windows.through.milliseconds
        guard last >= first else { return StepGrid(start: first, step: step, count: 0) }
        let (span, overflow) = last.subtractingReportingOverflow(first)
        // Far too many steps are refused later, by number.
        return StepGrid(start: first, step: step, count: overflow || span == .max ? .max : Int(span / step) + 1)
    }

    var count: Int { inner.count }
    var canFail: Bool { inner.canFail }
    func labels(at index: Int) -> Labels { inner.labels(at: index) }
    func dropsName(at index: Int) -> Bool { inner.dropsName(at: index) }
    func groups(_ grouping: Grouping) -> Groups { inner.groups(grouping) }

    func load(_ index: Int, into scratch: Scratch, context: QueryContext) throws(QueryError) {
        try scratch.withColumn(count: grid.count) { (column) throws(QueryError) in
            // Uses `scratch.samples` for itself, so the samples are written afterwards.
            try inner.fill(index, into: &column, scratch: scratch)
            try scratch.spend(grid.count, context)
            scratch.samples.removeAll()
            scratch.samples.reserve(column.presentCount)
            for step in 0..<grid.count where column.isPresent(step) {
                if var histogram = column.histogram(step) {
                    // What was known of a reset was known of the sample before, which need not be among these.
                    if histogram.hint != .gauge { histogram.hint = .unknown }
                    scratch.samples.append(grid.time(step), histogram)
                } else {
                    scratch.samples.append(grid.time(step), column.values[step])
                }
            }
        }
        scratch.samples.dropStaleMarkers()
    }
}
