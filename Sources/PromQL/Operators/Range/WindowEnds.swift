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

    /// Sizes and times are the same of all kinds of samples.
    func run(
        native samples: NativeSamples, _ plan: WindowPlan, into column: inout StepColumn, _ notes: inout WindowNotes,
        _ scratch: Scratch, _ context: QueryContext
    ) throws(QueryError) {
        switch answer {
        case .first: plan.forEachWindow { step, low, _ in Self.set(step, samples, low, in: &column) }
        case .last: plan.forEachWindow { step, _, high in Self.set(step, samples, high &- 1, in: &column) }
        case .count, .present, .timeOfFirst, .timeOfLast: try run(samples.floats, plan, into: &column, context)
        }
    }

    private static func set(_ step: Int, _ samples: NativeSamples, _ index: Int, in column: inout StepColumn) {
        if samples.isHistogram(index) {
            column.set(step, samples.histogram(index))
        } else {
            column.set(step, samples.values[index])
        }
    }
}
