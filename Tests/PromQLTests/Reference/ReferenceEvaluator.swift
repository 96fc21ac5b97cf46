import Histograms
import PromQL
import TSDB

/// PromQL as its documentation tells it: one step at a time, one expression inside the other, nothing clever.
///
///     range query  =  for t in start, start + step, … end:  instant query at t,  then points of equal labels become series
///
///     evaluate(sum by (a) (rate(x[5m])), at: t)
///       └ evaluate(rate(x[5m]), at: t)
///           └ window(x[5m], at: t)  =  samples in (t − 5m, t]
///
/// The engine works on whole series over all steps and shares nothing with this code; where both give the same answer,
/// it is hardly by accident. Native histograms are values like floats; only the arithmetic inside one of them is shared.
/// Source: Prometheus documentation, “Querying basics”, “Operators”, “Functions”; behaviour of v3.14 where it is silent.
///
/// Invariants: every value depends on the expression, the time and the samples alone; nothing is carried from step to step.
struct ReferenceEvaluator {
    struct Options: Sendable {
        /// How far an instant selector looks back for the newest sample.
        var lookback = Duration.minutes(5)
        /// Step of subqueries that give none.
        var defaultSubqueryStep = Duration.minutes(1)
        /// `promql-delayed-name-removal`: names stay on through the evaluation and go at its end.
        var delayedNameRemoval = false
        /// `use-start-timestamps`: samples that say when their count began are believed.
        var usesStarts = false
    }

    /// An element of an instant vector on its way through the evaluation.
    struct Element {
        var labels: Labels
        /// Of a histogram its sum.
        var value: Double
        var histogram: FloatHistogram?
        /// With delayed name removal: the name goes at the end.
        var dropsName = false
    }

    /// A float or a histogram.
    struct Amount {
        var value: Double
        var histogram: FloatHistogram?

        init(_ value: Double) { self.value = value }

        init(_ histogram: FloatHistogram) {
            value = histogram.sum
            self.histogram = histogram
        }
    }

    enum Value {
        case scalar(Double)
        case string(String)
        case vector([Element])
    }

    let storage: any Queryable
    let options: Options
    /// First and last evaluation time and step of the whole query, in milliseconds: what `start()`, `end()`, `step()` and
    /// `@ start()` mean everywhere in it, subqueries included. The step of an instant query is 0.
    let start: Int64
    let end: Int64
    let step: Int64

    // MARK: - Front door

    static func instant(
        _ query: Expr, on storage: any Queryable, at time: Timestamp, options: Options = Options()
    ) throws -> PlainValue {
        let t = time.milliseconds
        let evaluator = ReferenceEvaluator(storage: storage, options: options, start: t, end: t, step: 0)
        if query.type == .matrix {
            let series = try evaluator.rangeVector(query.unparenthesized, at: t).closed().rows.map { row in
                PlainSeries(
                    labels: row.dropsName ? row.labels.withoutMetricName : row.labels,
                    points: row.points.map { PlainPoint(time: $0.time, value: $0.value, histogram: $0.histogram) })
            }
            try evaluator.rejectDuplicates(series.map(\.labels))
            return .matrix(series.sorted { $0.labels < $1.labels })
        }
        switch try evaluator.evaluate(query, at: t) {
        case .scalar(let value): return .scalar(value)
        case .string(let text): return .string(text)
        case .vector(let elements):
            return .vector(
                try evaluator.finished(elements).map {
                    PlainSample(labels: $0.labels, value: $0.value, histogram: $0.histogram)
                })
        }
    }

    static func range(
        _ query: Expr, on storage: any Queryable, start: Timestamp, end: Timestamp, step: Duration,
        options: Options = Options()
    ) throws -> PlainValue {
        guard query.type == .scalar || query.type == .vector else {
            throw QueryError(
                .evaluation,
                "invalid expression type \"\(query.type.rawValue)\" for range query, must be Scalar or instant Vector")
        }
        guard step > .zero else {
            throw QueryError(.evaluation, "a range query needs a step above zero")
        }
        let evaluator = ReferenceEvaluator(
            storage: storage, options: options, start: start.milliseconds, end: end.milliseconds,
            step: step.milliseconds)
        var series: [Labels: [PlainPoint]] = [:]
        var t = start
        while t <= end {
            switch try evaluator.evaluate(query, at: t.milliseconds) {
            case .scalar(let value):
                series[Labels(), default: []].append(PlainPoint(time: t.milliseconds, value: value))
            case .vector(let elements):
                for element in try evaluator.finished(elements) {
                    series[element.labels, default: []].append(
                        PlainPoint(time: t.milliseconds, value: element.value, histogram: element.histogram))
                }
            case .string: break
            }
            t = t + step
        }
        return .matrix(
            series.map { PlainSeries(labels: $0.key, points: $0.value) }.sorted { $0.labels < $1.labels })
    }

    // MARK: - Dispatch

    func evaluate(_ expr: Expr, at t: Int64) throws -> Value {
        switch expr {
        case .number(let literal): return .scalar(literal.value)
        case .string(let literal): return .string(literal.value)
        case .paren(let inner, _): return try evaluate(inner, at: t)
        case .unary(let node): return try negated(node, at: t)
        case .binary(let node): return try binary(node, at: t)
        case .aggregate(let node): return .vector(try aggregate(node, at: t))
        case .call(let node): return try call(node, at: t)
        case .vectorSelector(let selector) where selector.isSmoothed:
            return .vector(try smoothedVector(selector, at: t))
        case .vectorSelector(let selector):
            return .vector(
                try instantVector(selector, at: t).map {
                    Element(labels: $0.labels, value: $0.value, histogram: $0.histogram)
                })
        case .matrixSelector, .subquery:
            throw QueryError(.evaluation, "a range vector has no value at one time", range: expr.range)
        }
    }

    func vector(_ expr: Expr, at t: Int64) throws -> [Element] {
        guard case .vector(let elements) = try evaluate(expr, at: t) else {
            throw QueryError(.evaluation, "expected an instant vector", range: expr.range)
        }
        return elements
    }

    func scalar(_ expr: Expr, at t: Int64) throws -> Double {
        guard case .scalar(let value) = try evaluate(expr, at: t) else {
            throw QueryError(.evaluation, "expected a scalar", range: expr.range)
        }
        return value
    }

    func string(_ expr: Expr) throws -> String {
        guard case .string(let literal) = expr.unparenthesized else {
            throw QueryError(.evaluation, "expected a string", range: expr.range)
        }
        return literal.value
    }

    /// `-v`: every value negated; the result is no longer the metric, so the name goes.
    private func negated(_ node: UnaryExpr, at t: Int64) throws -> Value {
        switch try evaluate(node.operand, at: t) {
        case .scalar(let value): return .scalar(node.op == .minus ? -value : value)
        case .string(let text): return .string(text)
        case .vector(let elements):
            guard node.op == .minus else { return .vector(elements) }
            return .vector(
                try withoutNames(elements) { element in
                    guard var histogram = element.histogram else { return Amount(-element.value) }
                    histogram.multiply(by: -1)
                    return Amount(histogram)
                })
        }
    }

    // MARK: - Names and duplicates

    /// What a function of numbers does: the values change, the names go, and histograms with them.
    func withoutNames(_ elements: [Element], _ change: (Double) -> Double) throws -> [Element] {
        try withoutNames(elements) { (element: Element) in element.histogram == nil ? Amount(change(element.value)) : nil }
    }

    /// What a function does that computes something new from each element, or leaves it out.
    func withoutNames(_ elements: [Element], _ change: (Element) throws -> Amount?) throws -> [Element] {
        let result = try elements.compactMap { element -> Element? in
            guard let amount = try change(element) else { return nil }
            return Element(
                labels: options.delayedNameRemoval ? element.labels : element.labels.withoutMetricName,
                value: amount.value, histogram: amount.histogram, dropsName: true)
        }
        try rejectDuplicatesUnlessDelayed(result)
        return result
    }

    func rejectDuplicatesUnlessDelayed(_ elements: [Element]) throws {
        if !options.delayedNameRemoval { try rejectDuplicates(elements.map(\.labels)) }
    }

    /// A vector holds each label set once.
    func rejectDuplicates(_ labels: [Labels]) throws {
        guard Set(labels).count == labels.count else {
            throw QueryError(.evaluation, "vector cannot contain metrics with the same labelset")
        }
    }

    /// The end of the evaluation at one time: delayed names go, and what is left must be unique.
    private func finished(_ elements: [Element]) throws -> [Element] {
        let result = elements.map { element in
            Element(
                labels: element.dropsName ? element.labels.withoutMetricName : element.labels, value: element.value,
                histogram: element.histogram)
        }
        try rejectDuplicates(result.map(\.labels))
        return result
    }
}

extension Labels {
    /// Without what describes the metric itself: `__name__`, `__type__` and `__unit__`.
    var withoutMetricName: Labels { dropping([MetricName.label, "__type__", "__unit__"]) }
}
