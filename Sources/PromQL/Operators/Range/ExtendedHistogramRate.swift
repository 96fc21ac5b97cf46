import Histograms

/// `rate`, `increase` and `delta` of `anchored` and `smoothed` selectors, of native histograms: as `ExtendedRate`, with histograms in the place
/// of values.
///
/// A window with floats as well, anywhere in what it reaches for, has no answer. Rare enough to be computed from histograms as they are.
/// Source: upstream's extendedHistogramRate.
extension ExtendedRate {
    func run(
        native samples: NativeSamples, _ plan: WindowPlan, into column: inout StepColumn, _ notes: inout WindowNotes,
        _ scratch: Scratch, _ context: QueryContext
    ) throws(QueryError) {
        var reach = ReachScan(samples)
        for step in 0..<plan.windows.count {
            let kind = reach.kind(plan.windows, step)
            if kind == .mixed { notes.insert(.mixed) }
            let low = plan.low[step], high = plan.high[step]
            guard low < high, let kind else { continue }
            switch kind {
            case .mixed: continue
            case .floats:
                column.set(step, value(samples.floats, plan.windows, step, low, high) { _ in true })
            case .histograms:
                try scratch.spend(64 &* (high &- low), context)
                if let result = moved(samples, plan.windows, step, low, high, &notes) { column.set(step, result) }
            }
        }
    }

    private func moved(
        _ samples: NativeSamples, _ windows: WindowGrid, _ step: Int, _ low: Int, _ high: Int, _ notes: inout WindowNotes
    ) -> FloatHistogram? {
        let end = windows.end(step), start = end &- windows.length, isSmoothed = windows.after > 0
        for index in low..<high {
            guard samples.layout(index).hasCustomBounds == samples.layout(low).hasCustomBounds else {
                notes.insert(.mixedSchemas)
                return nil
            }
            if isCounter && samples.hint(index) == .gauge { notes.insert(.notCounter) }
        }
        let leftIsBetween = isSmoothed && samples.times[low] < start
        let rightIsBetween = isSmoothed && samples.times[high &- 1] > end
        let left =
            leftIsBetween
            ? samples.interpolated(low, at: start, isCounter: isCounter, &notes) : samples.histogram(low)
        let right =
            rightIsBetween
            ? samples.interpolated(high &- 2, at: end, isCounter: isCounter, &notes) : samples.histogram(high &- 1)
        guard let left, let right else { return nil }
        if !isCounter && (left.hint != .gauge || right.hint != .gauge) { notes.insert(.notGauge) }
        var result = right
        guard result.subtract(left, &notes) else { return nil }
        if isCounter {
            guard addLost(to: &result, samples, low, high, left, right, leftIsBetween: leftIsBetween, &notes) else {
                return nil
            }
        }
        if isPerSecond { result.divide(by: windows.seconds) }
        result.hint = .gauge
        result.compact()
        return result
    }

    /// Adds what resets took away on the way from `left` to `right`. `false`: it does not go together.
    private func addLost(
        to result: inout FloatHistogram, _ samples: NativeSamples, _ low: Int, _ high: Int, _ left: FloatHistogram,
        _ right: FloatHistogram, leftIsBetween: Bool, _ notes: inout WindowNotes
    ) -> Bool {
        // Samples `low` and `high − 1` are `left` and `right`, or behind them.
        var first = low &+ 1, previous = left
        if leftIsBetween && samples.isReset(first) {
            // The line to `left` has crossed that reset already.
            previous = samples.histogram(first)
            first &+= 1
        }
        guard first < high else { return true }
        var lost: FloatHistogram?
        func lose(_ histogram: FloatHistogram) -> Bool {
            if lost == nil {
                lost = histogram
                return true
            }
            return lost?.add(histogram, &notes) ?? true
        }
        for index in first..<(high &- 1) {
            let histogram = samples.histogram(index)
            if histogram.detectsReset(since: previous) {
                guard lose(previous) else { return false }
            }
            previous = histogram
        }
        if right.detectsReset(since: previous) {
            guard lose(previous) else { return false }
        }
        return lost.map { result.add($0, &notes) } ?? true
    }
}

/// What kinds of samples lie within the reach of a window, also where the window does not use them.
struct ReachScan {
    private let samples: NativeSamples
    /// Histograms among the first samples.
    private var histogramsBefore = [0]
    /// The samples in reach.
    private var low = 0
    private var high = 0

    init(_ samples: NativeSamples) {
        self.samples = samples
        histogramsBefore.reserveCapacity(samples.count &+ 1)
        for index in 0..<samples.count {
            histogramsBefore.append(histogramsBefore[index] &+ (samples.isHistogram(index) ? 1 : 0))
        }
    }

    /// Steps come in ascending order. `nil`: there is nothing in reach.
    mutating func kind(_ windows: WindowGrid, _ step: Int) -> NativeScan.Kind? {
        let end = windows.end(step), start = end &- windows.length
        let from = start.clampedSubtracting(windows.before), through = end.clampedAdding(windows.after)
        while high < samples.count && samples.times[high] <= through { high &+= 1 }
        while low < high && samples.times[low] <= from { low &+= 1 }
        guard low < high else { return nil }
        let histograms = histogramsBefore[high] &- histogramsBefore[low]
        if histograms == 0 { return .floats }
        return histograms == high &- low ? .histograms : .mixed
    }
}

extension NativeSamples {
    /// The histogram at `time` on the straight line from sample `index` to the next, both histograms. A counter that was reset began again
    /// at zero. `nil`, and a note: the two do not go together.
    func interpolated(
        _ index: Int, at time: Int64, isCounter: Bool, _ notes: inout WindowNotes
    ) -> FloatHistogram? {
        let before = histogram(index)
        if time == times[index] { return before }
        var result = histogram(index &+ 1)
        if time == times[index &+ 1] { return result }
        let fraction = Double(time &- times[index]) / Double(times[index &+ 1] &- times[index])
        if isCounter && isReset(index &+ 1) {
            result.multiply(by: fraction)
            return result
        }
        guard result.subtract(before, &notes) else { return nil }
        result.multiply(by: fraction)
        return result.add(before, &notes) ? result : nil
    }
}
