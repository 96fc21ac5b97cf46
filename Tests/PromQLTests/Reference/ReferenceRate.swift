/// `rate`, `increase`, `delta`: what happened between the first and the last sample, stretched to the whole window.
///
///     window   |(                              ]|
///     samples      ×     ×     ×     ×     ×
///              |◄─►|                       |◄──►|
///          to start                         to end
///
/// The stretch goes to the window's edge where the edge is nearer than 1.1 average sample distances (a sample would be
/// expected soon), else by half a distance (the series begins or ends here). A counter is never stretched
/// below zero.
/// Source: Prometheus documentation, “Functions”, `rate()`; Brian Brazil, “How does a Prometheus Counter work?”.
extension Window {
    /// The change over the whole window, or per second of it; of a counter with every reset made good. Needs two samples, or one that
    /// says when it began.
    func extrapolated(isCounter: Bool, perSecond: Bool = false) -> Double? {
        var change = last.value - first.value
        if isCounter {
            for (earlier, later) in zip(points, points.dropFirst())
            where later.value < earlier.value || later.hasBegunAgain(since: earlier) {
                change += earlier.value
            }
        }
        if isCounter, let seconds = secondsSinceStart {
            return (change + first.value) * factor(since: seconds, perSecond: perSecond)
        }
        guard points.count >= 2 else { return nil }

        let sampled = Double(last.time - first.time) / 1000
        let distance = sampled / Double(points.count - 1)
        let threshold = distance * 1.1

        var toStart = Double(first.time - start) / 1000
        if toStart >= threshold { toStart = distance / 2 }
        if isCounter && change > 0 && first.value >= 0 {
            // Going back at this pace, the counter was zero so many seconds before its first sample.
            let toZero = sampled * (first.value / change)
            if toZero < toStart { toStart = toZero }
        }
        var toEnd = Double(end - last.time) / 1000
        if toEnd >= threshold { toEnd = distance / 2 }

        var factor = (sampled + toStart + toEnd) / sampled
        if perSecond { factor /= Double(end - start) / 1000 }
        return change * factor
    }

    /// `irate`, `idelta`: from the last two samples alone. A counter that has been reset began at zero.
    func lastStep(isCounter: Bool) -> Double? {
        guard points.count >= 2 else { return nil }
        let earlier = points[points.count - 2]
        let isReset = isCounter && (last.value < earlier.value || last.hasBegunAgain(since: earlier))
        let change = isReset ? last.value : last.value - earlier.value
        return isCounter ? change / (Double(last.time - earlier.time) / 1000) : change
    }
}
