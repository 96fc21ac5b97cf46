import Support
import TSDB
import Testing

@testable import Alerter

@Suite("Alertmanager: alerts taken in")
struct IntakeTests {
    private func stored(_ stage: Stage) -> Alert? { stage.manager.alerts(at: stage.now).first?.alert }

    // MARK: A-DED-9

    @Test("missing times are filled in: the start from the end or now, the end with a guess")
    func times() throws {
        let stage = try Stage(.simple())
        let now = stage.now
        _ = stage.manager.receive([AlertReport(labels: ["alertname": "A"])], at: now)
        #expect(stored(stage)?.startsAt == now)
        #expect(stored(stage)?.endsAt == now + .minutes(5))
        #expect(stored(stage)?.endsByTimeout == true)

        let other = try Stage(.simple())
        _ = other.manager.receive([AlertReport(labels: ["alertname": "A"], endsAt: now + .hours(1))], at: now)
        #expect(stored(other)?.startsAt == now + .hours(1))
        #expect(stored(other)?.endsByTimeout == false)
    }

    @Test("empty labels are dropped; what is in order is stored though the rest of the batch is not; each error has its text")
    func refusals() throws {
        let stage = try Stage(.simple())
        let now = stage.now
        let refusals = stage.manager.receive(
            [
                AlertReport(labels: ["alertname": "A", "empty": ""]),
                AlertReport(labels: [:]),
                AlertReport(labels: ["empty": ""]),
                AlertReport(labels: ["alertname": "B"], startsAt: now, endsAt: now - .seconds(1)),
                AlertReport(labels: ["alertname": "C", "": "x"]),
                AlertReport(labels: ["alertname": "D"], annotations: ["": "x"]),
                AlertReport(labels: ["alertname": "E"]),
            ], at: now)
        #expect(
            refusals == [
                AlertRefusal(index: 1, message: "at least one label pair required"),
                AlertRefusal(index: 2, message: "at least one label pair required"),
                AlertRefusal(index: 3, message: "start time must be before end time"),
                AlertRefusal(index: 4, message: #"invalid label set: invalid name """#),
                AlertRefusal(index: 5, message: #"invalid annotations: invalid name """#),
            ])
        #expect(Set(stage.manager.alerts(at: now).map(\.alert.labels)) == [["alertname": "A"], ["alertname": "E"]])
        let statistics = stage.manager.statistics(at: now)
        #expect(statistics.invalid == 5)
        #expect(statistics.receivedFiring == 2)
    }

    // MARK: A-DED-10

    @Test("reports of one alert that overlap are merged: newest words, earliest start, end by rank")
    func merge() {
        let now = Stage.start
        func alert(_ start: Int64, _ end: Int64, updated: Int64, guessed: Bool = false, text: String = "") -> Alert {
            Alert(
                labels: ["alertname": "A"], annotations: ["s": text], startsAt: now + .minutes(start), endsAt: now + .minutes(end),
                updatedAt: now + .minutes(updated), endsByTimeout: guessed)
        }
        // Firing both; the older says a later end, and knows: it counts. A guess does not.
        let old = alert(-10, 20, updated: -5, text: "old"), new = alert(-3, 10, updated: -1, text: "new")
        var merged = AlertStore.merged(old, new, at: now)
        #expect(merged.annotations["s"] == "new")
        #expect(merged.startsAt == now - .minutes(10))
        #expect(merged.endsAt == now + .minutes(20))
        merged = AlertStore.merged(alert(-10, 20, updated: -5, guessed: true), new, at: now)
        #expect(merged.endsAt == now + .minutes(10))
        // Order of arguments is no matter: the update decides.
        #expect(AlertStore.merged(new, old, at: now) == AlertStore.merged(old, new, at: now))
        // The newer says it is over: so it is, unless both are over, then the later end counts.
        #expect(AlertStore.merged(old, alert(-3, -1, updated: -1), at: now).endsAt == now - .minutes(1))
        #expect(
            AlertStore.merged(alert(-10, -2, updated: -5), alert(-9, -4, updated: -1), at: now).endsAt == now - .minutes(2))
    }

    @Test("reports that do not overlap replace each other")
    func replace() throws {
        let stage = try Stage(.simple())
        stage.report(["alertname": "A"], startsAt: stage.now - .hours(2), endsAt: stage.now - .hours(1))
        stage.report(["alertname": "A"], startsAt: stage.now, endsAt: nil)
        #expect(stored(stage)?.startsAt == stage.now)
    }

    @Test("a name has room for so many alerts; one that is over makes room")
    func limit() throws {
        var options = Stage.options
        options.alertsPerName = 2
        let stage = try Stage(.simple(), options: options)
        stage.fire(["alertname": "A", "n": "1"], for: .minutes(1))
        stage.fire(["alertname": "A", "n": "2"], for: .hours(1))
        stage.fire(["alertname": "A", "n": "3"], for: .hours(1))
        stage.fire(["alertname": "B", "n": "3"], for: .hours(1))
        stage.fire(["alertname": "A", "n": "2"], for: .hours(2))
        #expect(stage.manager.alerts(at: stage.now).count == 3)
        #expect(stage.manager.statistics(at: stage.now).limited == 1)
        stage.now = stage.now + .minutes(2)
        stage.fire(["alertname": "A", "n": "3"], for: .hours(1))
        #expect(stage.manager.alerts(at: stage.now).count == 3)
        #expect(stage.manager.statistics(at: stage.now).limited == 1)
    }

    // MARK: A-DED-16

    @Test("an alert is active, or suppressed by whom")
    func status() throws {
        let rule = InhibitRule(sourceMatchers: [.name("Big")], targetMatchers: [.name("Small")])
        let stage = try Stage(.simple(inhibitRules: [rule]))
        for name in ["Big", "Small", "Other"] { stage.fire(["alertname": name]) }
        let id = try stage.silence(.name("Small"), for: .hours(1))
        func status(_ name: String) -> AlertStatus? {
            stage.manager.alerts(at: stage.now).first { $0.alert.name == name }?.status
        }
        #expect(status("Other") == AlertStatus(state: .active))
        #expect(status("Big") == AlertStatus(state: .active))
        #expect(
            status("Small")
                == AlertStatus(
                    state: .suppressed, silencedBy: [id], inhibitedBy: [Fingerprint(["alertname": "Big"] as Labels)]))

        var filter = AlertFilter()
        filter.showsActive = false
        #expect(stage.manager.alerts(filter, at: stage.now).map(\.alert.name) == ["Small"])
        filter = AlertFilter()
        filter.showsSilenced = false
        #expect(stage.manager.alerts(filter, at: stage.now).count == 2)
        filter = AlertFilter(matchers: [.name("Big")], receiver: try .init("o.s"))
        #expect(stage.manager.groups(filter, at: stage.now).map(\.alerts.count) == [1])
        filter = AlertFilter(receiver: try .init("op"))
        #expect(stage.manager.groups(filter, at: stage.now).isEmpty)
        #expect(stage.manager.alerts(filter, at: stage.now).isEmpty)
    }

    @Test("what is over is not shown, and forgotten at the next collection")
    func collection() throws {
        let stage = try Stage(.simple())
        stage.fire(["alertname": "A"], for: .minutes(1))
        stage.now = stage.now + .minutes(2)
        #expect(stage.manager.alerts(at: stage.now).isEmpty)
        #expect(stage.manager.explain(["alertname": "A"], at: stage.now).alert != nil)
        stage.run(for: .minutes(31))
        #expect(stage.manager.explain(["alertname": "A"], at: stage.now).alert == nil)
    }
}
