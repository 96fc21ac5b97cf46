import Histograms

/// `irate` and `idelta`: the step between the last two samples of the window.
///
///     window   (           ×        ×  ×    ]
///                                   └──┘           per second: divided by the distance of the two
///
/// `irate` takes a smaller second value for a counter that began again at zero.
struct InstantRate: WindowKernel {
    /// `irate`; otherwise `idelta`.
    let isRate: Bool

    func run(
        _ samples: WindowSamples, _ plan: WindowPlan, into column: inout StepColumn, _ context: QueryContext
    ) throws(QueryError) {
        let times = samples.times, values = samples.values
        for step in 0..<plan.windows.count where plan.high[step] &- plan.low[step] >= 2 {
            let last = plan.high[step] &- 1
            var result = values[last]
            if !(isRate && values[last] < values[last &- 1]) { result -= values[last &- 1] }
            if isRate { result /= Double(times[last] &- times[last &- 1]) / 1000 }
            column.set(step, result)
        }
    }
}

extension InstantRate {
    /// A counter that began again between the two moved by what it has now, whether it fell or not.
    func run(
        _ samples: WindowSamples, starting starts: SampleStarts, _ plan: WindowPlan, into column: inout StepColumn,
        _ context: QueryContext
    ) throws(QueryError) {
        try run(samples, plan, into: &column, context)
        guard isRate else { return }
        for step in 0..<plan.windows.count where plan.high[step] &- plan.low[step] >= 2 {
            let last = plan.high[step] &- 1
            guard starts.beganAgain(last) else { continue }
            column.set(step, samples.values[last] / (Double(samples.times[last] &- samples.times[last &- 1]) / 1000))
        }
    }
}

/// Of native histograms: the last minus the one before, or behind a reset the last alone.
extension InstantRate {
    func run(
        native samples: NativeSamples, _ plan: WindowPlan, into column: inout StepColumn, _ notes: inout WindowNotes,
        _ scratch: Scratch, _ context: QueryContext
    ) throws(QueryError) {
        var difference = RowDifference()
        for step in 0..<plan.windows.count where plan.high[step] &- plan.low[step] >= 2 {
            let last = plan.high[step] &- 1
            let seconds = Double(samples.times[last] &- samples.times[last &- 1]) / 1000
            switch (samples.isHistogram(last &- 1), samples.isHistogram(last)) {
            case (false, false):
                var result = samples.values[last]
                let isReset = isRate && (result < samples.values[last &- 1] || samples.starts.beganAgain(last))
                if !isReset { result -= samples.values[last &- 1] }
                column.set(step, isRate ? result / seconds : result)
            case (true, true):
                let isReset = noteKind(samples, last, &notes)
                if !isReset, samples.areOfOneKind(last), difference.prepare(last &- 1, last, samples) {
                    difference.set(step, of: &column, from: last &- 1, to: last, samples, isRate ? .over(seconds) : .times(1))
                } else if var histogram = moved(samples, last, isReset: isReset, &notes) {
                    if isRate { histogram.divide(by: seconds) }
                    column.set(step, histogram)
                }
            case (true, false), (false, true): notes.insert(.mixed)
            }
            try scratch.spend(1, context)
        }
    }

    /// Whether the counter began again between samples `last − 1` and `last`, both histograms; says when they are of the wrong kind.
    private func noteKind(_ samples: NativeSamples, _ last: Int, _ notes: inout WindowNotes) -> Bool {
        let before = samples.hint(last &- 1), after = samples.hint(last)
        if isRate && (before == .gauge || after == .gauge) { notes.insert(.notCounter) }
        if !isRate && (before != .gauge || after != .gauge) { notes.insert(.notGauge) }
        return isRate && samples.isReset(last)
    }

    /// From one to the other in general. `nil`, and a note: they do not go together.
    private func moved(
        _ samples: NativeSamples, _ last: Int, isReset: Bool, _ notes: inout WindowNotes
    ) -> FloatHistogram? {
        var result = samples.histogram(last)
        if !isReset {
            guard result.subtract(samples.histogram(last &- 1), &notes) else { return nil }
        }
        result.hint = .gauge
        result.compact()
        return result
    }
}
