import Support
import TSDB
import Testing

@testable import Alerter

@Suite("Recording rules")
struct RecordingTests {
    @Test("a result is stored under the rule's name and labels")
    func records() throws {
        let story = try RuleStory(
            [.record("job:x:sum", "sum by (job, pod) (x)", labels: ["source": "rule", "pod": ""])], labels: ["env": "dev"])
        story.store(["__name__": "x", "job": "a", "pod": "p"], 3)
        story.tick()
        #expect(try story.query("job:x:sum") == [#"job:x:sum{env="dev", job="a", source="rule"} 3"#])
    }

    @Test("a scalar is a series without labels; a string or a range is an error")
    func scalar() throws {
        let story = try RuleStory([.record("one", "1 + 1"), .record("text", "\"a\""), .record("range", "x[5m]")])
        story.tick()
        #expect(try story.query("one") == ["one 2"])
        #expect(story.evaluation.status.rules.map(\.health) == [.ok, .failing, .failing])
        #expect(story.evaluation.status.rules[1].lastError == "rule result is not a vector or scalar")
    }

    @Test("a series that vanishes from the result ends at that evaluation")
    func staleness() throws {
        let story = try RuleStory([.record("y", "x > 0")])
        #expect(try played(story, "1 1 0 1") == ["y 1", "y 1", "", "y 1"])
    }

    @Test("a rule that fails ends nothing; once it works again it ends what has gone meanwhile")
    func failing() throws {
        let story = try RuleStory([.record("y", "x * on () group_left () z")])
        story.store(["__name__": "x", "pod": "a"], 1)
        story.store(["__name__": "z"], 1)
        story.tick()
        #expect(try story.query("y").count == 1)
        story.store(["__name__": "x", "pod": "a"], StaleMarker.value)
        story.store(["__name__": "x", "pod": "b"], 1)
        story.store(["__name__": "z", "b": "2"], 1)
        story.tick()
        #expect(story.evaluation.status.rules[0].health == .failing)
        #expect(try story.query("y").count == 1)
        story.store(["__name__": "z", "b": "2"], StaleMarker.value)
        story.tick()
        #expect(try story.query("y") == [#"y{pod="b"} 1"#])
    }

    @Test("results that become equal are an error, and nothing is stored")
    func duplicates() throws {
        let story = try RuleStory([.record("y", "x", labels: ["pod": ""])])
        story.store(["__name__": "x", "pod": "a"], 1)
        story.store(["__name__": "x", "pod": "b"], 1)
        story.tick()
        #expect(
            story.evaluation.status.rules[0].lastError
                == "vector contains metrics with the same labelset after applying rule labels")
        #expect(try story.query("y") == [])
    }

    @Test("more series than the limit are an error")
    func limit() throws {
        let story = try RuleStory([.record("y", "x")], limit: 1)
        story.store(["__name__": "x", "pod": "a"], 1)
        story.store(["__name__": "x", "pod": "b"], 1)
        story.tick()
        #expect(story.evaluation.status.rules[0].lastError == "exceeded limit of 1 with 2 series")
        #expect(try story.query("y") == [])
    }

    @Test("a rule sees what the rules before it wrote in this cycle, also where it had read the series before")
    func order() throws {
        let story = try RuleStory([
            .record("before", "count(y) or vector(0)"), .record("y", "x"), .record("after", "y + 1"),
            .record("again", "count(y) or vector(0)"),
        ])
        _ = story.play("4")
        #expect(try story.query("{__name__=~\"before|after|again\"}") == ["after 5", "again 1", "before 0"])
    }

    @Test("an alert sees the series of an alert before it")
    func alertsSeeAlerts() throws {
        let story = try RuleStory([
            .record("count", "count(ALERTS) or vector(0)"), .alert("A", "x > 0"), .alert("B", "ALERTS{alertname=\"A\"} > 0"),
        ])
        _ = story.play("1")
        #expect(story.evaluation.rules[2].alerts.all.map(\.labels["alertname"]) == ["B"])
    }

    @Test("query_offset looks back, and writes there")
    func offset() throws {
        let story = try RuleStory([.record("y", "x")], queryOffset: .minutes(1))
        _ = story.play("12")
        #expect(try story.query("y", at: RuleStory.start) == ["y 1"])
        #expect(try story.query("y", at: RuleStory.start + .minutes(1)) == ["y 1"])
    }

    @Test("two rules that give one series with different values: the second is unhealthy, but was evaluated")
    func conflict() throws {
        let story = try RuleStory([.record("y", "x"), .record("y", "x + 1")])
        _ = story.play("1")
        #expect(story.evaluation.status.rules.map(\.health) == [.ok, .failing])
        #expect(story.evaluation.status.rules[1].lastError == "duplicate sample for timestamp")
        #expect(story.report.failureCount == 0)
        #expect(try story.query("y") == ["y 1"])
    }

    /// Values of `x`, one a minute; the first line of `y` after each.
    private func played(_ story: RuleStory, _ values: String) throws -> [String] {
        try values.split(separator: " ").map { value in
            _ = story.play(String(value))
            return try story.query("y").first ?? ""
        }
    }
}
