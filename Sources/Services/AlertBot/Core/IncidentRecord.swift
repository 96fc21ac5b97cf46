import TSDB

/// One line of the incident log: something that was heard, decided, done or found out.
///
///     received ─ decision ─ intent ─ action ─ verified ─ resolved          an incident that healed
///                   │          └ written and on the disk before the effect
///                   └ approval ─ escalated ─ notified ─ circuit            what may come between
///
/// Lines are for people and are the bot's memory as well: `BotState` is what one gets by reading them in order.
public struct IncidentRecord: Equatable, Sendable {
    public enum Event: String, Sendable, CaseIterable {
        /// An alert that is new; carries what the webhook said.
        case received
        /// A webhook with nothing new in it.
        case duplicate
        case decision
        /// What will be done next; comes before the effect.
        case intent
        /// What became of it.
        case action
        case verified, escalated, approval, circuit
        /// A notice was delivered, or given up.
        case notified
        case resolved
    }

    public struct Verify: Equatable, Sendable {
        public var query: String
        /// Values before the action and at the end; `nil` where there was none.
        public var before: Double?
        public var after: Double?
        public var ok: Bool

        public init(query: String, before: Double? = nil, after: Double? = nil, ok: Bool) {
            self.query = query
            self.before = before
            self.after = after
            self.ok = ok
        }
    }

    /// What makes an alert the same alert.
    public struct Key: Hashable, Sendable {
        public var groupKey: String
        public var fingerprint: String
        public var startsAt: String

        public init(groupKey: String, fingerprint: String, startsAt: String) {
            self.groupKey = groupKey
            self.fingerprint = fingerprint
            self.startsAt = startsAt
        }
    }

    public var time: Timestamp
    public var event: Event
    public var incident = ""
    public var source = ""
    public var alert = ""
    public var labels: Pairs = [:]
    public var annotations: Pairs = [:]
    public var key: Key?
    public var policy = ""
    /// From 0; of the steps of `on_resolve` where `isUndo`.
    public var step: Int?
    public var isUndo = false
    public var decision = ""
    public var mode = ""
    public var action = ""
    public var target = ""
    /// The actuator.
    public var via = ""
    public var attempt: Int?
    public var approver = ""
    public var result = ""
    public var reason = ""
    public var duration: Duration?
    public var verify: Verify?
    /// When what was decided ends: a wait, an approval, an open circuit.
    public var until: Timestamp?
    /// Notifiers that get a notice because of this line.
    public var notify: [String] = []
    public var isDryRun = false

    public init(_ event: Event, at time: Timestamp) {
        self.event = event
        self.time = time
    }
}
