import TSDB

/// `sum by (le) (…)`: series fold into their group's row, one after the other, and are forgotten.
///
///     series 0  ▁▂▃▄  ─┐
///     series 1  ▂▂▂▂  ─┼──▶ group {le="1"}   ▃▄▅▆       memory: groups × steps, never series × steps
///     series 2  ▁▁▁▁  ─┘
///     series 3  ▄▄▄▄  ────▶ group {le="5"}   ▄▄▄▄
///
/// Groups are found for the whole set at once (`groups`), labels are made per group only. Series fold in their order, so
/// rounding does not depend on anything but the data; the columns may come from several threads (`MorselQueue`).
/// A breaker: the work is done when it is made, and the result is a table.
enum Aggregation {
    /// `grouping` as written; `without` drops the metric name, too. `place` is the operand's.
    static func make(
        _ op: AggregateOperator, _ input: any VectorOperator, _ grouping: Grouping, steps: Int, place: Range<Int>,
        context: QueryContext
    ) throws(QueryError) -> any VectorOperator {
        let grouping = effective(grouping)
        switch op {
        case .sum: return try fold(input, grouping, steps, place, context, Sum.self)
        case .avg: return try fold(input, grouping, steps, place, context, Average.self)
        case .min: return try fold(input, grouping, steps, place, context, Minimum.self)
        case .max: return try fold(input, grouping, steps, place, context, Maximum.self)
        case .count: return try fold(input, grouping, steps, place, context, Count.self)
        case .group: return try fold(input, grouping, steps, place, context, Group.self)
        case .stdvar: return try fold(input, grouping, steps, place, context, Variance.self)
        case .stddev: return try fold(input, grouping, steps, place, context, Deviation.self)
        case .topk, .bottomk, .countValues, .quantile, .limitk, .limitRatio:
            preconditionFailure("\(op.rawValue) takes a parameter and is no fold")
        }
    }

    /// `without (a)` leaves the name out, too: a sum of several metrics is none of them.
    static func effective(_ grouping: Grouping) -> Grouping {
        guard case .without(let names) = grouping, !names.contains(MetricName.label) else { return grouping }
        return .without(names + [MetricName.label])
    }

    static func fold<F: Fold>(
        _ input: any VectorOperator, _ grouping: Grouping, _ steps: Int, _ place: Range<Int>, _ context: QueryContext,
        _: F.Type
    ) throws(QueryError) -> any VectorOperator {
        try context.check()
        let groups = input.groups(grouping)
        try context.reserve(labelsOf: groups)
        try context.reserveTable(series: groups.labels.count, steps: steps)
        let sideBytes = groups.labels.count * steps * 8 * F.planes
        try context.reserve(bytes: sideBytes)
        defer { context.release(bytes: sideBytes) }

        var names = GroupNames(grouping, groups.labels.count)
        let table = ColumnTable(labels: groups.labels, stepCount: steps)
        let fold = F(groups: groups.labels.count, steps: steps)
        func add(_ column: borrowing StepColumn, to group: Int) {
            let presence = table.rowPresence(group)
            fold.add(column, to: table.rowValues(group), presence, group: group)
            for word in 0..<column.wordCount { presence[word] |= column.presence[word] }
        }
        let histograms = HistogramFold(F.histograms, table, place, context)
        let scratch = Scratch()
        try input.forEachColumn(steps: steps, context) { (index, column) throws(QueryError) in
            let group = Int(groups.assignment[index])
            if column.hasHistograms, F.histograms != .counted {
                try histograms.add(column, to: group) { input.labels(at: index).metricName ?? "" }
                // What is left of it are floats.
                try scratch.withColumn(count: steps) { (floats) throws(QueryError) in
                    floats.copy(from: column)
                    floats.removeHistograms()
                    if !floats.isEmpty { add(floats, to: group) }
                }
            } else {
                add(column, to: group)
            }
            names.note(index, of: input, group: group, column)
        }
        for group in 0..<table.count {
            fold.finish(table.rowValues(group), group: group, steps: steps)
        }
        histograms.finish()
        return names.apply(to: table)
    }
}

/// The arithmetic of one aggregation: how a column joins the row of its group.
///
/// Rows start at 0 and without presence. Planes beside the row (compensation, count) are the fold's own.
protocol Fold: AnyObject {
    /// Doubles per cell that the fold holds beside the row, for the budget.
    static var planes: Int { get }
    /// What becomes of native histograms.
    static var histograms: HistogramFold.Treatment { get }
    init(groups: Int, steps: Int)
    /// `presence` is the row's as it was before this column.
    func add(
        _ column: borrowing StepColumn, to row: UnsafeMutablePointer<Double>,
        _ presence: UnsafeMutablePointer<UInt64>, group: Int)
    /// Turns the row into the answer; cells without presence may hold anything.
    func finish(_ row: UnsafeMutablePointer<Double>, group: Int, steps: Int)
}

/// Numbers beside a table's cells: groups × steps, zero at first.
struct Plane: ~Copyable {
    private let cells: UnsafeMutablePointer<Double>
    private let steps: Int

    init(groups: Int, steps: Int, filledWith value: Double = 0) {
        self.steps = steps
        cells = .allocate(capacity: max(1, groups * steps))
        cells.initialize(repeating: value, count: max(1, groups * steps))
    }

    deinit { cells.deallocate() }

    @inline(__always)
    func row(_ group: Int) -> UnsafeMutablePointer<Double> { cells + group &* steps }
}

/// With delayed name removal, a group that keeps `__name__` loses it at the end if any of its series does.
private struct GroupNames {
    private var dropped: [Bool]

    init(_ grouping: Grouping, _ count: Int) {
        if case .by(let names) = grouping, names.contains(MetricName.label) {
            dropped = Array(repeating: false, count: count)
        } else {
            dropped = []
        }
    }

    mutating func note(_ index: Int, of input: any VectorOperator, group: Int, _ column: borrowing StepColumn) {
        if !dropped.isEmpty && !dropped[group] && input.dropsName(at: index) && !column.isEmpty {
            dropped[group] = true
        }
    }

    func apply(to table: ColumnTable) -> any VectorOperator {
        dropped.contains(true) ? MarkedNames(table, dropped) : table
    }
}

/// A table whose rows' names go at the end of the query, known only after the rows were filled.
private struct MarkedNames: VectorOperator {
    let table: ColumnTable
    let dropped: [Bool]

    init(_ table: ColumnTable, _ dropped: [Bool]) {
        self.table = table
        self.dropped = dropped
    }

    var count: Int { table.count }
    var canFail: Bool { false }
    func labels(at index: Int) -> Labels { table.labels(at: index) }
    func dropsName(at index: Int) -> Bool { dropped[index] }
    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        try table.fill(index, into: &column, scratch: scratch)
    }
}
