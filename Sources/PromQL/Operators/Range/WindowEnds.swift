/// The functions that need no look inside the window: its size, its first or last sample.
///
///     window   (  7   3   5  ]      count 3, first 7, last 5, present 1
struct WindowEnds: WindowKernel {
    enum Answer: Sendable {
        case count, first, last, present
        /// Seconds since the epoch.
        case timeOfFirst, timeOfLast
    }

    let answer: Answer

    func run(
        _ samples: WindowSamples, _ plan: WindowPlan, into column: inout StepColumn, _ context: QueryContext
    ) throws(QueryError) {
        let times = samples.times, values = samples.values
        plan.forEachWindow { step, low, high in
            switch answer {
            case .count: column.set(step, Double(high &- low))
            case .first: column.set(step, values[low])
            case .last: column.set(step, values[high &- 1])
            case .present: column.set(step, 1)
            case .timeOfFirst: column.set(step, Double(times[low]) / 1000)
            case .timeOfLast: column.set(step, Double(times[high &- 1]) / 1000)
            }
        }
    }
}
