/// `avg`: a compensated sum divided at the end, unless the sum would leave the range of doubles.
///
///     1e308, 1e308, 1e308     sum overflows at the second  →  from there on a running mean:
///                             meanₙ = meanₙ₋₁ · (n−1)/n + x/n
///
/// Dividing once at the end is the more exact of the two, so the running mean is only for cells that need it. They are
/// rare: a flag per group says whether it has any, and the loop without them has no branch for it.
final class Average: Fold {
    static let planes = 2
    static let histograms = HistogramFold.Treatment.averaged
    private let compensation: Plane
    private let count: Plane
    /// Per group: the steps that went over to a running mean, as bits; empty while there are none.
    private var running: [[UInt64]]

    init(groups: Int, steps: Int) {
        compensation = Plane(groups: groups, steps: steps)
        count = Plane(groups: groups, steps: steps)
        running = Array(repeating: [], count: groups)
    }

    func add(
        _ column: borrowing StepColumn, to row: UnsafeMutablePointer<Double>,
        _ presence: UnsafeMutablePointer<UInt64>, group: Int
    ) {
        let lost = compensation.row(group), count = count.row(group), values = column.values
        if running[group].isEmpty {
            var isWithinRange = true
            column.forEachPresent { step in
                let next = row[step] + values[step]
                isWithinRange = isWithinRange && (next.magnitude != .infinity)
            }
            if isWithinRange {
                column.forEachPresent { step in
                    var sum = CompensatedSum(row[step], compensation: lost[step])
                    sum.add(values[step])
                    row[step] = sum.sum
                    lost[step] = sum.compensation
                    count[step] += 1
                }
                return
            }
        }
        addCarefully(column, to: row, lost, count, group)
    }

    private func addCarefully(
        _ column: borrowing StepColumn, to row: UnsafeMutablePointer<Double>, _ lost: UnsafeMutablePointer<Double>,
        _ count: UnsafeMutablePointer<Double>, _ group: Int
    ) {
        let values = column.values
        if running[group].isEmpty { running[group] = Array(repeating: 0, count: column.wordCount) }
        running[group].withUnsafeMutableBufferPointer { running in
            column.forEachPresent { step in
                let mask: UInt64 = 1 << UInt64(truncatingIfNeeded: step & 63)
                let value = values[step]
                count[step] += 1
                let n = count[step]
                if running[step >> 6] & mask == 0 {
                    var sum = CompensatedSum(row[step], compensation: lost[step])
                    sum.add(value)
                    // The first value of a cell is the sum, infinite or not.
                    if sum.sum.magnitude != .infinity || n == 1 {
                        row[step] = sum.sum
                        lost[step] = sum.compensation
                        return
                    }
                    running[step >> 6] |= mask
                    row[step] /= n - 1
                    lost[step] /= n - 1
                }
                let weight = (n - 1) / n
                var mean = CompensatedSum(weight * row[step], compensation: weight * lost[step])
                mean.add(value / n)
                row[step] = mean.sum
                lost[step] = mean.compensation
            }
        }
    }

    func finish(_ row: UnsafeMutablePointer<Double>, group: Int, steps: Int) {
        let lost = compensation.row(group), count = count.row(group)
        let running = running[group]
        for step in 0..<steps {
            if !running.isEmpty && running[step >> 6] & (1 << UInt64(truncatingIfNeeded: step & 63)) != 0 {
                row[step] += lost[step]
            } else {
                row[step] = row[step] / count[step] + lost[step] / count[step]
            }
        }
    }
}
