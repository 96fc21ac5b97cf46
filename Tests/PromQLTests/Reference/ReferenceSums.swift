/// Compensated summation after Kahan and Neumaier: the rounding error of each addition is kept and added at the end.
///
/// Upstream sums this way everywhere, and results agree to the last bit only if we do too.
/// Source: Neumaier, “Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen”, ZAMM 54, 1974.
struct ReferenceSum {
    var sum = 0.0
    /// What the additions so far have rounded away.
    var lost = 0.0

    mutating func add(_ value: Double) {
        let total = sum + value
        if total.isInfinite {
            lost = 0
        } else if abs(sum) >= abs(value) {
            lost += (sum - total) + value
        } else {
            lost += (value - total) + sum
        }
        sum = total
    }

    /// An infinite sum has lost nothing that could be added back.
    var total: Double { sum.isInfinite ? sum : sum + lost }
}

/// The mean: sum divided by count while the sum stays finite; from where it would overflow, a running mean.
struct ReferenceMean {
    private var running: ReferenceSum
    private var count = 1.0
    private var isIncremental = false

    init(first: Double) { running = ReferenceSum(sum: first, lost: 0) }

    mutating func add(_ value: Double) {
        count += 1
        if !isIncremental {
            var attempt = running
            attempt.add(value)
            if !attempt.sum.isInfinite {
                running = attempt
                return
            }
            isIncremental = true
            running = ReferenceSum(sum: running.sum / (count - 1), lost: running.lost / (count - 1))
        }
        let share = (count - 1) / count
        running = ReferenceSum(sum: share * running.sum, lost: share * running.lost)
        running.add(value / count)
    }

    var mean: Double {
        isIncremental ? running.sum + running.lost : running.sum / count + running.lost / count
    }
}

/// The φ-quantile of some values, interpolated linearly between the two nearest ranks; NaN sorts before everything.
func referenceQuantile(_ q: Double, of values: [Double]) -> Double {
    if values.isEmpty || q.isNaN { return .nan }
    if q < 0 { return -.infinity }
    if q > 1 { return .infinity }
    let sorted = values.filter(\.isNaN) + values.filter { !$0.isNaN }.sorted()
    let rank = q * Double(sorted.count - 1)
    let lower = rank.rounded(.down)
    let upper = min(lower + 1, Double(sorted.count - 1))
    let weight = rank - lower
    return sorted[Int(lower)] * (1 - weight) + sorted[Int(upper)] * weight
}
