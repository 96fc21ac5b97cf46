import Support
import TSDB
import Testing

@testable import Alerter

@Suite("Reloads of rules")
struct ReloadTests {
    private func reload(_ story: RuleStory, _ rules: [Rule]) {
        story.evaluation = GroupEvaluation(RuleStory.group(rules), inheriting: story.evaluation)
    }

    @Test("an alert stays active over a change of its expression or `for`")
    func keeps() throws {
        let story = try RuleStory([.alert("A", "x > 0", hold: .minutes(2))])
        #expect(story.play("11") == "PP")
        reload(story, [try .alert("A", "x > 0.5", hold: .minutes(2))])
        #expect(story.play("1") == "F")
        reload(story, [try .alert("A", "x > 0.5", hold: .minutes(5))])
        #expect(story.play("111") == "PPF")
    }

    @Test("a rule with other labels is another rule: its alerts begin anew and the old series end")
    func relabelled() throws {
        let story = try RuleStory([.alert("A", "x > 0", hold: .minutes(1), labels: ["severity": "page"])])
        #expect(story.play("11") == "PF")
        reload(story, [try .alert("A", "x > 0", hold: .minutes(1), labels: ["severity": "ticket"])])
        #expect(story.play("1") == "P")
        #expect(try story.query("ALERTS") == [#"ALERTS{alertname="A", alertstate="pending", severity="ticket"} 1"#])
    }

    @Test("of two equal rules the first goes on as the first")
    func twins() throws {
        let story = try RuleStory([.record("y", "x"), .record("y", "x"), .record("z", "x")])
        _ = story.play("1")
        reload(story, [try .record("y", "x"), try .record("y", "x > 5")])
        _ = story.play("1")
        #expect(try story.query("{__name__=~\"y|z\"}") == ["y 1"])
    }

    @Test("series of a removed rule end with the next evaluation")
    func removed() throws {
        let story = try RuleStory([.record("y", "x"), .record("z", "x")])
        _ = story.play("1")
        reload(story, [try .record("z", "x")])
        #expect(try story.query("y") == ["y 1"])
        _ = story.play("1")
        #expect(try story.query("y") == [])
        #expect(try story.query("z") == ["z 1"])
    }

    @Test("a removed group ends its series, but not where another has taken them over")
    func retired() throws {
        let story = try RuleStory([.record("y", "x"), .record("z", "x")])
        _ = story.play("1")
        let removedAt = story.now, old = story.evaluation
        story.evaluation = GroupEvaluation(RuleStory.group([try .record("y", "x")], name: "other"))
        _ = story.play("11")
        var retiring = old
        try retiring.retire(at: removedAt, in: story.database)
        #expect(try story.query("y") == ["y 1"])
        #expect(try story.query("z") == [])
    }

    @Test("groups are the same by what they say, however expressions are spelled")
    func same() throws {
        let group = RuleStory.group([try .record("y", "sum(x) by (job)", labels: ["a": "b"])])
        #expect(group.isSame(as: RuleStory.group([try .record("y", "sum by(job) (x)", labels: ["a": "b"])])))
        #expect(!group.isSame(as: RuleStory.group([try .record("y", "sum by(job) (x)", labels: ["a": "c"])])))
        #expect(!group.isSame(as: RuleStory.group([try .alert("y", "sum by(job) (x)", labels: ["a": "b"])])))
    }
}

@Suite("Restoring `for` after a restart")
struct RestoreTests {
    /// An alert that was pending for `pending` minutes, then an outage, then two evaluations and the restore. Returns when it was
    /// active since and the time of the restore, in minutes of the story.
    private func restored(hold: Duration, pending: Int, outage: Int64) throws -> (since: Int64, restoredAt: Int64)? {
        let before = try RuleStory([.alert("A", "x > 0", hold: hold)])
        _ = before.play(String(repeating: "1", count: pending))
        before.clock.advance(by: .minutes(outage))
        let after = try RuleStory([.alert("A", "x > 0", hold: hold)], isRestored: false, database: before.database)
        after.clock.set(before.now)
        _ = after.play("11")
        #expect(try after.query("ALERTS offset 1s").count <= 1)
        let now = after.now
        #expect(after.evaluation.restoreForState(at: now, in: after.environment) == [])
        #expect(after.evaluation.rules[0].alerts.isRestored)
        guard let alert = after.evaluation.rules[0].alerts.all.first else { return nil }
        func minutes(_ time: Timestamp) -> Int64 { (time - RuleStory.start).milliseconds / 60_000 }
        return (minutes(alert.activeAt), minutes(now))
    }

    @Test("the outage does not count: the alert fires as much later")
    func moved() throws {
        // Active at minute 0, last seen at minute 59, restored at minute 82.
        let result = try #require(try restored(hold: .hours(2), pending: 60, outage: 20))
        #expect(result.restoredAt == 82)
        #expect(result.since == 82 - 59)
    }

    @Test("what had little time left fires after the grace period")
    func grace() throws {
        let result = try #require(try restored(hold: .hours(1), pending: 56, outage: 20))
        #expect(result.since == result.restoredAt + 10 - 60)
    }

    @Test("what was firing fires again at once")
    func firing() throws {
        let result = try #require(try restored(hold: .minutes(30), pending: 40, outage: 20))
        #expect(result.since == 0)
    }

    @Test("after an outage longer than the tolerance, and below the grace period, alerts begin anew")
    func anew() throws {
        let long = try #require(try restored(hold: .hours(2), pending: 10, outage: 61))
        #expect(long.since == 71)
        let short = try #require(try restored(hold: .minutes(9), pending: 5, outage: 20))
        #expect(short.since == 25)
    }

    @Test("nothing is written before the state is restored")
    func silent() throws {
        let story = try RuleStory([.alert("A", "x > 0")], isRestored: false)
        _ = story.play("1")
        #expect(try story.query("{__name__=~\"ALERTS.*\"}") == [])
        _ = story.evaluation.restoreForState(at: story.now, in: story.environment)
        _ = story.play("1")
        #expect(try story.query("{__name__=~\"ALERTS.*\"}").count == 2)
    }
}
