import PromQL
import TSDB

/// A query with every selector held at one time: `rate(x[5m])` at 60 s becomes `rate(x[5m] @ 60)`, and then must give
/// the same answer whenever it is evaluated.
///
/// Selectors inside a subquery are left alone; the subquery around them is held instead. What has an `@` already keeps it.
struct FixedTimes {
    /// The changed query as text.
    let query: String
    /// Other times to evaluate it at, in milliseconds; none but the given one where a function looks at the time itself.
    let otherTimes: [Int64]
    /// `start()`, `end()`, `range()` or `step()` stand in it: the answer depends on the query's own times.
    let usesQueryTimes: Bool

    private static let timeFunctions: Set<String> = [
        "days_in_month", "day_of_month", "day_of_week", "day_of_year", "end", "hour", "minute", "month", "year",
        "predict_linear", "range", "start", "step", "time", "timestamp",
    ]

    init(_ expr: Expr, at time: Int64) {
        var names: Set<String> = []
        let fixed = Self.fixing(expr, .timestamp(Timestamp(milliseconds: time)), &names)
        query = fixed.description
        usesQueryTimes = !names.isDisjoint(with: ["start", "end", "range", "step"])
        if !names.isDisjoint(with: Self.timeFunctions) {
            otherTimes = [time]
        } else if time == 0 {
            otherTimes = [-1000, 0, 1000]
        } else {
            otherTimes = [-10 * time, 0, time / 5, time, 10 * time]
        }
    }

    /// Gathers the names of the functions on the way, and `start`, `end` of `@ start()`, `@ end()`.
    private static func fixing(_ expr: Expr, _ at: AtModifier, _ names: inout Set<String>) -> Expr {
        switch expr {
        case .number, .string: return expr
        case .paren(let inner, let range): return .paren(fixing(inner, at, &names), range: range)
        case .unary(var node):
            node.operand = fixing(node.operand, at, &names)
            return .unary(node)
        case .binary(var node):
            node.left = fixing(node.left, at, &names)
            node.right = fixing(node.right, at, &names)
            return .binary(node)
        case .aggregate(var node):
            node.operand = fixing(node.operand, at, &names)
            node.parameter = node.parameter.map { fixing($0, at, &names) }
            return .aggregate(node)
        case .call(var node):
            names.insert(node.function.name)
            node.arguments = node.arguments.map { fixing($0, at, &names) }
            return .call(node)
        case .vectorSelector(let node): return .vectorSelector(fixing(node, at, &names))
        case .matrixSelector(var node):
            node.selector = fixing(node.selector, at, &names)
            note(node.windowExpr, &names)
            return .matrixSelector(node)
        case .subquery(var node):
            // For the names alone: the inside is evaluated at times of its own.
            _ = fixing(node.operand, at, &names)
            note(node.windowExpr, &names)
            note(node.stepExpr, &names)
            note(node.offsetExpr, &names)
            note(node.at, &names)
            node.at = node.at ?? at
            return .subquery(node)
        }
    }

    private static func fixing(
        _ selector: VectorSelector, _ at: AtModifier, _ names: inout Set<String>
    ) -> VectorSelector {
        var selector = selector
        note(selector.offsetExpr, &names)
        note(selector.at, &names)
        selector.at = selector.at ?? at
        return selector
    }

    private static func note(_ at: AtModifier?, _ names: inout Set<String>) {
        if at == .start || at == .end { names.insert("start") }
    }

    private static func note(_ expr: DurationExpr?, _ names: inout Set<String>) {
        if let text = expr?.description, text.contains("step()") || text.contains("range()") { names.insert("step") }
    }
}
