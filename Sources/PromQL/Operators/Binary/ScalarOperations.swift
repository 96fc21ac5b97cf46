import TSDB

/// `1 + 2`, `time() % 60`, `scalar(x) > bool 3`: two scalars.
struct ScalarOperation: VectorOperator {
    let left: any VectorOperator
    let right: any VectorOperator
    let kernel: BinaryKernel

    var count: Int { 1 }
    var canFail: Bool { false }
    var isDistinctWithoutNames: Bool { true }
    func labels(at index: Int) -> Labels { Labels() }

    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        try left.fill(0, into: &column, scratch: scratch)
        try scratch.withColumn(count: column.count) { (other) throws(QueryError) in
            try right.fill(0, into: &other, scratch: scratch)
            _ = kernel.run(
                column.values, other.values, result: column.values, presence: column.presence, count: column.count)
        }
    }
}

/// `x * 8`, `100 - x`, `x > 3`, `3 < bool x`: a vector's column with the values of a scalar.
struct WithScalar: ColumnTransform {
    let kernel: BinaryKernel
    let scalar: ScalarColumn
    let scalarIsLeft: Bool
    /// Told what is to be remarked.
    let note: @Sendable (BinaryRemarks) -> Void

    func apply(to column: inout StepColumn) {
        precondition(column.count == scalar.count, "columns of \(column.count) and \(scalar.count) steps")
        let vector = UnsafePointer(column.values)
        let done = kernel.run(
            scalarIsLeft ? scalar.values : vector, scalarIsLeft ? vector : scalar.values, result: column.values,
            presence: column.presence, count: column.count)
        if !done { note(.floatFloat) }
    }

    func apply(toMixed column: inout StepColumn) {
        precondition(column.count == scalar.count, "columns of \(column.count) and \(scalar.count) steps")
        let vector = UnsafePointer(column.values), histograms = column.histograms
        let remarks =
            scalarIsLeft
            ? kernel.runMixed(scalar.values, HistogramRows(), vector, histograms, result: &column)
            : kernel.runMixed(vector, histograms, scalar.values, HistogramRows(), result: &column)
        if !remarks.isEmpty { note(remarks) }
    }
}
