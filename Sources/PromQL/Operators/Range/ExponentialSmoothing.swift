import Numbers

/// `double_exponential_smoothing`: a moving average that also follows the trend (Holt's linear method).
///
///     levelᵢ = s · xᵢ + (1 − s) · (levelᵢ₋₁ + trendᵢ₋₁)
///     trendᵢ = t · (levelᵢ − levelᵢ₋₁) + (1 − t) · trendᵢ₋₁
///
/// Source: C. C. Holt, “Forecasting seasonals and trends by exponentially weighted moving averages”, 1957.
struct ExponentialSmoothing: WindowKernel {
    /// s and t, per step; both must lie strictly between 0 and 1 where a window has samples.
    let smoothing: ScalarColumn
    let trend: ScalarColumn
    let place: Range<Int>

    var canFail: Bool { [smoothing, trend].contains { $0.first { $0 <= 0 || $0 >= 1 } != nil } }

    func run(
        _ samples: WindowSamples, _ plan: WindowPlan, into column: inout StepColumn, _ context: QueryContext
    ) throws(QueryError) {
        var visited = 0
        for step in 0..<plan.windows.count {
            let size = plan.high[step] - plan.low[step]
            guard size > 0 else { continue }
            try check(step)
            guard size >= 2 else { continue }
            column.set(
                step,
                Self.smooth(samples.values + plan.low[step], size, smoothing.values[step], trend.values[step]))
            visited += size
            if visited > Scratch.workBetweenChecks {
                visited = 0
                try context.check()
            }
        }
    }

    /// Factors are looked at wherever there are samples, of whatever kind.
    func run(
        native samples: NativeSamples, _ plan: WindowPlan, into column: inout StepColumn, _ notes: inout WindowNotes,
        _ scratch: Scratch, _ context: QueryContext
    ) throws(QueryError) {
        for step in 0..<plan.windows.count where plan.high[step] > plan.low[step] { try check(step) }
        try runOnFloats(samples, plan, into: &column, &notes, scratch, context)
    }

    /// Written so that NaN passes, as upstream's test lets it.
    private func check(_ step: Int) throws(QueryError) {
        let s = smoothing.values[step], t = trend.values[step]
        if s <= 0 || s >= 1 { throw invalid("smoothing factor. Expected: 0 < sf < 1, got: ", s) }
        if t <= 0 || t >= 1 { throw invalid("trend factor. Expected: 0 < tf < 1, got: ", t) }
    }

    private static func smooth(_ values: UnsafePointer<Double>, _ count: Int, _ s: Double, _ t: Double) -> Double {
        // level₀ = x₀, and the first trend is x₁ − x₀ as it stands: it is smoothed from the third sample on.
        var before = 0.0, level = values[0], slope = values[1] - values[0]
        for index in 1..<count {
            if index > 1 { slope = t * (level - before) + (1 - t) * slope }
            let next = s * values[index] + (1 - s) * (level + slope)
            before = level
            level = next
        }
        return level
    }

    private func invalid(_ text: String, _ value: Double) -> QueryError {
        QueryError(.evaluation, "invalid \(text)\(value.sixDecimals)", range: place)
    }
}

extension Double {
    /// As C's `%f` prints it.
    fileprivate var sixDecimals: String {
        guard isFinite, magnitude < 1e12 else { return Numbers.NumberText.string(self, style: .fixed) }
        let millionths = (magnitude * 1e6).rounded()
        let whole = Int64(millionths / 1e6)
        let rest = String(Int64(millionths) - whole * 1_000_000)
        return (sign == .minus ? "-" : "") + "\(whole)." + String(repeating: "0", count: 6 - rest.count) + rest
    }
}
