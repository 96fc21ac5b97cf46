import Histograms
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

/// Of native histograms: interpolated bucket by bucket. A window that reaches floats and histograms has no value.
extension SmoothedValue {
    func run(
        native samples: NativeSamples, _ plan: WindowPlan, into column: inout StepColumn, _ notes: inout WindowNotes,
        _ scratch: Scratch, _ context: QueryContext
    ) throws(QueryError) {
        var reach = ReachScan(samples)
        for step in 0..<plan.windows.count {
            let kind = reach.kind(plan.windows, step)
            if kind == .mixed { notes.insert(.mixed) }
            let low = plan.low[step], high = plan.high[step], end = plan.windows.end(step)
            guard low < high, let kind else { continue }
            let isBetween = samples.times[high &- 1] > end
            switch kind {
            case .mixed: continue
            case .floats:
                column.set(
                    step,
                    isBetween
                        ? samples.floats.interpolated(high &- 2, at: end, isCounter: false) : samples.values[high &- 1])
            case .histograms:
                try scratch.spend(64, context)
                let value =
                    isBetween
                    ? between(samples, high &- 2, at: end, &notes) : newest(samples, high &- 1, at: end)
                if let value { column.set(step, value) }
            }
        }
    }

    /// A gauge only where both samples say so: a line across a reset begins at zero.
    private func between(
        _ samples: NativeSamples, _ index: Int, at time: Int64, _ notes: inout WindowNotes
    ) -> FloatHistogram? {
        guard samples.layout(index).hasCustomBounds == samples.layout(index &+ 1).hasCustomBounds else {
            notes.insert(.mixedSchemas)
            return nil
        }
        let isCounter = samples.hint(index) != .gauge || samples.hint(index &+ 1) != .gauge
        return samples.interpolated(index, at: time, isCounter: isCounter, &notes)
    }

    /// What a sample says of the one before it is not said of the step.
    private func newest(_ samples: NativeSamples, _ index: Int, at time: Int64) -> FloatHistogram {
        var histogram = samples.histogram(index)
        if samples.times[index] != time { histogram.hint = .unknown }
        return histogram
    }
}

extension SampleColumns {
    /// Of the samples that the one window of `x[5m] anchored` or `smoothed` reaches, those that are its answer: one at
    /// either edge and what lies between.
    ///
    /// As upstream: a smoothed window whose samples all lie behind its end still has the first of them at both edges, and native
    /// histograms are refused.
    mutating func closeWindow(_ windows: WindowGrid) throws(QueryError) {
        guard (0..<count).allSatisfy({ histograms.row(of: $0) < 0 }) else {
            let modifier = windows.after > 0 ? WindowReach.smoothed : .anchored
            throw QueryError(.evaluation, "\(modifier.rawValue) modifier is not supported with histograms")
        }
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
