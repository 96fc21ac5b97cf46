import Digest
import TSDB

/// The bot's decisions: webhooks, answers and the time come in, lines of the log and effects come out.
///
///     receive ─┐                       ┌─▶ log: one line, on the disk        (first)
///     finished ┼─▶ what is next, now? ─┤
///     tick ────┘                       └─▶ effects, taken by the driver      (then)
///
/// It reads no clock, opens no file and talks to nobody, so a test plays an hour in a moment. What it knows it knows from the log:
/// after a crash it is made again from the lines, and goes on where they end.
///
/// Invariants: no effect without its line on the disk. An intent without its `action` line is never repeated: it is written down as
/// `unknown` and verified. When the log cannot be written nothing is done, and `tick` tries again.
public struct Bot: Sendable {
    enum Bound {
        /// A failed action is tried again so often, per actuator.
        static let retries = 2
        static let backOff = Duration.seconds(2)
        static let deliveries = 3
        /// An open incident nobody has spoken of for so long is over.
        static let forgotten = Duration.hours(7 * 24)
        /// Audited refusals of approvals in a minute; more are only counted.
        static let refusals = 30
        /// A verification's query must be answered in this time.
        static let query = Duration.seconds(10)
    }

    enum Ticket: Sendable {
        case before(String, askedAt: Timestamp), after(String, askedAt: Timestamp)
        case action(String, startedAt: Timestamp)
        case delivery
    }

    public internal(set) var state = BotState()
    public internal(set) var policy: BotPolicy
    public let approvals: Approvals
    private let sink: any IncidentSink
    public private(set) var chain: HashChain
    var tickets: [Int: Ticket] = [:]
    private var nextTicket = 1
    private var effects: [Effect] = []
    private var written: [IncidentRecord] = []
    private var refusals: (minute: Int64, count: Int) = (0, 0)
    /// Alerts that were refused because too many incidents are open.
    public private(set) var overflow = 0

    /// Goes on from a log; `file` is what it holds now.
    public init(_ policy: BotPolicy, log file: IncidentLogFile, approvals: Approvals, to sink: any IncidentSink) {
        self.policy = policy
        self.approvals = approvals
        self.sink = sink
        chain = file.chain
        for record in file.records {
            state.apply(record)
            // What was over at the crash is over: only its undoing may be left.
            if record.event == .resolved || record.event == .verified || record.event == .action { replay(record.incident) }
        }
    }

    /// Effects wanted since the last call.
    public mutating func takeEffects() -> [Effect] {
        defer { effects = [] }
        return effects
    }

    /// Lines written since the last call, for metrics and pages.
    public mutating func takeWritten() -> [IncidentRecord] {
        defer { written = [] }
        return written
    }

    // MARK: Inputs

    /// What a webhook brings. Safe to call again with the same one: what is known is passed over.
    public mutating func receive(_ webhook: Webhook, userAgent: String, at now: Timestamp) throws(BotError) {
        let source = policy.source(externalURL: webhook.externalURL, userAgent: userAgent)
        var news = 0
        for alert in webhook.alerts {
            let key = IncidentRecord.Key(groupKey: webhook.groupKey, fingerprint: alert.fingerprint, startsAt: alert.startsAt)
            let id = Self.id(key)
            if alert.isFiring {
                if state.knows(id) { state.incidents[id]?.lastSeen = now } else { try open(id, key, alert, source, at: now); news += 1 }
            } else if let incident = state.incidents[id], incident.isOpen {
                try resolve(id, "resolved", at: now)
                news += 1
            }
        }
        if news == 0 {
            var record = IncidentRecord(.duplicate, at: now)
            record.source = source
            record.reason = "nothing new in \(webhook.alerts.count) alerts of \(webhook.groupKey)"
            try write(record)
        }
        try settle(at: now)
    }

    /// The answer to `.query`: numbers, or `nil` where there was none.
    public mutating func found(_ ticket: Int, _ values: [Double]?, at now: Timestamp) throws(BotError) {
        switch tickets.removeValue(forKey: ticket) {
        case .before(let id, _)?: try measured(id, ticket, values, at: now)
        case .after(let id, _)?: try verify(id, ticket, values, at: now)
        case .action?, .delivery?, nil: break
        }
        try settle(at: now)
    }

    /// The answer to `.act`.
    public mutating func finished(_ ticket: Int, _ outcome: Outcome, at now: Timestamp) throws(BotError) {
        guard case .action(let id, let startedAt)? = tickets[ticket] else { return }
        try finishAction(id, outcome, duration: now - startedAt, at: now)
        tickets[ticket] = nil
        try settle(at: now)
    }

    /// The answer to `.notify`; `nil` is success.
    public mutating func delivered(_ ticket: Int, failure: String?, at now: Timestamp) throws(BotError) {
        tickets[ticket] = nil
        guard let index = state.deliveries.firstIndex(where: { $0.ticket == ticket }) else { return }
        state.deliveries[index].ticket = nil
        state.deliveries[index].tries += 1
        let delivery = state.deliveries[index]
        if failure != nil, delivery.tries < Bound.deliveries {
            state.deliveries[index].notBefore = now + .seconds(Int64(5 * delivery.tries))
            return
        }
        var record = record(.notified, delivery.incident, at: now)
        record.action = delivery.notice.rawValue
        record.target = delivery.notifier
        record.attempt = delivery.tries
        record.result = failure == nil ? "ok" : "failed"
        record.reason = failure ?? ""
        try write(record)
    }

    /// Time has passed.
    public mutating func tick(at now: Timestamp) throws(BotError) { try settle(at: now) }

    /// A human's word. `signature` is the link's; `nil` where a token has shown who it is.
    public mutating func decide(
        _ id: String, _ verdict: Approvals.Verdict, signature: String?, approver: String, at now: Timestamp
    ) throws(BotError) -> Approvals.Answer {
        guard let (incidentID, step) = Approvals.parse(id), let incident = state.incidents[incidentID] else {
            try refuse("", id, "unknown", approver, at: now)
            return .unknown
        }
        var answer = Approvals.Answer.tooLate
        if case .asking(let until) = incident.phase, incident.step == step {
            if let signature, !approvals.isValid(signature, id, until: until) {
                answer = .forged
            } else {
                answer = now >= until ? .expired : .done(verdict)
            }
        }
        guard case .done = answer else {
            try refuse(incidentID, id, answer == .forged ? "forged" : answer == .expired ? "expired-link" : "replayed", approver, at: now)
            try settle(at: now)
            return answer
        }
        var record = record(.approval, incidentID, at: now)
        record.step = step
        record.approver = approver
        record.result = verdict == .approve ? "approved" : "denied"
        try write(record)
        try settle(at: now)
        return answer
    }

    /// A new policy file; incidents that are open keep the policy of their name.
    public mutating func reload(_ policy: BotPolicy) { self.policy = policy }

    // MARK: Lines

    /// A record with what every line of an incident says.
    func record(_ event: IncidentRecord.Event, _ id: String, at now: Timestamp) -> IncidentRecord {
        var record = IncidentRecord(event, at: now)
        guard let incident = state.incidents[id] else { return record }
        record.incident = id
        record.source = incident.source
        record.alert = incident.alert
        record.labels = incident.labels
        record.policy = incident.policy
        record.isDryRun = incident.isDryRun
        return record
    }

    /// Puts a line on the disk and then in the memory: in this order.
    mutating func write(_ record: IncidentRecord) throws(BotError) {
        let (bytes, hash) = chain.line(record)
        try sink.append(bytes)
        chain.accept(hash)
        state.apply(record)
        if written.count < 10_000 { written.append(record) }
    }

    mutating func want(_ ticket: Ticket, _ effect: (Int) -> Effect) -> Int {
        let number = nextTicket
        nextTicket += 1
        tickets[number] = ticket
        effects.append(effect(number))
        return number
    }

    /// The same key is the same incident, on every machine and after every restart.
    static func id(_ key: IncidentRecord.Key) -> String {
        let text = "\(key.groupKey.utf8.count):\(key.groupKey)\(key.fingerprint.utf8.count):\(key.fingerprint)\(key.startsAt)"
        return SHA256.digest(text.utf8).prefix(8).map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count < 2 ? "0" + digits : digits
        }.joined()
    }

    private mutating func open(
        _ id: String, _ key: IncidentRecord.Key, _ alert: Webhook.Alert, _ source: String, at now: Timestamp
    ) throws(BotError) {
        guard state.openCount < BotState.Bound.open else {
            overflow += 1
            return
        }
        // The same alert again, and we were not told that the last time is over. Where two sources see one thing, each tells its own end of it.
        let older = state.incidents.values.filter {
            $0.isOpen && $0.key.fingerprint == key.fingerprint && $0.key.groupKey == key.groupKey && $0.source == source
        }
        for incident in older.sorted(by: { $0.id < $1.id }) { try resolve(incident.id, "superseded", at: now) }
        var record = IncidentRecord(.received, at: now)
        record.incident = id
        record.key = key
        record.source = source
        record.alert = alert.labels["alertname"] ?? ""
        record.labels = alert.labels
        record.annotations = alert.annotations
        try write(record)
    }

    mutating func resolve(_ id: String, _ result: String, at now: Timestamp) throws(BotError) {
        var record = record(.resolved, id, at: now)
        record.result = result
        try write(record)
    }

    private mutating func refuse(
        _ incident: String, _ id: String, _ result: String, _ approver: String, at now: Timestamp
    ) throws(BotError) {
        let minute = now.milliseconds / 60_000
        if refusals.minute != minute { refusals = (minute, 0) }
        refusals.count += 1
        guard refusals.count <= Bound.refusals else { return }
        var record = record(.approval, incident, at: now)
        record.result = result
        record.approver = approver
        record.reason = "link \(String(id.prefix(64)))"
        try write(record)
    }
}
