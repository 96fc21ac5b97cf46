import TSDB

/// A changed group takes over what the one before it knows: alerts stay active, series are ended where nothing gives them any more.
///
/// Rules are matched by name and labels; of several equal ones the first with the first, the second with the second.
/// Source: Prometheus 3.14, `Group.CopyState`.
extension GroupEvaluation {
    private struct RuleKey: Hashable {
        let name: String
        let labels: Annotations

        init(_ state: RuleState) {
            name = state.rule.name
            labels = state.labels
        }
    }

    public init(_ group: RuleGroup, inheriting old: GroupEvaluation) {
        self.init(group)
        evaluationSeconds = old.evaluationSeconds
        lastEvaluation = old.lastEvaluation
        firstEvaluation = old.firstEvaluation
        restoredAt = old.restoredAt
        var unmatched: [RuleKey: [Int]] = [:]
        for (index, state) in old.rules.enumerated() { unmatched[RuleKey(state), default: []].append(index) }
        for index in rules.indices {
            let key = RuleKey(rules[index])
            guard let first = unmatched[key]?.first else { continue }
            unmatched[key]?.removeFirst()
            rules[index].inherit(old.rules[first])
        }
        staleSeries = old.staleSeries
        for index in old.rules.indices where unmatched[RuleKey(old.rules[index])]?.contains(index) == true {
            staleSeries += old.rules[index].series.present
        }
    }
}
