import Support
import TSDB
import Testing

@testable import Alerter

/// Random lives of an Alertmanager in virtual time, against a model that knows only what was reported, silenced and delivered.
///
/// A sender reports every half minute what fires, and for a quarter of an hour what is over. Meanwhile silences come and go,
/// receivers fail or hang, the configuration is reloaded, the process killed. What must hold, whatever the schedule:
///
///     at a flush nothing is told about an alert that is silenced or inhibited
///     nothing is told twice before its repetition is due          (restarts and reloads included)
///     in the end everybody knows what fires, and that the rest is over
@Suite("Alertmanager: random schedules")
struct ScheduleTests {
    @Test("never lost, never twice, never while silenced or inhibited", arguments: TestSeed.seeds(TestSeed.cases(60)))
    func schedule(seed: UInt64) throws {
        var life = try Life(seed: seed)
        for _ in 0..<120 { try life.step() }
        try life.end()
        #expect(life.broken.isEmpty, "seed \(seed): \(life.broken.prefix(3).joined(separator: "; "))")
    }

    @Test("the same seed twice gives the same life")
    func repeatable() throws {
        func attempts() throws -> [Stage.Told] {
            var life = try Life(seed: 11)
            for _ in 0..<60 { try life.step() }
            return life.stage.attempts
        }
        #expect(try attempts() == attempts())
    }
}

private struct Life {
    let stage: Stage
    private let groupsByName: Bool
    private let repeatInterval: Duration
    private var random: SeededRandom
    private let watch = Watch()

    /// What the model saw; a class, because the stage's answer writes into it.
    private final class Watch {
        var broken: [String] = []
        /// By group and integration: what they know.
        var known: [String: (firing: Set<String>, resolved: Set<String>, at: Timestamp)] = [:]
        var isDown = false
        var hangs = false
        var isQuiet: (String, Timestamp) -> Bool = { _, _ in false }
    }

    var broken: [String] { watch.broken }

    private static let names = ["Big", "s1", "s2", "p1", "p2", "p3"]

    private struct Sent {
        var isFiring = false
        var changedAt = Timestamp.min
        /// Its end may rightly be untold: it was kept quiet while it was over.
        var mayBeUntold = false
    }
    private var sent: [String: Sent] = [:]
    private var everQuiet: Set<String> = []
    private var silences: [(name: String, id: String, until: Timestamp)] = []

    init(seed: UInt64) throws {
        random = SeededRandom(seed: seed)
        groupsByName = Bool.random(using: &random)
        repeatInterval = .minutes(Bool.random(using: &random) ? 10 : 600)
        let config = AlertmanagerConfig.simple(
            groupWait: .seconds(Int64.random(in: 0...60, using: &random)),
            groupInterval: .seconds(Int64.random(in: 20...200, using: &random)), repeatInterval: repeatInterval,
            groupBy: groupsByName ? ["alertname"] : [],
            integrations: [.webhook(0), .webhook(1, sendsResolved: false)],
            inhibitRules: [InhibitRule(sourceMatchers: [.name("Big")], targetMatchers: [.equal("small", "1")])])
        stage = try Stage(config, seed: seed)
        let watch = watch, repeatInterval = repeatInterval
        stage.answer = { delivery, now in
            if delivery.attempt == 1 { Self.check(delivery, now, watch) }
            if watch.hangs { return nil }
            if watch.isDown { return Stage.busy }
            Self.note(delivery, now, watch, repeatInterval)
            return .sent
        }
    }

    private static func labels(_ name: String) -> Labels {
        name.hasPrefix("s") ? ["alertname": name, "small": "1"] : ["alertname": name]
    }

    // MARK: What must hold

    private static func check(_ delivery: Delivery, _ now: Timestamp, _ watch: Watch) {
        for alert in delivery.notification.alerts where watch.isQuiet(alert.name, now) {
            watch.broken.append("told about \(alert.name) at \((now - Stage.start).seconds) though it is quiet")
        }
    }

    private static func note(_ delivery: Delivery, _ now: Timestamp, _ watch: Watch, _ repeatInterval: Duration) {
        let notification = delivery.notification
        let key = "\(notification.groupKey) \(notification.integration.index)"
        let firing = Set(notification.alerts.filter { $0.endsAt == nil }.map(\.name))
        let resolved = Set(notification.alerts.filter { $0.endsAt != nil }.map(\.name))
        if notification.integration.sendsResolved, let known = watch.known[key], known.firing.isSuperset(of: firing),
            known.resolved.isSuperset(of: resolved), !(firing.isEmpty && !known.firing.isEmpty),
            now - known.at < repeatInterval
        {
            watch.broken.append("\(key): told twice at \((now - Stage.start).seconds): \(firing) \(resolved)")
        }
        watch.known[key] = (firing, resolved, now)
    }

    // MARK: What happens

    mutating func step() throws {
        for name in Self.names where Int.random(in: 0..<8, using: &random) == 0 {
            var alert = sent[name] ?? Sent()
            alert.isFiring.toggle()
            alert.changedAt = stage.now
            alert.mayBeUntold = false
            sent[name] = alert
        }
        switch Int.random(in: 0..<20, using: &random) {
        case 0, 1:
            let name = Self.names.randomElement(using: &random) ?? "p1"
            let span = Duration.minutes(Int64.random(in: 1...20, using: &random))
            silences.append((name, try stage.silence(.name(name), for: span), stage.now + span))
        case 2:
            if let index = silences.indices.randomElement(using: &random) {
                try stage.manager.expireSilence(silences.remove(at: index).id, at: stage.now)
            }
        case 3: stage.reload()
        case 4:
            try stage.restart(powerCut: Bool.random(using: &random) ? random.next() : nil)
        case 5: watch.isDown.toggle()
        case 6: watch.hangs.toggle()
        case 7:
            for delivery in stage.hanging {
                let arrives = Bool.random(using: &random)
                if arrives { Self.note(delivery, stage.now, watch, repeatInterval) }
                stage.finish(delivery, arrives ? .sent : Stage.busy)
            }
            stage.hanging = []
        default: break
        }
        try pass()
    }

    /// Half a minute: everything is reported, everything due is done.
    private mutating func pass() throws {
        let sent = sent, silences = silences
        watch.isQuiet = { name, now in
            if silences.contains(where: { $0.name == name && now < $0.until }) { return true }
            return name.hasPrefix("s") && sent["Big"]?.isFiring ?? false
        }
        for name in Self.names where watch.isQuiet(name, stage.now) { everQuiet.insert(name) }
        var reports: [AlertReport] = []
        for (name, alert) in sent.sorted(by: { $0.key < $1.key }) {
            if !alert.isFiring {
                if stage.now - alert.changedAt > .minutes(15) { continue }
                if watch.isQuiet(name, stage.now) { self.sent[name]?.mayBeUntold = true }
            }
            reports.append(
                AlertReport(
                    labels: Annotations(Self.labels(name).pairs),
                    startsAt: alert.isFiring ? alert.changedAt : alert.changedAt - .minutes(1),
                    endsAt: alert.isFiring ? stage.now + .minutes(4) : alert.changedAt))
        }
        // Attempts that hang are over at their deadline; whoever sends them says so.
        for delivery in stage.hanging where delivery.deadline <= stage.now { stage.finish(delivery, Stage.busy) }
        stage.hanging.removeAll { $0.deadline <= stage.now }
        _ = stage.manager.receive(reports, at: stage.now)
        stage.run(for: .seconds(30))
    }

    /// All is well again: after a while everybody knows everything.
    mutating func end() throws {
        watch.isDown = false
        watch.hangs = false
        for delivery in stage.hanging { stage.finish(delivery, Stage.busy) }
        stage.hanging = []
        for silence in silences where stage.manager.silence(silence.id) != nil {
            try stage.manager.expireSilence(silence.id, at: stage.now)
        }
        silences = []
        // Longer than what is only remembered after a restart is taken to fire.
        for _ in 0..<40 { try pass() }
        for index in [0, 1] {
            for name in Self.names {
                guard let alert = sent[name] else { continue }
                let key = (groupsByName ? "{}:{alertname=\"\(name)\"} " : "{}:{} ") + "\(index)"
                let isKnown = watch.known[key]?.firing.contains(name) ?? false
                if alert.isFiring && !watch.isQuiet(name, stage.now) && !isKnown {
                    watch.broken.append("\(key): nobody knows that \(name) fires")
                }
                // Kept quiet for longer than twice the repeat interval, and the log has forgotten that it was told, as upstream's.
                let isForgotten = repeatInterval < .hours(1) && everQuiet.contains(name)
                if !alert.isFiring && index == 0 && isKnown && !alert.mayBeUntold && !isForgotten {
                    watch.broken.append("\(key): nobody knows that \(name) is over")
                }
            }
        }
    }
}
