/// Selectors of which only the counts and sums of native histograms are wanted read no more of them.
///
///     histogram_count(sum(rate(h[5m])))          h: statistics
///     histogram_count(h) + histogram_quantile(0.9, h)      the first h: statistics, the second: whole
///     histogram_count(h </ 2)                    whole: trimming looks at buckets
///
/// No optimisation that could be left out: without buckets nothing is known of resets later on, so they are looked for while reading, which
/// `histogram_count(sum(h))` may tell from its warnings. Source: promql/engine.go, `detectHistogramStatsDecoding`.
enum StatisticsOnly {
    private static let wanting: Set<String> = ["histogram_count", "histogram_sum", "histogram_avg"]
    private static let refusing: Set<String> = ["histogram_quantile", "histogram_quantiles", "histogram_fraction"]

    static func mark(_ root: PlanNode) -> PlanNode { visit(root, wanted: false) }

    /// Where something between here and the selector needs buckets, the question is over: `visit` is not called any more.
    private static func visit(_ node: PlanNode, wanted: Bool) -> PlanNode {
        switch node {
        case .selector(var plan):
            plan.readsStatistics = wanted && !plan.yieldsTimestamps
            return .selector(plan)
        case .range(var plan):
            mark(&plan, wanted)
            return .range(plan)
        case .rangeFunction(var plan):
            mark(&plan.range, wanted)
            plan.parameters = plan.parameters.map { visit($0, wanted: wanted) }
            return .rangeFunction(plan)
        case .function(let plan):
            let name = plan.call.function.name
            if refusing.contains(name) { return node }
            return node.mapChildren { visit($0, wanted: wanted || wanting.contains(name)) }
        case .binary(let expr, _, _) where expr.op == .trimUpper || expr.op == .trimLower: return node
        default: return node.mapChildren { visit($0, wanted: wanted) }
        }
    }

    /// Subqueries hand on whole histograms.
    private static func mark(_ plan: inout RangePlan, _ wanted: Bool) {
        guard case .selector(var selector) = plan.source else { return }
        selector.readsStatistics = wanted
        plan.source = .selector(selector)
    }
}
