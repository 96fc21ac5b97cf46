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
///
/// What depends on times alone is `RateGeometry`, shared by the series of a scrape. Per series and step there remain a
/// difference, a look whether zero is near, and a product.
struct Rate: WindowKernel {
    /// Resets count as such and zero is a floor: `rate`, `increase`. Otherwise `delta`.
    let isCounter: Bool
    /// Per second of the window's length: `rate`.
    let isPerSecond: Bool

    func run(
        _ samples: WindowSamples, _ plan: WindowPlan, into column: inout StepColumn, _ context: QueryContext
    ) throws(QueryError) {
        let geometry = plan.rateGeometry
        column.presence.update(from: geometry.presence, count: column.wordCount)
        if isCounter {
            let values = samples.values
            if Self.hasReset(samples) {
                var seen = 1, lastReset = 0
                counter(values, plan, geometry, into: &column) { low, high in
                    while seen < high {
                        if values[seen] < values[seen &- 1] { lastReset = seen }
                        seen &+= 1
                    }
                    var increase = values[high &- 1] - values[low]
                    guard lastReset > low else { return increase }
                    for index in (low &+ 1)..<high where values[index] < values[index &- 1] {
                        increase += values[index &- 1]
                    }
                    return increase
                }
            } else {
                counter(values, plan, geometry, into: &column) { low, high in values[high &- 1] - values[low] }
            }
        } else {
            let factors = isPerSecond ? geometry.perSecond : geometry.factor
            let values = samples.values, result = column.values
            geometry.forEachWindow(plan) { step, low, high in
                result[step] = (values[high &- 1] - values[low]) * factors[step]
            }
        }
    }

    /// Whether any value is smaller than the one before.
    private static func hasReset(_ samples: WindowSamples) -> Bool {
        let values = samples.values
        var falls = 0
        for index in 1..<max(1, samples.count) { falls &+= values[index] < values[index &- 1] ? 1 : 0 }
        return falls > 0
    }

    /// `measure` tells by how much the counter rose within a window, resets included.
    @inline(__always)
    private func counter(
        _ values: UnsafePointer<Double>, _ plan: WindowPlan, _ geometry: RateGeometry, into column: inout StepColumn,
        measure: (_ low: Int, _ high: Int) -> Double
    ) {
        let factors = isPerSecond ? geometry.perSecond : geometry.factor
        let measured = geometry.measured, toStart = geometry.toStart
        let result = column.values
        geometry.forEachWindow(plan) { step, low, high in
            let first = values[low]
            let increase = measure(low, high)
            // The counter's own slope reaches zero at `toZero`; it cannot have begun earlier. Nearly always that is far
            // away, which two products tell as surely as a division does, at a third of its price. (A margin for their
            // rounding; tiny products round badly, infinite ones say nothing: then the division decides.)
            let rise = measured[step] * first
            if rise > toStart[step] * increase * 1.000000001 && rise > 1e-290 {
                result[step] = increase * factors[step]
                return
            }
            let toZero = measured[step] * (first / increase)
            if increase > 0 && first >= 0 && toZero < toStart[step] {
                result[step] = increase * geometry.factor(step, toStart: toZero, isPerSecond)
            } else {
                result[step] = increase * factors[step]
            }
        }
    }
}

/// What the times of the samples say about a rate, per step: how far the samples reach, how far to stretch them.
final class RateGeometry {
    /// A bit per step whose window has two samples.
    let presence: UnsafeMutablePointer<UInt64>
    /// Seconds from the first to the last sample.
    let measured: UnsafeMutablePointer<Double>
    /// Seconds to stretch at the beginning and at the end.
    let toStart: UnsafeMutablePointer<Double>
    let toEnd: UnsafeMutablePointer<Double>
    /// By how much the stretch multiplies a difference; and the same divided by the window's length in seconds.
    let factor: UnsafeMutablePointer<Double>
    let perSecond: UnsafeMutablePointer<Double>
    /// Every step's window has two samples.
    private var isFull = true
    private let wordCount: Int
    /// The window's length.
    let seconds: Double

    init(_ plan: WindowPlan, times: UnsafePointer<Int64>) {
        let windows = plan.windows
        wordCount = plan.wordCount
        let steps = windows.count
        presence = .allocate(capacity: wordCount + 1)
        presence.initialize(repeating: 0, count: wordCount + 1)
        measured = .allocate(capacity: 5 * steps + 1)
        toStart = measured + steps
        toEnd = toStart + steps
        factor = toEnd + steps
        perSecond = factor + steps
        seconds = windows.seconds
        for step in 0..<steps {
            let low = plan.low[step], high = plan.high[step]
            guard high &- low >= 2 else {
                isFull = false
                continue
            }
            presence[step >> 6] |= 1 << UInt64(truncatingIfNeeded: step & 63)
            let end = windows.end(step)
            var start = Double(times[low] &- (end &- windows.length)) / 1000
            var rest = Double(end &- times[high &- 1]) / 1000
            let sampled = Double(times[high &- 1] &- times[low]) / 1000
            let average = sampled / Double(high &- low &- 1)
            let threshold = average * 1.1
            if start >= threshold { start = average / 2 }
            if rest >= threshold { rest = average / 2 }
            measured[step] = sampled
            toStart[step] = start
            toEnd[step] = rest
            factor[step] = (sampled + start + rest) / sampled
            perSecond[step] = factor[step] / seconds
        }
    }

    deinit {
        presence.deallocate()
        measured.deallocate()
    }

    /// The factor where the stretch at the beginning is another.
    @inline(__always)
    func factor(_ step: Int, toStart: Double, _ isPerSecond: Bool) -> Double {
        let factor = (measured[step] + toStart + toEnd[step]) / measured[step]
        return isPerSecond ? factor / seconds : factor
    }

    /// Visits the steps whose window has two samples.
    @inline(__always)
    func forEachWindow(_ plan: WindowPlan, _ body: (_ step: Int, _ low: Int, _ high: Int) -> Void) {
        let low = plan.low, high = plan.high
        if isFull {
            for step in 0..<plan.windows.count { body(step, low[step], high[step]) }
            return
        }
        for word in 0..<wordCount {
            var bits = presence[word]
            while bits != 0 {
                let step = word << 6 &+ bits.trailingZeroBitCount
                body(step, low[step], high[step])
                bits &= bits &- 1
            }
        }
    }
}
