import Support
import TSDB
import Testing

@testable import Alerter

@Suite("Reporting alerts")
struct SendingTests {
    /// Minutes at which something was reported.
    private func reports(_ values: String, hold: Duration = .zero, resend: Duration = .minutes(1)) throws -> String {
        let story = try RuleStory([.alert("A", "x > 0", hold: hold)])
        story.environment.resendDelay = resend
        return String(
            values.map { value in
                _ = story.play(String(value))
                guard let alert = story.report.alerts.first else { return "." }
                return alert.isResolved(at: story.now) ? "r" : "f"
            })
    }

    @Test("pending alerts are not reported, firing ones again once more than the delay has passed, resolved ones at once")
    func resend() throws {
        #expect(try reports("111111", hold: .minutes(2)) == "..f.f.")
        #expect(try reports("11111111", resend: .minutes(2)) == "f..f..f.")
        #expect(try reports("1110000", resend: .minutes(2)) == "f..r..r")
        #expect(try reports("110000", resend: .seconds(30)) == "ffrrrr")
    }

    @Test("a resolved alert is reported for fifteen minutes")
    func resolved() throws {
        let shown = try reports("1" + String(repeating: "0", count: 20), resend: .seconds(30))
        #expect(shown == "f" + String(repeating: "r", count: 16) + "....")
    }

    @Test("startsAt is when it fired, endsAt four resend delays or intervals ahead, or when it was resolved")
    func times() throws {
        let story = try RuleStory([.alert("A", "x > 0", hold: .minutes(1))])
        _ = story.play("11")
        let fired = RuleStory.start + .minutes(1)
        var alert = try #require(story.report.alerts.first)
        #expect(alert.startsAt == fired)
        #expect(alert.endsAt == fired + .minutes(4))
        story.environment.resendDelay = .minutes(2)
        _ = story.play("1110")
        alert = try #require(story.report.alerts.first)
        #expect(alert.startsAt == fired)
        #expect(alert.endsAt == RuleStory.start + .minutes(5))
        _ = story.play("1")
        _ = story.play("1")
        alert = try #require(story.report.alerts.first)
        #expect(alert.endsAt == RuleStory.start + .minutes(7 + 8))
    }

    @Test("the link leads to the expression's graph, escaped as Go does it")
    func link() throws {
        let story = try RuleStory([.alert("A", "x{a=~\"ü.+\"} > 0")])
        _ = story.play("1", of: ["__name__": "x", "a": "üb"])
        #expect(
            story.report.alerts.first?.generatorURL
                == "http://prometheus.example:9090/graph?g0.expr=x%7Ba%3D~%22%C3%BC.%2B%22%7D+%3E+0&g0.tab=1")
    }

    @Test("a full queue drops the oldest; batches are bounded")
    func queue() {
        func alerts(_ names: String) -> [Alert] {
            names.map { Alert(labels: ["alertname": String($0)], startsAt: RuleStory.start) }
        }
        var queue = AlertQueue(capacity: 5, batchSize: 2)
        #expect(queue.add(alerts("abc")) == 0)
        #expect(queue.add(alerts("defg")) == 2)
        #expect(queue.count == 5)
        #expect(queue.nextBatch().map(\.name) == ["c", "d"])
        #expect(queue.add(alerts("h")) == 0)
        #expect(queue.nextBatch().map(\.name) == ["e", "f"])
        #expect(queue.nextBatch().map(\.name) == ["g", "h"])
        #expect(queue.nextBatch().isEmpty)
        #expect(queue.add(alerts("0123456789")) == 5)
        #expect(queue.nextBatch().map(\.name) == ["5", "6"])
    }
}

@Suite("When groups are evaluated")
struct GroupScheduleTests {
    private let start = Timestamp(milliseconds: 1_700_000_000_000)

    @Test("times follow from file, name and interval alone, as upstream has them")
    func offsets() {
        func offset(_ name: String) -> Int64 {
            var schedule = GroupSchedule(RuleGroup(name: name, file: "/rules.yml", interval: .minutes(1)), at: start)
            let first = schedule.next
            #expect(first > start && first <= start + .minutes(1))
            #expect(schedule.due(at: first)?.time == first)
            return first.milliseconds % 60_000
        }
        #expect(offset("a") == offset("a"))
        #expect(offset("a") != offset("b"))
    }

    @Test("slots that pass during a long evaluation are counted and skipped")
    func missed() {
        var schedule = GroupSchedule(RuleGroup(name: "a", file: "f", interval: .minutes(1)), at: start)
        let first = schedule.next
        #expect(schedule.due(at: first - .milliseconds(1)) == nil)
        #expect(schedule.due(at: first + .seconds(5)).map { [$0.time == first, $0.missed == 0] } == [true, true])
        #expect(schedule.next == first + .minutes(1))
        let late = schedule.due(at: first + .seconds(60 * 3 + 30))
        #expect(late?.time == first + .minutes(3))
        #expect(late?.missed == 2)
        #expect(schedule.next == first + .minutes(4))
    }

    @Test("a clock that is set back stops no rule for longer than an interval")
    func clockSetBack() {
        var schedule = GroupSchedule(RuleGroup(name: "a", file: "f", interval: .minutes(1)), at: start)
        let first = schedule.next
        _ = schedule.due(at: first)
        let back = start - .hours(1)
        #expect(schedule.due(at: back) == nil)
        #expect(schedule.next > back && schedule.next <= back + .minutes(1))
        #expect(schedule.next.milliseconds % 60_000 == first.milliseconds % 60_000)
    }
}
