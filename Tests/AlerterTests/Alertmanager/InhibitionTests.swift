import Support
import TSDB
import Testing

@testable import Alerter

@Suite("Alertmanager: inhibition (A-DED-11)")
struct InhibitionTests {
    private let now = Stage.start

    private func inhibitor(_ rule: InhibitRule, _ alerts: Alert...) -> Inhibitor {
        var inhibitor = Inhibitor([rule])
        for alert in alerts { inhibitor.update(alert, alert.fingerprint) }
        return inhibitor
    }

    private func alert(_ labels: Labels, minutes: Int64 = 10) -> Alert {
        Alert(labels: labels, startsAt: now, endsAt: now + .minutes(minutes))
    }

    private let rule = InhibitRule(
        sourceMatchers: [.equal("severity", "critical")], targetMatchers: [.equal("severity", "warning")], equal: ["node", "zone"])

    @Test("a firing source inhibits targets with equal labels; a missing label equals an empty one")
    func equal() {
        let source = alert(["severity": "critical", "node": "a"])
        var inhibitor = inhibitor(rule, source)
        #expect(inhibitor.inhibitor(of: ["severity": "warning", "node": "a"], at: now)?.source == source.fingerprint)
        #expect(inhibitor.inhibitor(of: ["severity": "warning", "node": "b"], at: now) == nil)
        #expect(inhibitor.inhibitor(of: ["severity": "warning", "node": "a", "zone": "x"], at: now) == nil)
        #expect(inhibitor.inhibitor(of: ["severity": "info", "node": "a"], at: now) == nil)
        #expect(inhibitor.inhibitor(of: ["severity": "warning", "node": "a"], at: now + .minutes(10)) == nil)
    }

    @Test("an alert on both sides is not inhibited by another such one, itself least of all")
    func twoSided() {
        let rule = InhibitRule(sourceMatchers: [.equal("a", "1")], targetMatchers: [.equal("b", "1")])
        let both = alert(["a": "1", "b": "1"])
        var inhibitor = inhibitor(rule, both)
        #expect(inhibitor.inhibitor(of: both.labels, at: now) == nil)
        #expect(inhibitor.inhibitor(of: ["a": "1", "b": "1", "x": "1"], at: now) == nil)
        #expect(inhibitor.inhibitor(of: ["b": "1"], at: now)?.source == both.fingerprint)
        // A plain source does inhibit it, also where one that is both ends later.
        let plain = alert(["a": "1"], minutes: 5)
        inhibitor.update(plain, plain.fingerprint)
        #expect(inhibitor.inhibitor(of: both.labels, at: now)?.source == plain.fingerprint)
    }

    @Test("of several sources the one that ends last counts; each may go without taking the others along")
    func several() {
        let first = alert(["severity": "critical", "n": "1"], minutes: 5)
        let last = alert(["severity": "critical", "n": "2"], minutes: 9)
        let target: Labels = ["severity": "warning"]
        for sources in [[first, last], [last, first]] {
            var inhibitor = Inhibitor([rule])
            for source in sources { inhibitor.update(source, source.fingerprint) }
            #expect(inhibitor.inhibitor(of: target, at: now)?.source == last.fingerprint)
            // The last one is over before its time.
            var over = last
            over.endsAt = now + .minutes(1)
            inhibitor.update(over, over.fingerprint)
            #expect(inhibitor.inhibitor(of: target, at: now + .minutes(2))?.source == first.fingerprint)
            inhibitor.collect(at: now + .minutes(2))
            #expect(inhibitor.inhibitor(of: target, at: now + .minutes(2))?.source == first.fingerprint)
            inhibitor.collect(at: now + .minutes(6))
            #expect(inhibitor.inhibitor(of: target, at: now) == nil)
        }
    }

    @Test("a silenced source still inhibits, and so does an inhibited one")
    func quietSources() throws {
        let rules = [
            InhibitRule(sourceMatchers: [.name("A")], targetMatchers: [.name("B")]),
            InhibitRule(sourceMatchers: [.name("B")], targetMatchers: [.name("C")]),
        ]
        let stage = try Stage(.simple(inhibitRules: rules))
        try stage.silence(.name("A"), for: .hours(1))
        for name in ["A", "B", "C"] { stage.fire(["alertname": name]) }
        stage.run(for: .minutes(3))
        #expect(stage.attempts.isEmpty)
    }

    @Test("when the source is over the target is told, at the next flush")
    func released() throws {
        let rule = InhibitRule(sourceMatchers: [.name("Big")], targetMatchers: [.name("Small")])
        #expect(
            try play(
                """
                Big    xxxxr.......
                Small  ..xxxxxxxxxx
                """, .simple(inhibitRules: [rule])) == "-F---N------")
    }
}
