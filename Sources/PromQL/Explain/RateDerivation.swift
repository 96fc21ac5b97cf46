import TSDB

/// `rate`, `increase` and `delta` by hand: the difference, the resets, and the stretch to the edges of the window.
///
///     window    (                            ]
///     samples      ×      ×      ×      ×
///               ├──┤                    ├────┤     gaps; each is stretched over as a whole if it is shorter than
///                  ├──── measured ──────┤          1.1 average distances, else by half an average distance
///
/// The operations are `Rate`'s, in its order, so the result is the engine's to the last bit.
extension RangeArithmetic {
    /// Resets spelled out at most.
    private static let maximumResets = 50

    func rate(isCounter: Bool, isPerSecond: Bool) -> [Derivation.Step] {
        guard window.count >= 2 else { return [] }
        var steps = Arithmetic()
        let first = values[0]
        steps.given("first sample", first, "at \(Explanation.seconds(times[0]))")
        steps.given("last sample", values[last], "at \(Explanation.seconds(times[last]))")
        var increase = steps.step(
            isCounter ? "increase" : "difference", "\(digits(values[last])) - \(digits(first))", values[last] - first)
        if isCounter { addResets(to: &increase, &steps) }

        let measured = steps.step(
            "measured", "(\(digits(milliseconds: times[last])) - \(digits(milliseconds: times[0]))) / 1000",
            Double(times[last] - times[0]) / 1000, "seconds from the first to the last sample")
        let average = steps.step(
            "average distance", "\(digits(measured)) / \(window.count - 1)", measured / Double(window.count - 1),
            "seconds between two samples")
        let threshold = steps.step("threshold", "\(digits(average)) * 1.1", average * 1.1)
        var toStart = stretch("start", times[0], window.from, average, threshold, &steps)
        let toEnd = stretch("end", window.through, times[last], average, threshold, &steps)
        if isCounter && increase > 0 && first >= 0 {
            let toZero = measured * (first / increase)
            let isNearer = toZero < toStart
            steps.step(
                "from zero", "\(digits(measured)) * (\(digits(first)) / \(digits(increase)))", toZero,
                isNearer
                    ? "the counter was zero only so many seconds before: stretched no further"
                    : "seconds since the counter would have been zero, farther away: no limit")
            if isNearer { toStart = toZero }
        }
        var factor = steps.step(
            "factor", "(\(digits(measured)) + \(digits(toStart)) + \(digits(toEnd))) / \(digits(measured))",
            (measured + toStart + toEnd) / measured, "from what was measured to the whole window")
        if isPerSecond {
            factor = steps.step(
                "per second", "\(digits(factor)) / \(digits(window.seconds))", factor / window.seconds,
                "divided by the window's length")
        }
        steps.step("result", "\(digits(increase)) * \(digits(factor))", increase * factor)
        return steps.steps
    }

    private func addResets(to increase: inout Double, _ steps: inout Arithmetic) {
        var count = 0
        for index in 1..<window.count where values[index] < values[index - 1] {
            let before = increase
            increase += values[index - 1]
            count += 1
            guard count <= Self.maximumResets else { continue }
            steps.step(
                "reset", "\(digits(before)) + \(digits(values[index - 1]))", increase,
                "at \(Explanation.seconds(times[index])) it fell from \(digits(values[index - 1])) to "
                    + "\(digits(values[index])): what it had is added")
        }
        if count > Self.maximumResets {
            steps.given("resets", increase, "\(count - Self.maximumResets) more, added in the same way")
        }
    }

    /// How far to stretch over the gap from `early` to `late` (written late − early), seconds.
    private func stretch(
        _ side: String, _ late: Int64, _ early: Int64, _ average: Double, _ threshold: Double,
        _ steps: inout Arithmetic
    ) -> Double {
        let gap = Double(late - early) / 1000
        let isShort = gap < threshold
        steps.step(
            "gap at the \(side)", "(\(digits(milliseconds: late)) - \(digits(milliseconds: early))) / 1000", gap,
            isShort ? "below the threshold: stretched to the edge" : "not below the threshold: the series \(side)s here"
        )
        if isShort { return gap }
        return steps.step(
            "stretch at the \(side)", "\(digits(average)) / 2", average / 2, "half an average distance instead")
    }
}
