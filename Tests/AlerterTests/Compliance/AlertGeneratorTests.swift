import TSDB
import Testing

@testable import Alerter

/// The four cases of the alert generator compliance tests, with the steps of 15 s that they are written in.
///
/// The tester sends samples while the group is evaluated at times of its own, so it allows a tolerance of one evaluation; here an
/// evaluation comes right behind the sample of every second step. A change at an odd step shows one step later.
@Suite("Alert generator compliance")
struct AlertGeneratorTests {
    /// Firing alerts end four resend delays after they are sent, and began when they fired; resolved ones keep their end.
    private func checkTimes(_ story: ComplianceStory, _ alert: String, variant: String? = nil, fired: [ClosedRange<Int64>]) {
        for one in story.received where one.alert.name == alert && one.alert.labels["variant"] == variant {
            guard let window = fired.last(where: { $0.lowerBound <= one.tick }) else {
                Issue.record("\(alert) came at \(one.tick), before it fired")
                continue
            }
            #expect(one.alert.startsAt == ComplianceStory.time(window.lowerBound), "step \(one.tick)")
            let end = one.isResolved ? ComplianceStory.time(window.upperBound) : one.at + .minutes(4)
            #expect(one.alert.endsAt == end, "step \(one.tick)")
        }
    }

    /// Sent when it begins and then each time more than the resend delay of a minute has passed: every sixth step (evaluations are
    /// 30 s apart, and a minute is not more than a minute).
    private func every6(_ range: ClosedRange<Int64>) -> [Int64] { Array(stride(from: range.lowerBound, through: range.upperBound, by: 6)) }

    @Test("PendingAndFiringAndResolved: pending, firing and resolved, twice; annotations follow the value; resends")
    func pendingFiringResolved() throws {
        let group = "PendingAndFiringAndResolved", name = group + "_SimpleAlert"
        let story = ComplianceStory(
            group,
            [
                try .alert(
                    name, ComplianceStory.selector(group, name) + " > 10", hold: .seconds(360),
                    labels: ["foo": "bar", "rulegroup": group],
                    annotations: [
                        ("description", "SimpleAlert is firing"), ("summary", "The value is {{$value}} {{.Value}}"),
                    ])
            ])
        story.load("3 5 0x2 9 0x3 11 0x12 15 0x11 0x20 19 0x15 9 0x19 15 0x24 0x20 8 0x15", alert: name)
        try story.play(until: 150) { step in
            let expected: [String] =
                switch step {
                case 8..<21: ["\(name) pending 11"]
                case 21..<32, 89..<114: ["\(name) pending 15"]
                case 32..<53, 114..<134: ["\(name) firing 15"]
                case 53..<69: ["\(name) firing 19"]
                default: []
                }
            #expect(story.active == expected, "step \(step)")
            let series = try story.story.query("ALERTS", at: story.story.now)
            let state = expected.first.map { $0.contains("firing") ? "firing" : "pending" }
            #expect(
                series
                    == (state.map {
                        [#"ALERTS{alertname="\#(name)", alertstate="\#($0)", foo="bar", rulegroup="\#(group)"} 1"#]
                    } ?? []), "step \(step)")
        }
        let sent = story.sent(name)
        #expect(sent.firing == every6(32...69) + every6(114...134))
        #expect(sent.resolved == every6(70...88) + every6(134...150))
        checkTimes(story, name, fired: [32...70, 114...134])
        let summaries = story.received.filter { !$0.isResolved && $0.tick < 70 }.map { $0.alert.annotations["summary"] ?? "" }
        #expect(
            summaries == ["The value is 15 15", "The value is 15 15", "The value is 15 15", "The value is 15 15"]
                + Array(repeating: "The value is 19 19", count: 3))
    }

    @Test("PendingAndResolved_AlwaysInactive: what never fires is never sent")
    func pendingResolved() throws {
        let group = "PendingAndResolved_AlwaysInactive", pending = group + "_PendingAlert", inactive = group + "_InactiveAlert"
        let story = ComplianceStory(
            group,
            [
                try .alert(pending, ComplianceStory.selector(group, pending) + " > 10", hold: .seconds(360)),
                try .alert(inactive, ComplianceStory.selector(group, inactive) + " > 99"),
            ])
        for name in [pending, inactive] { story.load("3 5 0x2 9 0x3 11 0x10 9", alert: name) }
        story.play(until: 60) { step in
            #expect(story.active == ((8..<19).contains(step) ? ["\(pending) pending 11"] : []), "step \(step)")
        }
        #expect(story.received.isEmpty)
    }

    @Test("ZeroFor_SmallFor: without `for` at once, with a small one after the second evaluation; templates and their queries")
    func zeroAndSmallFor() throws {
        let group = "ZeroFor_SmallFor", zero = group + "_ZeroFor", small = group + "_SmallFor"
        let story = ComplianceStory(
            group,
            [
                try .alert(
                    zero, ComplianceStory.selector(group, zero) + " > 10", labels: ["foo": "bar", "rulegroup": group],
                    annotations: [
                        (
                            "template_query_test",
                            "{{ define \"testtemplate\" }}Args are: {{.arg0}} {{.arg1}} {{.arg2}}. {{ with query \"\(ComplianceStory.metric){rulegroup='\(group)',for='template'}\" }}first_id:{{ . | sortByLabel \"id\" | first | label \"id\"}},{{ range $v := sortByLabel \"id\" .}}{{ . | label \"id\" }}:{{ . | value }},{{end}}{{end}}{{ end }}{{ template \"testtemplate\" (args \"foo\" \"bar\" 99) }}"
                        ),
                        (
                            "template_test",
                            "{{humanize 1048576}} {{humanize1024 1048576}} {{humanizeDuration 135.3563}} {{humanizePercentage 0.959}} {{humanizeTimestamp 1643114203}}"
                        ),
                    ]),
                try .alert(
                    small, ComplianceStory.selector(group, small) + " > 13", hold: .seconds(15),
                    labels: ["ba_dum": "tss", "rulegroup": group],
                    annotations: [
                        (
                            "template_test",
                            #"{{title "this part"}} {{toUpper "is testing"}} {{toLower "THE STRINGS"}}. {{ stripPort "[::1]:6006"}} {{ stripPort "127.0.0.1:4004"}}. {{parseDuration "2h10m15s"}}. {{if match "[0-9]+" "1234"}}{{reReplaceAll "r.*d" "replaced" "rpld text"}}{{end}}. {{if match "[0-9]+$" "1234a"}}WRONG{{end}}."#
                        )
                    ]),
            ])
        for name in [zero, small] { story.load("3 5 0x2 9 0x3 15 0x12 9 0x71 11 0x12 9", alert: name) }
        for id in 1...3 {
            story.load(
                "\(id) 0x27 \(2 * id) 0x200",
                ["__name__": ComplianceStory.metric, "rulegroup": group, "for": "template", "id": "\(100 + id)"])
        }
        story.play(until: 175) { step in
            let expected: [String] =
                switch step {
                case 8..<10: ["\(zero) firing 15", "\(small) pending 15"]
                case 10..<22: ["\(zero) firing 15", "\(small) firing 15"]
                case 94..<106: ["\(zero) firing 11"]
                default: []
                }
            #expect(story.active == expected, "step \(step)")
        }
        let sentZero = story.sent(zero), sentSmall = story.sent(small)
        #expect(sentZero.firing == every6(8...21) + every6(94...105))
        // Resolved alerts are repeated for fifteen minutes and one evaluation.
        #expect(sentZero.resolved == every6(22...82) + every6(106...166))
        #expect(sentSmall.firing == every6(10...21))
        #expect(sentSmall.resolved == every6(22...82))
        checkTimes(story, zero, fired: [8...22, 94...106])
        checkTimes(story, small, fired: [10...22])
        let first = try #require(story.received.first { $0.alert.name == zero })
        #expect(first.alert.annotations["template_query_test"] == "Args are: foo bar 99. first_id:101,101:1,102:2,103:3,")
        #expect(first.alert.annotations["template_test"] == "1.049M 1Mi 2m 15s 95.9% 2022-01-25 12:36:43 +0000 UTC")
        let again = try #require(story.received.first { $0.alert.name == zero && $0.tick >= 94 })
        #expect(again.alert.annotations["template_query_test"] == "Args are: foo bar 99. first_id:101,101:2,102:4,103:6,")
        let smallFirst = try #require(story.received.first { $0.alert.name == small })
        #expect(
            smallFirst.alert.annotations["template_test"]
                == "This Part IS TESTING the strings. ::1 127.0.0.1. 7815. replaced text. .")
    }

    @Test("NewAlerts_OrderCheck: new alerts beside firing ones, and a rule over the ALERTS of the rule before it")
    func newAlertsAndOrder() throws {
        let group = "NewAlerts_OrderCheck", first = group + "_Rule1", second = group + "_Rule2"
        func alerts(_ variant: String) -> String {
            "ALERTS{alertstate=\"firing\", alertname=\"\(first)\", foo=\"bar\", rulegroup=\"\(group)\", variant=\"\(variant)\"}"
        }
        let story = ComplianceStory(
            group,
            [
                try .alert(
                    first, ComplianceStory.selector(group, first) + " > 10", hold: .seconds(180),
                    labels: ["foo": "bar", "rulegroup": group],
                    annotations: [("description", "This should produce more alerts later")]),
                try .alert(
                    second, "(\(alerts("one")) + ignoring(variant) \(alerts("two"))) == 2",
                    labels: ["foo": "baz", "ba_dum": "tss", "rulegroup": group],
                    annotations: [
                        ("description", "Based on ALERTS. Old alertname was {{$labels.alertname}}. foo was {{.Labels.foo}}.")
                    ]),
            ])
        story.load("1 0x7 11 0x64 9 0x20", alert: first, variant: "one")
        story.load("1 0x31 11 0x32 9 0x20", alert: first, variant: "two")
        story.play(until: 94) { step in
            var expected: [String] = []
            if (8..<20).contains(step) { expected.append("\(first)/one pending 11") }
            if (20..<73).contains(step) { expected.append("\(first)/one firing 11") }
            if (32..<44).contains(step) { expected.append("\(first)/two pending 11") }
            if (44..<65).contains(step) { expected += ["\(first)/two firing 11", "\(second) firing 2"] }
            #expect(story.active == expected, "step \(step)")
        }
        #expect(story.sent(first, variant: "one").firing == every6(20...73))
        #expect(story.sent(first, variant: "one").resolved == every6(74...94))
        for sent in [story.sent(first, variant: "two"), story.sent(second)] {
            #expect(sent.firing == every6(44...65))
            #expect(sent.resolved == every6(66...94))
        }
        checkTimes(story, first, variant: "one", fired: [20...74])
        checkTimes(story, first, variant: "two", fired: [44...66])
        checkTimes(story, second, fired: [44...66])
        let derived = try #require(story.received.first { $0.alert.name == second })
        #expect(derived.alert.labels == ["alertname": second, "alertstate": "firing", "ba_dum": "tss", "foo": "baz", "rulegroup": group])
        #expect(derived.alert.annotations["description"] == "Based on ALERTS. Old alertname was \(first). foo was bar.")
    }
}
