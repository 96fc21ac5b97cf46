import BotCore
import Support
import TSDB
import Testing

/// What is decided, done and written down.
struct RemedyTests {
    @Test("an incident that heals has one decision, one action and one verified line")
    func heals() throws {
        var scene = try Scene(.restarting())
        scene.values = { [start = scene.now] now in [now - start < .seconds(20) ? 2.4 : 0.05] }
        try scene.fire(.firing("APIHighLatency"))
        try scene.advance(.seconds(30))
        try scene.fire(.firing("APIHighLatency").resolved())
        #expect(scene.story == "received decision intent action verified resolved")
        #expect(scene.works.map(\.work) == [.serviceQuit(url: "http://api:8000")])
        let verified = try #require(scene.records.first { $0.event == .verified })
        #expect(verified.verify == .init(query: "p95", before: 2.4, after: 0.05, ok: true))
        #expect(scene.records.allSatisfy { $0.source == "minimal" && $0.alert == "APIHighLatency" })
    }

    @Test("the real Alertmanager leads to the same lines but for the source")
    func sources() throws {
        func lines(_ agent: String) throws -> [IncidentRecord] {
            var scene = try Scene(.restarting())
            try scene.bot.receive(Webhook(groupKey: "{}", alerts: [.firing("APIHighLatency")]), userAgent: agent, at: scene.now)
            try scene.settle()
            try scene.advance(.seconds(10))
            return scene.records
        }
        let minimal = try lines("minprom"), full = try lines("Alertmanager/0.33.1")
        #expect(Set(minimal.map(\.source)) == ["minimal"] && Set(full.map(\.source)) == ["full"])
        func withoutSource(_ records: [IncidentRecord]) -> [IncidentRecord] {
            records.map { record in
                var record = record
                record.source = ""
                return record
            }
        }
        #expect(withoutSource(minimal) == withoutSource(full))
    }

    @Test("one thing seen by two sources is two incidents and one action; each ends by its own source's word")
    func bothSources() throws {
        var scene = try Scene(.restarting())
        func hear(_ agent: String, _ alert: Webhook.Alert) throws {
            try scene.bot.receive(Webhook(groupKey: "{}", alerts: [alert]), userAgent: agent, at: scene.now)
            try scene.settle()
        }
        let full = Webhook.Alert.firing("APIHighLatency", starts: "2026-11-24T16:00:00.5Z")
        let minimal = Webhook.Alert.firing("APIHighLatency", starts: "2026-11-24T16:00:01.9Z")
        try hear("Alertmanager/0.33.1", full)
        try scene.advance(.seconds(2))
        try hear("minprom", minimal)
        try scene.advance(.seconds(60))
        try hear("minprom", minimal.resolved())
        try hear("Alertmanager/0.33.1", full.resolved())
        #expect(scene.works.count == 1)
        for source in ["full", "minimal"] {
            let ends = scene.records.filter { $0.source == source && ($0.event == .received || $0.event == .resolved) }
            #expect(ends.map(\.event) == [.received, .resolved] && ends.last?.result == "resolved", "\(source)")
        }
        // From one source a new start is the end of the one before.
        try hear("minprom", .firing("APIHighLatency", starts: "2026-11-24T17:00:00Z"))
        try hear("minprom", .firing("APIHighLatency", starts: "2026-11-24T18:00:00Z"))
        #expect(scene.records.last { $0.event == .resolved }?.result == "superseded")
    }

    @Test("the same webhook a thousand times is one action")
    func thousandTimes() throws {
        var scene = try Scene(.restarting())
        for _ in 0..<1000 { try scene.fire(.firing("APIHighLatency")) }
        #expect(scene.works.count == 1)
        #expect(scene.records.filter { $0.event == .decision }.count == 1)
    }

    @Test("a late repetition of what is over does nothing, also after a restart")
    func lateRepetition() throws {
        var scene = try Scene(.restarting())
        try scene.fire(.firing("APIHighLatency"))
        try scene.advance(.seconds(10))
        try scene.fire(.firing("APIHighLatency").resolved())
        try scene.restart()
        try scene.fire(.firing("APIHighLatency"))
        #expect(scene.works.count == 1)
    }

    @Test("a thousand alerts in one webhook are a thousand incidents")
    func thousandAlerts() throws {
        var scene = try Scene(.restarting())
        try scene.receive(Webhook(groupKey: "{}", alerts: (0..<1000).map { .firing("Unknown", print: "f\($0)") }))
        #expect(scene.records.filter { $0.event == .received }.count == 1000)
        #expect(scene.records.filter { $0.decision == "no-policy" }.count == 1000)
    }

    @Test("an action that fails is tried again twice, then the next actuator, then people are told")
    func fallsBack() throws {
        var scene = try Scene(
            .restarting { $0.steps = [.init(.restart(target: "api", via: [.service, .supervisor]))] })
        scene.outcome = { work in if case .serviceQuit = work { .failed("no connection") } else { .ok("") } }
        try scene.fire(.firing("APIHighLatency"))
        try scene.advance(.seconds(30))
        #expect(
            scene.works.map(\.work) == Array(repeating: .serviceQuit(url: "http://api:8000"), count: 3) + [.supervisorRestart(service: "api")])
        #expect(scene.records.last?.event == .verified)

        var hopeless = try Scene(.restarting())
        hopeless.outcome = { _ in .killed("killed after 10 s") }
        try hopeless.fire(.firing("APIHighLatency"))
        try hopeless.advance(.seconds(30))
        #expect(hopeless.works.count == 3)
        #expect(hopeless.notices.map(\.kind) == [.escalation])
    }

    @Test("an action nobody saw the end of is verified, and not done again")
    func unknownOutcome() throws {
        var scene = try Scene(.restarting())
        scene.outcome = { _ in .unknown("the connection broke") }
        try scene.fire(.firing("APIHighLatency"))
        try scene.advance(.seconds(30))
        #expect(scene.works.count == 1)
        #expect(scene.story == "received decision intent action verified")
    }

    @Test("what did not help is escalated")
    func didNotHelp() throws {
        var scene = try Scene(.restarting())
        scene.values = { _ in [2.4] }
        try scene.fire(.firing("APIHighLatency"))
        try scene.advance(.minutes(3))
        #expect(scene.story == "received decision intent action verified escalated notified")
        #expect(scene.notices.first?.text == "no step helped")
    }

    @Test("no answer to a verification is no success")
    func noAnswer() throws {
        var scene = try Scene(.restarting())
        scene.values = { _ in nil }
        try scene.fire(.firing("APIHighLatency"))
        try scene.advance(.minutes(3))
        #expect(scene.records.contains { $0.event == .verified && $0.verify?.ok == false })
        #expect(scene.notices.count == 1)
    }

    @Test("a worker is scaled up by the alert, and back when it is over")
    func scales() throws {
        var policy = BotPolicy.restarting()
        var scaling = BotPolicy.Policy(
            name: "backlog", match: [.init("alertname", ["WorkerBacklog"])], steps: [.init(.scale(target: "worker", to: 3, via: [.service]))])
        scaling.onResolve = [.init(.scale(target: "worker", to: 1, via: [.service]))]
        scaling.limits.cooldown = .seconds(30)
        scaling.escalateAfter = nil
        policy.policies.append(scaling)
        var scene = try Scene(policy)
        try scene.fire(.firing("WorkerBacklog"))
        try scene.advance(.minutes(1))
        try scene.restart()
        try scene.fire(.firing("WorkerBacklog").resolved())
        try scene.advance(.minutes(1))
        #expect(
            scene.works.map(\.work) == [
                .serviceScale(url: "http://worker:8001", workers: 3), .serviceScale(url: "http://worker:8001", workers: 1),
            ])
        #expect(scene.story == "received decision intent action resolved intent action")
        try scene.restart()
        try scene.advance(.minutes(5))
        #expect(scene.works.count == 2)
    }

    @Test("what was never done is not undone")
    func nothingToUndo() throws {
        var policy = BotPolicy.restarting { $0.onResolve = [.init(.restart(target: "api", via: [.service]))] }
        policy.policies[0].mode = .approval
        var scene = try Scene(policy)
        try scene.fire(.firing("APIHighLatency"))
        try scene.fire(.firing("APIHighLatency").resolved())
        try scene.advance(.minutes(10))
        #expect(scene.works.isEmpty)
    }

    @Test("a dry run does nothing, asks nothing, tells nobody, and writes the same lines")
    func dryRun() throws {
        var policy = BotPolicy.restarting { $0.steps.insert(.init(.notify(notifier: "pager")), at: 0) }
        var real = try Scene(policy)
        policy.isDryRun = true
        var dry = try Scene(policy)
        for _ in 0..<30 {
            try real.advance(.seconds(1))
            try dry.bot.tick(at: dry.now)
            #expect(dry.bot.takeEffects().isEmpty)
        }
        try real.fire(.firing("APIHighLatency"))
        try real.advance(.seconds(30))
        try dry.bot.receive(Webhook(groupKey: "{}", alerts: [.firing("APIHighLatency")]), userAgent: "minprom", at: dry.now)
        #expect(dry.bot.takeEffects().isEmpty)
        for _ in 0..<2000 {
            dry.now = dry.now + .seconds(1)
            try dry.bot.tick(at: dry.now)
            #expect(dry.bot.takeEffects().isEmpty)
        }
        #expect(dry.records.map(\.event).prefix(6) == [.received, .decision, .action, .decision, .intent, .action])
        let shared = real.records.filter { $0.event != .notified }.map(\.event)
        #expect(Array(dry.records.map(\.event).prefix(shared.count)) == shared)
        #expect(dry.records.filter { $0.event == .intent || $0.event == .action }.allSatisfy { $0.isDryRun })
        #expect(dry.records.filter { $0.event == .action }.allSatisfy { $0.result == "would" })
    }

    @Test("what stays unresolved for too long is escalated once; what people must do, at once")
    func tooLong() throws {
        var scene = try Scene(.restarting { $0.escalateAfter = .minutes(15) })
        try scene.fire(.firing("APIHighLatency"))
        try scene.advance(.minutes(40))
        #expect(scene.records.filter { $0.event == .escalated }.count == 1)

        var policy = BotPolicy.restarting()
        var database = BotPolicy.Policy(name: "db", match: [.init("alertname", ["DatabaseDown"])], steps: [])
        database.escalatesAtOnce = true
        database.escalate = ["pager"]
        policy.policies.append(database)
        var direct = try Scene(policy)
        try direct.fire(.firing("DatabaseDown"))
        #expect(direct.story == "received decision escalated notified")
    }

    @Test("when the log cannot be written nothing is done, and it is done once the log works again")
    func diskFull() throws {
        var scene = try Scene(.restarting())
        scene.sink.fail(true)
        #expect(throws: BotError.self) { try scene.fire(.firing("APIHighLatency")) }
        #expect(scene.works.isEmpty && scene.bot.takeEffects().isEmpty)
        scene.sink.fail(false)
        try scene.fire(.firing("APIHighLatency"))
        #expect(scene.works.count == 1)
    }
}
