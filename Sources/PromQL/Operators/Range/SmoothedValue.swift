import TSDB

/// `x smoothed`: at each step the value on the straight line between the samples around it.
///
///     samples      ×──────────────×
///     step               │  here              no next sample within the lookback: the last one's value
///
/// Stale markers do not count as samples: a series does not end, it is only not there.
struct SmoothedValue: WindowKernel {
    func run(
        _ samples: WindowSamples, _ plan: WindowPlan, into column: inout StepColumn, _ context: QueryContext
    ) throws(QueryError) {
        plan.forEachWindow { step, low, high in
            let end = plan.windows.end(step)
            let isBetween = samples.times[high &- 1] > end
            column.set(
                step,
                isBetween
                    ? samples.interpolated(high &- 2, at: end, isCounter: false) : samples.values[high &- 1])
        }
    }
}

extension SampleColumns {
    /// Of the samples that the one window of `x[5m] anchored` or `smoothed` reaches, those that are its answer: one at
    /// either edge and what lies between.
    ///
    /// As upstream: a smoothed window whose samples all lie behind its end still has the first of them at both edges.
    mutating func closeWindow(_ windows: WindowGrid) {
        let end = windows.end(0), start = end &- windows.length
        let samples = WindowSamples(times: timestamps, values: values, count: count)
        guard count > 0, timestamps[count - 1] > start else { return removeAll() }
        var first = 0
        while first + 1 < count && timestamps[first + 1] <= start { first += 1 }
        var last = count - 1
        if windows.after > 0 { last = (0..<count).first { timestamps[$0] >= end } ?? last }

        let isSmoothed = windows.after > 0
        let left =
            isSmoothed && timestamps[first] < start
            ? samples.interpolated(first, at: start, isCounter: false) : values[first]
        let right =
            isSmoothed && last > 0 && timestamps[last] > end
            ? samples.interpolated(last - 1, at: end, isCounter: false) : values[last]
        var kept = [(start, left)]
        for index in 0..<count where timestamps[index] > start && timestamps[index] < end {
            kept.append((timestamps[index], values[index]))
        }
        kept.append((end, right))
        removeAll()
        for (time, value) in kept { append(time, value) }
    }
}
