import TSDB

/// Why somebody was, or was not, told about an alert: the way it takes, step by step, and where it stops.
///
///     {alertname="Down", instance="db1"}
///       → route {}/{severity="page"}   receiver pager   group {}/{severity="page"}:{alertname="Down"}
///         next look 12:05:00   inhibited by 2cdd4f0d0379464b (rule “node down”)        ◄─ cause
///         webhook[0]: last told 11:55:00 (first_notification); attempts: 11:54:58 failed: 503, 11:55:00 sent
public struct NotificationExplanation: Sendable, Equatable {
    /// What decides, the first of these that holds.
    public enum Cause: Sendable, Equatable {
        /// No such alert has been reported, or it is over and forgotten. The route is the one it would take.
        case unknownAlert
        /// No route takes it: the root's matchers fail.
        case noRoute
        /// The receiver has nobody to tell.
        case emptyReceiver
        case inhibited(by: Fingerprint, rule: String)
        case outsideActiveIntervals([String])
        case insideMuteIntervals([String])
        case silenced(by: [String])
        /// The group waits for its first look, or for the next one since the alert came.
        case waiting(until: Timestamp)
        /// An attempt is under way.
        case sending(since: Timestamp)
        /// Attempts fail, the next is at this time.
        case retrying(at: Timestamp, error: String)
        /// The last flush gave up; the next one tries again.
        case failed(at: Timestamp, error: String, nextFlush: Timestamp)
        /// They know: nothing new since, and it is not yet time to say it again.
        case notified(at: Timestamp, repeatsAt: Timestamp)
        /// It is over, and so it was told.
        case resolvedNotified(at: Timestamp)
        /// It is over, and the integration does not want to know.
        case resolvedNotWanted
        /// It began and ended between two looks: nobody was told, so nobody is told it is over.
        case resolvedBeforeNotified
    }

    /// One try to tell, or one decision that there is nothing to tell.
    public struct Attempt: Sendable, Equatable {
        public var time: Timestamp
        public var number: Int
        public var outcome: NotificationOutcome
    }

    public struct IntegrationExplanation: Sendable, Equatable {
        /// `webhook[0]`
        public var integration: String
        public var cause: Cause
        /// The decision at the last look: a reason to tell, or why not.
        public var lastDecision: NotificationDecision?
        public var decidedAt: Timestamp?
        /// When the receiver was told last, by the notification log.
        public var notifiedAt: Timestamp?
        /// The latest, oldest first.
        public var attempts: [Attempt]
    }

    public struct RouteExplanation: Sendable, Equatable {
        /// `{}/{severity="page"}`
        public var route: String
        public var receiver: String
        public var groupKey: String
        public var groupLabels: Labels
        /// `nil`: the group does not exist.
        public var nextFlush: Timestamp?
        public var lastFlush: Timestamp?
        public var mutedBy: [String]
        /// Empty where the receiver has none.
        public var integrations: [IntegrationExplanation]
        /// What holds for the route as a whole; the integrations' own causes where nothing else decides.
        public var cause: Cause
    }

    public struct Inhibition: Sendable, Equatable {
        public var rule: String
        public var source: Fingerprint
        public var sourceLabels: Labels
    }

    public var labels: Labels
    public var fingerprint: Fingerprint
    /// As it is stored; `nil` where it is not.
    public var alert: Alert?
    public var isFiring: Bool
    public var inhibition: Inhibition?
    /// Active silences that match, and those that will.
    public var silences: [Silence]
    public var routes: [RouteExplanation]
}

/// What a look at a group decided for one integration.
public enum NotificationDecision: Sendable, Equatable {
    case notify(Notification.Reason)
    /// Nothing fires, and they were never told that something did.
    case nothingToTell
    /// They know all of this since `at`, and it is repeated only from `repeatsAt` on.
    case alreadyTold(at: Timestamp, repeatsAt: Timestamp)
}
