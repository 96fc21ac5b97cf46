import TSDB

/// An answer as something to compare: points by labels and time, in no order.
struct Answer: Equatable, Sendable {
    /// Milliseconds since the epoch and value, by series.
    var series: [Labels: [Point]] = [:]

    struct Point: Equatable, Sendable {
        var time: Int64
        var value: Double
    }

    var pointCount: Int { series.values.reduce(0) { $0 + $1.count } }
}

/// How alike two answers are.
enum AnswerComparison: Equatable, Sendable {
    /// The same series with the same points, bit for bit (all NaN are one).
    case equal
    /// The same series and times; `count` values differ, none by more than `error` of itself.
    case close(count: Int, error: Double)
    /// The first thing that differs.
    case different(String)

    /// Sums of floats depend on the order of their terms; what differs by more than this is another answer.
    static let closeness = 1e-9

    init(_ ours: Answer, _ theirs: Answer) {
        var count = 0
        var error = 0.0
        for (labels, points) in ours.series.sorted(by: { $0.key < $1.key }) {
            guard let others = theirs.series[labels] else { self = .different("only ours: \(labels)"); return }
            guard points.map(\.time) == others.map(\.time) else {
                self = .different("\(labels): \(points.count) points, or at other times than their \(others.count)")
                return
            }
            for (point, other) in zip(points, others) where !Self.isSame(point.value, other.value) {
                let difference = abs(point.value - other.value) / max(abs(point.value), abs(other.value))
                // Also where one is NaN or infinite: then the difference is NaN.
                guard difference <= Self.closeness else {
                    self = .different("\(labels) at \(point.time): \(point.value), theirs \(other.value)")
                    return
                }
                count += 1
                error = max(error, difference)
            }
        }
        for labels in theirs.series.keys.sorted() where ours.series[labels] == nil {
            self = .different("only theirs: \(labels)")
            return
        }
        self = count == 0 ? .equal : .close(count: count, error: error)
    }

    private static func isSame(_ a: Double, _ b: Double) -> Bool { a == b || a.isNaN && b.isNaN }
}
