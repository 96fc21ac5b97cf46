import Support
import TSDB
import Testing

@testable import Alerter

@Suite("Alertmanager: why was I (not) notified?")
struct ExplanationTests {
    private let a: Labels = ["alertname": "A"]

    private func cause(_ stage: Stage, _ labels: Labels? = nil) -> NotificationExplanation.Cause? {
        stage.manager.explain(labels ?? a, at: stage.now).routes.first?.cause
    }

    private func at(_ seconds: Int64) -> Timestamp { Stage.start + .seconds(seconds) }

    @Test("nobody reported it")
    func unknown() throws {
        let stage = try Stage(.simple())
        let explanation = stage.manager.explain(a, at: stage.now)
        #expect(explanation.alert == nil && !explanation.isFiring)
        #expect(explanation.routes.map(\.cause) == [.unknownAlert])
        #expect(explanation.routes.map(\.receiver) == ["ops"])
    }

    @Test("the receiver has nobody to tell")
    func empty() throws {
        let stage = try Stage(.simple(integrations: []))
        stage.fire(a)
        #expect(cause(stage) == .emptyReceiver)
    }

    @Test("the group waits for its first look, or for the next one")
    func waiting() throws {
        let stage = try Stage(.simple())
        stage.fire(a)
        #expect(cause(stage) == .waiting(until: at(30)))
        stage.run(for: .seconds(40))
        let b: Labels = ["alertname": "B"]
        stage.fire(b)
        #expect(cause(stage, b) == .waiting(until: at(90)))
    }

    @Test("told, and not yet time to say it again; told again")
    func notified() throws {
        let stage = try Stage(.simple(repeatInterval: .minutes(3)))
        stage.fire(a, for: .hours(1))
        stage.run(for: .minutes(1))
        #expect(cause(stage) == .notified(at: at(30), repeatsAt: at(210)))
        stage.run(for: .seconds(40))
        let integration = stage.manager.explain(a, at: stage.now).routes[0].integrations[0]
        #expect(integration.lastDecision == .alreadyTold(at: at(30), repeatsAt: at(210)))
        #expect(integration.decidedAt == at(90))
        #expect(integration.attempts == [.init(time: at(30), number: 1, outcome: .sent)])
        stage.run(for: .minutes(4))
        #expect(cause(stage) == .notified(at: at(270), repeatsAt: at(450)))
    }

    @Test("inhibited: by which alert and which rule")
    func inhibited() throws {
        let rule = InhibitRule(name: "big", sourceMatchers: [.name("Big")], targetMatchers: [.name("A")])
        let stage = try Stage(.simple(inhibitRules: [rule]))
        stage.fire(["alertname": "Big"])
        stage.fire(a)
        let source = Fingerprint(["alertname": "Big"] as Labels)
        #expect(cause(stage) == .inhibited(by: source, rule: "big"))
        #expect(
            stage.manager.explain(a, at: stage.now).inhibition
                == .init(rule: "big", source: source, sourceLabels: ["alertname": "Big"]))
    }

    @Test("silenced: by which silences; a pending one is named but does not decide")
    func silenced() throws {
        let stage = try Stage(.simple())
        stage.fire(a)
        let pending = try stage.manager.setSilence(
            SilenceDraft([.name("A")], from: at(600), to: at(900)), at: stage.now)
        #expect(cause(stage) == .waiting(until: at(30)))
        let id = try stage.silence(.name("A"), for: .minutes(5))
        #expect(cause(stage) == .silenced(by: [id]))
        #expect(Set(stage.manager.explain(a, at: stage.now).silences.map(\.id)) == [id, pending])
    }

    @Test("inhibition decides before hours, hours before silences")
    func order() throws {
        let rule = InhibitRule(sourceMatchers: [.name("Big")], targetMatchers: [.name("A")])
        let stage = try Stage(.simple(inhibitRules: [rule], muting: ["m"], intervals: [("m", 0..<10)]))
        try stage.silence(.name("A"), for: .hours(1))
        stage.fire(a)
        #expect(cause(stage) == .insideMuteIntervals(["m"]))
        stage.fire(["alertname": "Big"])
        #expect(cause(stage) == .inhibited(by: Fingerprint(["alertname": "Big"] as Labels), rule: ""))
    }

    @Test("outside active hours, inside mute hours")
    func hours() throws {
        let stage = try Stage(.simple(active: ["work"], intervals: [("work", 5..<6)]))
        stage.fire(a)
        #expect(cause(stage) == .outsideActiveIntervals(["work"]))
        stage.now = at(301)
        #expect(cause(stage) != .outsideActiveIntervals(["work"]))
    }

    @Test("an attempt is under way")
    func sending() throws {
        let stage = try Stage(.simple())
        stage.answer = { _, _ in nil }
        stage.fire(a)
        stage.run(for: .seconds(35))
        #expect(cause(stage) == .sending(since: at(30)))
    }

    @Test("attempts fail: the error and the next attempt; and what went wrong before")
    func retrying() throws {
        let stage = try Stage(.simple())
        stage.answer = { _, _ in Stage.busy }
        stage.fire(a)
        stage.run(for: .seconds(60))
        let next = try #require(stage.manager.nextWake)
        #expect(cause(stage) == .retrying(at: next, error: "503"))
        #expect(stage.manager.explain(a, at: stage.now).routes[0].integrations[0].attempts.count > 3)
    }

    @Test("the last flush gave up")
    func failed() throws {
        let stage = try Stage(.simple())
        stage.answer = { _, _ in Stage.refused }
        stage.fire(a)
        stage.run(for: .seconds(60))
        #expect(cause(stage) == .failed(at: at(30), error: "400", nextFlush: at(90)))
        // Another integration that worked is no trouble.
        let two = try Stage(.simple(integrations: [.webhook(0), .webhook(1)]))
        two.answer = { delivery, _ in delivery.notification.integration.index == 1 ? Stage.refused : .sent }
        two.fire(a)
        two.run(for: .seconds(60))
        #expect(cause(two) == .failed(at: at(30), error: "400", nextFlush: at(90)))
        let integrations = two.manager.explain(a, at: two.now).routes[0].integrations
        #expect(integrations.map(\.integration) == ["webhook[0]", "webhook[1]"])
        #expect(integrations[0].cause == .notified(at: at(30), repeatsAt: at(30) + .hours(4)))
    }

    @Test("over: told so, not yet told, not wanted, or never known to fire")
    func resolved() throws {
        let stage = try Stage(.simple())
        stage.fire(a)
        stage.run(for: .seconds(60))
        stage.resolve(a)
        #expect(cause(stage) == .waiting(until: at(90)))
        stage.run(for: .minutes(1))
        #expect(cause(stage) == .resolvedNotified(at: at(90)))

        let silent = try Stage(.simple(integrations: [.webhook(0, sendsResolved: false)]))
        silent.fire(a)
        silent.run(for: .seconds(60))
        silent.resolve(a)
        silent.run(for: .minutes(1))
        #expect(cause(silent) == .resolvedNotWanted)

        let brief = try Stage(.simple())
        brief.fire(a)
        brief.run(for: .seconds(10))
        brief.resolve(a)
        brief.run(for: .minutes(1))
        #expect(cause(brief) == .resolvedBeforeNotified)
    }

    @Test("each route of an alert has an answer of its own, also after a restart")
    func routes() throws {
        let config = AlertmanagerConfig.simple(
            routes: [
                Route(receiver: "ops", groupBy: ["alertname"], matchers: [.name("A")], continues: true),
                Route(receiver: "none", matchers: [.name("A")]),
            ], receivers: [Receiver(name: "none")])
        let stage = try Stage(config)
        stage.fire(a, for: .hours(1))
        stage.run(for: .minutes(1))
        let routes = stage.manager.explain(a, at: stage.now).routes
        #expect(routes.map(\.receiver) == ["ops", "none"])
        #expect(routes.map(\.groupKey) == [#"{}/{alertname="A"}:{alertname="A"}"#, #"{}/{alertname="A"}:{}"#])
        #expect(routes.map(\.cause) == [.notified(at: at(30), repeatsAt: at(30) + .hours(4)), .emptyReceiver])
        #expect(routes[0].lastFlush == at(30) && routes[0].nextFlush == at(30) + .minutes(5))
        try stage.restart()
        stage.report(a, startsAt: Stage.start, endsAt: stage.now + .hours(1))
        #expect(cause(stage) == .notified(at: at(30), repeatsAt: at(30) + .hours(4)))
    }
}
