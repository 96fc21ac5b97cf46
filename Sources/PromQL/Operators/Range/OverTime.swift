/// The functions of all samples in a window whose rounding depends on the order of additions: each window is computed
/// from its first sample to its last, as upstream does, and gives upstream's bits.
///
///     sum_over_time     Σ, compensated
///     avg_over_time     Σ / n, or a running mean once Σ leaves the range of doubles
///     stdvar_over_time  Welford's recurrence, compensated
struct SumOverTime: WindowFunction {
    func value(_ times: UnsafePointer<Int64>, _ values: UnsafePointer<Double>, count: Int, step: Int) -> Double {
        var sum = CompensatedSum()
        for index in 0..<count { sum.add(values[index]) }
        return sum.total
    }
}

struct AverageOverTime: WindowFunction {
    func value(_ times: UnsafePointer<Int64>, _ values: UnsafePointer<Double>, count: Int, step: Int) -> Double {
        var sum = CompensatedSum(values[0])
        for index in 1..<max(1, count) {
            let before = sum
            sum.add(values[index])
            if sum.sum.magnitude == .infinity {
                return Self.runningMean(of: before, count: index, values, upTo: count)
            }
        }
        let n = Double(count)
        return sum.sum / n + sum.compensation / n
    }

    /// Goes on from a sum of `count` values that the next one would take out of range.
    private static func runningMean(
        of sum: CompensatedSum, count: Int, _ values: UnsafePointer<Double>, upTo total: Int
    ) -> Double {
        var mean = CompensatedSum(sum.sum / Double(count), compensation: sum.compensation / Double(count))
        for index in count..<total {
            let n = Double(index + 1)
            let weight = (n - 1) / n
            mean = CompensatedSum(weight * mean.sum, compensation: weight * mean.compensation)
            mean.add(values[index] / n)
        }
        return mean.sum + mean.compensation
    }
}

/// Population variance, or its root.
struct VarianceOverTime: WindowFunction {
    let isDeviation: Bool

    func value(_ times: UnsafePointer<Int64>, _ values: UnsafePointer<Double>, count: Int, step: Int) -> Double {
        var mean = CompensatedSum(), squares = CompensatedSum()
        for index in 0..<count {
            let value = values[index]
            let delta = value - (mean.sum + mean.compensation)
            mean.add(delta / Double(index + 1))
            squares.add(delta * (value - (mean.sum + mean.compensation)))
        }
        let variance = (squares.sum + squares.compensation) / Double(count)
        return isDeviation ? variance.squareRoot() : variance
    }
}
