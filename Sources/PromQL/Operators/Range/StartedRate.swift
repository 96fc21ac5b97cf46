import Histograms

/// `rate` and `increase` of counters that say when they began (`use-start-timestamps`).
///
///     window     (         s   ×     ×     ×  ]       began inside of the window at s, with zero: measured from there, and the first
///                          ├───── measured ┤─▸        sample counts in full; nothing is stretched at the beginning. One sample is enough
///     window     (   ×     ×     s   ×     ×  ]       began again at s: a reset, also where the value did not fall
///
/// Where the first sample of a window began before it, or nothing is known, everything is as it is without.
///
/// Source: upstream's `extrapolatedRate` and `histogramRate`, in their order of operations.
extension Rate {
    var notesOverlaps: Bool { isCounter }

    func run(
        _ samples: WindowSamples, starting starts: SampleStarts, _ plan: WindowPlan, into column: inout StepColumn,
        _ context: QueryContext
    ) throws(QueryError) {
        guard isCounter else { return try run(samples, plan, into: &column, context) }
        let values = samples.values
        var seen = 1, lastReset = 0, visited = 0
        for step in 0..<plan.windows.count {
            let low = plan.low[step], high = plan.high[step]
            guard high > low else { continue }
            while seen < high {
                if isReset(seen, values, starts) { lastReset = seen }
                seen &+= 1
            }
            if lastReset > low { visited &+= high &- low }
            if let value = float(step, plan, samples, starts, hasReset: lastReset > low) { column.set(step, value) }
            if visited > Scratch.workBetweenChecks {
                visited = 0
                try context.check()
            }
        }
    }

    @inline(__always)
    private func isReset(_ index: Int, _ values: UnsafePointer<Double>, _ starts: SampleStarts) -> Bool {
        values[index] < values[index &- 1] || starts.beganAgain(index)
    }

    /// The value of a window of floats, not empty; `nil`: there is but one, and nothing is known of it.
    private func float(
        _ step: Int, _ plan: WindowPlan, _ samples: WindowSamples, _ starts: SampleStarts, hasReset: Bool
    ) -> Double? {
        let low = plan.low[step], high = plan.high[step], values = samples.values
        var increase = values[high &- 1] - values[low]
        if hasReset {
            for index in (low &+ 1)..<high where isReset(index, values, starts) { increase += values[index &- 1] }
        }
        if let factor = startedFactor(step, plan, samples.times, starts) { return (increase + values[low]) * factor }
        guard high &- low >= 2 else { return nil }
        return increase * factor(plan.rateGeometry, step, first: values[low], increase: increase)
    }

    /// How an increase since zero is stretched; `nil` where the window's first sample did not begin inside of it.
    private func startedFactor(
        _ step: Int, _ plan: WindowPlan, _ times: UnsafePointer<Int64>, _ starts: SampleStarts
    ) -> Double? {
        let low = plan.low[step], high = plan.high[step]
        guard let start = starts.start(low, behind: plan.windows.end(step) &- plan.windows.length) else { return nil }
        return plan.rateGeometry.factor(
            step, measured: Double(times[high &- 1] &- start) / 1000, isAlone: high &- low == 1, isPerSecond)
    }

    /// Of a series that has native histograms and starts.
    func run(
        started samples: NativeSamples, _ plan: WindowPlan, into column: inout StepColumn, _ notes: inout WindowNotes,
        _ scratch: Scratch, _ context: QueryContext
    ) throws(QueryError) {
        var scan = NativeScan(isCounter: isCounter)
        for step in 0..<plan.windows.count {
            let low = plan.low[step], high = plan.high[step]
            guard high > low else { continue }
            scan.advance(to: high, samples)
            switch scan.kind(low) {
            case .mixed: notes.insert(.mixed)
            case .floats:
                if let value = float(step, plan, samples.floats, samples.starts, hasReset: true) { column.set(step, value) }
            case .histograms:
                if let value = histogram(step, plan, samples, scan, &notes) { column.set(step, value) }
            }
            // A histogram costs what dozens of floats do.
            try scratch.spend(64 &* (high &- low), context)
        }
    }

    private func histogram(
        _ step: Int, _ plan: WindowPlan, _ samples: NativeSamples, _ scan: NativeScan, _ notes: inout WindowNotes
    ) -> FloatHistogram? {
        let low = plan.low[step], high = plan.high[step]
        let factor = startedFactor(step, plan, samples.times, samples.starts)
        let first = samples.histogram(low)
        guard high &- low >= 2 else {
            guard let factor else { return nil }
            var result = first
            result.multiply(by: factor)
            return result
        }
        guard var result = histogramIncrease(samples, scan, low, high, &notes) else { return nil }
        if let factor {
            guard result.add(first, &notes) else { return nil }
            result.multiply(by: factor)
        } else {
            result.multiply(by: self.factor(plan.rateGeometry, step, first: first.count, increase: result.count))
        }
        return result
    }
}

extension RateGeometry {
    /// The factor where the counter began inside of the window, `measured` seconds before its last sample.
    func factor(_ step: Int, measured: Double, isAlone: Bool, _ isPerSecond: Bool) -> Double {
        // A single sample has no distance to the next one, so there is no telling whether one is missing at the end.
        let factor = (measured + (isAlone ? 0 : toEnd[step])) / measured
        return isPerSecond ? factor / seconds : factor
    }
}
