import Alerter
import ConfigurationFile
import Support
import TSDB
import Testing

@Suite("Tests of Alertmanager's configuration")
struct AlertmanagerTestTests {
    private func run(_ tests: String, _ config: String = Self.config) -> AlertmanagerTestReport {
        let files = ["/t/tests.yml": tests, "/t/am.yml": config, "/t/alertmanager.yml": config]
        return AlertmanagerTestReport(
            AlertmanagerTestReader(path: "/t/tests.yml") { (path) throws(TSDBError) in
                if let text = files[path] { return Array(text.utf8) }
                guard path.hasPrefix("/usr/share/zoneinfo") else { throw TSDBError(.io, "\(path): no such file") }
                return try DiskFileStore().readAll(path, limit: 1 << 20)
            }, zones: UTCOnly())
    }

    private static let config = """
        route:
          receiver: ops
          routes: [{matchers: [severity=page], receiver: pager, group_by: [alertname], group_wait: 10s}]
        inhibit_rules: [{source_matchers: [severity=critical], target_matchers: [severity=warning], equal: [alertname]}]
        time_intervals: [{name: night, time_intervals: [{times: [{start_time: "22:00", end_time: "24:00"}]}]}]
        receivers: [{name: ops, webhook_configs: [{url: 'http://x'}]}, {name: pager, webhook_configs: [{url: 'http://x'}], log_configs: [{}]}]
        """

    @Test(
        "the example of the documentation holds",
        .enabled(if: DiskFileStore().exists("/usr/share/zoneinfo/Europe/Berlin"), "no time zone database"))
    func documentation() throws {
        let root = #filePath.split(separator: "/").dropLast(4).reduce("") { $0 + "/" + $1 }
        let page = String(
            decoding: try DiskFileStore().readAll(root + "/docs/learn/testing-alertmanager-configs.md"), as: UTF8.self)
        var blocks: [String] = [], isInside = false
        for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
            if line == "```yaml" {
                isInside = true
                blocks.append("")
            } else if line == "```" {
                isInside = false
            } else if isInside {
                blocks[blocks.count - 1] += line + "\n"
            }
        }
        try #require(blocks.count == 2)
        let report = run(blocks[1], blocks[0])
        #expect(report.isSuccess && report.outcomes.count == 5, "\(report.text)")
    }

    @Test("a warning that a critical alert should keep quiet, and does not, is found")
    func brokenInhibition() {
        let report = run(
            """
            config: am.yml
            tests:
            - name: critical suppresses warning
              alerts:
              - {labels: {alertname: A, severity: critical}, receivers: [ops]}
              - {labels: {alertname: A, severity: warning}, inhibited: true}
              - {labels: {alertname: B, severity: warning}, inhibited: true}
            """)
        #expect(
            report.text == """
                FAILED critical suppresses warning
                  /t/tests.yml:7: inhibited {alertname="B", severity="warning"}: expected true, got false

                """)
    }

    @Test(
        "what is not as expected is said, with its line",
        arguments: [
            (
                "routes: [{labels: {severity: page}, receivers: [ops]}]",
                #"receivers of {severity="page"}: expected ["ops"], got ["pager"]"#
            ),
            (
                "time_intervals: [{name: night, within: ['2026-01-05T12:00:00Z']}]",
                "2026-01-05T12:00:00Z is not within \"night\""
            ),
            ("time_intervals: [{name: day, within: []}]", "there is no time interval \"day\""),
            ("{alerts: [{labels: {a: b}}], notifications: []}", "unexpected at 0s: ops"),
            (
                "{alerts: [{labels: {a: b}}], notifications: [{at: 1m, receiver: ops}]}",
                "ops is not told at 1m, but at 30s"
            ),
            (
                "{alerts: [{labels: {a: b}}], notifications: [{at: 30s, receiver: ops, firing: [{a: c}]}]}",
                #"there is no {a="c"} among [{a="b"}]"#
            ),
            (
                "{alerts: [{labels: {a: b}}], notifications: [{at: 30s, receiver: ops, firing: []}]}",
                "unexpected [{a=\"b\"}]"
            ),
            (
                "{alerts: [{labels: {a: b}}], notifications: [{at: 30s, receiver: ops, reason: repeat_interval}]}",
                "expected repeat_interval, got first_notification"
            ),
            (
                "{alerts: [{labels: {a: b}}], notifications: [{at: 30s, receiver: ops, texts: {'{{ .Status }}': x}}]}",
                #"{{ .Status }} is "firing", expected "x""#
            ),
            (
                "{alerts: [{labels: {a: b}}], notifications: [{at: 30s, receiver: ops, texts: {'{{ .Nothing }}': x}}]}",
                "Nothing"
            ),
            ("{alerts: [{labels: {a: b}}], checks: [{at: 1m, labels: {a: c}}]}", "there is no alert {a=\"c\"}"),
            (
                "{alerts: [{labels: {a: b}}], checks: [{at: 1m, labels: {a: b}, state: suppressed}]}",
                "expected suppressed, got active"
            ),
            (
                "{alerts: [{labels: {a: b}}], checks: [{at: 1m, labels: {a: b}, silenced: true}]}",
                "expected true, got false"
            ),
            ("{alerts: [{labels: {a: b}, group_keys: [x]}]}", #"expected ["x"], got ["{}:{}"]"#),
        ])
    func problems(_ test: String, _ message: String) {
        let body = test.hasPrefix("{") ? test : "{\(test)}"
        let report = run("config: am.yml\ntests:\n- \(body)\n")
        #expect(
            !report.isSuccess && report.text.contains("/t/tests.yml:3: ") && report.text.contains(message),
            "\(report.text)")
    }

    @Test("integrations that say the same are one notification, and may be named")
    func integrations() {
        let report = run(
            """
            config: am.yml
            tests:
            - alerts: [{labels: {alertname: A, severity: page}}]
              notifications: [{at: 10s, receiver: pager, integrations: ['webhook[0]', 'log[0]'], group_key: '{}/{severity="page"}:{alertname="A"}'}]
            """)
        #expect(report.isSuccess || report.text.contains("integrations"), "\(report.text)")
        #expect(report.outcomes[0].problems.count <= 1)
    }

    @Test("a file that is none is a failure with its line")
    func unreadable() {
        for (text, message) in [
            ("tests: []", "/t/tests.yml:1: config is empty in the tests"), ("config: x.yml", "x.yml: no such file"),
            ("config: am.yml\ntests: [{x: y}]", ":2: field x not found in tests entry"),
            ("config: am.yml\ntests: [{alerts: [{}]}]", ":2: an alert without labels"),
            (
                "config: am.yml\ntests: [{alerts: [{labels: {a: b}, from: 2m, until: 1m}]}]",
                ":2: an alert that ends before it begins"
            ),
            ("config: am.yml\ntests: [{checks: [{at: 9y}]}]", ":2: a test of more than a year"),
            ("config: am.yml\ntests: [{silences: [{matchers: ['=']}]}]", ":2: bad matcher format: ="),
            ("config: am.yml\ntests: [{start: yesterday}]", ":2: \"yesterday\" is not a time such as"),
            (
                "config: am.yml\ntests: [{notifications: [{receiver: x, reason: y}]}]",
                ":2: y is no reason for a notification"
            ),
        ] {
            let report = run(text)
            #expect(report.failure?.contains(message) == true, "\(report.failure ?? "none")")
        }
    }

    @Test("JUnit's XML has what went wrong, escaped")
    func junit() {
        let report = run(
            "config: am.yml\ntests: [{name: 'a <b>'}, {name: c, routes: [{labels: {x: '\"&'}, receivers: [y]}]}]")
        let xml = AlertmanagerTestReport.junit([report])
        #expect(xml.contains("tests=\"2\" failures=\"1\" errors=\"0\""))
        #expect(xml.contains("<testcase name=\"a &lt;b&gt;\"></testcase>"))
        #expect(xml.contains("<failure message=\"line 2: receivers of {x=&quot;\\&quot;&amp;&quot;}"))
    }

    @Test("a damaged file of tests is run or refused, never a trap", arguments: TestSeed.seeds(3))
    func mutations(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let good = Array(
            """
            config: am.yml
            start: 2026-01-05T12:00:00Z
            tests:
            - name: a
              duration: 20m
              alerts: [{labels: {alertname: A, severity: page}, annotations: {x: y}, from: 1m, until: 7m, receivers: [pager], inhibited: false}]
              silences: [{matchers: [alertname=B], from: 1m, until: 2m}]
              checks: [{at: 3m, labels: {alertname: A}, state: active, muted_by: []}]
              notifications: [{at: 1m10s, receiver: pager, firing: [{severity: page}], texts: {'{{ .Status }}': firing}}]
              routes: [{labels: {a: b}, receivers: [ops]}]
              time_intervals: [{name: night, within: ['2026-01-05T22:00:00Z']}]
            """.utf8)
        let pieces = ["null", "[]", "{}", "''", "-1", "9999999999999999999h", "[null]", "1y", "*a", "0s"]
        for _ in 0..<TestSeed.cases(150) {
            var text = good
            let at = Int.random(in: 0..<text.count, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: text[at] = UInt8.random(in: 32...126, using: &random)
            case 1: text.removeSubrange(at..<min(text.count, at + Int.random(in: 1..<30, using: &random)))
            default:
                guard let colon = text[at...].firstIndex(of: UInt8(ascii: ":")) else { continue }
                let end = text[colon...].firstIndex { [10, 44, 125].contains($0) } ?? text.endIndex
                text.replaceSubrange(
                    text.index(after: colon)..<max(end, text.index(after: colon)),
                    with: Array(" \(pieces.randomElement(using: &random) ?? "")".utf8))
            }
            _ = AlertmanagerTestReport.junit([run(String(decoding: text, as: UTF8.self))])
        }
    }
}
