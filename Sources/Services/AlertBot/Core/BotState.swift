import TSDB

/// Everything the bot remembers: what one gets by reading the incident log from its beginning.
///
/// Invariant: it changes by `apply` only as far as it must survive a crash; what a restart may forget (tickets, the next query)
/// is changed by the machine in place.
public struct BotState: Sendable {
    enum Bound {
        /// Open incidents; an alert more is refused.
        static let open = 5000
        /// Closed incidents that are shown and known by key.
        static let closed = 2000
        /// Keys known behind those.
        static let keys = 50_000
        /// Remembered actions of one target, and of all.
        static let actions = 256
    }

    /// A notice on its way.
    struct Delivery: Sendable {
        var notifier: String
        var notice: Notice.Kind
        var incident: String
        var text: String
        var step: Int
        var tries = 0
        var notBefore = Timestamp.min
        var ticket: Int?
    }

    public internal(set) var incidents: [String: Incident] = [:]
    /// Times of actions per target, oldest first.
    public internal(set) var actions: [String: [Timestamp]] = [:]
    public internal(set) var allActions: [Timestamp] = []
    public internal(set) var circuits: [String: Timestamp] = [:]
    var budgetPagedAt = Timestamp.min
    /// Policies whose steps stand to be undone.
    var undo: Set<String> = []
    var deliveries: [Delivery] = []
    /// What incidents that act are aimed at; not remembered over a restart, their cool-downs are.
    var busyTargets: [String: String] = [:]
    private var closedOrder: [String] = []
    private var oldKeys: Set<String> = []
    private var oldKeyOrder: [String] = []
    private(set) var openCount = 0

    public init() {}

    /// Whether an incident of this id was there, however long ago.
    func knows(_ id: String) -> Bool { incidents[id] != nil || oldKeys.contains(id) }

    mutating func apply(_ record: IncidentRecord) {
        if record.event == .received {
            guard let key = record.key, incidents[record.incident] == nil else { return }
            incidents[record.incident] = Incident(record, key)
            openCount += 1
            return
        }
        if record.event == .circuit {
            circuits[record.target] = record.result == "open" ? record.until : nil
            return
        }
        for name in record.notify { enqueue(name, record) }
        if record.event == .notified {
            if let index = deliveries.firstIndex(where: {
                $0.incident == record.incident && $0.notifier == record.target && $0.notice.rawValue == record.action
            }) {
                deliveries.remove(at: index)
            }
            return
        }
        guard var incident = incidents[record.incident] else { return }
        change(&incident, record)
        incidents[record.incident] = incident
    }

    private mutating func change(_ incident: inout Incident, _ record: IncidentRecord) {
        switch record.event {
        case .received, .duplicate, .circuit, .notified: break
        case .decision:
            incident.policy = record.policy
            switch record.decision {
            case "act", "approval": incident.phase = .ready
            case "cooldown", "limit", "busy", "budget", "circuit-open":
                if record.decision == "budget" { budgetPagedAt = record.time }
                incident.phase = .waiting(until: record.until ?? record.time, reason: record.decision)
            default: incident.phase = .watching
            }
        case .approval:
            switch record.result {
            case "pending": incident.phase = .asking(until: record.until ?? record.time)
            case "approved":
                incident.approvedStep = record.step
                incident.phase = .ready
            case "denied", "expired": incident.phase = .watching
            default: break
            }
        case .intent:
            if record.attempt == 1 {
                remember(record)
                incident.actions += 1
            }
            if record.isUndo, !incident.isUndoing {
                incident.isUndoing = true
                undo.remove(incident.policy)
            }
            incident.step = record.step ?? incident.step
            incident.attempt = record.attempt ?? incident.attempt
            incident.isDryRun = record.isDryRun
            incident.actedAt = record.time
            incident.phase = .acting(ticket: nil)
        case .action:
            // Notices are actions that need no intent: nobody is harmed by two of them.
            if record.action == "notify" || record.action == "ticket" {
                incident.step = (record.step ?? 0) + 1
                incident.phase = .ready
            } else {
                incident.phase = .done(result: record.result)
                if !record.isUndo, !record.isDryRun, record.result == "ok" || record.result == "unknown" {
                    undo.insert(incident.policy)
                }
            }
        case .verified:
            incident.isVerified = record.verify?.ok ?? (record.result == "would")
            incident.phase = incident.isVerified ? .watching : .ready
            if !incident.isVerified { nextStep(&incident) }
            if !incident.isOpen { incident.phase = .finishing }
        case .escalated:
            incident.escalatedAt = record.time
        case .resolved:
            guard incident.isOpen else { return }
            incident.resolvedAt = record.time
            openCount -= 1
            switch incident.phase {
            // What has begun is brought to its end.
            case .acting, .done, .verifying: break
            case .new, .ready, .waiting, .asking, .measuring, .retrying, .watching, .finishing, .closed: incident.phase = .finishing
            }
        }
    }

    func nextStep(_ incident: inout Incident) {
        incident.step += 1
        incident.actuator = 0
        incident.tries = 0
        incident.attempt = 0
    }

    /// The next step's turn.
    mutating func advanceStep(_ incident: Incident) {
        var next = incident
        nextStep(&next)
        next.phase = .ready
        incidents[incident.id] = next
    }

    private mutating func remember(_ record: IncidentRecord) {
        let target = record.target
        var times = actions[target, default: []]
        times.append(record.time)
        if times.count > Bound.actions { times.removeFirst() }
        actions[target] = times
        allActions.append(record.time)
        if allActions.count > Bound.actions { allActions.removeFirst() }
    }

    private mutating func enqueue(_ notifier: String, _ record: IncidentRecord) {
        let kind: Notice.Kind
        switch record.event {
        case .approval: kind = .approval
        case .action: kind = record.action == "ticket" ? .ticket : .notify
        default: kind = .escalation
        }
        deliveries.append(
            Delivery(notifier: notifier, notice: kind, incident: record.incident, text: record.reason, step: record.step ?? 0))
    }

    /// Nothing more will happen to it; the oldest of those are forgotten, their keys later.
    mutating func close(_ id: String) {
        guard incidents[id] != nil else { return }
        incidents[id]?.phase = .closed
        closedOrder.append(id)
        guard closedOrder.count > Bound.closed else { return }
        let oldest = closedOrder.removeFirst()
        incidents[oldest] = nil
        oldKeys.insert(oldest)
        oldKeyOrder.append(oldest)
        if oldKeyOrder.count > Bound.keys { oldKeys.remove(oldKeyOrder.removeFirst()) }
    }
}
