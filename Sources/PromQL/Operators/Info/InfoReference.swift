import TSDB

/// When `info(v, …)` looks at the info series: as the first selector in `v` looks at its samples.
///
///     info(x offset 2m)                                as of t − 2m
///     info(x @ 120)                                    as of 120 s, at every step
///     info(last_over_time((x offset 1m)[10m:1m] @ 180))    as of 180 s − 1m: what encloses the selector shifts it, up to the first `@`
///
/// Source: `infoSelectTimestampAndOffset` of Prometheus' `promql/info.go`, by behaviour.
struct InfoReference {
    var offset = Duration.zero
    var at: AtModifier?

    /// `resolve` computes an offset that may be an expression.
    init(
        _ expr: Expr, resolve: (Duration, DurationExpr?) throws(QueryError) -> Duration
    ) throws(QueryError) {
        guard let (selector, subqueries) = Self.first(expr) else { return }
        offset = try resolve(selector.offset, selector.offsetExpr)
        at = selector.at
        for subquery in subqueries where at == nil {
            let further = try resolve(subquery.offset, subquery.offsetExpr)
            offset = Duration(milliseconds: offset.milliseconds.clampedAdding(further.milliseconds))
            at = subquery.at
        }
    }

    /// The first selector as one reads, and the subqueries around it, the innermost first.
    private static func first(_ expr: Expr) -> (VectorSelector, [SubqueryExpr])? {
        switch expr {
        case .number, .string: return nil
        case .vectorSelector(let selector): return (selector, [])
        case .matrixSelector(let matrix): return (matrix.selector, [])
        case .paren(let inner, _): return first(inner)
        case .unary(let unary): return first(unary.operand)
        case .binary(let binary):
            // The left spine may be long: walked in a loop, as the planner does.
            let chain = binary.leftSpine
            if let found = first(chain[chain.count - 1].left) { return found }
            for binary in chain.reversed() { if let found = first(binary.right) { return found } }
            return nil
        case .aggregate(let aggregate): return first(aggregate.operand) ?? aggregate.parameter.flatMap(first)
        case .call(let call):
            for argument in call.arguments { if let found = first(argument) { return found } }
            return nil
        case .subquery(let subquery):
            guard let (selector, inner) = first(subquery.operand) else { return nil }
            return (selector, inner + [subquery])
        }
    }
}
