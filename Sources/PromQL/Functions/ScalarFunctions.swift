import TSDB

/// `time()`: the step's own time in seconds. Also the argument of `hour()` and its kin where they have none.
struct StepTimes: VectorOperator {
    let grid: StepGrid

    var count: Int { 1 }
    var canFail: Bool { false }
    var isDistinctWithoutNames: Bool { true }
    func labels(at index: Int) -> Labels { Labels() }

    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        precondition(column.count == grid.count, "\(column.count) steps of \(grid.count)")
        column.markAllPresent()
        for step in 0..<grid.count { column.values[step] = Double(grid.time(step)) / 1000 }
    }
}

/// `max_of(a, b)` and `min_of(a, b)`: the larger or smaller of two scalars.
struct ExtremeOfScalars: VectorOperator {
    let left: ScalarColumn
    let right: ScalarColumn
    let isLarger: Bool

    var count: Int { 1 }
    var canFail: Bool { false }
    var isDistinctWithoutNames: Bool { true }
    func labels(at index: Int) -> Labels { Labels() }

    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        column.markAllPresent()
        for step in 0..<column.count {
            let a = left.values[step], b = right.values[step]
            column.values[step] = isLarger ? Extremum.larger(a, b) : Extremum.smaller(a, b)
        }
    }
}

/// `timestamp(v)` of anything but a selector: the time of the step, where `v` has a value. (Of a selector it is the
/// sample's own time; the selector yields that itself.)
struct StepTimestamps: ColumnTransform {
    let grid: StepGrid

    func apply(to column: inout StepColumn) {
        for step in 0..<column.count { column.values[step] = Double(grid.time(step)) / 1000 }
    }

    /// A histogram has a time, too.
    func apply(toMixed column: inout StepColumn) {
        column.dropHistograms()
        apply(to: &column)
    }
}

/// `scalar(v)`: the value of the only series at each step; NaN where there is none or more than one. Histograms do not count.
enum ScalarOfVector {
    static func make(
        _ vector: any VectorOperator, grid: StepGrid, context: QueryContext
    ) throws(QueryError) -> any VectorOperator {
        try context.reserveTable(series: 1, steps: grid.count)
        let table = ColumnTable(labels: [Labels()], stepCount: grid.count)
        let scratch = Scratch()
        try scratch.withColumn(count: grid.count) { (result) throws(QueryError) in
            var counts = Array(repeating: UInt8(0), count: grid.count)
            result.markAllPresent()
            result.values.update(repeating: .nan, count: grid.count)
            try scratch.withColumn(count: grid.count) { (column) throws(QueryError) in
                for index in 0..<vector.count {
                    try context.check()
                    try vector.fill(index, into: &column, scratch: scratch)
                    if column.hasHistograms { column.removeHistograms() }
                    for step in 0..<grid.count where column.isPresent(step) {
                        result.values[step] = counts[step] == 0 ? column.values[step] : .nan
                        counts[step] = 1
                    }
                }
            }
            table.set(result, at: 0)
        }
        return table
    }
}

/// `absent(v)`: 1 at the steps at which no series of `v` has a value, labelled with what the selector asked for.
enum Absence {
    static func make(
        _ vector: any VectorOperator, labels: Labels, grid: StepGrid, context: QueryContext
    ) throws(QueryError) -> any VectorOperator {
        try context.reserveTable(series: 1, steps: grid.count)
        let table = ColumnTable(labels: [labels], stepCount: grid.count)
        let scratch = Scratch()
        try scratch.withColumn(count: grid.count) { (result) throws(QueryError) in
            result.markAllPresent()
            result.values.update(repeating: 1, count: grid.count)
            try scratch.withColumn(count: grid.count) { (column) throws(QueryError) in
                for index in 0..<vector.count {
                    // Present everywhere: nothing can change any more.
                    if result.isEmpty && !vector.canFail { break }
                    try context.check()
                    try vector.fill(index, into: &column, scratch: scratch)
                    for word in 0..<result.wordCount { result.presence[word] &= ~column.presence[word] }
                }
            }
            table.set(result, at: 0)
        }
        return table
    }

    /// The labels that `expr`, a selector, demands by `=`; a label with two matchers, or any other expression, gives none.
    /// Shared with `absent_over_time`.
    static func labels(of expr: Expr) -> Labels {
        let matchers: [Matcher]
        switch expr.unparenthesized {
        case .vectorSelector(let node): matchers = node.matchers
        case .matrixSelector(let node): matchers = node.selector.matchers
        default: return Labels()
        }
        var builder = LabelsBuilder()
        var seen: Set<String> = []
        for matcher in matchers where matcher.name != MetricName.label {
            if case .equal = matcher.kind, seen.insert(matcher.name).inserted {
                builder.set(matcher.name, to: matcher.value)
            } else {
                builder.remove(matcher.name)
            }
        }
        return builder.labels()
    }
}
