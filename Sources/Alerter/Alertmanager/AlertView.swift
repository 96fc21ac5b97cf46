import RegularExpression
import TSDB

/// What keeps an alert from people, if anything does.
public struct AlertStatus: Sendable, Equatable {
    public enum State: String, Sendable { case unprocessed, active, suppressed }

    public var state: State
    /// Ids of all active silences that match.
    public var silencedBy: [String]
    /// Fingerprints of sources; one is enough.
    public var inhibitedBy: [Fingerprint]
    /// Names of the time intervals that keep the group quiet.
    public var mutedBy: [String]

    public init(state: State, silencedBy: [String] = [], inhibitedBy: [Fingerprint] = [], mutedBy: [String] = []) {
        self.state = state
        self.silencedBy = silencedBy
        self.inhibitedBy = inhibitedBy
        self.mutedBy = mutedBy
    }
}

/// An alert as it is shown.
public struct AlertView: Sendable, Equatable {
    /// Its times are set, `endsAt` included.
    public var alert: Alert
    public var fingerprint: Fingerprint
    /// Names of the receivers of the routes it takes.
    public var receivers: [String]
    public var status: AlertStatus

    public init(alert: Alert, fingerprint: Fingerprint, receivers: [String], status: AlertStatus) {
        self.alert = alert
        self.fingerprint = fingerprint
        self.receivers = receivers
        self.status = status
    }
}

/// A group of alerts as it is shown.
public struct GroupView: Sendable, Equatable {
    public var labels: Labels
    public var receiver: String
    public var groupKey: String
    /// In the order of notifications.
    public var alerts: [AlertView]
    /// When it is looked at next.
    public var nextFlush: Timestamp

    public init(labels: Labels, receiver: String, groupKey: String, alerts: [AlertView], nextFlush: Timestamp) {
        self.labels = labels
        self.receiver = receiver
        self.groupKey = groupKey
        self.alerts = alerts
        self.nextFlush = nextFlush
    }
}

/// Which alerts are wanted. The alerts' own end decides first: what is over is never shown.
public struct AlertFilter: Sendable {
    /// All must match.
    public var matchers: [Matcher]
    /// One of the alert's receivers must match, the whole name.
    public var receiver: Pattern?
    public var showsActive = true
    public var showsSilenced = true
    public var showsInhibited = true
    public var showsUnprocessed = true
    /// Groups that a time interval keeps quiet.
    public var showsMuted = true

    public init(matchers: [Matcher] = [], receiver: Pattern? = nil) {
        self.matchers = matchers
        self.receiver = receiver
    }

    func shows(_ status: AlertStatus) -> Bool {
        if !showsActive && status.state == .active { return false }
        if !showsSilenced && !status.silencedBy.isEmpty { return false }
        return showsInhibited || status.inhibitedBy.isEmpty
    }
}
