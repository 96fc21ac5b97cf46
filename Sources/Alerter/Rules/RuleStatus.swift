import TSDB

/// How the last evaluation of a rule went.
public enum RuleHealth: String, Sendable {
    case unknown
    case ok
    case failing = "err"
}

/// A group as it is between two evaluations, for the API and pages.
public struct RuleGroupStatus: Sendable {
    public var name: String
    public var file: String
    public var interval: Duration
    public var limit: Int
    public var rules: [RuleStatus]
    public var evaluationSeconds: Double
    /// By the wall clock; `nil`: not yet.
    public var lastEvaluation: Timestamp?
}

public struct RuleStatus: Sendable {
    public struct Alerting: Sendable {
        public var hold: Duration
        public var keepFiring: Duration
        public var annotations: Annotations
        /// `unknown` before the first evaluation, else that of its most urgent alert.
        public var state: String
        /// Pending and firing ones.
        public var alerts: [AlertState]
    }

    public var name: String
    /// In canonical form.
    public var query: String
    public var labels: Annotations
    public var health: RuleHealth
    public var lastError: String?
    public var evaluationSeconds: Double
    public var lastEvaluation: Timestamp?
    /// `nil`: a recording rule.
    public var alerting: Alerting?
}

extension GroupEvaluation {
    public var status: RuleGroupStatus {
        RuleGroupStatus(
            name: group.name, file: group.file, interval: group.interval, limit: group.limit, rules: rules.map(\.status),
            evaluationSeconds: evaluationSeconds, lastEvaluation: lastEvaluation)
    }
}

extension RuleState {
    fileprivate var status: RuleStatus {
        RuleStatus(
            name: rule.name, query: query, labels: labels, health: health, lastError: lastError,
            evaluationSeconds: evaluationSeconds, lastEvaluation: lastEvaluation,
            alerting: alerting.map { alerting in
                .init(
                    hold: alerting.hold, keepFiring: alerting.keepFiring,
                    annotations: Annotations(alerting.annotations.map { (name: $0.name, value: $0.template) }),
                    state: state, alerts: alerts.all.filter { !$0.isResolved })
            })
    }

    private var state: String {
        if lastEvaluation == nil { return "unknown" }
        if alerts.all.contains(where: \.isFiring) { return "firing" }
        return alerts.all.contains { !$0.isResolved } ? "pending" : "inactive"
    }
}
