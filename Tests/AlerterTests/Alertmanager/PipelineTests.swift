import Support
import TSDB
import Testing

@testable import Alerter

@Suite("Alertmanager: grouping and flushing")
struct PipelineTests {
    // MARK: A-DED-5: timers

    @Test("a group waits group_wait, then is looked at every group_interval from the flush on")
    func timers() throws {
        let stage = try Stage(.simple())
        stage.fire(["alertname": "A"])
        stage.run(for: .seconds(40))
        stage.fire(["alertname": "B"])
        stage.run(for: .minutes(3))
        #expect(stage.told == ["0:30 ops first_notification A", "1:30 ops new_alerts_in_group A,B"])
    }

    @Test("an alert that has waited long enough elsewhere is told at once")
    func immediate() throws {
        let stage = try Stage(.simple())
        stage.report(["alertname": "A"], startsAt: stage.now - .seconds(31), endsAt: nil)
        #expect(stage.manager.nextWake == stage.now)
        stage.step()
        #expect(stage.told == ["0:00 ops first_notification A"])
        let waiting = try Stage(.simple())
        waiting.report(["alertname": "A"], startsAt: waiting.now - .seconds(30), endsAt: nil)
        #expect(waiting.manager.nextWake == waiting.now + .seconds(30))
    }

    @Test("a flush is given one group interval, and ten seconds at least", arguments: [(60, 60), (5, 10)])
    func deadline(interval: Int64, given: Int64) throws {
        let stage = try Stage(.simple(groupInterval: .seconds(interval)))
        stage.answer = { _, _ in nil }
        stage.fire(["alertname": "A"])
        stage.run(for: .seconds(31))
        #expect(stage.hanging.map(\.deadline) == [Stage.start + .seconds(30 + given)])
    }

    @Test("a tick that comes while the group still tells waits for it, and then counts from its own flush")
    func sequential() throws {
        let stage = try Stage(.simple(groupInterval: .seconds(5)))
        stage.answer = { _, _ in nil }
        stage.fire(["alertname": "A"])
        stage.run(for: .seconds(37))  // the tick of 0:35 waits
        #expect(stage.hanging.count == 1)
        stage.fire(["alertname": "B"])
        stage.answer = { _, _ in .sent }
        stage.finish(stage.hanging[0], .sent)
        stage.run(for: .seconds(1))
        #expect(stage.told == ["0:37 ops first_notification A", "0:37 ops new_alerts_in_group A,B"])
        #expect(stage.manager.groups(at: stage.now).map(\.nextFlush) == [Stage.start + .seconds(42)])
    }

    // MARK: A-DED-3: the tick

    @Test("a late look decides about repetition as one in time")
    func lateRepeat() throws {
        let stage = try Stage(.simple(groupInterval: .minutes(10), repeatInterval: .minutes(9)))
        stage.fire(["alertname": "A"], for: .hours(10))
        stage.run(for: .minutes(1))
        let inTime = try #require(stage.manager.nextWake)
        stage.now = inTime + .minutes(30)
        stage.step()
        #expect(stage.told.count == 2)

        // At 10:30 the last notification of 2:00 is 8:30 old: not yet, however late somebody looks.
        let other = try Stage(.simple(groupInterval: .minutes(10), repeatInterval: .minutes(9)))
        other.answer = { _, _ in nil }
        other.fire(["alertname": "A"], for: .hours(10))
        other.run(for: .minutes(2))
        other.finish(other.hanging[0], .sent)
        other.now = Stage.start + .minutes(40)
        other.step()
        #expect(other.hanging.count == 1)
    }

    @Test("time intervals are asked about the tick")
    func lateInterval() throws {
        let stage = try Stage(.simple(groupWait: .minutes(5), muting: ["lunch"], intervals: [("lunch", 4..<7)]))
        stage.fire(["alertname": "A"], for: .hours(10))
        stage.now = Stage.start + .minutes(30)
        stage.step()
        #expect(stage.told.isEmpty)
        #expect(stage.manager.groups(at: stage.now).first?.alerts.first?.status.mutedBy == ["lunch"])
    }

    // MARK: A-DED-1: the order of the stages

    @Test("inhibition counts before hours, hours before silences")
    func order() throws {
        let rule = InhibitRule(sourceMatchers: [.name("Big")], targetMatchers: [.name("Small")])
        let stage = try Stage(.simple(groupBy: ["alertname"], inhibitRules: [rule], muting: ["m"], intervals: [("m", 0..<1)]))
        for name in ["Big", "Small"] {
            try stage.silence(.name(name), for: .hours(1))
            stage.fire(["alertname": name])
        }
        stage.run(for: .seconds(40))
        #expect(stage.manager.statistics(at: stage.now).suppressed == ["inhibition": 1, "mute_time_interval": 1])
        stage.run(for: .minutes(1))
        #expect(
            stage.manager.statistics(at: stage.now).suppressed == ["inhibition": 2, "mute_time_interval": 1, "silence": 1])
        #expect(stage.attempts.isEmpty)
    }

    @Test("outside its active hours a route is quiet, and says so")
    func activeHours() throws {
        let stage = try Stage(.simple(active: ["work"], intervals: [("work", 2..<4)]))
        stage.fire(["alertname": "A"], for: .hours(1))
        stage.run(for: .minutes(1))
        #expect(stage.manager.groups(at: stage.now).first?.alerts.first?.status.mutedBy == ["work"])
        #expect(stage.manager.statistics(at: stage.now).suppressed == ["active_time_interval": 1])
        stage.run(for: .minutes(3))
        #expect(stage.told == ["2:30 ops first_notification A"])
    }

    @Test("integrations of a receiver are told at once and do not wait for each other")
    func independent() throws {
        let stage = try Stage(.simple(integrations: [.webhook(0), .webhook(1)]))
        stage.answer = { delivery, _ in delivery.notification.integration.index == 0 ? Stage.busy : .sent }
        stage.fire(["alertname": "A"])
        stage.run(for: .seconds(31))
        #expect(stage.attempts.map(\.integration) == ["webhook[0]", "webhook[1]", "webhook[0]"])
        stage.run(for: .minutes(2))
        #expect(stage.attempts.filter { $0.integration == "webhook[1]" }.count == 1)
        #expect(stage.attempts.filter { $0.integration == "webhook[0]" }.count > 5)
    }

    // MARK: A-DED-6: the snapshot

    @Test("what fires when a flush begins goes on firing in it, though its end comes meanwhile")
    func snapshotFires() throws {
        let stage = try Stage(.simple())
        stage.answer = { _, _ in nil }
        stage.fire(["alertname": "A"], for: .seconds(40))
        stage.run(for: .seconds(50))
        let notification = try #require(stage.hanging.first?.notification)
        #expect(notification.alerts.map(\.endsAt) == [nil])
        stage.finish(stage.hanging[0], .sent)
        stage.answer = { _, _ in .sent }
        stage.run(for: .minutes(2))
        #expect(stage.told == ["0:50 ops first_notification A", "1:30 ops all_alerts_resolved A!"])
    }

    @Test("what was over leaves the group when all have been told, unless it was reported anew meanwhile")
    func removal() throws {
        let stage = try Stage(.simple())
        stage.fire(["alertname": "A"])
        stage.run(for: .seconds(60))
        stage.resolve(["alertname": "A"])
        stage.answer = { _, _ in nil }
        stage.run(for: .seconds(35))
        stage.fire(["alertname": "A"])  // again, while its end is being told
        stage.finish(stage.hanging[0], .sent)
        stage.answer = { _, _ in .sent }
        stage.run(for: .minutes(2))
        #expect(
            stage.told == [
                "0:30 ops first_notification A", "1:35 ops all_alerts_resolved A!", "2:30 ops first_notification A",
            ])
    }

    @Test("an emptied group is gone: the next alert makes a new one, which waits group_wait")
    func newGroup() throws {
        #expect(try play("A xxxxrrrr......xxxx..") == "-F-A-----------F-----")
    }

    @Test("on failure what was over stays, and is told at the next flush")
    func failureKeeps() throws {
        #expect(
            try play(
                """
                A     xxxr........
                down  ...dddd.....
                """) == "-F-----A----")
        #expect(
            try play(
                """
                A     xxxr........
                down  ...e........
                """) == "-F---A------")
    }

    // MARK: A-DED-7, A-DED-12

    @Test("a notification carries the group's key, labels, and alerts by job, instance and labels")
    func content() throws {
        let config = AlertmanagerConfig.simple(
            groupBy: ["cluster"],
            routes: [Route(receiver: "ops", groupBy: ["cluster"], matchers: [.equal("severity", "page")])])
        let stage = try Stage(config)
        let common: Labels = ["severity": "page", "cluster": "eu\"1"]
        func alert(_ pairs: [(String, String)]) {
            var builder = LabelsBuilder(common)
            for (name, value) in pairs { builder.set(name, to: value) }
            stage.fire(builder.labels())
        }
        alert([("alertname", "D")])
        alert([("alertname", "C"), ("instance", "2"), ("job", "a")])
        alert([("alertname", "B"), ("instance", "1"), ("job", "a")])
        alert([("alertname", "A"), ("job", "b")])
        alert([("alertname", "E"), ("x", "1")])
        alert([("alertname", "F"), ("b", "1")])
        var keys: [String] = []
        stage.answer = { delivery, _ in
            keys.append(delivery.notification.groupKey)
            return .sent
        }
        stage.run(for: .minutes(1))
        #expect(keys == [#"{}/{severity="page"}:{cluster="eu\"1"}"#])
        // Fewer labels first; at the first difference of names the set that lacks the smaller name.
        #expect(stage.told == ["0:30 ops first_notification B,C,A,D,E,F"])
    }

    @Test("one alert may take several routes; each is told by its own")
    func routes() throws {
        let config = AlertmanagerConfig.simple(
            routes: [
                Route(receiver: "all", matchers: [], continues: true),
                Route(receiver: "db", groupWait: .seconds(10), matchers: [.equal("team", "db")]),
            ],
            receivers: [Receiver(name: "all", integrations: [.webhook()]), Receiver(name: "db", integrations: [.webhook()])])
        let stage = try Stage(config)
        stage.fire(["alertname": "A", "team": "db"])
        stage.fire(["alertname": "B", "team": "web"])
        stage.run(for: .minutes(1))
        #expect(stage.told == ["0:10 db first_notification A", "0:30 all first_notification A,B"])
        #expect(stage.manager.alerts(at: stage.now).map(\.receivers).sorted { $0.count < $1.count } == [["all"], ["all", "db"]])
        #expect(stage.manager.groups(at: stage.now).map(\.receiver) == ["all", "db"])
    }

    @Test("a receiver without integrations counts as told")
    func nobody() throws {
        let stage = try Stage(.simple(integrations: []))
        stage.fire(["alertname": "A"], for: .seconds(20))
        stage.run(for: .minutes(1))
        #expect(stage.manager.statistics(at: stage.now).groups == 0)
    }

    @Test("same calls, same deliveries in the same order")
    func determinism() throws {
        func run() throws -> [Stage.Told] {
            let stage = try Stage(.simple(groupBy: ["alertname"], integrations: [.webhook(0), .webhook(1)]), seed: 5)
            stage.answer = { delivery, _ in delivery.id.rawValue % 3 == 0 ? .sent : Stage.busy }
            for number in 0..<50 { stage.fire(["alertname": "A\(number)"]) }
            stage.run(for: .minutes(5))
            return stage.attempts
        }
        #expect(try run() == run())
    }
}
