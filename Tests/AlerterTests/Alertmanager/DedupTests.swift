import Support
import TSDB
import Testing

@testable import Alerter

@Suite("Alertmanager: told once")
struct DedupTests {
    // MARK: A-DED-2: the decision

    @Test(
        "what is to be told follows from the last entry, in upstream's order",
        arguments: [
            // known firing | known resolved | minutes ago | firing now | resolved now | sends resolved | decision
            (nil, nil, 0, "a", "", true, "first_notification"),
            (nil, nil, 0, "", "a", true, "nothing"),
            (nil, nil, 0, "", "", true, "nothing"),
            ("a", "", 1, "ab", "", true, "new_alerts_in_group"),
            ("", "a", 1, "a", "", true, "first_notification"),
            ("a", "", 1, "", "a", true, "all_alerts_resolved"),
            ("a", "", 1, "", "a", false, "all_alerts_resolved"),
            ("", "a", 1, "", "a", true, "nothing"),
            ("", "a", 99, "", "a", true, "nothing"),
            ("ab", "", 1, "a", "b", true, "new_resolved_alerts_in_group"),
            ("ab", "", 1, "a", "b", false, "told"),
            ("a", "b", 1, "a", "b", true, "told"),
            ("ab", "", 1, "a", "", true, "told"),
            ("a", "", 11, "a", "", true, "repeat_interval"),
            ("a", "", 10, "a", "", true, "told"),
            ("ab", "", 11, "a", "b", false, "repeat_interval"),
            ("ab", "", 11, "ac", "b", true, "new_alerts_in_group"),
        ] as [(String?, String?, Int64, String, String, Bool, String)])
    func decision(
        known: String?, over: String?, minutes: Int64, firing: String, resolved: String, sendsResolved: Bool, expected: String
    ) {
        func hashes(_ text: String) -> [UInt64] { text.utf8.map(UInt64.init) }
        var log = NotificationLog(retention: .hours(120))
        let key = NotificationRecord.Key(groupKey: "{}:{}", receiver: "ops", integration: "webhook", index: 0)
        let tick = Stage.start
        if let known, let over {
            _ = log.enter(
                key, firing: hashes(known), resolved: hashes(over), repeatInterval: .minutes(10), isFirst: true,
                at: tick - .minutes(minutes))
        }
        let decision = log.decision(
            key, firing: hashes(firing), resolved: hashes(resolved), sendsResolved: sendsResolved,
            repeatInterval: .minutes(10), tick: tick)
        let text =
            switch decision {
            case .notify(let reason): reason.rawValue
            case .nothingToTell: "nothing"
            case .alreadyTold: "told"
            }
        #expect(text == expected)
    }

    @Test("stories of one receiver, drawn")
    func stories() throws {
        // Told once, and when it is over.
        #expect(try play("A xxxxxxxxxr......") == "-F-------A------")
        // A second one joins and leaves.
        #expect(
            try play(
                """
                A  xxxxxxxxxxxx
                B  ....xxxr....
                """) == "-F---N-R----")
        // On and off between two looks: nobody is told.
        #expect(
            try play(
                """
                A  xxxxxxxxxx
                B  ..xr......
                """) == "-F-R------")
        // All over: one last word. Then nothing.
        #expect(try play("A xxxxr...........") == "-F---A----------")
        // Repeated when the interval is over.
        #expect(
            try play("A xxxxxxxxxxxx", .simple(repeatInterval: .minutes(2))) == "-F-----P----")
    }

    // MARK: A-DED-4: the entry

    @Test("an entry is made after success only")
    func afterSuccess() throws {
        let stage = try Stage(.simple())
        stage.answer = { _, _ in Stage.busy }
        stage.fire(["alertname": "A"])
        stage.run(for: .minutes(5))
        #expect(stage.manager.statistics(at: stage.now).notificationLogEntries == 0)
        stage.answer = { _, _ in .sent }
        stage.run(for: .minutes(1))
        #expect(stage.manager.statistics(at: stage.now).notificationLogEntries == 1)
    }

    @Test(
        "an entry is kept for twice the repeat interval, and no longer than the retention",
        arguments: [(1, 2), (59, 118), (61, 120), (0, 120)] as [(Int64, Int64)])
    func expiry(repeats: Int64, kept: Int64) {
        var log = NotificationLog(retention: .hours(120))
        let key = NotificationRecord.Key(groupKey: "k", receiver: "r", integration: "webhook", index: 0)
        let record = log.enter(key, firing: [1], resolved: [], repeatInterval: .hours(repeats), isFirst: true, at: Stage.start)
        #expect(record?.expiresAt == Stage.start + .hours(kept))
        #expect(log.collect(at: Stage.start + .hours(kept) - .milliseconds(1)) == 0)
        #expect(log.collect(at: Stage.start + .hours(kept)) == 1)
    }

    @Test("a newer entry is not overwritten")
    func newer() {
        var log = NotificationLog(retention: .hours(120))
        let key = NotificationRecord.Key(groupKey: "k", receiver: "r", integration: "webhook", index: 0)
        _ = log.enter(key, firing: [1], resolved: [], repeatInterval: .hours(1), isFirst: true, at: Stage.start + .hours(1))
        #expect(log.enter(key, firing: [2], resolved: [], repeatInterval: .hours(1), isFirst: true, at: Stage.start) == nil)
        #expect(log[key]?.firing == [1])
    }

    @Test("who does not want ends is told of none, but the log forgets what fired")
    func withoutResolved() throws {
        let stage = try Stage(.simple(integrations: [.webhook(0, sendsResolved: false)]))
        stage.fire(["alertname": "A"])
        stage.fire(["alertname": "B"])
        stage.run(for: .minutes(1))
        stage.resolve(["alertname": "A"])
        stage.fire(["alertname": "C"])
        stage.run(for: .minutes(1))  // only what fires is sent
        stage.resolve(["alertname": "B"])
        stage.resolve(["alertname": "C"])
        stage.run(for: .minutes(2))
        stage.fire(["alertname": "B"])
        stage.run(for: .minutes(1))
        #expect(
            stage.told == [
                "0:30 ops first_notification A,B", "1:30 ops new_alerts_in_group B,C", "4:30 ops first_notification B",
            ])
        let counts = stage.manager.statistics(at: stage.now).integrations["webhook"]
        #expect(counts?.notifications == 4)
        #expect(counts?.requests == 3)
    }

    @Test("each integration has entries of its own")
    func perIntegration() throws {
        let stage = try Stage(.simple(integrations: [.webhook(0), .webhook(1, sendsResolved: false)]))
        stage.fire(["alertname": "A"])
        stage.run(for: .minutes(1))
        stage.resolve(["alertname": "A"])
        stage.run(for: .minutes(1))
        #expect(stage.attempts.map(\.integration) == ["webhook[0]", "webhook[1]", "webhook[0]"])
    }

    // MARK: A-DED-13: retries

    @Test(
        "attempts come after half a second and half as long again each time, for twenty seconds within 1.9 s, with jitter, until the flush's time is over"
    )
    func backoff() throws {
        let stage = try Stage(.simple(groupInterval: .minutes(5)))
        stage.answer = { _, _ in Stage.busy }
        stage.fire(["alertname": "A"], for: .hours(1))
        stage.run(until: Stage.start + .seconds(330))
        let times = stage.attempts.map { ($0.time - Stage.start).milliseconds }
        #expect(times.first == 30_000)
        var interval = 500.0, sum = 0.0
        for (earlier, later) in zip(times, times.dropFirst()) {
            let waited = Double(later - earlier)
            #expect(waited >= interval * 0.5 - 1 && waited <= interval * 1.5 + 1)
            sum += waited
            interval = min(interval * 1.5, sum < 20_000 - 50 ? 1900 / 1.5 : 60_000)
            if sum < 20_000 { #expect(waited <= 1900) }
        }
        #expect(times.count > 10 && times.last ?? 0 < 330_000)
        stage.run(until: Stage.start + .seconds(331))
        let counts = stage.manager.statistics(at: stage.now).integrations["webhook"]
        #expect(counts?.failed == ["serverError": 1])
        #expect(counts?.notifications == 2)
    }

    @Test("what will never do is not tried again in this flush")
    func unrecoverable() throws {
        let stage = try Stage(.simple())
        stage.answer = { _, _ in Stage.refused }
        stage.fire(["alertname": "A"])
        stage.run(for: .minutes(3))
        #expect(stage.attempts.map(\.time) == [30, 90, 150].map { Stage.start + .seconds($0) })
        #expect(stage.manager.statistics(at: stage.now).integrations["webhook"]?.failed == ["clientError": 3])
    }

    @Test("the wait counts from the attempt's begin: a slow failure has waited already")
    func slowFailure() throws {
        let stage = try Stage(.simple())
        stage.answer = { _, _ in nil }
        stage.fire(["alertname": "A"])
        stage.run(for: .seconds(40))
        stage.finish(stage.hanging[0], Stage.busy)
        #expect(stage.manager.nextWake == stage.now)
    }

    @Test("an attempt that nobody reports on holds the group half a minute beyond its deadline")
    func abandoned() throws {
        let stage = try Stage(.simple())
        stage.answer = { _, _ in nil }
        stage.fire(["alertname": "A"], for: .hours(1))
        stage.run(for: .seconds(119))
        #expect(stage.hanging.count == 1)
        stage.answer = { _, _ in .sent }
        stage.run(for: .seconds(2))
        #expect(stage.told == ["2:00 ops first_notification A"])
        #expect(stage.manager.statistics(at: stage.now).integrations["webhook"]?.failed == ["contextDeadlineExceeded": 1])
        stage.manager.finish(stage.hanging[0].id, .sent, at: stage.now)  // too late, and no harm
    }

    @Test("an end is told after an outage that outlasts the log's entry")
    func longOutage() throws {
        let stage = try Stage(.simple(repeatInterval: .minutes(5)))
        stage.fire(["alertname": "A"], for: .minutes(20))
        stage.run(for: .minutes(1))
        stage.answer = { _, _ in Stage.busy }
        stage.run(for: .minutes(65))
        stage.answer = { _, _ in .sent }
        stage.run(for: .minutes(2))
        #expect(stage.told.count == 2)
        #expect(stage.told.last?.hasSuffix("all_alerts_resolved A!") == true)
    }

    // MARK: Reload

    @Test("a reload repeats nothing and loses nothing")
    func reload() throws {
        #expect(
            try play(
                """
                A       xxxxxxxxxr...
                B       ...xr........
                reload  .....l.......
                """) == "-F-N-R---A---")
        // What could not be told before is told after.
        #expect(
            try play(
                """
                A       xxxr........
                down    ...dd.......
                reload  ....l.......
                """) == "-F---A------")
    }

    @Test("an attempt under way at a reload counts: the new group waits for it and does not say it again")
    func reloadInFlight() throws {
        let stage = try Stage(.simple())
        stage.answer = { _, _ in nil }
        stage.fire(["alertname": "A"], for: .hours(1))
        stage.run(for: .seconds(35))
        stage.reload()
        stage.run(for: .seconds(5))
        #expect(stage.hanging.count == 1)
        stage.finish(stage.hanging[0], .sent)
        stage.run(for: .minutes(5))
        #expect(stage.hanging.count == 1)
        // Had it failed, the new group would have tried.
        let other = try Stage(.simple())
        other.answer = { _, _ in nil }
        other.fire(["alertname": "A"], for: .hours(1))
        other.run(for: .seconds(35))
        other.reload()
        other.run(for: .seconds(30))
        other.finish(other.hanging[0], Stage.busy)
        other.answer = { _, _ in .sent }
        other.run(for: .seconds(1))
        #expect(other.told == ["1:05 ops first_notification A"])
    }

    @Test("a reload takes the new receivers, intervals and groups")
    func reloadChanges() throws {
        let stage = try Stage(.simple())
        stage.fire(["alertname": "A"], for: .hours(1))
        stage.fire(["alertname": "B"], for: .hours(1))
        stage.run(for: .minutes(1))
        stage.reload(.simple(groupWait: .seconds(10), groupBy: ["alertname"]))
        stage.run(for: .minutes(1))
        #expect(stage.told.dropFirst().sorted() == ["1:00 ops first_notification A", "1:00 ops first_notification B"])
    }
}
