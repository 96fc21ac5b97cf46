import PromQL
import TSDB

/// What the start of a sample's count tells.
///
///     sample before   ×────────────────────×   sample          start of the latter …
///                  started               time
///                                 ↑ between the two, or right at the first:  it began again
///                                            … but where the first one's own start is not known, or no earlier than itself, a start right at it
///                                            only says since when somebody watches
///
/// Source: OpenTelemetry metrics data model, “Cumulative streams: handling unknown start time”; behaviour of v3.14.
extension ReferenceEvaluator.Point {
    /// Whether the counter began again after `earlier`.
    func hasBegunAgain(since earlier: Self) -> Bool {
        guard let start, start < time else { return false }
        if start == earlier.time { return earlier.start.map { $0 < earlier.time } ?? false }
        return start > earlier.time
    }
}

extension Window {
    /// When the first sample began, in seconds before the last one, where that lies inside of the window.
    var secondsSinceStart: Double? {
        guard !reachesOut, let began = first.start, began > start, began < first.time else { return nil }
        return Double(last.time - began) / 1000
    }

    /// By how much a change since `secondsSinceStart` is to be multiplied.
    func factor(since seconds: Double, perSecond: Bool) -> Double {
        var toEnd = 0.0
        if points.count > 1 {
            let distance = Double(last.time - first.time) / 1000 / Double(points.count - 1)
            toEnd = Double(end - last.time) / 1000
            if toEnd >= distance * 1.1 { toEnd = distance / 2 }
        }
        let factor = (seconds + toEnd) / seconds
        return perSecond ? factor / (Double(end - start) / 1000) : factor
    }
}

extension ReferenceEvaluator {
    /// `start_timestamp(x)`, of a selector only; 0 where nothing is known. Of anything else nothing comes but its failure.
    func startTimestamps(_ argument: Expr, at t: Int64) throws -> [Element] {
        guard options.usesStarts, case .vectorSelector(let selector) = argument.unparenthesized else {
            _ = try vector(argument, at: t)
            return []
        }
        let elements = try instantVector(selector, at: t).map {
            Element(labels: $0.labels, value: Double($0.start ?? 0) / 1000)
        }
        return try withoutNames(elements) { (value: Double) in value }
    }
}
