import TSDB

/// One line of the history: what became of an alert, or who was told what.
public struct AlertHistoryEntry: Sendable, Equatable {
    public enum Event: Sendable, Equatable {
        /// Reported for the first time, or again after its end.
        case fired(Labels)
        /// Reported as over, or not reported any more.
        case resolved(Labels)
        case notification(Told)
        case silence(id: String, change: SilenceChange, by: String, comment: String)
    }

    public enum SilenceChange: String, Sendable { case created, updated, expired }

    /// The end of telling one integration about one group: sent, or given up.
    public struct Told: Sendable, Equatable {
        public var receiver: String
        /// `webhook[0]`
        public var integration: String
        public var groupKey: String
        public var reason: Notification.Reason
        public var firing: [Fingerprint]
        public var resolved: [Fingerprint]
        public var attempts: Int
        public var outcome: NotificationOutcome
    }

    /// Ascending within one history, also over restarts.
    public var number: UInt64
    public var time: Timestamp
    public var event: Event

    /// Whether the entry is about this alert.
    public func concerns(_ fingerprint: Fingerprint) -> Bool {
        switch event {
        case .fired(let labels), .resolved(let labels): Fingerprint(labels) == fingerprint
        case .notification(let told): told.firing.contains(fingerprint) || told.resolved.contains(fingerprint)
        case .silence: false
        }
    }
}

/// Which part of the history is wanted, newest first.
public struct AlertHistoryQuery: Sendable {
    public var since: Timestamp = .min
    public var until: Timestamp = .max
    public var fingerprint: Fingerprint?
    /// Of alerts; entries that are no alert's transition have none.
    public var matchers: [Matcher] = []
    public var receiver: String?
    public var limit = 1000

    public init() {}
}
