import BotCore
import Support
import Synchronization
import TSDB

/// A sink in memory that can forget and fail.
final class MemorySink: IncidentSink {
    private let state = Mutex((bytes: [UInt8](), isFailing: false))

    func append(_ line: [UInt8]) throws(BotError) {
        let isFailing = state.withLock { state in
            if !state.isFailing { state.bytes += line }
            return state.isFailing
        }
        if isFailing { throw BotError(.log, "the disk is full") }
    }

    var bytes: [UInt8] { state.withLock { $0.bytes } }
    func fail(_ isFailing: Bool) { state.withLock { $0.isFailing = isFailing } }
}

/// The machine in virtual time: effects are done at once by closures, and noted.
struct Scene {
    var bot: Bot
    let sink = MemorySink()
    var now = Timestamp(milliseconds: 1_764_000_000_000)
    /// Work done, in order.
    var works: [(time: Timestamp, work: Work)] = []
    var notices: [Notice] = []
    /// What a verification finds.
    var values: (Timestamp) -> [Double]? = { _ in [0] }
    var outcome: (Work) -> Outcome = { _ in .ok("") }
    /// Effects are left undone: the process dies before.
    var isCut = false

    init(_ policy: BotPolicy, key: [UInt8] = Array(repeating: 7, count: 32)) throws {
        bot = Bot(policy, log: try IncidentLogFile([]), approvals: Approvals(key: key), to: sink)
    }

    /// The process dies; a new one reads what is on the disk.
    mutating func restart() throws {
        bot = Bot(bot.policy, log: try IncidentLogFile(sink.bytes), approvals: bot.approvals, to: sink)
        isCut = false
    }

    mutating func fire(_ alert: Webhook.Alert, group: String = "{}", from url: String = "http://minprom:9093") throws {
        try receive(Webhook(groupKey: group, externalURL: url, alerts: [alert]))
    }

    mutating func receive(_ webhook: Webhook) throws {
        try bot.receive(webhook, userAgent: "minprom", at: now)
        try settle()
    }

    mutating func advance(_ span: Duration, every step: Duration = .seconds(1)) throws {
        let end = now + span
        while now < end {
            now = now + step
            try bot.tick(at: now)
            try settle()
        }
    }

    mutating func settle() throws {
        var effects = bot.takeEffects()
        while !effects.isEmpty && !isCut {
            for effect in effects {
                switch effect {
                case .query(let ticket, _, _): try bot.found(ticket, values(now), at: now)
                case .act(let ticket, let work, _):
                    works.append((now, work))
                    try bot.finished(ticket, outcome(work), at: now)
                case .notify(let ticket, _, let notice):
                    notices.append(notice)
                    try bot.delivered(ticket, failure: nil, at: now)
                }
            }
            effects = bot.takeEffects()
        }
    }

    var records: [IncidentRecord] { (try? IncidentLogFile(sink.bytes).records) ?? [] }

    /// `received decision intent action …`
    var story: String { records.map(\.event.rawValue).joined(separator: " ") }
}

extension Webhook.Alert {
    static func firing(_ name: String, _ labels: Pairs = [:], starts: String = "2026-11-24T16:00:00Z", print: String = "f1") -> Webhook.Alert {
        Webhook.Alert(
            isFiring: true, labels: Pairs([.init("alertname", name)] + labels.all), annotations: ["summary": "\(name) is on"], startsAt: starts,
            fingerprint: print)
    }

    func resolved() -> Webhook.Alert {
        var copy = self
        copy.isFiring = false
        return copy
    }
}

extension BotPolicy {
    /// One target, one policy that restarts it, a pager.
    static func restarting(_ change: (inout BotPolicy.Policy) -> Void = { _ in }) -> BotPolicy {
        var policy = BotPolicy()
        policy.sources = [
            .init(name: "full", userAgent: "Alertmanager/", prometheus: "http://prometheus:9090"),
            .init(name: "minimal", prometheus: "http://minprom:9090"),
        ]
        policy.targets["api"] = .init(url: "http://api:8000", container: "flask_api", mayRestart: true)
        policy.targets["worker"] = .init(url: "http://worker:8001", scale: 1...4)
        policy.notifiers["pager"] = .file("/dev/null")
        var one = Policy(name: "api", match: [.init("alertname", ["APIHighLatency"])], steps: [.init(.restart(target: "api", via: [.service]))])
        one.verify = Verification(query: "p95", condition: Condition(.less, 0.2))
        one.escalate = ["pager"]
        change(&one)
        policy.policies = [one]
        return policy
    }
}
