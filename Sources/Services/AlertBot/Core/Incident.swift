import TSDB

/// One alert from its first webhook to its end.
///
///     new ─▶ waiting ⇄ ready ─▶ asking ─▶ ready ─▶ measuring ─▶ acting ─▶ done ─▶ verifying ─▶ watching ─▶ closed
///                                                                 └─ retrying ◀─┘      └ next step, or escalation
public struct Incident: Equatable, Sendable {
    public enum Phase: Equatable, Sendable {
        /// Heard of, nothing decided.
        case new
        /// The step's turn; nothing of it is done.
        case ready
        case waiting(until: Timestamp, reason: String)
        /// A human is asked.
        case asking(until: Timestamp)
        /// The verification's query is asked before the action; not remembered over a restart, as it does nothing.
        case measuring(ticket: Int)
        /// The intent is written: from here on the action may have happened. `nil` after a restart.
        case acting(ticket: Int?)
        /// The action is over, what follows is not decided.
        case done(result: String)
        case retrying(at: Timestamp)
        case verifying(since: Timestamp, nextQuery: Timestamp, ticket: Int?)
        /// Nothing is left to do until it is resolved, or too old.
        case watching
        /// Resolved; what undoes its steps, if anything, comes next.
        case finishing
        case closed
    }

    public let id: String
    public let key: IncidentRecord.Key
    public let source: String
    public let alert: String
    public let labels: Pairs
    public let annotations: Pairs
    public let openedAt: Timestamp
    public internal(set) var policy = ""
    public internal(set) var phase = Phase.new
    public internal(set) var step = 0
    /// Of the step's actuators; retries of one are counted by `tries`.
    public internal(set) var actuator = 0
    public internal(set) var tries = 0
    /// Of this step, over all actuators.
    public internal(set) var attempt = 0
    /// Actions done for it, dry runs included.
    public internal(set) var actions = 0
    public internal(set) var isUndoing = false
    public internal(set) var isVerified = false
    public internal(set) var isDryRun = false
    public internal(set) var approvedStep: Int?
    public internal(set) var before: Double?
    var after: Double?
    /// Why it waits, as far as the log says so.
    var toldReason = ""
    public internal(set) var actedAt: Timestamp?
    public internal(set) var escalatedAt: Timestamp?
    public internal(set) var resolvedAt: Timestamp?
    public internal(set) var lastSeen: Timestamp

    init(_ record: IncidentRecord, _ key: IncidentRecord.Key) {
        id = record.incident
        self.key = key
        source = record.source
        alert = record.alert
        labels = record.labels
        annotations = record.annotations
        openedAt = record.time
        lastSeen = record.time
    }

    public var isOpen: Bool { resolvedAt == nil }

    /// Whether an action of it is under way.
    var isBusy: Bool {
        switch phase {
        case .measuring, .acting, .done, .retrying, .verifying: true
        case .new, .ready, .waiting, .asking, .watching, .finishing, .closed: false
        }
    }

    /// A word for people.
    public var state: String {
        switch phase {
        case .new, .ready, .measuring: "deciding"
        case .waiting(_, let reason): "waiting (\(reason))"
        case .asking: "waiting for approval"
        case .acting, .done, .retrying: "acting"
        case .verifying: "verifying"
        case .watching: escalatedAt != nil ? "escalated" : isVerified ? "verified" : "watching"
        case .finishing: "resolved"
        case .closed: "closed"
        }
    }
}
