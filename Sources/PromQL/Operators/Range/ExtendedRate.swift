/// `rate`, `increase` and `delta` of `anchored` and `smoothed` selectors: differences of values at the window's edges, and
/// no stretching.
///
///     window              (               ]
///     samples     ×     ×     ×     ×         ×        anchored: from the sample before the start to the last one inside
///                       └───────────┘
///                         ╱               ╲            smoothed: between the values that straight lines give at the edges
///                         └───────────────┘
///
/// Counters: a fall inside, or from an edge's value to its neighbour, adds what was lost. A straight line across a reset starts
/// at zero.
/// Source: Prometheus proposal PROM-52, “Extended range selectors semantics”; the order of additions is upstream's.
///
/// Invariant: the windows reach out, so those that are not empty have a sample behind their start.
struct ExtendedRate: WindowKernel {
    /// Falls are resets: `rate`, `increase`. Otherwise `delta`.
    let isCounter: Bool
    /// Per second of the window's length: `rate`.
    let isPerSecond: Bool

    func run(
        _ samples: WindowSamples, _ plan: WindowPlan, into column: inout StepColumn, _ context: QueryContext
    ) throws(QueryError) {
        let windows = plan.windows, values = samples.values
        var seen = 1, lastReset = 0
        plan.forEachWindow { step, low, high in
            while seen < high {
                if values[seen] < values[seen &- 1] { lastReset = seen }
                seen &+= 1
            }
            column.set(step, value(samples, windows, step, low, high) { lastReset > $0 })
        }
    }

    /// Of the window `low ..< high` of floats. `hasReset` tells whether one stands behind a sample.
    @inline(__always)
    func value(
        _ samples: WindowSamples, _ windows: WindowGrid, _ step: Int, _ low: Int, _ high: Int, hasReset: (Int) -> Bool
    ) -> Double {
        let values = samples.values, isSmoothed = windows.after > 0
        let end = windows.end(step), start = end &- windows.length
        var left = values[low], right = values[high &- 1]
        if isSmoothed {
            if samples.times[low] < start { left = samples.interpolated(low, at: start, isCounter: isCounter) }
            if samples.times[high &- 1] > end {
                right = samples.interpolated(high &- 2, at: end, isCounter: isCounter)
            }
        }
        var result = right - left
        if isCounter {
            let first = samples.times[low] <= start ? low &+ 1 : low
            let behind = samples.times[high &- 1] >= end ? high &- 1 : high
            result += Self.correction(values, first, behind, left, right, hasReset: hasReset(first))
        }
        return isPerSecond ? result / windows.seconds : result
    }

    /// What resets took away on the way from `left` over `values[first..<behind]` to `right`.
    @inline(__always)
    private static func correction(
        _ values: UnsafePointer<Double>, _ first: Int, _ behind: Int, _ left: Double, _ right: Double, hasReset: Bool
    ) -> Double {
        guard first < behind else { return right < left ? left : 0 }
        var lost = values[first] < left ? left : 0
        if hasReset {
            for index in (first &+ 1)..<max(behind, first &+ 1) where values[index] < values[index &- 1] {
                lost += values[index &- 1]
            }
        }
        if right < values[behind &- 1] { lost += values[behind &- 1] }
        return lost
    }
}

extension WindowSamples {
    /// The value at `time` on the straight line from sample `index` to the next. A counter that fell began again at zero.
    @inline(__always)
    func interpolated(_ index: Int, at time: Int64, isCounter: Bool) -> Double {
        let next = values[index &+ 1]
        let from = isCounter && next < values[index] ? 0 : values[index]
        return from + (next - from) * Double(time &- times[index]) / Double(times[index &+ 1] &- times[index])
    }
}
