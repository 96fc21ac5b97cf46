import Histograms
import PromQL
import TSDB

/// Selectors: which samples an expression sees at the time t.
///
///     x            the newest sample in (t − 5m, t]; none where that is a stale marker
///     x offset 1m  the same at t − 1m
///     x @ 60       the same at 60 s, whatever t is; with an offset at 60 s − offset
///     x[10m]       all samples in (t − 10m, t] but stale markers
///     x[10m:1m]    x evaluated at every multiple of one minute in (t − 10m, t]
///
/// Source: Prometheus documentation, “Querying basics”. Ranges are open on the left since v3.0.
extension ReferenceEvaluator {
    struct Point {
        /// Milliseconds since the epoch.
        var time: Int64
        /// Of a histogram its sum.
        var value: Double
        var histogram: FloatHistogram?
        /// When its count began, milliseconds; `nil`: not known, or not asked for.
        var start: Int64?
    }

    /// One series within a window.
    struct Row {
        var labels: Labels
        /// In time order; not empty.
        var points: [Point]
        var dropsName = false
        /// Floats and histograms lie in what an anchored or smoothed window looks through, also beyond its points.
        var isMixedAround = false
    }

    struct RangeVector {
        var rows: [Row]
        /// The window is `(start, end]`, in milliseconds.
        var start: Int64
        var end: Int64
        /// Rows may also have points outside the window, one on either side.
        var isAnchored = false
        var isSmoothed = false
    }

    // MARK: - Instant vectors

    struct SelectedSample {
        var labels: Labels
        /// The sample's own time.
        var time: Int64
        var value: Double
        var histogram: FloatHistogram?
        var start: Int64?
    }

    /// The newest sample of each series in `(t − lookback, t]`, stale ones left out.
    func instantVector(_ selector: VectorSelector, at t: Int64) throws -> [SelectedSample] {
        let reference = try referenceTime(selector.at, selector.offset, selector.offsetExpr, at: t)
        let earliest = reference.clampedSubtracting(options.lookback.milliseconds)
        return try samples(selector.matchers, after: earliest, through: reference).compactMap { row in
            guard let newest = row.points.last, !StaleMarker.isStale(newest.value) else { return nil }
            return SelectedSample(
                labels: row.labels, time: newest.time, value: newest.value, histogram: newest.histogram,
                start: newest.start)
        }
    }

    /// `x smoothed`: the value at `t` on the straight line between the samples around it, stale markers apart; behind the last
    /// sample its value.
    func smoothedVector(_ selector: VectorSelector, at t: Int64) throws -> [Element] {
        let now = try referenceTime(selector.at, selector.offset, selector.offsetExpr, at: t)
        let lookback = options.lookback.milliseconds
        let rows = try samples(
            selector.matchers, after: now.clampedSubtracting(lookback), through: now.clampedAdding(lookback))
        return rows.compactMap { row in
            let points = row.points.filter { !StaleMarker.isStale($0.value) }
            if points.isMixed { return nil }
            guard let before = points.last(where: { $0.time <= now }) else { return nil }
            if before.histogram != nil {
                let behind = points.first { $0.time > now }
                return before.smoothed(with: behind, at: now).map {
                    Element(labels: row.labels, value: $0.sum, histogram: $0)
                }
            }
            guard let behind = points.first(where: { $0.time > now }), before.time < now else {
                return Element(labels: row.labels, value: before.value)
            }
            return Element(labels: row.labels, value: before.line(to: behind, at: now))
        }
    }

    // MARK: - Range vectors

    func rangeVector(_ expr: Expr, at t: Int64) throws -> RangeVector {
        switch expr.unparenthesized {
        case .matrixSelector(let node): return try window(node, at: t)
        case .subquery(let node): return try subquery(node, at: t)
        default: throw QueryError(.evaluation, "expected a range vector", range: expr.range)
        }
    }

    private func window(_ node: MatrixSelector, at t: Int64) throws -> RangeVector {
        let selector = node.selector
        let end = try referenceTime(selector.at, selector.offset, selector.offsetExpr, at: t)
        let start = end.clampedSubtracting(try span(node.window, node.windowExpr))
        let lookback = options.lookback.milliseconds
        let reachesBack = selector.isAnchored || selector.isSmoothed
        let rows = try samples(
            selector.matchers, after: reachesBack ? start.clampedSubtracting(lookback) : start,
            through: selector.isSmoothed ? end.clampedAdding(lookback) : end
        ).compactMap { row -> Row? in
            let around = row.points.filter { !StaleMarker.isStale($0.value) }
            let points = reachesBack ? around.withNeighbours(start, end) : around
            return points.isEmpty ? nil : Row(labels: row.labels, points: points, isMixedAround: around.isMixed)
        }
        return RangeVector(
            rows: rows, start: start, end: end, isAnchored: selector.isAnchored, isSmoothed: selector.isSmoothed)
    }

    /// The inner expression at every multiple of the step in the window. Multiples count from the epoch, not from the
    /// window, so that a subquery of a range query sees the same points at every step.
    private func subquery(_ node: SubqueryExpr, at t: Int64) throws -> RangeVector {
        let end = try referenceTime(node.at, node.offset, node.offsetExpr, at: t)
        let start = end.clampedSubtracting(try span(node.window, node.windowExpr))
        let given = node.stepExpr != nil ? try span(node.step, node.stepExpr) : node.step.milliseconds
        let step = given > 0 ? given : options.defaultSubqueryStep.milliseconds

        var rows: [Row] = []
        var numbers: [Labels: Int] = [:]
        func add(_ labels: Labels, _ point: Point, dropsName: Bool) {
            if let number = numbers[labels] {
                rows[number].points.append(point)
            } else {
                numbers[labels] = rows.count
                rows.append(Row(labels: labels, points: [point], dropsName: dropsName))
            }
        }

        var time = start.firstMultipleAbove(of: step)
        while time <= end {
            switch try evaluate(node.operand, at: time) {
            case .scalar(let value): add(Labels(), Point(time: time, value: value), dropsName: false)
            case .vector(let elements):
                try rejectDuplicates(elements.map(\.labels))
                for element in elements {
                    var point = Point(time: time, value: element.value, histogram: element.histogram)
                    // The sample that a hint compares with need not be among the points.
                    if point.histogram?.hint != .gauge { point.histogram?.hint = .unknown }
                    add(element.labels, point, dropsName: element.dropsName)
                }
            case .string: throw QueryError(.evaluation, "expected an instant vector", range: node.operand.range)
            }
            time = time.clampedAdding(step)
        }
        return RangeVector(rows: rows, start: start, end: end)
    }

    // MARK: - Times

    /// The time a selector looks at: t, or what `@` says, less the offset.
    private func referenceTime(
        _ at: AtModifier?, _ offset: Duration, _ offsetExpr: DurationExpr?, at t: Int64
    ) throws -> Int64 {
        let time: Int64
        switch at {
        case nil: time = t
        case .timestamp(let fixed): time = fixed.milliseconds
        case .start: time = start
        case .end: time = end
        }
        let distance = try offsetExpr.map { try milliseconds($0, allowsNegative: true) } ?? offset.milliseconds
        return time.clampedSubtracting(distance)
    }

    /// Length of a window or a step in milliseconds.
    private func span(_ literal: Duration, _ expr: DurationExpr?) throws -> Int64 {
        try expr.map { try milliseconds($0, allowsNegative: false) } ?? literal.milliseconds
    }

    // MARK: - Storage

    /// Samples in `(after, through]`, stale markers included.
    private func samples(_ matchers: [Matcher], after: Int64, through: Int64) throws -> [Row] {
        let from = after.clampedAdding(1)
        guard from <= through else { return [] }
        let set = try storage.select(
            matchers, from: Timestamp(milliseconds: from), through: Timestamp(milliseconds: through))
        var columns = SampleColumns()
        var rows: [Row] = []
        for index in 0..<set.count {
            columns.removeAll(readingStarts: options.usesStarts)
            try set.decode(index, from: from, through: through, into: &columns)
            guard columns.count > 0 else { continue }
            var points: [Point] = []
            for sample in 0..<columns.count {
                let start = columns.start(ofSample: sample)
                points.append(
                    Point(
                        time: columns.timestamps[sample], value: columns.values[sample],
                        histogram: columns.histograms.histogram(sample: sample), start: start == 0 ? nil : start))
            }
            rows.append(Row(labels: set.labels(at: index), points: points))
        }
        return rows
    }
}

extension Int64 {
    /// The first multiple of `step` strictly above; negative times count downwards.
    fileprivate func firstMultipleAbove(of step: Int64) -> Int64 {
        let remainder = ((self % step) + step) % step
        return clampedAdding(step - remainder)
    }
}
