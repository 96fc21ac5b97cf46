/// The functions of all samples in a window whose rounding depends on the order of additions: each window is computed
/// from its first sample to its last, as upstream does, and gives upstream's bits. Sums and averages run four windows at a
/// time (`WindowSums`).
///
///     sum_over_time     Σ, compensated
///     avg_over_time     Σ / n, or a running mean once Σ leaves the range of doubles
///     stdvar_over_time  Welford's recurrence, compensated
///
/// Adding what comes into a window and subtracting what goes out would be O(1) per step, but would round differently.

/// Σx.
struct SumOverTime: WindowFunction {
    func value(_ times: UnsafePointer<Int64>, _ values: UnsafePointer<Double>, count: Int, step: Int) -> Double {
        Self.value(values, count: count)
    }

    static func value(_ values: UnsafePointer<Double>, count: Int) -> Double {
        var sum = CompensatedSum()
        for index in 0..<count { sum.add(values[index]) }
        return sum.total
    }
}

/// Σx / n. Dividing once, at the end, is the more exact way; it is left only where the sum would overflow.
struct AverageOverTime: WindowFunction {
    func value(_ times: UnsafePointer<Int64>, _ values: UnsafePointer<Double>, count: Int, step: Int) -> Double {
        Self.value(values, count: count)
    }

    static func value(_ values: UnsafePointer<Double>, count: Int) -> Double {
        var sum = CompensatedSum(values[0])
        for index in 1..<max(1, count) {
            let before = sum
            sum.add(values[index])
            if sum.sum.magnitude == .infinity {
                return runningMean(of: before, count: index, values, upTo: count)
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

/// Population variance, or its root, in one pass.
///
///     meanₙ = meanₙ₋₁ + (x − meanₙ₋₁) / n          squaresₙ = squaresₙ₋₁ + (x − meanₙ₋₁) · (x − meanₙ)
///
/// Σx² − (Σx)²/n would need no division per sample, but cancels where values are large and close together.
/// Source: B. P. Welford, “Note on a Method for Calculating Corrected Sums of Squares and Products”, Technometrics 4 (1962).
struct VarianceOverTime: WindowFunction {
    let isDeviation: Bool

    func value(_ times: UnsafePointer<Int64>, _ values: UnsafePointer<Double>, count: Int, step: Int) -> Double {
        var mean = CompensatedSum(), squares = CompensatedSum()
        for index in 0..<count {
            let value = values[index]
            // From the mean before this value; below, from the mean behind it.
            let delta = value - (mean.sum + mean.compensation)
            mean.add(delta / Double(index + 1))
            squares.add(delta * (value - (mean.sum + mean.compensation)))
        }
        let variance = (squares.sum + squares.compensation) / Double(count)
        return isDeviation ? variance.squareRoot() : variance
    }
}
