/// `min_over_time` and `max_over_time`: the extreme of a sliding window in O(samples + steps).
///
///     values   3  1  4  1  5                  queue for max: indices whose values only fall
///     window      (1  4  1]                     [4 1]       5 comes in, 4 and 1 can never be
///     next           (4  1  5]                  [5]         the greatest again, and go
///
/// The front of the queue is the answer; it goes when the window has left it behind.
/// NaN stays out of the queue: it is the answer only where a window has nothing else.
/// Source: D. Lemire, “Streaming Maximum-Minimum Filter Using No More than Three Comparisons per Element”, 2006.
struct ExtremeOverTime: WindowKernel {
    let isMaximum: Bool
    /// `ts_of_max_over_time`: the time, in seconds, of the latest such sample instead of its value.
    let yieldsTime: Bool

    func run(
        _ samples: WindowSamples, _ plan: WindowPlan, into column: inout StepColumn, _ context: QueryContext
    ) throws(QueryError) {
        // Of equal values the latest stands for the time of the extreme, so it beats the others; for the value alone any will do.
        withUnsafeTemporaryAllocation(of: Int.self, capacity: samples.count) { queue in
            if isMaximum {
                slide(samples, plan, queue, into: &column) { yieldsTime ? $0 <= $1 : $0 < $1 }
            } else {
                slide(samples, plan, queue, into: &column) { yieldsTime ? $0 >= $1 : $0 > $1 }
            }
        }
    }

    @inline(__always)
    private func slide(
        _ samples: WindowSamples, _ plan: WindowPlan, _ queue: UnsafeMutableBufferPointer<Int>,
        into column: inout StepColumn, isBeatenBy: (Double, Double) -> Bool
    ) {
        let times = samples.times, values = samples.values
        var next = 0
        // The queue is queue[front..<back]; every sample enters once, so it never needs to wrap.
        var front = 0, back = 0
        for step in 0..<plan.windows.count {
            let low = plan.low[step], high = plan.high[step]
            while next < high {
                let value = values[next]
                if !value.isNaN {
                    while back > front && isBeatenBy(values[queue[back &- 1]], value) { back &-= 1 }
                    queue[back] = next
                    back &+= 1
                }
                next &+= 1
            }
            while front < back && queue[front] < low { front &+= 1 }
            guard high > low else { continue }
            let best = front < back ? queue[front] : high &- 1
            column.set(step, yieldsTime ? Double(times[best]) / 1000 : values[best])
        }
    }
}
