/// `deriv` and `predict_linear`: the straight line through the samples of the window, by least squares.
///
///                                  ·─ predict_linear(x[w], 600)
///     value             ×      ·─
///                ×   ·─                   slope = cov(t, v) / var(t)
///             ×
///     time   (             t ]      t + 600s
///
/// Times are counted in seconds from a point near the samples, so that squares keep their digits: `deriv` takes the window's
/// first sample, `predict_linear` the step, where the line's value is then the intercept.
struct LinearRegression {
    let slope: Double
    /// The line's value at the time of origin.
    let intercept: Double

    /// `origin` in milliseconds since the epoch. `count` is at least 2.
    init(_ times: UnsafePointer<Int64>, _ values: UnsafePointer<Double>, count: Int, origin: Int64) {
        var sumX = CompensatedSum(), sumY = CompensatedSum(), sumXY = CompensatedSum(), sumXX = CompensatedSum()
        var isConstant = true
        for index in 0..<count {
            // A single NaN differs from itself; that alone makes no two values different.
            if index > 0 && values[index] != values[0] { isConstant = false }
            let x = Double(times[index] &- origin) / 1000
            let y = values[index]
            sumX.add(x)
            sumY.add(y)
            sumXY.add(x * y)
            sumXX.add(x * x)
        }
        if isConstant {
            // Also where the times say nothing. An infinite constant has no slope that anyone could tell.
            let known = values[0].magnitude != .infinity
            slope = known ? 0 : .nan
            intercept = known ? values[0] : .nan
            return
        }
        // n times the usual covariance and variance; the factor goes in the quotient.
        let n = Double(count)
        let x = sumX.sum + sumX.compensation, y = sumY.sum + sumY.compensation
        let covariance = (sumXY.sum + sumXY.compensation) - x * y / n
        let variance = (sumXX.sum + sumXX.compensation) - x * x / n
        slope = covariance / variance
        intercept = y / n - slope * x / n
    }
}

/// The slope, per second.
struct Derivative: WindowFunction {
    static let minimumCount = 2

    func value(_ times: UnsafePointer<Int64>, _ values: UnsafePointer<Double>, count: Int, step: Int) -> Double {
        LinearRegression(times, values, count: count, origin: times[0]).slope
    }
}

/// The line's value some seconds after the step.
struct Prediction: WindowFunction {
    static let minimumCount = 2
    /// Seconds, per step.
    let ahead: ScalarColumn
    let grid: StepGrid

    func value(_ times: UnsafePointer<Int64>, _ values: UnsafePointer<Double>, count: Int, step: Int) -> Double {
        let line = LinearRegression(times, values, count: count, origin: grid.time(step))
        return line.slope * ahead.values[step] + line.intercept
    }
}
