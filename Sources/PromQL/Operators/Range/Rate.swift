/// `rate`, `increase` and `delta`: how much a counter or gauge moved over the window, as if samples stood at its edges.
///
///     window        (                        ]
///     samples     ×    ×      ×      ×     ×     ×
///                   ◂──┼──── measured ─────┼─▸           stretched to the edges by the same slope
///
/// The stretch is honest only where the series covers the window: if the first (last) sample is further from the edge
/// than 1.1 times the average distance of samples, the series is taken to begin (end) half a distance outside it; and a
/// counter is never stretched to before it was zero.
/// Counter resets: a value smaller than the one before it began again at zero, so the one before it is added.
///
/// Source: Prometheus documentation, `rate()`; the bits are upstream's: corrections are added in order of time, within
/// the window only, hence the window is scanned again where it holds a reset, and only there.
struct Rate: WindowKernel {
    /// Resets count as such and zero is a floor: `rate`, `increase`. Otherwise `delta`.
    let isCounter: Bool
    /// Per second of the window's length: `rate`.
    let isPerSecond: Bool

    func run(
        _ samples: WindowSamples, _ windows: WindowGrid, into column: inout StepColumn, _ context: QueryContext
    ) throws(QueryError) {
        if isCounter {
            slideCounter(samples, windows, into: &column)
        } else {
            slideGauge(samples, windows, into: &column)
        }
    }

    private func slideCounter(_ samples: WindowSamples, _ windows: WindowGrid, into column: inout StepColumn) {
        let times = samples.times, values = samples.values, count = samples.count
        let length = windows.length
        let seconds = Self.seconds(length)
        var low = 0, high = 0
        /// Index of the newest sample that is smaller than the one before it.
        var lastReset = 0
        for step in 0..<windows.count {
            let end = windows.end(step)
            let start = end &- length
            while high < count && times[high] <= end {
                if high > 0 && values[high] < values[high &- 1] { lastReset = high }
                high &+= 1
            }
            while low < high && times[low] <= start { low &+= 1 }
            guard high &- low >= 2 else { continue }
            var increase = values[high &- 1] - values[low]
            if lastReset > low {
                for index in (low &+ 1)..<high where values[index] < values[index &- 1] {
                    increase += values[index &- 1]
                }
            }
            column.set(
                step,
                extrapolate(
                    increase, first: values[low], times[low] &- start, end &- times[high &- 1],
                    times[high &- 1] &- times[low], high &- low, seconds))
        }
    }

    private func slideGauge(_ samples: WindowSamples, _ windows: WindowGrid, into column: inout StepColumn) {
        let times = samples.times, values = samples.values
        let length = windows.length
        let seconds = Self.seconds(length)
        var cursor = WindowCursor()
        for step in 0..<windows.count {
            let end = windows.end(step)
            cursor.slide(to: end, length: length, times: times, count: samples.count)
            let low = cursor.low, high = cursor.high
            guard high &- low >= 2 else { continue }
            column.set(
                step,
                extrapolate(
                    values[high &- 1] - values[low], first: values[low], times[low] &- (end &- length),
                    end &- times[high &- 1], times[high &- 1] &- times[low], high &- low, seconds))
        }
    }

    /// The window's length as Go's `Duration.Seconds` gives it: whole seconds plus the fraction, rounded once more.
    private static func seconds(_ milliseconds: Int64) -> Double {
        Double(milliseconds / 1000) + Double(milliseconds % 1000) / 1000
    }

    /// Stretches `increase`, measured between the first and the last sample, to the window. Times in milliseconds.
    @inline(__always)
    private func extrapolate(
        _ increase: Double, first: Double, _ startGap: Int64, _ endGap: Int64, _ measured: Int64, _ count: Int,
        _ seconds: Double
    ) -> Double {
        var toStart = Double(startGap) / 1000
        var toEnd = Double(endGap) / 1000
        let sampled = Double(measured) / 1000
        let average = sampled / Double(count &- 1)
        let threshold = average * 1.1
        if toStart >= threshold { toStart = average / 2 }
        if isCounter && increase > 0 && first >= 0 {
            // The counter's own slope reaches zero here; it cannot have begun earlier.
            let toZero = sampled * (first / increase)
            if toZero < toStart { toStart = toZero }
        }
        if toEnd >= threshold { toEnd = average / 2 }
        var factor = (sampled + toStart + toEnd) / sampled
        if isPerSecond { factor /= seconds }
        return increase * factor
    }
}
