import TSDB

/// Where notifications of a route go: a name and what sends them, each independent of the others.
public struct Receiver: Sendable, Equatable {
    public var name: String
    /// For looking receivers up; `name` is among them.
    public var labels: Labels
    public var integrations: [Integration]

    public init(name: String, labels: Labels = Labels(), integrations: [Integration] = []) {
        self.name = name
        self.labels = labels
        self.integrations = integrations
    }
}

/// One way of telling people, as a receiver configures it.
public struct Integration: Sendable, Equatable {
    public enum Settings: Sendable, Equatable {
        case webhook(WebhookSettings)
        case slack(SlackSettings)
        case email(EmailSettings)
        case pagerDuty(PagerDutySettings)
        case log(LogSettings)
        case exec(ExecSettings)
    }

    public var settings: Settings
    /// Position among the receiver's integrations of its kind.
    public var index: Int
    public var sendsResolved: Bool

    public init(_ settings: Settings, index: Int, sendsResolved: Bool) {
        self.settings = settings
        self.index = index
        self.sendsResolved = sendsResolved
    }

    /// As metrics and the notification log name it: `webhook`, `slack`, `email`, `pagerduty`, `log`, `exec`.
    public var kind: String {
        switch settings {
        case .webhook: "webhook"
        case .slack: "slack"
        case .email: "email"
        case .pagerDuty: "pagerduty"
        case .log: "log"
        case .exec: "exec"
        }
    }
}
