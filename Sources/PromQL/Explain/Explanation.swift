import Numbers
import TSDB

/// `EXPLAIN`: what a query will do, or has done, as a tree for people. With measures it is `EXPLAIN ANALYZE`.
///
///     histogram_quantile                     5 series     1 205 points    0.1 ms
///     ├─ number 0.95
///     └─ sum by (le)                        12 series     2 892 points    8.0 ms
///        └─ rate                        10 000 series 2 410 000 points   70.1 ms
///           └─ window [5m] b{…}         10 000 series 2 610 000 samples  20.3 ms   30 000 chunks, 4.4 MB
///
/// Made from a plan (`Explanation(plan)`), or by an `Analysis` that watched the operators at work.
public struct Explanation: Sendable, Equatable {
    /// What the node is called: a function, an operator, `select`, `window`.
    public var title: String
    /// What it works on: matchers, a grouping, the matching of a join.
    public var detail: String
    /// Place in the query; `nil` where the planner made the node.
    public var place: Range<Int>?
    public var measures: Measures?
    public var children: [Explanation]

    public init(
        _ title: String, _ detail: String = "", place: Range<Int>? = nil, measures: Measures? = nil,
        children: [Explanation] = []
    ) {
        self.title = title
        self.detail = detail
        self.place = place
        self.measures = measures
        self.children = children
    }

    /// What one operator did. Times are added up over all threads.
    public struct Measures: Sendable, Equatable {
        /// Series that the operator offers.
        public var series = 0
        /// Columns computed: a series may be asked for twice, or never.
        public var columns = 0
        /// Values in those columns.
        public var points = 0
        /// Nanoseconds in the operator and in all beneath it.
        public var nanoseconds: Int64 = 0
        /// Nanoseconds in the operator alone.
        public var ownNanoseconds: Int64 = 0
        /// What was read, where the operator asks storage.
        public var storage: Storage?

        public init() {}

        public struct Storage: Sendable, Equatable {
            /// Samples decoded that lie in the range asked for, stale markers included.
            public var samples = 0
            /// Chunks decoded, and their bytes; 0 where storage does not tell.
            public var chunks = 0
            public var bytes = 0
            /// Nanoseconds spent finding the series.
            public var selecting: Int64 = 0
            /// Nanoseconds spent decoding.
            public var decoding: Int64 = 0

            public init() {}
        }
    }
}

// MARK: From a plan

extension Explanation {
    public init(_ plan: Plan) {
        self.init(grid: plan.grid)
        children = [Explanation(plan.root)]
        var seen: Set<String> = []
        children[0].nameAgain(&seen, "")
    }

    /// A shared part is shown where it is first met on a grid of steps; from there on its number says enough.
    private mutating func nameAgain(_ seen: inout Set<String>, _ grid: String) {
        if title == "shared", !seen.insert("\(grid) \(detail)").inserted {
            children = []
            return
        }
        let inner = title == "subquery" || title == "once" ? "\(grid) \(title) \(detail)" : grid
        for index in children.indices { children[index].nameAgain(&seen, inner) }
    }

    /// The root of a tree: the query's steps.
    init(grid: StepGrid) {
        let times =
            grid.count == 1
            ? "at \(Self.seconds(grid.start))"
            : "\(grid.count) steps from \(Self.seconds(grid.start)) to \(Self.seconds(grid.end)) by "
                + DurationText.string(milliseconds: grid.step)
        self.init("query", times)
    }

    public init(_ node: PlanNode) {
        self.init(alone: node)
        switch node {
        case .scalar, .string, .selector: break
        case .range(let range): self = Explanation(range)
        case .rangeFunction(let plan): children = [Explanation(plan.range)] + plan.parameters.map { Explanation($0) }
        case .function(let plan): children = plan.arguments.map { Explanation($0) }
        case .aggregate(let plan):
            children = [Explanation(plan.operand)] + (plan.parameter.map { [Explanation($0)] } ?? [])
        case .binary(_, let left, let right): children = [Explanation(left), Explanation(right)]
        case .negate(let operand, _): children = [Explanation(operand)]
        case .stepInvariant(let operand), .shared(_, let operand): children = [Explanation(operand)]
        }
    }

    public init(_ range: RangePlan) {
        self.init(alone: range)
        if case .subquery(let inner, _, _, _) = range.source { children = [Explanation(inner)] }
    }

    /// A node without its children.
    init(alone node: PlanNode) {
        switch node {
        case .scalar(let value): self.init("number", NumberText.string(value, style: .plain))
        case .string(let text): self.init("string", QuotedText.go(text))
        case .selector(let plan):
            let title = plan.yieldsTimestamps ? plan.readsStarts ? "select starts" : "select times" : "select"
            self.init(title, plan.text, place: plan.place)
        case .range(let range): self.init(alone: range)
        case .rangeFunction(let plan): self.init(plan.name, place: plan.call.range)
        case .function(let plan): self.init(plan.call.function.name, place: plan.call.range)
        case .aggregate(let plan):
            self.init(plan.op.rawValue, plan.grouping.text, place: plan.place)
        case .binary(let expr, _, _):
            let modifiers = Printer.modifiers(expr)
            self.init(expr.op.rawValue, String(modifiers.drop { $0 == " " }), place: expr.range)
        case .negate: self.init("-")
        case .stepInvariant: self.init("once", "the same at every step")
        case .shared(let number, _): self.init("shared", "\(number)")
        }
    }

    init(alone range: RangePlan) {
        let length = DurationText.string(milliseconds: range.length.milliseconds)
        switch range.source {
        case .selector(let selector): self.init("window", "[\(length)] \(selector.text)", place: range.place)
        case .subquery(_, let step, let offset, let at):
            let step = DurationText.string(milliseconds: step.milliseconds)
            self.init("subquery", "[\(length):\(step)]" + Self.shift(offset, at), place: range.place)
        }
    }

    /// `1435781430.781`
    static func seconds(_ milliseconds: Int64) -> String {
        NumberText.string(Double(milliseconds) / 1000, style: .fixed)
    }

    static func shift(_ offset: Duration, _ at: Timestamp?) -> String {
        let magnitude = offset.milliseconds == .min ? .max : abs(offset.milliseconds)
        let sign = offset < .zero ? "-" : ""
        return (offset == .zero ? "" : " offset \(sign)\(DurationText.string(milliseconds: magnitude))")
            + (at.map { " @ \(seconds($0.milliseconds))" } ?? "")
    }
}

extension SelectorPlan {
    /// `b{job="x"} offset 5m`
    var text: String {
        let name = matchers.first { $0.kind == .equal && $0.name == MetricName.label }?.value ?? ""
        let isBare = !name.isEmpty && Printer.isBareName(name.replacingColons)
        let rest = matchers.filter { !(isBare && $0.kind == .equal && $0.name == MetricName.label && $0.value == name) }
        let braces = rest.isEmpty && isBare ? "" : "{\(rest.map { Printer.matcher($0) }.joined(separator: ", "))}"
        return (isBare ? name : "") + braces + Explanation.shift(offset, at)
            + (reach == .window ? "" : " \(reach.rawValue)")
    }
}

extension String {
    /// Metric names may have colons where label names may not.
    fileprivate var replacingColons: String { String(map { $0 == ":" ? "_" : $0 }) }
}

extension Grouping {
    /// `by (le)`; nothing where all is one group.
    var text: String {
        switch self {
        case .by(let names): return names.isEmpty ? "" : "by (\(Printer.labels(names)))"
        case .without(let names): return "without (\(Printer.labels(names)))"
        }
    }
}
