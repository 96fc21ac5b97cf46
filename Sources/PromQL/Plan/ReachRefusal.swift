/// Which functions understand samples beyond the window.
extension RangeFunctionPlan {
    /// Upstream's refusal of `deriv(x[5m] anchored)`; `nil` where the function fits its selector.
    var reachRefusal: QueryError? {
        let allowed: [String]
        switch range.reach {
        case .window: return nil
        case .anchored: allowed = ["changes", "delta", "increase", "rate", "resets"]
        case .smoothed: allowed = ["delta", "increase", "rate"]
        }
        if allowed.contains(name) { return nil }
        return QueryError(
            .evaluation,
            "\(range.reach.rawValue) modifier can only be used with: \(allowed.joined(separator: ", ")) - not with \(name)",
            range: call.range)
    }
}
