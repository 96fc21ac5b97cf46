/// The life of one incident as it can be seen from outside, and whether it healed.
///
///     alerts of Prometheus ─▶ pending ─▶ firing ─────────────────────────▶ inactive
///     lines of the bot     ─▶            received ▶ decision ▶ action ▶ verified ▶ resolved
///
/// Observations come in with the time since the incident began; what is new goes out as entries of the timeline. Lines of the bot's log
/// come again with every question, so each is known by its place and told once.
///
/// Invariant: an alert that was firing before the incident, and lines that were in the log before, count for nothing (`begin`).
public struct AlertLife: Sendable {
    public enum State: String, Sendable { case inactive, pending, firing }

    /// One line of the bot's log.
    public struct BotLine: Equatable, Sendable {
        public var event: String
        public var alert: String
        /// Distinguishes two lines of equal text.
        public var id: String
        public var ok: Bool?
        /// What a person wants to see of it.
        public var detail: String
        /// Telling somebody is no remedy.
        public var isNotice: Bool
        /// Who told the bot: where both profiles are up, each does.
        public var source: String

        public init(
            event: String, alert: String, id: String, ok: Bool? = nil, detail: String = "", isNotice: Bool = false, source: String = ""
        ) {
            self.event = event
            self.alert = alert
            self.id = id
            self.ok = ok
            self.detail = detail
            self.isNotice = isNotice
            self.source = source
        }
    }

    public struct Entry: Equatable, Sendable {
        public var time: Duration
        public var text: String

        /// `  31.2 s  APIHighLatency firing`
        public var line: String {
            let number = LoadReport.fixed(time.seconds, 1)
            return String(repeating: " ", count: max(0, 6 - number.utf8.count)) + number + " s  " + text
        }
    }

    /// Lines of the log that are told apart; a bot's log of a day fits.
    static let maximumLines = 100_000

    let alert: String
    /// Alerts that come with ours: a remedy for one of them is one for ours.
    let kin: [String]
    let muted: [String]
    let actions: ClosedRange<Int>
    private var known: Set<String> = []
    private var states: [String: State] = [:]
    /// Of our alert, when first seen.
    public private(set) var pendingAt: Duration?
    public private(set) var firingAt: Duration?
    public private(set) var inactiveAt: Duration?
    public private(set) var counts: [String: Int] = [:]
    public private(set) var mutedCounts: [String: Int] = [:]
    private var successes: [String: Int] = [:]
    private var sources: Set<String> = []

    public init(alert: String, kin: [String] = [], muted: [String] = [], actions: ClosedRange<Int>) {
        self.alert = alert
        self.kin = kin
        self.muted = muted
        self.actions = actions
    }

    /// What there is before the incident; says why it cannot be judged from here.
    public mutating func begin(alerts: [String: State], lines: [BotLine]) -> String? {
        for line in lines.suffix(Self.maximumLines) { known.insert(line.id) }
        return obstacle(alerts: alerts)
    }

    /// One of our alerts that is there already. Alerts of others do not matter.
    func obstacle(alerts: [String: State]) -> String? {
        for name in [alert] + kin + muted {
            if let state = alerts[name], state != .inactive { return "\(name) is \(state.rawValue) already" }
        }
        return nil
    }

    /// One alert, one remedy: everything happens once.
    private var isPlain: Bool { kin.isEmpty && muted.isEmpty && sources.count <= 1 }

    public var hasActed: Bool { counts["action", default: 0] > 0 }

    public mutating func observe(alerts: [String: State], at time: Duration) -> [Entry] {
        var entries: [Entry] = []
        for name in Set(alerts.keys).union(states.keys).sorted() {
            let old = states[name] ?? .inactive, new = alerts[name] ?? .inactive
            guard new != old else { continue }
            states[name] = new
            entries.append(Entry(time: time, text: "\(name) \(old.rawValue) → \(new.rawValue)"))
            guard name == alert else { continue }
            switch new {
            case .pending: pendingAt = pendingAt ?? time
            case .firing:
                firingAt = firingAt ?? time
                inactiveAt = nil
            case .inactive: if firingAt != nil { inactiveAt = time }
            }
        }
        return entries
    }

    public mutating func observe(lines: [BotLine], at time: Duration) -> [Entry] {
        var entries: [Entry] = []
        for line in lines where known.count < Self.maximumLines && known.insert(line.id).inserted {
            let isOurs = line.alert == alert || (kin.contains(line.alert) && line.event != "resolved")
            if isOurs, !line.isNotice {
                sources.insert(line.source)
                counts[line.event, default: 0] += 1
                if line.ok != false { successes[line.event, default: 0] += 1 }
            } else if muted.contains(line.alert) {
                mutedCounts[line.event, default: 0] += 1
            }
            var text = "bot: \(line.event)"
            if !line.alert.isEmpty { text += " \(line.alert)" }
            if line.ok == false { text += ", failed" }
            if !line.detail.isEmpty { text += "  \(line.detail)" }
            entries.append(Entry(time: time, text: text))
        }
        return entries
    }

    /// What is missing for “healed”; empty: nothing.
    public var objections: [String] {
        var missing: [String] = []
        if pendingAt == nil { missing.append("\(alert) was not seen pending") }
        if firingAt == nil { missing.append("\(alert) was not seen firing") }
        if counts["received", default: 0] == 0 { missing.append("the bot got no notification") }
        if counts["decision", default: 0] == 0 { missing.append("no decision") }
        if actions.upperBound > 0, counts["action", default: 0] < actions.lowerBound { missing.append("no action") }
        if actions.lowerBound > 0 {
            // A remedy for two alerts or sources, or one that waits for approval, is decided on more than once.
            if isPlain, counts["decision", default: 0] > actions.upperBound { missing.append("\(counts["decision", default: 0]) decisions") }
            if successes["action", default: 0] < actions.lowerBound, hasActed { missing.append("the action failed") }
            switch (counts["verified", default: 0], successes["verified", default: 0]) {
            case (0, _): missing.append("not verified")
            case (_, 0): missing.append("the verification failed")
            case (let all, _) where isPlain && all > actions.upperBound: missing.append("\(all) verifications")
            default: break
            }
        }
        if counts["action", default: 0] > actions.upperBound { missing.append("\(counts["action", default: 0]) actions") }
        if inactiveAt == nil { missing.append("\(alert) is not resolved") }
        if counts["resolved", default: 0] == 0 { missing.append("the bot did not hear that it is resolved") }
        for event in ["decision", "action"] {
            if let count = mutedCounts[event] { missing.append("\(count) × \(event) for an alert that should be inhibited") }
        }
        return missing
    }
}
