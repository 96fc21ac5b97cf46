import Histograms
import TSDB

/// Which query a point belongs to.
public enum PointSteps: Sendable {
    /// An instant query at the point's time.
    case instant
    /// A range query: `@ start()`, `@ end()`, `step()` and `range()` refer to it.
    case range(start: Timestamp, end: Timestamp, step: Duration)
}

extension Engine {
    /// How the value of the series `labels` came about at `time`.
    ///
    /// `labels` are those of the result; fewer of them do where they name one series alone, and none where there is only one.
    /// Throws where the query fails, and where no such series has a value at that time.
    public func explainPoint(
        _ expr: Expr, _ text: String, of labels: Labels?, at time: Timestamp, steps: PointSteps = .instant,
        on storage: any Queryable, lookback: Duration? = nil, context: QueryContext? = nil
    ) throws(QueryError) -> Derivation {
        // The query as written: passes save work and change no value.
        var unchanged = options
        unchanged.passes = []
        let planner = Engine(unchanged)
        let plan: Plan
        switch steps {
        case .instant: plan = try planner.plan(expr, start: time, end: time, step: .zero)
        case .range(let start, let end, let step):
            plan = try planner.plan(expr, start: start, end: end, step: step)
            // The bounds of times hold for the point, too.
            _ = try planner.plan(expr, start: time, end: time, step: .zero)
        }
        guard plan.type == .vector || plan.type == .scalar else {
            throw QueryError(.evaluation, "only points of instant vectors and scalars can be explained")
        }
        let builder = OperatorBuilder(
            storage: storage, lookback: lookback.flatMap { $0 > .zero ? $0 : nil } ?? options.lookback,
            delayedNameRemoval: options.delayedNameRemoval, context: context ?? options.context())
        let explainer = PointExplainer(text: Array(text.utf8), plan: plan, builder: builder)
        return try explainer.point(of: labels, at: time)
    }
}

/// Explains a point by evaluating the parts of its query at one time, and doing each part's arithmetic once more by hand.
///
///     rate(x[5m]) / y        rows of the whole ─▶ the row wanted
///       rows of rate(x[5m])  ─▶ the row that became it ─▶ its samples, the window, the extrapolation
///       rows of y            ─▶ its partner
///
/// The rows are the engine's. The arithmetic is not: it follows the definitions, in upstream's order of operations, so that both
/// agree to the last bit (but for deviations) and a test can hold them against each other.
final class PointExplainer {
    let text: [UInt8]
    let plan: Plan
    let builder: OperatorBuilder
    private var partCount = 0

    init(text: [UInt8], plan: Plan, builder: OperatorBuilder) {
        self.text = text
        self.plan = plan
        self.builder = builder
    }

    var context: QueryContext { builder.context }

    /// One series' value.
    struct Row {
        var labels: Labels
        /// Of a histogram its sum.
        var value: Double
        var histogram: FloatHistogram?
    }

    /// A part of the query at one time; its rows are computed when first asked for, and kept.
    final class Part {
        let node: PlanNode
        let time: Int64
        private var known: [Row]?
        private var inner: [Int: Part] = [:]

        init(_ node: PlanNode, at time: Int64) {
            self.node = node
            self.time = time
        }

        func rows(_ explainer: PointExplainer) throws(QueryError) -> [Row] {
            if let known { return known }
            let rows = try explainer.evaluate(node, at: time)
            known = rows
            return rows
        }

        /// The operand with number `index`, at the same time or at another.
        func operand(_ index: Int, _ node: PlanNode, at time: Int64? = nil) -> Part {
            if let part = inner[index], part.time == time ?? self.time { return part }
            let part = Part(node, at: time ?? self.time)
            inner[index] = part
            return part
        }
    }

    func grid(at time: Int64) -> StepGrid { StepGrid(start: time, step: plan.grid.step, count: 1) }

    func evaluate(_ node: PlanNode, at time: Int64) throws(QueryError) -> [Row] {
        try rows(of: try builder.build(node, on: grid(at: time)))
    }

    func rows(of source: any VectorOperator) throws(QueryError) -> [Row] {
        var rows: [Row] = []
        try source.forEachColumn(steps: 1, context) { (index, column) throws(QueryError) in
            guard column.isPresent(0) else { return }
            try context.reserve(samples: 1)
            rows.append(
                Row(labels: source.labels(at: index), value: column.values[0], histogram: column.histogram(0)))
        }
        return rows
    }

    /// A vector of the given rows, to try operators on.
    func table(_ rows: [Row]) -> ColumnTable {
        let table = ColumnTable(labels: rows.map(\.labels), stepCount: 1)
        for (index, row) in rows.enumerated() {
            table.rowValues(index)[0] = row.value
            table.rowPresence(index)[0] = 1
            if let histogram = row.histogram { table.set(histogram, at: index, step: 0) }
        }
        return table
    }
}

// MARK: From the top

extension PointExplainer {
    func point(of labels: Labels?, at time: Timestamp) throws(QueryError) -> Derivation {
        let part = Part(plan.root, at: time.milliseconds)
        let rows = try part.rows(self)
        let row = try choose(rows, labels)
        return try derive(part, row)
    }

    private func choose(_ rows: [Row], _ labels: Labels?) throws(QueryError) -> Row {
        guard let labels else {
            if let only = rows.first, rows.count == 1 { return only }
            throw QueryError(
                .evaluation,
                rows.isEmpty
                    ? "the query has no value at that time"
                    : "the query has \(rows.count) series at that time: say which one")
        }
        if let row = rows.first(where: { $0.labels == labels }) { return row }
        // With delayed name removal names are still there.
        if let row = rows.first(where: { $0.labels.droppingName() == labels }) { return row }
        let names = labels.pairs.map(\.name)
        let close = rows.filter { $0.labels.keeping(names) == labels }
        if let only = close.first, close.count == 1 { return only }
        throw QueryError(
            .evaluation,
            close.isEmpty
                ? "no series \(labels) has a value at that time" : "\(close.count) series match \(labels) at that time")
    }

    /// The arithmetic of `row`, which is one of the part's.
    func derive(_ part: Part, _ row: Row) throws(QueryError) -> Derivation {
        partCount += 1
        guard partCount <= Derivation.maximumParts else { return mention(part, row) }
        if let native = try deriveNative(part, row) { return native }
        switch part.node {
        case .scalar: return mention(part, row)
        case .string, .range: throw QueryError(.evaluation, "a string or range vector has no points")
        case .stepInvariant(let inner):
            // Computed once, at the first step of the query.
            return try derive(part.operand(0, inner, at: plan.grid.start), row)
        case .shared(_, let inner): return try derive(part.operand(0, inner), row)
        case .selector(let selector): return try explain(selector, part, row)
        case .rangeFunction(let function): return try explain(function, part, row)
        case .function(let function): return try explain(function, part, row)
        case .aggregate(let aggregate): return try explain(aggregate, part, row)
        case .binary(let expr, let left, let right): return try explain(expr, left, right, part, row)
        case .negate(let operand, _):
            let input = part.operand(0, operand)
            let source = try self.source(of: row, among: try input.rows(self)) { -$0 }
            var result = mention(part, row)
            guard let source else { return result }
            result.steps = [.init("result", "-\(digits(source.value))", -source.value)]
            result.inputs = [try derive(input, source)]
            return result
        }
    }

    /// A value without its arithmetic.
    func mention(_ part: Part, _ row: Row) -> Derivation {
        var node = part.node
        while true {
            if case .stepInvariant(let inner) = node {
                node = inner
            } else if case .shared(_, let inner) = node {
                node = inner
            } else {
                break
            }
        }
        let explanation = Explanation(alone: node)
        var title = explanation.title
        switch node {
        case .selector, .aggregate, .binary: title += explanation.detail.isEmpty ? "" : " " + explanation.detail
        default: break
        }
        var result = Derivation(
            title: title, expression: expression(at: explanation.place), place: explanation.place,
            labels: row.labels, time: Timestamp(milliseconds: part.time), value: row.value)
        if let histogram = row.histogram {
            result.steps = [.init("histogram", note: histogram.description), .init("value", note: Self.valueIsSum)]
        }
        return result
    }

    func expression(at place: Range<Int>?) -> String {
        guard let place, place.lowerBound >= 0, place.upperBound <= text.count else { return "" }
        return String(decoding: text[place], as: UTF8.self)
    }

    /// The input row that became `row` under a function of values that keeps labels or drops the name.
    func source(
        of row: Row, among rows: [Row], _ function: (Double) -> Double
    ) throws(QueryError) -> Row? {
        let candidates = rows.filter { $0.labels == row.labels || $0.labels.droppingName() == row.labels }
        return candidates.first { function($0.value).isSame(as: row.value) } ?? candidates.first
    }

    /// Rows with the largest in front, as many as are shown; the first few of them derived, further down only the first.
    func inputs(
        _ part: Part, _ rows: [Row], expanded: Int = Derivation.maximumExpanded
    ) throws(QueryError) -> [Derivation] {
        let sorted = rows.enumerated().sorted { a, b in
            let x = a.element.value.magnitude, y = b.element.value.magnitude
            if x.isNaN || y.isNaN { return y.isNaN && !x.isNaN || x.isNaN == y.isNaN && a.offset < b.offset }
            return x == y ? a.offset < b.offset : x > y
        }
        let expanded = partCount > 1 ? min(1, expanded) : expanded
        var result: [Derivation] = []
        for (index, row) in sorted.prefix(Derivation.maximumInputs).enumerated() {
            result.append(index < expanded ? try derive(part, row.element) : mention(part, row.element))
        }
        return result
    }
}

extension Double {
    /// Equal to the last bit, or both not a number.
    func isSame(as other: Double) -> Bool { bitPattern == other.bitPattern || (isNaN && other.isNaN) }
}
