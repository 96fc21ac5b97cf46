import TSDB
import Testing
import Tool

/// Expected texts are promtool's, of the same files.
@Suite("tool test rules")
struct RuleTestToolTests {
    static let rules = """
        groups:
        - name: g
          rules:
          - alert: Down
            expr: up == 0
            for: 1m
            labels: {severity: page}
            annotations: {summary: "{{ $labels.instance }} down, é \\" q"}
          - record: job:up:sum
            expr: sum by (job) (up)
        """

    private func run(_ tests: String, rules: String = rules, names: [String] = [], diff: Bool = false) throws -> (
        ToolOutput, String
    ) {
        var tool = RuleTestTool(
            ToolFixture(files: ["d/t.yml": tests, "d/r.yml": rules]).seen,
            now: Timestamp(milliseconds: 1_700_000_000_123))
        tool.names = try names.map { try RuleTestTool.name($0) }
        tool.showsDifference = diff
        let output = tool.run(["d/t.yml"])
        return (output, tool.report.xml)
    }

    @Test("what differs is told as expected and got")
    func differences() throws {
        let (output, _) = try run(
            """
            rule_files: [r.yml]
            evaluation_interval: 1m
            tests:
            - interval: 1m
              name: first
              input_series:
              - series: 'up{job="a",instance="x"}'
                values: '0x5 1+1x3'
              alert_rule_test:
              - eval_time: 2m
                alertname: Down
                exp_alerts: []
              - eval_time: 8m
                alertname: Down
                exp_alerts:
                - exp_labels: {severity: page, job: a}
              promql_expr_test:
              - expr: job:up:sum
                eval_time: 8m
                exp_samples:
                - labels: 'job:up:sum{job="a"}'
                  value: 4
              - expr: sum(up) / 3
                eval_time: 8m
                exp_samples:
                - labels: '{}'
                  value: 1.5
              - expr: up{
                eval_time: 90s
              - expr: nope
                eval_time: 90s
                exp_samples:
                - labels: '{a="b"'
                  value: 1
              - expr: nope
                eval_time: 90s
                exp_samples:
                - labels: '{a="b"}'
                  value: 1e300
            """)
        #expect(
            output.lines.filter { $0.stream == .error }.map(\.text).joined(separator: "\n") == """
                  FAILED:
                    name: first,
                    alertname: Down, time: 2m, 
                        exp:[], 
                        got:[
                            0:
                              Labels:{alertname="Down", instance="x", job="a", severity="page"}
                              Annotations:{summary="x down, é \\" q"}
                            ]
                    name: first,
                    alertname: Down, time: 8m, 
                        exp:[
                            0:
                              Labels:{alertname="Down", job="a", severity="page"}
                              Annotations:{}
                            ], 
                        got:[]
                    expr: "job:up:sum", time: 8m,
                        exp: {__name__="job:up:sum", job="a"} 4E+00
                        got: {__name__="job:up:sum", job="a"} 3E+00
                    expr: "sum(up) / 3", time: 8m,
                        exp: {} 1.5E+00
                        got: {} 1E+00
                    expr: "up{", time: 1m30s, err: 1:4: parse error: unexpected end of input inside braces
                    expr: "nope", time: 1m30s, err: labels "{a=\\"b\\"": 1:7: parse error: unexpected end of input inside braces
                    expr: "nope", time: 1m30s,
                        exp: {a="b"} 1E+300
                        got: nil
                """)
        #expect(output.exitCode == 1)
    }

    static let passing = """
        rule_files: ['r*.yml']
        tests:
        - name: second
          interval: 1m
          input_series: [{series: 'up{job="a",instance="x"}', values: '1 1 _ stale 0x5'}]
          promql_expr_test:
          - {expr: vector(0.1), eval_time: 0m, exp_samples: [{labels: "{}", value: 0.1}]}
          - {expr: up, eval_time: 3m}
          - {expr: 'count_over_time(up[10m])', eval_time: 8m, exp_samples: [{labels: '{job="a",instance="x"}', value: 7}]}
          - {expr: 'ALERTS{alertstate="firing"}', eval_time: 6m, exp_samples: [{labels: 'ALERTS{alertname="Down",alertstate="firing",job="a",instance="x",severity="page"}', value: 1}]}
          alert_rule_test:
          - eval_time: 6m
            alertname: Down
            exp_alerts:
            - exp_labels: {severity: page, job: a, instance: x}
              exp_annotations: {summary: 'x down, é " q'}
          - {eval_time: 3m, alertname: Down}
        - name: broken
          promql_expr_test: [{expr: "1", eval_time: 0m}]
        """

    @Test("tests run by their names; a report says what became of them")
    func names() throws {
        let (output, xml) = try run(Self.passing, names: ["^sec"])
        #expect(output.text == "  SUCCESS\n\n")
        #expect(output.exitCode == 0)
        #expect(
            xml
                == #"<testsuites><testsuite name="d/t.yml" tests="1" failures="0" errors="0" skipped="0" timestamp="2023-11-14T22:13:20"><testcase name="second"></testcase></testsuite></testsuites>"#
        )
        let (all, report) = try run(Self.passing)
        #expect(all.exitCode == 1)
        #expect(report.contains(#"tests="2" failures="1""#))
        #expect(report.contains("<failure>    expr: &#34;1&#34;, time: 0s,&#xA;"))
    }

    @Test("groups are evaluated in the order asked for")
    func order() throws {
        let rules = """
            groups:
            - {name: b, rules: [{record: second, expr: first + 1}]}
            - {name: a, rules: [{record: first, expr: vector(1)}]}
            """
        let test = """
            tests:
            - promql_expr_test: [{expr: second, eval_time: 0m, exp_samples: [{labels: second, value: 2}]}]
            rule_files: [r.yml]
            """
        #expect(try run(test + "\ngroup_eval_order: [a, b]", rules: rules).0.exitCode == 0)
        #expect(try run(test, rules: rules).0.exitCode == 1)
        let (twice, xml) = try run(test + "\ngroup_eval_order: [a, b, a]", rules: rules)
        #expect(twice.text.contains("group name repeated in evaluation order: a"))
        #expect(xml.contains("<error>group name repeated"))
    }

    @Test("values one unit apart are the same only where the file says fuzzy_compare")
    func fuzzy() throws {
        let test =
            "tests: [{promql_expr_test: [{expr: 0.1 + 0.2, eval_time: 0m, exp_samples: [{labels: '{}', value: 0.3}]}]}]"
        #expect(try run(test).0.text.contains("exp: {} 3E-01\n        got: {} 3.0000000000000004E-01"))
        #expect(try run("fuzzy_compare: true\n" + test).0.exitCode == 0)
    }

    @Test("templates see external labels and the external URL; a test may begin at any time")
    func external() throws {
        let rules = """
            groups:
            - name: g
              rules:
              - alert: A
                expr: vector(time())
                annotations: {a: "{{ $externalLabels.dc }} {{ $externalURL }} {{ $value | humanizeTimestamp }}"}
            """
        let (output, _) = try run(
            """
            rule_files: [r.yml]
            tests:
            - external_labels: {dc: eu}
              external_url: http://x:9090
              start_timestamp: 2024-01-01T00:00:00Z
              alert_rule_test:
              - {eval_time: 1m, alertname: A, exp_alerts: [{exp_annotations: {a: "eu http://x:9090 2024-01-01 00:01:00 +0000 UTC"}}]}
            """, rules: rules)
        #expect(output.text == "  SUCCESS\n\n")
    }

    @Test("a rule that fails ends its test")
    func failingRule() throws {
        let rules = "groups: [{name: g, rules: [{record: r, expr: 'up * on (job) up2'}]}]"
        let (output, _) = try run(
            """
            rule_files: [r.yml]
            tests:
            - input_series: [{series: 'up{job="a",i="1"}', values: '_ 1'}, {series: 'up{job="a",i="2"}', values: '_ 1'}, {series: 'up2{job="a"}', values: '_ 1'}]
              promql_expr_test: [{expr: up, eval_time: 1m}]
            """, rules: rules)
        #expect(output.text.contains("    rule: r, time: 1m0s, err: "))
    }

    @Test("differences are shown line by line on demand")
    func lines() throws {
        let (output, _) = try run(
            """
            rule_files: [r.yml]
            tests:
            - input_series: [{series: 'up{job="a",instance="x"}', values: '0x5'}]
              alert_rule_test:
              - {eval_time: 2m, alertname: Down, exp_alerts: [{exp_labels: {job: a, severity: page, instance: y}}]}
            """, diff: true)
        #expect(output.text.contains("            -   Labels:{alertname=\"Down\", instance=\"y\""))
        #expect(output.text.contains("            +   Labels:{alertname=\"Down\", instance=\"x\""))
    }

    @Test(
        "what cannot be read is told",
        arguments: [
            ("nonsense: 1", "field nonsense not found"),
            ("tests: [{interval: 1x}]", "unknown unit"),
            ("tests: [{input_series: [{series: 'a{', values: '1'}]}]", "a{ 1"),
            ("tests: [{input_series: [{series: a, values: '1x99999999'}]}]", "repetitions"),
            (
                "tests: [{promql_expr_test: [{expr: '1', eval_time: 0m, exp_samples: [{labels: '{}', histogram: '{{sum:1}} {{}}'}]}]}]",
                "expected 1 value, got 2"
            ),
            (
                "tests: [{promql_expr_test: [{expr: '1', eval_time: 0m, exp_samples: [{labels: '{}', histogram: '3'}]}]}]",
                "expected histogram, got 3"
            ),
            (
                "tests: [{promql_expr_test: [{expr: '1', eval_time: 0m, exp_samples: [{labels: '{}', histogram: '{{sum:1 count:2}}'}]}]}]",
                "exp: {} {{count:2 sum:1}}\n        got: {} 1E+00"
            ),
            ("tests: [{alert_rule_test: [{eval_time: 1m}]}]", "misses required attribute alertname at eval_time 1m"),
            (
                "{evaluation_interval: 1ms, tests: [{promql_expr_test: [{expr: a, eval_time: 100y}]}]}",
                "takes more than 1000000 evaluations"
            ),
            ("{rule_files: [none.yml], tests: []}", "WARNING: no file match pattern d/none.yml"),
        ])
    func errors(_ file: String, _ expected: String) throws {
        let text = try run(file).0.text
        #expect(text.contains(expected), "\(text)")
    }
}
