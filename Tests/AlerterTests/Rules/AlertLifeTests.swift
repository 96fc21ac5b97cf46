import Support
import TSDB
import Testing

@testable import Alerter

/// One character per minute: above the sample, below what the alert is. P pending, F firing, K kept firing, R resolved.
@Suite("The life of an alert")
struct AlertLifeTests {
    private func play(_ values: String, hold: Duration = .zero, keep: Duration = .zero) throws -> String {
        try RuleStory([.alert("A", "x > 0", hold: hold, keep: keep)]).play(values)
    }

    @Test("a blip shorter than `for` never fires")
    func blip() throws { #expect(try play("11011000", hold: .minutes(2)) == "PP-PP---") }

    @Test("fires once `for` has passed, resolves on the first false")
    func fires() throws { #expect(try play("1111001", hold: .minutes(2)) == "PPFFRRP") }

    @Test("without `for` it fires at once")
    func immediate() throws { #expect(try play("0110", hold: .zero) == "-FFR") }

    @Test("keep_firing_for carries it over a gap, and ends it after that long")
    func keepFiring() throws {
        #expect(try play("110110000", keep: .minutes(3)) == "FFKFFKKKR")
    }

    @Test("keep_firing_for does not keep what is only pending")
    func keepPending() throws { #expect(try play("1100", hold: .minutes(5), keep: .minutes(3)) == "PP--") }

    @Test("a resolved alert is kept for fifteen minutes, and is another alert when it comes again")
    func retention() throws {
        let story = try RuleStory([.alert("A", "x > 0")])
        #expect(story.play("1" + String(repeating: "0", count: 17)) == "F" + String(repeating: "R", count: 16) + "-")
        let again = try RuleStory([.alert("A", "x > 0")])
        #expect(again.play("101") == "FRF")
        #expect(again.evaluation.rules[0].alerts.all[0].activeAt == RuleStory.start + .minutes(2))
    }

    @Test("a series that ends resolves its alert")
    func ends() throws { #expect(try play("11..") == "FFRR") }

    @Test("values and annotations are of the last evaluation that was true")
    func values() throws {
        let story = try RuleStory([
            .alert("A", "x > 0", annotations: [("summary", "{{ $value }} on {{ $labels.job }}"), ("text", "plain")])
        ])
        _ = story.play("12", of: ["__name__": "x", "job": "api"])
        let alert = try #require(story.evaluation.rules[0].alerts.all.first)
        #expect(alert.value == 2)
        #expect(alert.annotations == ["summary": "2 on api", "text": "plain"])
        #expect(alert.labels == ["alertname": "A", "job": "api"])
    }
}

@Suite("What alerting rules write")
struct AlertSeriesTests {
    @Test("ALERTS and ALERTS_FOR_STATE follow the alert, and end with it")
    func series() throws {
        let story = try RuleStory([.alert("A", "x > 0", hold: .minutes(1), labels: ["severity": "page"])])
        _ = story.play("1")
        #expect(try story.query("ALERTS") == [#"ALERTS{alertname="A", alertstate="pending", severity="page"} 1"#])
        let since = RuleStory.start.milliseconds / 1000
        #expect(try story.query("ALERTS_FOR_STATE") == [#"ALERTS_FOR_STATE{alertname="A", severity="page"} \#(since)"#])
        _ = story.play("1")
        #expect(try story.query("ALERTS") == [#"ALERTS{alertname="A", alertstate="firing", severity="page"} 1"#])
        #expect(try story.query("ALERTS_FOR_STATE") == [#"ALERTS_FOR_STATE{alertname="A", severity="page"} \#(since)"#])
        _ = story.play("0")
        #expect(try story.query("{__name__=~\"ALERTS.*\"}") == [])
    }

    @Test("the group's labels are added, the rule's win, an empty one takes the label away, and alertname is the rule's")
    func labels() throws {
        let story = try RuleStory(
            [.alert("A", "x > 0", labels: ["team": "db", "pod": "", "alertname": "B"])], labels: ["team": "all", "env": "dev"])
        _ = story.play("1", of: ["__name__": "x", "pod": "p", "job": "j"])
        #expect(story.evaluation.rules[0].alerts.all.map(\.labels) == [["alertname": "A", "env": "dev", "job": "j", "team": "db"]])
    }

    @Test("alerts that become equal are an error, and none of them changes")
    func duplicates() throws {
        let story = try RuleStory([.alert("A", "x > 0", labels: ["pod": ""])])
        story.store(["__name__": "x", "pod": "a"], 1)
        story.store(["__name__": "x", "pod": "b"], 1)
        story.tick()
        #expect(story.evaluation.status.rules[0].health == .failing)
        #expect(
            story.evaluation.status.rules[0].lastError
                == "vector contains metrics with the same labelset after applying alert labels")
        #expect(story.evaluation.rules[0].alerts.all.isEmpty)
        #expect(story.report.failureCount == 1)
    }

    @Test("more alerts than the limit are an error, and all of the rule's are gone")
    func limit() throws {
        let story = try RuleStory([.alert("A", "x > 0")], limit: 1)
        story.store(["__name__": "x", "pod": "a"], 1)
        story.tick()
        #expect(story.evaluation.rules[0].alerts.all.count == 1)
        story.store(["__name__": "x", "pod": "b"], 1)
        story.tick()
        #expect(story.evaluation.status.rules[0].lastError == "exceeded limit of 1 with 2 alerts")
        #expect(story.evaluation.rules[0].alerts.all.isEmpty)
    }
}
