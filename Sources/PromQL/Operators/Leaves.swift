import TSDB

// Operators at the edge of the tree that read no storage, and `Repeat`, which stands over a part that is evaluated once.

/// A number: one series without labels, the same value at every step.
struct ConstantScalar: VectorOperator {
    let value: Double

    var count: Int { 1 }
    var canFail: Bool { false }
    func labels(at index: Int) -> Labels { Labels() }

    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        column.values.update(repeating: value, count: column.count)
        column.markAllPresent()
    }
}

/// No series.
struct EmptyVector: VectorOperator {
    var count: Int { 0 }
    var canFail: Bool { false }
    func labels(at index: Int) -> Labels { preconditionFailure("series \(index) of none") }

    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        preconditionFailure("series \(index) of none")
    }
}

/// A part that is the same at every step, computed at one and spread over all.
///
///     x @ 100          ▆            →  ▆▆▆▆▆▆
struct Repeat: VectorOperator {
    /// Has one step.
    let once: any VectorOperator

    var count: Int { once.count }
    var canFail: Bool { once.canFail }
    func labels(at index: Int) -> Labels { once.labels(at: index) }
    func dropsName(at index: Int) -> Bool { once.dropsName(at: index) }
    var isDistinctWithoutNames: Bool { once.isDistinctWithoutNames }
    func groups(_ grouping: Grouping) -> Groups { once.groups(grouping) }

    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        column.clear()
        try scratch.withColumn(count: 1) { (first) throws(QueryError) in
            try once.fill(index, into: &first, scratch: scratch)
            guard first.isPresent(0) else { return }
            if let histogram = first.histogram(0) {
                for step in 0..<column.count { column.set(step, histogram) }
                return
            }
            column.values.update(repeating: first.values[0], count: column.count)
            column.markAllPresent()
        }
    }
}
