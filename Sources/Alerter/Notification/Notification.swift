import TSDB

/// What one integration is to tell about one group of alerts.
public struct Notification: Sendable, Equatable {
    public enum Reason: String, Sendable {
        case firstNotification = "first_notification"
        case newAlerts = "new_alerts_in_group"
        case newlyResolved = "new_resolved_alerts_in_group"
        case repeatInterval = "repeat_interval"
        case allResolved = "all_alerts_resolved"
    }

    public var receiver: String
    public var integration: Integration
    /// `{}/{severity="page"}:{alertname="Down"}`: the route's path and the group's labels. Receivers key on it.
    public var groupKey: String
    public var groupLabels: Labels
    /// In upstream's order. Without the resolved ones where the integration does not want them.
    public var alerts: [Alert]
    /// The group's timer tick: what `isResolved` and templates take for now.
    public var now: Timestamp
    public var reason: Reason

    public init(
        receiver: String, integration: Integration, groupKey: String, groupLabels: Labels, alerts: [Alert], now: Timestamp,
        reason: Reason
    ) {
        self.receiver = receiver
        self.integration = integration
        self.groupKey = groupKey
        self.groupLabels = groupLabels
        self.alerts = alerts
        self.now = now
        self.reason = reason
    }
}

/// How an attempt to notify went.
public enum NotificationOutcome: Sendable, Equatable {
    case sent
    /// `reason` is what metrics say: `clientError`, `serverError`, `contextDeadlineExceeded`, `other` …
    case failed(reason: String, message: String, isRetryable: Bool)
}

/// Sends notifications: over a network in the server, into a list in tests. One call is one attempt.
public protocol Notifier: Sendable {
    func send(_ notification: Notification) async -> NotificationOutcome
}
