import Histograms
import TSDB

/// The native histograms of `sum` and `avg`, beside the floats that the folds work on.
///
///     group    step 0        step 1            step 2
///     series   h  h  h       h  f              h  custom h
///     result   Σ             – (a warning)     – (a warning)
///
/// Histograms that lie alike, nearly all, are added as rows (`HistogramSumTable`); a step at which one does not goes on as a cell of its own.
/// Sums are compensated bucket by bucket; a mean is a sum divided at the end unless that would leave the range of doubles, then it is a running
/// one, as for floats. Aggregations that know no histograms leave them out and say so.
///
/// Source: promql/engine.go, `aggregation`.
final class HistogramFold {
    /// What an aggregation does with histograms.
    enum Treatment: Equatable, Sendable {
        case added
        case averaged
        /// They count like floats: the values do not matter.
        case counted
        /// Left out, with a note that names the aggregation.
        case ignored(AggregateOperator)
    }

    private let treatment: Treatment
    private var isMean: Bool { treatment == .averaged }
    private let table: ColumnTable
    /// Of the operand in the query.
    private let place: Range<Int>
    private let context: QueryContext
    /// Per group.
    private var tables: [HistogramSumTable?] = []
    /// Steps whose histograms do not lie alike. Per group, empty or one place per step.
    private var cells: [[HistogramCell?]] = []
    /// Per group, empty or bits of the steps at which a float came before the first histogram.
    private var mixed: [[UInt64]] = []

    /// `table` holds the floats of all groups.
    init(_ treatment: Treatment, _ table: ColumnTable, _ place: Range<Int>, _ context: QueryContext) {
        self.treatment = treatment
        self.table = table
        self.place = place
        self.context = context
    }

    /// Says that the histograms of `column` do not take part.
    static func note(
        _ column: borrowing StepColumn, ignoredIn op: AggregateOperator, at place: Range<Int>, _ context: QueryContext
    ) {
        for step in 0..<column.count where column.isPresent(step) && column.isHistogram(step) {
            return context.annotate(HistogramNotes.ignored(inAggregation: op.rawValue, at: place))
        }
    }

    /// Takes in the histograms of `column`; its floats are the caller's to add, afterwards.
    func add(_ column: borrowing StepColumn, to group: Int, metric: () -> String) throws(QueryError) {
        if case .ignored(let op) = treatment { return Self.note(column, ignoredIn: op, at: place, context) }
        if cells.isEmpty {
            tables = Array(repeating: nil, count: table.count)
            cells = Array(repeating: [], count: table.count)
            mixed = Array(repeating: [], count: table.count)
        }
        let rows = column.histograms, presence = table.rowPresence(group)
        var outcome = HistogramCell.Outcome()
        var layout: Int32 = -1, weight = 0
        // The table, while rows lie alike with what is in it.
        var alike: HistogramSumTable?
        for step in 0..<column.count where column.isPresent(step) {
            let number = rows.row(of: step)
            guard number >= 0 else { continue }
            let row = rows.rows[number]
            if row.layout != layout {
                layout = row.layout
                alike = try accepts(rows.layouts[Int(layout)], group, steps: column.count) ? tables[group] : nil
            }
            let mask: UInt64 = 1 << UInt64(truncatingIfNeeded: step & 63)
            let hasFloat = presence[step >> 6] & mask != 0
            if let alike {
                // Nearly always this is all.
                let isFirst = !alike.has(step)
                if !isFirst || !hasFloat && !hasCell(group, step), add(row, of: rows, to: alike, step) {
                    if isFirst { weight &+= rows.layouts[Int(layout)].sampleCount }
                    continue
                }
            }
            let histogram = rows.histogram(row: number)
            if hasCell(group, step) {
                try addToCell(histogram, group, step, hasFloat: hasFloat, &outcome)
            } else if let sums = tables[group], sums.has(step) {
                // From here on the step goes by itself.
                try makeCells(group, steps: column.count)
                cells[group][step] = HistogramCell(sums, step)
                try addToCell(histogram, group, step, hasFloat: hasFloat, &outcome)
            } else if hasFloat {
                if mixed[group].isEmpty { mixed[group] = Array(repeating: 0, count: column.wordCount) }
                mixed[group][step >> 6] |= mask
            } else {
                try makeCells(group, steps: column.count)
                cells[group][step] = HistogramCell(histogram)
                weight &+= histogram.sampleCount
                try context.reserve(bytes: histogram.sampleCount &* 32)
            }
        }
        try context.reserve(samples: weight)
        if outcome.boundsReconciled { context.annotate(HistogramNotes.boundsReconciled(.aggregation, at: place)) }
        if outcome.isIncompatible { context.annotate(HistogramNotes.mixedSchemas(metric(), at: place)) }
    }

    /// Whether rows of `layout` go into the group's table, which the first of them makes.
    private func accepts(_ layout: HistogramRows.Layout, _ group: Int, steps: Int) throws(QueryError) -> Bool {
        if let sums = tables[group] {
            let before = sums.layout
            let isAlike = try sums.accepts(layout) { wider throws(QueryError) in
                // Old and new stand beside each other for a moment.
                try context.reserve(bytes: HistogramSumTable.byteCount(wider, steps: steps))
            }
            if sums.layout !== before { context.release(bytes: HistogramSumTable.byteCount(before, steps: steps)) }
            return isAlike
        }
        guard layout.isPlain else { return false }
        try context.reserve(bytes: HistogramSumTable.byteCount(layout, steps: steps))
        tables[group] = HistogramSumTable(layout, steps: steps)
        return true
    }

    /// Adds a row of the layout accepted last; `false`, and nothing added, where that could leave the range of doubles in a mean.
    private func add(
        _ row: HistogramRows.Row, of rows: HistogramRows, to sums: HistogramSumTable, _ step: Int
    ) -> Bool {
        rows.buckets.withUnsafeBufferPointer { buckets in
            if isMean, !sums.grow(bound: step, by: row, buckets, below: HistogramCell.safe) { return false }
            sums.add(row, buckets, to: step)
            return true
        }
    }

    private func hasCell(_ group: Int, _ step: Int) -> Bool { !cells[group].isEmpty && cells[group][step] != nil }

    private func makeCells(_ group: Int, steps: Int) throws(QueryError) {
        guard cells[group].isEmpty else { return }
        try context.reserve(bytes: steps &* MemoryLayout<HistogramCell?>.stride)
        cells[group] = Array(repeating: nil, count: steps)
    }

    private func addToCell(
        _ histogram: FloatHistogram, _ group: Int, _ step: Int, hasFloat: Bool, _ outcome: inout HistogramCell.Outcome
    ) throws(QueryError) {
        let grown = cells[group][step]?.add(histogram, isMean: isMean, hasFloat: hasFloat, &outcome) ?? 0
        guard grown > 0 else { return }
        try context.reserve(samples: grown)
        // The sum and its compensation.
        try context.reserve(bytes: grown &* 32)
    }

    /// Writes the results into the table, and takes away floats that histograms have met.
    func finish() {
        for group in cells.indices {
            let presence = table.rowPresence(group)
            for word in mixed[group].indices where mixed[group][word] != 0 {
                context.annotate(HistogramNotes.mixedInAggregation(at: place))
                presence[word] &= ~mixed[group][word]
            }
            finishCells(group, presence)
            if let sums = tables[group] { finish(sums, group, presence) }
        }
    }

    private func finish(_ sums: HistogramSumTable, _ group: Int, _ presence: UnsafeMutablePointer<UInt64>) {
        var results = table.rowHistograms(group)
        for step in sums.steps.indices where sums.has(step) {
            let mask: UInt64 = 1 << UInt64(truncatingIfNeeded: step & 63)
            if presence[step >> 6] & mask != 0 {
                presence[step >> 6] &= ~mask
                context.annotate(HistogramNotes.mixedInAggregation(at: place))
                continue
            }
            let about = sums.steps[step]
            if about.sawReset && about.sawNotReset {
                context.annotate(HistogramNotes.resetCollision(.aggregation, at: place))
            }
            sums.write(step, dividedBy: isMean ? about.count : nil, into: &results)
        }
        table.set(results, at: group)
    }

    private func finishCells(_ group: Int, _ presence: UnsafeMutablePointer<UInt64>) {
        for step in cells[group].indices {
            guard var cell = cells[group][step] else { continue }
            cells[group][step] = nil
            let mask: UInt64 = 1 << UInt64(truncatingIfNeeded: step & 63)
            let hasFloat = presence[step >> 6] & mask != 0
            presence[step >> 6] &= ~mask
            if cell.isIncompatible ? cell.hadFloat : hasFloat {
                context.annotate(HistogramNotes.mixedInAggregation(at: place))
            }
            if cell.isIncompatible || hasFloat { continue }
            if cell.hasCollision { context.annotate(HistogramNotes.resetCollision(.aggregation, at: place)) }
            table.set(cell.result(isMean: isMean), at: group, step: step)
        }
    }
}

/// The histograms of one group at one step.
private struct HistogramCell {
    struct Outcome {
        var boundsReconciled = false
        var isIncompatible = false
    }

    /// The sum, or the mean so far.
    private var total: FloatHistogram
    private var compensation: FloatHistogram?
    private var count = 1.0
    private var isRunning = false
    private var sawReset = false
    private var sawNotReset = false
    /// Buckets that `total` has been counted with.
    private var countedBuckets: Int
    /// No number in `total` is larger; what stays below `safe` cannot overflow.
    private var bound: Double
    static let safe = 1e300
    /// Exponential buckets met custom ones: nothing more is added.
    private(set) var isIncompatible = false
    /// There was a float before that happened.
    private(set) var hadFloat = false

    init(_ histogram: FloatHistogram) {
        total = histogram
        countedBuckets = histogram.bucketCount
        bound = histogram.magnitude
        see(histogram.hint)
    }

    /// A step that leaves the table of those that lie alike.
    init(_ sums: HistogramSumTable, _ step: Int) {
        let about = sums.steps[step]
        let (sum, rest) = sums.take(step)
        (total, compensation) = (sum, rest)
        (count, bound) = (about.count, about.bound)
        (sawReset, sawNotReset) = (about.sawReset, about.sawNotReset)
        countedBuckets = sum.bucketCount
    }

    var hasCollision: Bool { sawReset && sawNotReset }

    private mutating func see(_ hint: CounterResetHint) {
        if hint == .reset { sawReset = true }
        if hint == .notReset { sawNotReset = true }
    }

    /// Returns the samples by which the cell has grown.
    mutating func add(_ histogram: FloatHistogram, isMean: Bool, hasFloat: Bool, _ outcome: inout Outcome) -> Int {
        guard !isIncompatible else { return 0 }
        see(histogram.hint)
        do throws(HistogramError) {
            let notes = isMean ? try addToMean(histogram) : try total.add(histogram, compensation: &compensation)
            if notes.boundsReconciled { outcome.boundsReconciled = true }
        } catch {
            isIncompatible = true
            hadFloat = hasFloat
            outcome.isIncompatible = true
        }
        let buckets = total.bucketCount
        guard buckets > countedBuckets else { return 0 }
        let grown = buckets &- countedBuckets
        countedBuckets = buckets
        return grown / 2 &+ 1
    }

    private mutating func addToMean(_ histogram: FloatHistogram) throws(HistogramError) -> AdditionNotes {
        count += 1
        if !isRunning {
            bound += histogram.magnitude
            if bound < Self.safe { return try total.add(histogram, compensation: &compensation) }
            var sum = total, lost = compensation
            let notes = try sum.add(histogram, compensation: &lost)
            if !sum.hasOverflow {
                (total, compensation) = (sum, lost)
                return notes
            }
            isRunning = true
            total.divide(by: count - 1)
            compensation?.divide(by: count - 1)
        }
        let weight = (count - 1) / count
        compensation?.multiply(by: weight)
        total.multiply(by: weight)
        var part = histogram
        part.divide(by: count)
        return try total.add(part, compensation: &compensation)
    }

    mutating func result(isMean: Bool) -> FloatHistogram {
        if isMean && !isRunning {
            total.divide(by: count)
            compensation?.divide(by: count)
        }
        // They have one schema by now.
        if let compensation { _ = try? total.add(compensation) }
        total.compact()
        return total
    }
}

extension FloatHistogram {
    fileprivate var bucketCount: Int { positiveBuckets.count &+ negativeBuckets.count }

    /// At least as large as any number in it, and as any sum of its buckets.
    fileprivate var magnitude: Double {
        var result = sum.magnitude + count.magnitude + zeroCount.magnitude
        for value in positiveBuckets { result += value.magnitude }
        for value in negativeBuckets { result += value.magnitude }
        return result
    }
}
