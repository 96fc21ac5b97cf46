/// `sum_over_time` and `avg_over_time`: compensated sums of four windows at a time.
///
///     samples    a b c d e f g h
///     windows   (a b c d]              lane 0    a, b, c, d
///                 (b c d e]            lane 1    b, c, d, e        each lane adds its own samples in their order
///                   (c d e f]          lane 2    c, d, e, f
///                     (d e f g]        lane 3    d, e, f, g
///
/// A compensated sum is a chain of dependent additions, which one core runs at a quarter of what it could do. Windows do not
/// depend on each other, so four chains go side by side, and every window still has upstream's bits. What windows have more than
/// the shortest of the four is added one by one.
struct WindowSums: WindowKernel {
    /// Divides by the number of samples.
    let isAverage: Bool

    func run(
        _ samples: WindowSamples, _ plan: WindowPlan, into column: inout StepColumn, _ context: QueryContext
    ) throws(QueryError) {
        column.presence.update(from: plan.presence, count: plan.wordCount)
        let steps = plan.windows.count, low = plan.low, high = plan.high
        var step = 0, visited = 0
        while step < steps {
            if step &+ 4 <= steps {
                let shortest = min(
                    min(high[step] &- low[step], high[step &+ 1] &- low[step &+ 1]),
                    min(high[step &+ 2] &- low[step &+ 2], high[step &+ 3] &- low[step &+ 3]))
                if shortest > 1 {
                    four(step, shortest, samples.values, plan, into: column.values)
                    visited &+= 4 &* shortest
                    step &+= 4
                    continue
                }
            }
            let count = high[step] &- low[step]
            if count > 0 { column.values[step] = one(samples.values + low[step], count) }
            visited &+= count
            step &+= 1
            if visited > Scratch.workBetweenChecks {
                visited = 0
                try context.check()
            }
        }
    }

    private func one(_ values: UnsafePointer<Double>, _ count: Int) -> Double {
        isAverage ? AverageOverTime.value(values, count: count) : SumOverTime.value(values, count: count)
    }

    /// Steps `step ..< step + 4`, whose windows have `shortest` samples or more.
    private func four(
        _ step: Int, _ shortest: Int, _ values: UnsafePointer<Double>, _ plan: WindowPlan,
        into result: UnsafeMutablePointer<Double>
    ) {
        let low = plan.low + step, high = plan.high + step
        let a = values + low[0], b = values + low[1], c = values + low[2], d = values + low[3]
        // As the plain definitions begin: a sum with zero, an average with the first value.
        var sums = FourSums()
        if isAverage { sums.sum = SIMD4(a[0], b[0], c[0], d[0]) }
        for index in (isAverage ? 1 : 0)..<shortest { sums.add(SIMD4(a[index], b[index], c[index], d[index])) }
        for lane in 0..<4 {
            let begin = values + low[lane], count = high[lane] &- low[lane]
            // A sum that left the range of doubles at any time is not finite now, and has rules of its own.
            guard sums.sum[lane].isFinite else {
                result[lane &+ step] = one(begin, count)
                continue
            }
            var sum = CompensatedSum(sums.sum[lane], compensation: sums.compensation[lane])
            for index in shortest..<max(shortest, count) { sum.add(begin[index]) }
            guard sum.sum.isFinite else {
                result[lane &+ step] = one(begin, count)
                continue
            }
            let n = Double(count)
            result[lane &+ step] = isAverage ? sum.sum / n + sum.compensation / n : sum.total
        }
    }
}

/// Four `CompensatedSum`s in the lanes of a vector, with the same operations in the same order.
struct FourSums {
    var sum = SIMD4<Double>.zero
    private(set) var compensation = SIMD4<Double>.zero

    @inline(__always)
    mutating func add(_ value: SIMD4<Double>) {
        let next = sum + value
        let swapped = Self.magnitude(sum) .>= Self.magnitude(value)
        let large = value.replacing(with: sum, where: swapped)
        let small = sum.replacing(with: value, where: swapped)
        let lost = compensation + ((large - next) + small)
        compensation = lost.replacing(with: 0, where: Self.magnitude(next) .== SIMD4(repeating: .infinity))
        sum = next
    }

    @inline(__always)
    private static func magnitude(_ value: SIMD4<Double>) -> SIMD4<Double> {
        unsafeBitCast(
            unsafeBitCast(value, to: SIMD4<UInt64>.self) & SIMD4(repeating: 0x7fff_ffff_ffff_ffff), to: SIMD4<Double>.self)
    }
}
