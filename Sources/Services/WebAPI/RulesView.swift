import Alerter

/// What endpoints see of rules and of the Alertmanagers that get their alerts.
public struct RulesView: Sendable {
    /// In the order of files and names, as they were after their last evaluations.
    public var groups: @Sendable () -> [RuleGroupStatus]
    /// URLs, and those that relabeling has dropped.
    public var alertmanagers: @Sendable () -> (active: [String], dropped: [String])

    public init(
        groups: @escaping @Sendable () -> [RuleGroupStatus] = { [] },
        alertmanagers: @escaping @Sendable () -> (active: [String], dropped: [String]) = { ([], []) }
    ) {
        self.groups = groups
        self.alertmanagers = alertmanagers
    }
}
