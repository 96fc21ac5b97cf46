/// `deriv`: the slope of the line through each window's samples.
///
///     slope = (Σxy − Σx·Σy/n) / (Σxx − Σx·Σx/n)        x: seconds since the window's first sample
///
/// Σx and Σxx and the x themselves depend on times alone, so they are found once for all series of a scrape
/// (`RegressionGeometry`); Σy and Σxy are one compensated sum of pairs. The additions are those of `LinearRegression`, in its order.
struct DerivativeKernel: WindowKernel {
    func run(
        _ samples: WindowSamples, _ plan: WindowPlan, into column: inout StepColumn, _ context: QueryContext
    ) throws(QueryError) {
        guard let geometry = plan.regressionGeometry else {
            return try Rescanning(function: Derivative()).run(samples, plan, into: &column, context)
        }
        var visited = 0
        for step in 0..<plan.windows.count {
            let low = plan.low[step], count = plan.high[step] &- low
            guard count >= 2 else { continue }
            column.set(step, slope(samples.values + low, geometry.x + geometry.starts[step], count, geometry, step))
            visited &+= count
            if visited > Scratch.workBetweenChecks {
                visited = 0
                try context.check()
            }
        }
    }

    @inline(__always)
    private func slope(
        _ values: UnsafePointer<Double>, _ x: UnsafePointer<Double>, _ count: Int, _ geometry: RegressionGeometry,
        _ step: Int
    ) -> Double {
        let first = values[0]
        var differs = 0
        for index in 1..<count { differs &+= values[index] != first ? 1 : 0 }
        if differs == 0 { return first.magnitude != .infinity ? 0 : .nan }
        var sums = TwoSums()
        for index in 0..<count { sums.add(SIMD2(values[index], x[index] * values[index])) }
        let n = Double(count)
        let sumX = geometry.sumX[step], variance = geometry.variance[step]
        let y = sums.sum[0] + sums.compensation[0]
        let covariance = (sums.sum[1] + sums.compensation[1]) - sumX * y / n
        return covariance / variance
    }
}

/// Two `CompensatedSum`s in the lanes of a vector, with the same operations in the same order.
struct TwoSums {
    private(set) var sum = SIMD2<Double>.zero
    private(set) var compensation = SIMD2<Double>.zero

    @inline(__always)
    mutating func add(_ value: SIMD2<Double>) {
        let next = sum + value
        let swapped = Self.magnitude(sum) .>= Self.magnitude(value)
        let large = value.replacing(with: sum, where: swapped)
        let small = sum.replacing(with: value, where: swapped)
        let lost = compensation + ((large - next) + small)
        compensation = lost.replacing(with: 0, where: Self.magnitude(next) .== SIMD2(repeating: .infinity))
        sum = next
    }

    @inline(__always)
    private static func magnitude(_ value: SIMD2<Double>) -> SIMD2<Double> {
        unsafeBitCast(
            unsafeBitCast(value, to: SIMD2<UInt64>.self) & SIMD2(repeating: 0x7fff_ffff_ffff_ffff), to: SIMD2<Double>.self)
    }
}

/// What times say about straight lines through windows, per step.
final class RegressionGeometry {
    /// Values of x held at most: 512 kB. Larger queries compute them as they go.
    static let largest = 1 << 16

    /// Seconds since the window's first sample, windows behind each other: step `i` from `starts[i]` on.
    let x: UnsafeMutablePointer<Double>
    private(set) var starts: [Int] = []
    /// Σx, and n times the variance of x.
    private(set) var sumX: [Double] = []
    private(set) var variance: [Double] = []

    /// `nil`: too many.
    init?(_ plan: WindowPlan, times: UnsafePointer<Int64>) {
        var total = 0
        for step in 0..<plan.windows.count {
            starts.append(total)
            total += plan.high[step] - plan.low[step]
            if total > Self.largest { return nil }
        }
        x = .allocate(capacity: total + 1)
        for step in 0..<plan.windows.count {
            let low = plan.low[step], count = plan.high[step] - low
            var sum = CompensatedSum(), squares = CompensatedSum()
            for index in 0..<count {
                let seconds = Double(times[low + index] &- times[low]) / 1000
                x[starts[step] + index] = seconds
                sum.add(seconds)
                squares.add(seconds * seconds)
            }
            let total = sum.sum + sum.compensation
            sumX.append(total)
            variance.append((squares.sum + squares.compensation) - total * total / Double(count))
        }
    }

    deinit { x.deallocate() }
}
