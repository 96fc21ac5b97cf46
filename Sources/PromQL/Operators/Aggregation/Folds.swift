/// The folds: one short loop each, over the steps that have a value.
///
///     op       row            beside it           at the end
///     sum      sum            compensation        sum + compensation
///     min max  extreme so far                     –
///     count    how many                           –
///     group    –                                  1
///     stdvar   Σ(x−mean)²     mean, how many      ÷ how many          (Welford, one pass)
///
/// `avg` has a file of its own. Source: Prometheus documentation, “Aggregation operators”.

/// Compensated, in the order of the series.
final class Sum: Fold {
    static let planes = 1
    static let histograms = HistogramFold.Treatment.added
    private let compensation: Plane

    init(groups: Int, steps: Int) { compensation = Plane(groups: groups, steps: steps) }

    func add(
        _ column: borrowing StepColumn, to row: UnsafeMutablePointer<Double>,
        _ presence: UnsafeMutablePointer<UInt64>, group: Int
    ) {
        let lost = compensation.row(group), values = column.values
        column.forEachPresent { step in
            var sum = CompensatedSum(row[step], compensation: lost[step])
            sum.add(values[step])
            row[step] = sum.sum
            lost[step] = sum.compensation
        }
    }

    func finish(_ row: UnsafeMutablePointer<Double>, group: Int, steps: Int) {
        let lost = compensation.row(group)
        for step in 0..<steps { row[step] += lost[step] }
    }
}

/// NaN gives way to any number.
final class Minimum: Fold {
    static let planes = 0
    static let histograms = HistogramFold.Treatment.ignored(.min)
    init(groups: Int, steps: Int) {}

    func add(
        _ column: borrowing StepColumn, to row: UnsafeMutablePointer<Double>,
        _ presence: UnsafeMutablePointer<UInt64>, group: Int
    ) {
        let values = column.values
        column.forEachPresent { step in
            let isFirst = presence[step >> 6] & (1 << UInt64(truncatingIfNeeded: step & 63)) == 0
            let best = isFirst ? .nan : row[step]
            row[step] = best > values[step] || best.isNaN ? values[step] : best
        }
    }

    func finish(_ row: UnsafeMutablePointer<Double>, group: Int, steps: Int) {}
}

/// NaN gives way to any number.
final class Maximum: Fold {
    static let planes = 0
    static let histograms = HistogramFold.Treatment.ignored(.max)
    init(groups: Int, steps: Int) {}

    func add(
        _ column: borrowing StepColumn, to row: UnsafeMutablePointer<Double>,
        _ presence: UnsafeMutablePointer<UInt64>, group: Int
    ) {
        let values = column.values
        column.forEachPresent { step in
            let isFirst = presence[step >> 6] & (1 << UInt64(truncatingIfNeeded: step & 63)) == 0
            let best = isFirst ? .nan : row[step]
            row[step] = best < values[step] || best.isNaN ? values[step] : best
        }
    }

    func finish(_ row: UnsafeMutablePointer<Double>, group: Int, steps: Int) {}
}

final class Count: Fold {
    static let planes = 0
    static let histograms = HistogramFold.Treatment.counted
    init(groups: Int, steps: Int) {}

    func add(
        _ column: borrowing StepColumn, to row: UnsafeMutablePointer<Double>,
        _ presence: UnsafeMutablePointer<UInt64>, group: Int
    ) {
        column.forEachPresent { step in row[step] += 1 }
    }

    func finish(_ row: UnsafeMutablePointer<Double>, group: Int, steps: Int) {}
}

/// 1 wherever the group has a series.
final class Group: Fold {
    static let planes = 0
    static let histograms = HistogramFold.Treatment.counted
    init(groups: Int, steps: Int) {}

    func add(
        _ column: borrowing StepColumn, to row: UnsafeMutablePointer<Double>,
        _ presence: UnsafeMutablePointer<UInt64>, group: Int
    ) {}

    func finish(_ row: UnsafeMutablePointer<Double>, group: Int, steps: Int) {
        for step in 0..<steps { row[step] = 1 }
    }
}

/// Population variance. Source: B. P. Welford, “Note on a Method for Calculating Corrected Sums of Squares and
/// Products”, Technometrics 4 (1962).
class Variance: Fold {
    static let planes = 2
    class var histograms: HistogramFold.Treatment { .ignored(.stdvar) }
    private let mean: Plane
    private let count: Plane

    required init(groups: Int, steps: Int) {
        mean = Plane(groups: groups, steps: steps)
        count = Plane(groups: groups, steps: steps)
    }

    func add(
        _ column: borrowing StepColumn, to row: UnsafeMutablePointer<Double>,
        _ presence: UnsafeMutablePointer<UInt64>, group: Int
    ) {
        let mean = mean.row(group), count = count.row(group), values = column.values
        column.forEachPresent { step in
            count[step] += 1
            let delta = values[step] - mean[step]
            mean[step] += delta / count[step]
            row[step] += delta * (values[step] - mean[step])
        }
    }

    func finish(_ row: UnsafeMutablePointer<Double>, group: Int, steps: Int) {
        let count = count.row(group)
        for step in 0..<steps { row[step] /= count[step] }
    }
}

/// The root of the variance.
final class Deviation: Variance {
    override class var histograms: HistogramFold.Treatment { .ignored(.stddev) }

    override func finish(_ row: UnsafeMutablePointer<Double>, group: Int, steps: Int) {
        super.finish(row, group: group, steps: steps)
        for step in 0..<steps { row[step].formSquareRoot() }
    }
}
