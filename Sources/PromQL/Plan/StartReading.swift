/// Marks the selectors whose samples' start times are wanted (`use-start-timestamps`).
///
///     rate(x[5m])              x: starts
///     rate(x[5m] anchored)     none: values at the edges have no start. `resets` counts pairs, and there they have
///     rate(x[5m:1m])           none: what a subquery computes has no start
///     start_timestamp(x)       x: starts, in the place of values
///
/// Source: promql/engine.go, `useStartTimestamps`.
enum StartReading {
    private static let readers: Set<String> = ["rate", "irate", "increase", "resets"]

    static func mark(_ node: PlanNode) -> PlanNode {
        switch node {
        case .rangeFunction(var plan) where readers.contains(plan.name):
            if case .selector(var selector) = plan.range.source, selector.reach == .window || plan.name == "resets" {
                selector.readsStarts = true
                plan.range.source = .selector(selector)
            }
            return PlanNode.rangeFunction(plan).mapChildren(mark)
        case .function(var plan) where plan.call.function.name == "start_timestamp":
            guard case .selector(var selector)? = plan.arguments.first, selector.yieldsTimestamps else {
                return node.mapChildren(mark)
            }
            selector.readsStarts = true
            plan.arguments[0] = .selector(selector)
            return .function(plan)
        default: return node.mapChildren(mark)
        }
    }
}
