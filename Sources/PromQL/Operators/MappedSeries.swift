import TSDB

/// A function of single values: every series of the input, column by column, with its labels or without its name.
///
///     abs(x)      x * 8      clamp(x, 0, 1)      year(x)      x > 3
///
/// Streams: a column is computed in the place where it is asked for. What happens to the column is a `ColumnTransform`,
/// called once per column, so its loops are free of calls.
struct MappedSeries: VectorOperator {
    private let input: any VectorOperator
    private let transform: any ColumnTransform
    private let names: NameTreatment

    /// Merges the series that become equal without their names.
    static func make(
        _ input: any VectorOperator, _ transform: any ColumnTransform, names: NameTreatment
    ) -> any VectorOperator {
        let mapped = MappedSeries(input: input, transform: transform, names: names)
        return names == .dropped && !input.isDistinctWithoutNames ? DistinctRows.of(mapped) : mapped
    }

    var count: Int { input.count }
    var canFail: Bool { input.canFail }
    var isDistinctWithoutNames: Bool { names == .dropped || input.isDistinctWithoutNames }

    func labels(at index: Int) -> Labels {
        names == .dropped ? input.labels(at: index).droppingName() : input.labels(at: index)
    }

    func dropsName(at index: Int) -> Bool { names == .marked || input.dropsName(at: index) }

    func groups(_ grouping: Grouping) -> Groups {
        input.groups(names == .dropped ? NameDropping.beneath(grouping) : grouping)
    }

    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        try input.fill(index, into: &column, scratch: scratch)
        if column.hasHistograms { transform.apply(toMixed: &column) } else { transform.apply(to: &column) }
    }
}

/// What a streaming operation does to one column: changes values, or clears presence bits. Steps without a value may
/// be computed too, as long as their bits stay clear.
protocol ColumnTransform: Sendable {
    /// All steps are floats.
    func apply(to column: inout StepColumn)

    /// Some steps are native histograms. Functions of numbers, nearly all, leave them out.
    func apply(toMixed column: inout StepColumn)
}

extension ColumnTransform {
    func apply(toMixed column: inout StepColumn) {
        column.removeHistograms()
        apply(to: &column)
    }
}

extension StepColumn {
    /// The steps that are histograms have no value from now on.
    mutating func removeHistograms() {
        for step in 0..<count where isPresent(step) && isHistogram(step) { unset(step) }
        dropHistograms()
    }

    /// Whether some step has a float.
    var hasFloats: Bool {
        guard hasHistograms else { return !isEmpty }
        for step in 0..<count where isPresent(step) && !isHistogram(step) { return true }
        return false
    }
}

/// Leaves the column as it is: for functions whose values were made elsewhere, `timestamp(x)`.
struct Identity: ColumnTransform {
    func apply(to column: inout StepColumn) {}
    func apply(toMixed column: inout StepColumn) {}
}

/// `-x`
struct Negation: ColumnTransform {
    func apply(to column: inout StepColumn) {
        for step in 0..<column.count { column.values[step] = -column.values[step] }
    }

    func apply(toMixed column: inout StepColumn) {
        apply(to: &column)
        column.changeHistograms { $0.multiply(by: -1) }
    }
}

/// The values of a scalar at all steps, computed once and read by everybody.
public final class ScalarColumn: @unchecked Sendable {
    // Sendable: written in the initialiser, read-only afterwards.
    public let values: UnsafePointer<Double>
    public let count: Int

    /// Pulls the one series of `scalar`.
    public init(_ scalar: any VectorOperator, stepCount: Int) throws(QueryError) {
        let buffer = UnsafeMutablePointer<Double>.allocate(capacity: stepCount + 8)
        buffer.initialize(repeating: .nan, count: stepCount + 8)
        values = UnsafePointer(buffer)
        count = stepCount
        let scratch = Scratch()
        try scratch.withColumn(count: stepCount) { (column) throws(QueryError) in
            precondition(scalar.count == 1, "a scalar of \(scalar.count) series")
            try scalar.fill(0, into: &column, scratch: scratch)
            column.forEachPresent { buffer[$0] = column.values[$0] }
        }
    }

    /// The same value at every step.
    public init(constant: Double, stepCount: Int) {
        let buffer = UnsafeMutablePointer<Double>.allocate(capacity: stepCount + 8)
        buffer.initialize(repeating: constant, count: stepCount + 8)
        values = UnsafePointer(buffer)
        count = stepCount
    }

    deinit { values.deallocate() }

    /// Whether any step's value satisfies `condition`; its first such value.
    func first(where condition: (Double) -> Bool) -> Double? {
        for step in 0..<count where condition(values[step]) { return values[step] }
        return nil
    }
}
