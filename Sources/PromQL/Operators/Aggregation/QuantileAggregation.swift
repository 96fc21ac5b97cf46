import TSDB

/// `quantile(φ, …)`: needs all values of a group at once, so groups are worked on one at a time.
///
/// Memory is the largest group × steps. Source: Prometheus documentation, “Aggregation operators”.
enum QuantileAggregation {
    static func make(
        _ input: any VectorOperator, _ grouping: Grouping, phi: ScalarColumn, grid: StepGrid, place: Range<Int>,
        operandPlace: Range<Int>, context: QueryContext
    ) throws(QueryError) -> any VectorOperator {
        note(phi, place, context)
        let groups = input.groups(Aggregation.effective(grouping))
        try context.reserve(labelsOf: groups)
        let members = GroupMembers(groups.assignment, groupCount: groups.labels.count)
        let steps = grid.count
        try context.reserveTable(series: groups.labels.count, steps: steps)
        let result = ColumnTable(labels: groups.labels, stepCount: steps)

        let largest = Selection.groupSizes(groups).max() ?? 0
        try context.reserveTable(series: largest, steps: steps)
        defer { context.releaseTable(series: largest, steps: steps) }
        // Step by step, the values of the group behind each other.
        let values = UnsafeMutablePointer<Double>.allocate(capacity: max(1, largest * steps))
        defer { values.deallocate() }
        var counts = [Int](repeating: 0, count: steps)
        let scratch = Scratch()

        for group in groups.labels.indices {
            for step in 0..<steps { counts[step] = 0 }
            let size = members[group].count
            try input.forEachColumn(Array(members[group]), steps: steps, context) { (_, column) throws(QueryError) in
                let source = column.values
                let hasHistograms = column.hasHistograms
                if hasHistograms { HistogramFold.note(column, ignoredIn: .quantile, at: operandPlace, context) }
                column.forEachPresent { step in
                    if hasHistograms, column.isHistogram(step) { return }
                    values[step &* size &+ counts[step]] = source[step]
                    counts[step] &+= 1
                }
            }
            let row = result.rowValues(group), presence = result.rowPresence(group)
            for step in 0..<steps where counts[step] > 0 {
                try scratch.spend(counts[step], context)
                row[step] = Quantile.of(
                    UnsafeMutableBufferPointer(start: values + step * size, count: counts[step]), phi.values[step])
                presence[step >> 6] |= 1 << UInt64(truncatingIfNeeded: step & 63)
            }
        }
        return result
    }

    /// As upstream: a NaN, the largest above 1 and the smallest below 0, whether or not there are values.
    private static func note(_ phi: ScalarColumn, _ place: Range<Int>, _ context: QueryContext) {
        var least = Double.infinity, largest = -Double.infinity
        for step in 0..<phi.count {
            QuantileNote.check(phi.values[step].isNaN ? .nan : 0, at: place, context)
            if phi.values[step] < least { least = phi.values[step] }
            if phi.values[step] > largest { largest = phi.values[step] }
        }
        if largest > 1 { QuantileNote.check(largest, at: place, context) }
        if least < 0 { QuantileNote.check(least, at: place, context) }
    }
}
