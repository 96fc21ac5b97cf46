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

    @Test("a removed group ends its series, but not where another has taken them over", arguments: [Duration.zero, .hours(1)])
    func retired(outOfOrderWindow: Duration) throws {
        let story = try RuleStory([.record("y", "x"), .record("z", "x")])
        var options = DatabaseOptions()
        options.outOfOrderWindow = outOfOrderWindow
        story.database.apply(options)
        _ = story.play("1")
        let removedAt = story.now - .seconds(1), old = story.evaluation
        story.evaluation = GroupEvaluation(RuleStory.group([try .record("y", "x")], name: "other"))
        _ = story.play("11")
        var retiring = old
        try retiring.retire(at: removedAt, in: story.database)
        #expect(try story.query("y") == ["y 1"])
        #expect(try story.query("y", at: removedAt) == ["y 1"])
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
        // Active at minute 0, last seen at minute 59, seen again at minute 80, restored at minute 82.
        let result = try #require(try restored(hold: .hours(2), pending: 60, outage: 20))
        #expect(result.restoredAt == 82)
        #expect(result.since == 80 - 59)
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

    /// A rule whose alert has fired, a restart after ten minutes, two evaluations and the restore; what is reported in each of the
    /// following minutes, as what is scraped says: `F` firing, `R` resolved, `-` nothing.
    private func afterKill(_ rule: Rule, before: String, after values: String, labels: Labels = ["__name__": "x"]) throws -> String {
        let old = try RuleStory([rule])
        _ = old.play(before, of: labels)
        old.clock.advance(by: .minutes(10))
        let story = RuleStory([rule], isRestored: false, database: old.database)
        story.clock.set(old.now)
        var shown = ""
        for (minute, character) in values.enumerated() {
            if let value = character.wholeNumberValue { story.store(labels, Double(value)) }
            let report = story.tick()
            if minute == 1 { #expect(story.evaluation.restoreForState(at: story.now, in: story.environment) == []) }
            shown += report.alerts.isEmpty ? "-" : report.alerts.map { $0.isResolved(at: story.now) ? "R" : "F" }.joined()
        }
        // A resolved alert is an alert like others: kept for a while, and its series are ended.
        if shown.hasSuffix("R-") { #expect(try story.query("ALERTS or ALERTS_FOR_STATE") == []) }
        return shown
    }

    @Test("what fired before and is over after is reported as over: when its data has come, and not before")
    func lost() throws {
        let rule = try Rule.alert("A", "x > 0", annotations: [("summary", "{{ $labels.job }} {{ $value }}")])
        let labels: Labels = ["__name__": "x", "job": "api"]
        #expect(try afterKill(rule, before: "11", after: "0000", labels: labels) == "--R-")
        // Nothing is scraped at first, then it is: as soon as that.
        #expect(try afterKill(rule, before: "11", after: "..0.", labels: labels) == "--R-")
        // Nothing comes any more: after as long as any Alertmanager waits.
        #expect(try afterKill(rule, before: "11", after: ".......", labels: labels) == "-----R-")
    }

    @Test("what goes on is not reported as over, and needs no new `for`")
    func goesOn() throws {
        let rule = try Rule.alert("A", "x > 0", hold: .minutes(3))
        #expect(try afterKill(rule, before: "11111", after: "11111") == "--F-F")
        // Its data comes late.
        #expect(try afterKill(rule, before: "11111", after: "...111") == "----F-")
        // Only pending before: nothing to report, and `for` begins anew.
        #expect(try afterKill(rule, before: "11", after: "00000") == "-----")
        #expect(try afterKill(rule, before: "11", after: "111111") == "---F-F")
    }

    @Test("an alert of another rule with the same name is none of ours; words are those of the last evaluation that was true")
    func sameName() throws {
        let rules = try [
            Rule.alert("A", "x > 0", annotations: [("summary", "{{ $labels.job }}: {{ $value }}")]), Rule.alert("A", "y > 0"),
        ]
        let old = RuleStory(rules)
        for _ in 0..<3 {
            old.store(["__name__": "x", "job": "api"], 3)
            old.store(["__name__": "y", "job": "db"], 4)
            old.tick()
        }
        old.clock.advance(by: .minutes(2))
        let story = RuleStory(rules, isRestored: false, database: old.database)
        story.clock.set(old.now)
        var reported: [Alert] = []
        for minute in 0..<8 {
            story.store(["__name__": "x", "job": "api"], 0)
            story.store(["__name__": "y", "job": "db"], 4)
            reported += story.tick().alerts.filter { $0.isResolved(at: story.now) }
            if minute == 1 { _ = story.evaluation.restoreForState(at: story.now, in: story.environment) }
        }
        #expect(Set(reported.map(\.labels)) == [["alertname": "A", "job": "api"]])
        #expect(Set(reported.map(\.annotations)) == [["summary": "api: 3"]])
        // A second restart has nothing to report again.
        let again = RuleStory(rules, isRestored: false, database: old.database)
        again.clock.set(story.now)
        for minute in 0..<8 {
            old.clock.set(again.now)  // the database's
            again.store(["__name__": "x", "job": "api"], 0)
            again.store(["__name__": "y", "job": "db"], 4)
            let ended = again.tick().alerts.filter { $0.isResolved(at: again.now) }
            #expect(ended.isEmpty)
            if minute == 1 { _ = again.evaluation.restoreForState(at: again.now, in: again.environment) }
        }
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
