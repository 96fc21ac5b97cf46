import PromQL
import TSDB

/// Functions over range vectors: from the samples of one window to one value, series by series.
///
/// A series without samples in the window gives nothing, and so does one for which the function has no answer
/// (a rate needs two samples). All of them drop the metric name but `last_over_time` and `first_over_time`, which pick a sample and
/// change nothing about it.
/// Source: Prometheus documentation, “Functions”, `<aggregation>_over_time()` and the functions marked for range vectors.
extension ReferenceEvaluator {
    static let rangeFunctions: Set<String> = [
        "absent_over_time", "avg_over_time", "changes", "count_over_time", "delta", "deriv",
        "double_exponential_smoothing", "first_over_time", "idelta", "increase", "irate", "last_over_time",
        "mad_over_time", "max_over_time", "min_over_time", "predict_linear", "present_over_time",
        "quantile_over_time", "rate", "resets", "stddev_over_time", "stdvar_over_time", "sum_over_time",
        "ts_of_first_over_time", "ts_of_last_over_time", "ts_of_max_over_time", "ts_of_min_over_time",
    ]

    func rangeFunction(_ call: Call, at t: Int64) throws -> [Element] {
        let name = call.function.name
        guard let position = call.arguments.firstIndex(where: { $0.type == .matrix }) else {
            throw QueryError(.evaluation, "expected a range vector in \(name)()", range: call.range)
        }
        let parameters = try call.arguments.enumerated().filter { $0.offset != position }
            .map { try scalar($0.element, at: t) }
        let argument = call.arguments[position]
        let input = try rangeVector(argument, at: t)
        try checkReach(input, name)

        if name == "absent_over_time" {
            return input.rows.isEmpty ? [Element(labels: labelsWhenAbsent(argument), value: 1)] : []
        }
        let keepsName = name == "last_over_time" || name == "first_over_time"
        let result = try input.rows.compactMap { row -> Element? in
            let window = Window(
                points: row.points, start: input.start, end: input.end, isAnchored: input.isAnchored,
                isSmoothed: input.isSmoothed)
            if window.reachesOut, !window.isMeasurable { return nil }
            if window.reachesOut, row.isMixedAround, name != "changes", name != "resets" { return nil }
            guard let amount = try self.amount(of: name, parameters, window, at: t) else { return nil }
            let dropsName = !keepsName || row.dropsName
            let labels = dropsName && !options.delayedNameRemoval ? row.labels.withoutMetricName : row.labels
            return Element(labels: labels, value: amount.value, histogram: amount.histogram, dropsName: dropsName)
        }
        try rejectDuplicatesUnlessDelayed(result)
        return result
    }

    private func amount(of name: String, _ parameters: [Double], _ window: Window, at t: Int64) throws -> Amount? {
        // Looked at wherever there are samples, of whatever kind.
        if name == "double_exponential_smoothing" { try Window.checkFactors(level: parameters[0], trend: parameters[1]) }
        guard window.hasHistograms else {
            return try value(of: name, parameters, window, at: t).map { Amount($0) }
        }
        return try window.histogramAmount(name) { floats in try value(of: name, parameters, floats, at: t) }
    }

    private func value(of name: String, _ parameters: [Double], _ window: Window, at t: Int64) throws -> Double? {
        switch name {
        case "rate" where window.reachesOut:
            return window.edgeToEdge(isCounter: true) / (Double(window.end - window.start) / 1000)
        case "increase" where window.reachesOut: return window.edgeToEdge(isCounter: true)
        case "delta" where window.reachesOut: return window.edgeToEdge(isCounter: false)
        case "rate": return window.extrapolated(isCounter: true, perSecond: true)
        case "increase": return window.extrapolated(isCounter: true)
        case "delta": return window.extrapolated(isCounter: false)
        case "irate": return window.lastStep(isCounter: true)
        case "idelta": return window.lastStep(isCounter: false)
        case "deriv": return window.line(zeroAt: window.first.time)?.slope
        case "predict_linear":
            return window.line(zeroAt: t).map { $0.slope * parameters[0] + $0.value }
        case "changes":
            return window.countPairs { $1 != $0 && !($0.isNaN && $1.isNaN) }
        case "resets":
            return Double(
                zip(window.points, window.points.dropFirst()).filter { $1.value < $0.value || $1.hasBegunAgain(since: $0) }.count)
        case "count_over_time": return Double(window.points.count)
        case "present_over_time": return 1
        case "first_over_time": return window.first.value
        case "last_over_time": return window.last.value
        case "sum_over_time":
            var sum = ReferenceSum()
            for value in window.values { sum.add(value) }
            return sum.total
        case "avg_over_time":
            var mean = ReferenceMean(first: window.first.value)
            for value in window.values.dropFirst() { mean.add(value) }
            return mean.mean
        case "max_over_time": return window.extreme(>).value
        case "min_over_time": return window.extreme(<).value
        case "ts_of_first_over_time": return Double(window.first.time) / 1000
        case "ts_of_last_over_time": return Double(window.last.time) / 1000
        case "ts_of_max_over_time": return Double(window.extreme(>=).time) / 1000
        case "ts_of_min_over_time": return Double(window.extreme(<=).time) / 1000
        case "stdvar_over_time": return window.variance
        case "stddev_over_time": return window.variance.squareRoot()
        case "quantile_over_time": return referenceQuantile(parameters[0], of: window.values)
        case "mad_over_time":
            if window.values.contains(where: \.isNaN) { return .nan }
            let median = referenceQuantile(0.5, of: window.values)
            return referenceQuantile(0.5, of: window.values.map { abs($0 - median) })
        case "double_exponential_smoothing":
            return window.smoothed(level: parameters[0], trend: parameters[1])
        default: throw QueryError(.notImplemented, "function \(name)")
        }
    }

    /// The labels of a series that is not there: those which the selector gives exact, not-empty values, once each.
    func labelsWhenAbsent(_ expr: Expr) -> Labels {
        let matchers: [Matcher]
        switch expr.unparenthesized {
        case .vectorSelector(let selector): matchers = selector.matchers
        case .matrixSelector(let node): matchers = node.selector.matchers
        default: return Labels()
        }
        var labels = LabelsBuilder()
        var seen: Set<String> = []
        for matcher in matchers where matcher.name != MetricName.label {
            if matcher.kind == .equal && !seen.contains(matcher.name) {
                labels.set(matcher.name, to: matcher.value)
                seen.insert(matcher.name)
            } else {
                labels.remove(matcher.name)
            }
        }
        return labels.labels()
    }
}

/// The samples of one series in `(start, end]`, at least one, in time order; none is stale. Anchored and smoothed windows may
/// have one more on either side.
struct Window {
    let points: [ReferenceEvaluator.Point]
    /// Milliseconds.
    let start: Int64
    let end: Int64
    let isAnchored: Bool
    let isSmoothed: Bool

    var reachesOut: Bool { isAnchored || isSmoothed }

    var first: ReferenceEvaluator.Point { points[0] }
    var last: ReferenceEvaluator.Point { points[points.count - 1] }
    var values: [Double] { points.map(\.value) }

    func countPairs(_ condition: (_ earlier: Double, _ later: Double) -> Bool) -> Double {
        Double(zip(points, points.dropFirst()).filter { condition($0.value, $1.value) }.count)
    }

    /// The point that beats all before it; NaN is beaten by everything.
    func extreme(_ beats: (Double, Double) -> Bool) -> ReferenceEvaluator.Point {
        var best = first
        for point in points where beats(point.value, best.value) || best.value.isNaN { best = point }
        return best
    }

    /// Population variance in one pass.
    /// Source: Welford, “Note on a Method for Calculating Corrected Sums of Squares and Products”, 1962.
    var variance: Double {
        var count = 0.0
        var mean = ReferenceSum(), squares = ReferenceSum()
        for value in values {
            count += 1
            let before = value - (mean.sum + mean.lost)
            mean.add(before / count)
            squares.add(before * (value - (mean.sum + mean.lost)))
        }
        return (squares.sum + squares.lost) / count
    }

    /// The straight line of least squares: change per second, and its value at the time `zeroAt` (milliseconds).
    func line(zeroAt: Int64) -> (slope: Double, value: Double)? {
        guard points.count >= 2 else { return nil }
        if points.allSatisfy({ $0.value == first.value }) {
            return first.value.isInfinite ? (.nan, .nan) : (0, first.value)
        }
        var x = ReferenceSum(), y = ReferenceSum(), xy = ReferenceSum(), xx = ReferenceSum()
        for point in points {
            let seconds = Double(point.time - zeroAt) / 1000
            x.add(seconds)
            y.add(point.value)
            xy.add(seconds * point.value)
            xx.add(seconds * seconds)
        }
        let n = Double(points.count)
        let sx = x.sum + x.lost, sy = y.sum + y.lost, sxy = xy.sum + xy.lost, sxx = xx.sum + xx.lost
        let slope = (sxy - sx * sy / n) / (sxx - sx * sx / n)
        return (slope, sy / n - slope * sx / n)
    }

    /// Both factors of `double_exponential_smoothing` lie between 0 and 1.
    static func checkFactors(level: Double, trend: Double) throws {
        guard level > 0 && level < 1 || level.isNaN else {
            throw QueryError(.evaluation, "invalid smoothing factor. Expected: 0 < sf < 1, got: \(level.withSixDecimals)")
        }
        guard trend > 0 && trend < 1 || trend.isNaN else {
            throw QueryError(.evaluation, "invalid trend factor. Expected: 0 < tf < 1, got: \(trend.withSixDecimals)")
        }
    }

    /// Holt's linear method: a level and a trend, each an exponential average.
    func smoothed(level: Double, trend: Double) -> Double? {
        guard points.count >= 2 else { return nil }
        var before = 0.0, now = first.value
        var slope = points[1].value - first.value
        for index in 1..<points.count {
            if index > 1 { slope = trend * (now - before) + (1 - trend) * slope }
            (before, now) = (now, level * points[index].value + (1 - level) * (now + slope))
        }
        return now
    }
}
