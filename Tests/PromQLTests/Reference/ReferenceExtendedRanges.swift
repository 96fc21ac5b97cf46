import PromQL
import TSDB

/// `anchored` and `smoothed`: what a window may see beyond its edges.
///
///     window             (          ]
///     samples    ×    ×     ×    ×     ×   ×
///     anchored        ×     ×    ×             from the last sample before the window on
///     smoothed        ×     ×    ×     ×       to the first one behind it; straight lines cross the edges
///
/// Source: Prometheus proposal PROM-52, “Extended range selectors semantics”; behaviour of v3.14 where it is silent.
extension ReferenceEvaluator {
    /// Other functions would take the neighbours for samples of the window.
    func checkReach(_ input: RangeVector, _ name: String) throws {
        let smoothed = ["delta", "increase", "rate"]
        let anchored = ["changes", "delta", "increase", "rate", "resets"]
        func refuse(_ modifier: String, _ fitting: [String]) -> QueryError {
            QueryError(
                .evaluation,
                "\(modifier) modifier can only be used with: \(fitting.joined(separator: ", ")) - not with \(name)")
        }
        if input.isAnchored && !anchored.contains(name) { throw refuse("anchored", anchored) }
        if input.isSmoothed && !smoothed.contains(name) { throw refuse("smoothed", smoothed) }
    }
}

extension [ReferenceEvaluator.Point] {
    /// The points of the window `(start, end]`, the last one before it, and the first one behind it unless one stands
    /// right at its end.
    func withNeighbours(_ start: Int64, _ end: Int64) -> [ReferenceEvaluator.Point] {
        var result: [ReferenceEvaluator.Point] = []
        if let before = last(where: { $0.time <= start }) { result.append(before) }
        result += filter { $0.time > start && $0.time <= end }
        if let behind = first(where: { $0.time > end }), last(where: { $0.time <= end })?.time != end {
            result.append(behind)
        }
        return result
    }
}

extension ReferenceEvaluator.Point {
    /// The value at `time` on the straight line to `other`.
    func line(to other: ReferenceEvaluator.Point, at when: Int64) -> Double {
        value + (other.value - value) * Double(when - time) / Double(other.time - time)
    }
}

extension Window {
    /// A rate wants a sample behind the start, and one that is not behind the end.
    var isMeasurable: Bool { points.contains { $0.time > start } && points.contains { $0.time <= end } }

    /// The change from edge to edge; of a counter with every reset made good, in order of time.
    func edgeToEdge(isCounter: Bool) -> Double {
        let left = edgeValue(start, isCounter), right = edgeValue(end, isCounter)
        guard isCounter else { return right - left }
        let path = [left] + points.filter { $0.time > start && $0.time < end }.map(\.value) + [right]
        var lost = 0.0
        for (earlier, later) in zip(path, path.dropFirst()) where later < earlier { lost += earlier }
        return right - left + lost
    }

    /// The value at the start or at the end: of the nearest sample, or on the line across the edge. A counter that fell began
    /// again at zero.
    private func edgeValue(_ edge: Int64, _ isCounter: Bool) -> Double {
        let isStart = edge == start
        if isSmoothed, let before = points.last(where: { $0.time < edge }),
            let behind = points.first(where: { $0.time >= edge }),
            isStart || behind.time > edge
        {
            var from = before
            if isCounter && behind.value < before.value { from.value = 0 }
            return from.line(to: behind, at: edge)
        }
        return isStart ? first.value : last.value
    }
}

extension ReferenceEvaluator.RangeVector {
    /// As the answer of a query: an anchored or smoothed window has a sample at either edge, and those between.
    func closed() throws -> Self {
        guard isAnchored || isSmoothed else { return self }
        if rows.contains(where: { $0.points.contains { $0.histogram != nil } || $0.isMixedAround }) {
            throw QueryError(
                .evaluation, "\(isAnchored ? "anchored" : "smoothed") modifier is not supported with histograms")
        }
        var result = self
        result.rows = rows.compactMap { row in
            guard row.points.contains(where: { $0.time > start }) else { return nil }
            let window = Window(
                points: row.points, start: start, end: end, isAnchored: isAnchored, isSmoothed: isSmoothed)
            var closed = row
            closed.points = window.closedPoints
            return closed
        }
        return result
    }
}

extension Window {
    fileprivate var closedPoints: [ReferenceEvaluator.Point] {
        [ReferenceEvaluator.Point(time: start, value: edgeValue(start, false))]
            + points.filter { $0.time > start && $0.time < end }
            + [ReferenceEvaluator.Point(time: end, value: edgeValue(end, false))]
    }
}
