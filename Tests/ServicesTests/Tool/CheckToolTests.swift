import Support
import TSDB
import Testing
import Tool

/// Expected texts are promtool's, of the same files.
@Suite("tool check")
struct CheckToolTests {
    static let good = """
        groups:
        - name: g
          rules:
          - alert: Down
            expr: up == 0
            for: 1m
            annotations: {summary: "{{ $labels.instance }} is down"}
          - record: job:up:sum
            expr: sum by (job) (up)
        """
    static let twice = """
        groups:
        - name: g
          labels: {x: z}
          rules:
          - {record: a, expr: up, labels: {x: y}}
          - {record: a, expr: up, labels: {x: y}}
          - {record: a, expr: up}
        """

    private func check(_ files: [String: String], _ lint: CheckTool.Lint = .duplicateRules, isFatal: Bool = false)
        -> ToolOutput
    {
        var tool = CheckTool(ToolFixture(files: files).seen)
        tool.lints = [lint]
        tool.isLintFatal = isFatal
        return tool.rules(files.keys.sorted())
    }

    @Test("a good file is counted")
    func success() {
        let output = check(["r.yml": Self.good])
        #expect(output.text == "Checking r.yml\n  SUCCESS: 2 rules found\n\n")
        #expect(output.exitCode == 0)
    }

    @Test("all problems are told, each with its place")
    func problems() {
        let file = """
            groups:
            - name: g
              interval: 30s
              rules:
              - alert: A
                expr: up ==
                labels: {"1x y": b, __name__: z}
                annotations: {s: "{{ nope }}", t: "{{ $x }}"}
              - record: "a{b"
                alert: B
                expr: up
              - expr: |
                  sum(
              - record: r
                for: 5m
                annotations: {a: b}
                expr: vector(1)
            - name: g
              rules: []
            - rules: []
            """
        let output = check(["bad.yml": file])
        #expect(
            output.text == """
                Checking bad.yml
                  FAILED:
                bad.yml: 6:11: group "g", rule 1, "A": could not parse expression: 1:6: parse error: unexpected end of input
                bad.yml: group "g", rule 1, "A": invalid label name: __name__
                bad.yml: group "g", rule 1, "A": annotation "s": template: __alert_A:1: function "nope" not defined
                bad.yml: group "g", rule 1, "A": annotation "t": template: __alert_A:1: undefined variable "$x"
                bad.yml: 9:13: 10:12: group "g", rule 2, "B": only one of 'record' and 'alert' must be set
                bad.yml: 9:13: group "g", rule 2, "B": braces present in the recording rule name; should it be in expr?: a{b
                bad.yml: 0:0: 0:0: group "g", rule 3, "": one of 'record' or 'alert' must be set
                bad.yml: 12:11: group "g", rule 3, "": could not parse expression: 2:1: parse error: unclosed left parenthesis
                bad.yml: 14:13: group "g", rule 4, "r": invalid field 'annotations' in recording rule
                bad.yml: 14:13: group "g", rule 4, "r": invalid field 'for' in recording rule
                bad.yml: 0:0: groupname: "g" is repeated in the same file
                bad.yml: 0:0: Groupname must not be empty

                """)
        #expect(output.exitCode == 1)
    }

    @Test("unknown fields are told, and nothing else")
    func unknownFields() {
        let output = check([
            "bad.yml": "groups:\n- name: g\n  foo: 1\n  rules:\n  - {record: a, expr: 'up ==', bar: 2}\n"
        ])
        #expect(
            output.text == """
                Checking bad.yml
                  FAILED:
                bad.yml: yaml: unmarshal errors:
                  line 5: field bar not found in type rulefmt.Rule
                  line 3: field foo not found in type rulefmt.RuleGroup

                """)
    }

    @Test("duplicate rules are a lint: told, fatal only on demand")
    func duplicates() {
        let output = check(["dup.yml": Self.twice])
        #expect(
            output.text == """
                Checking dup.yml
                  FAILED:
                lint error 1 duplicate rule(s) found.
                Metric: a
                Label(s):
                \tx: y
                Might cause inconsistency while recording expressions


                """)
        #expect(output.exitCode == 0)
        #expect(check(["dup.yml": Self.twice], isFatal: true).exitCode == 3)
        #expect(check(["dup.yml": Self.twice], .none).text == "Checking dup.yml\n  SUCCESS: 3 rules found\n\n")
    }

    private func configurations(
        _ files: [String: String], _ lint: CheckTool.Lint = .duplicateRules, isFatal: Bool = false,
        isSyntaxOnly: Bool = false
    ) -> ToolOutput {
        var tool = CheckTool(ToolFixture(files: files).seen)
        tool.lints = [lint]
        tool.isLintFatal = isFatal
        return tool.configurations(["c.yml"], isSyntaxOnly: isSyntaxOnly)
    }

    @Test("a configuration is checked with the rule files that it names")
    func configuration() {
        let config = """
            global: {scrape_interval: 10m}
            rule_files: [dup.yml, r.yml]
            scrape_configs: [{job_name: x, static_configs: [{targets: [a:1]}]}]
            """
        let files = ["c.yml": config, "dup.yml": Self.twice, "r.yml": Self.good]
        let output = configurations(files)
        #expect(
            output.text.hasPrefix(
                """
                Checking c.yml
                  SUCCESS: 2 rule files found
                 SUCCESS: c.yml is valid prometheus config file syntax

                Checking dup.yml
                  FAILED:
                lint error 1 duplicate rule(s) found.

                """))
        #expect(output.text.hasSuffix("Checking r.yml\n  SUCCESS: 2 rules found\n\n"))
        #expect(output.exitCode == 0)
        let all = configurations(files, .all, isFatal: true)
        #expect(
            all.text.contains(
                "\n\n  FAILED: too long scrape interval found, data point will be marked as stale - job: x, interval: 10m\nChecking dup.yml\n"
            ))
        #expect(all.exitCode == 3)
        var broken = files
        broken["r.yml"] = "groups: [{name: g, rules: [{record: a, expr: 'up =='}]}]"
        #expect(configurations(broken).exitCode == 1)
    }

    @Test("a rule file that is not there is an error, unless only the syntax counts")
    func missingRuleFile() {
        let files = ["c.yml": "rule_files: [nope.yml, 'x/*.yml']\n"]
        let output = configurations(files)
        #expect(output.text == "Checking c.yml\n  FAILED: \"nope.yml\" does not point to an existing file\n\n")
        #expect(output.exitCode == 1)
        #expect(
            configurations(files, isSyntaxOnly: true).text
                == "Checking c.yml\n SUCCESS: c.yml is valid prometheus config file syntax\n\n")
    }

    @Test("files of any bytes give an answer", arguments: TestSeed.seeds(3))
    func hostileFiles(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let good = Array(Self.good.utf8)
        for round in 0..<TestSeed.cases(400) {
            var bytes = good
            for _ in 0..<(1 + round % 8) {
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: Int.random(in: bytes.indices, using: &random))
                case 2:
                    let word =
                        ["{{", "}}", "&a", "*a", "- ", ": ", "\t", "!!x ", "|", "'", "\"", "99999999999999999999"]
                        .randomElement(using: &random) ?? ""
                    bytes.insert(contentsOf: Array(word.utf8), at: Int.random(in: bytes.indices, using: &random))
                default:
                    let start = Int.random(in: bytes.indices, using: &random)
                    bytes += bytes[start..<min(start + 40, bytes.count)]
                }
            }
            let text = bytes
            let files = ToolFiles(read: { (_: String) throws(TSDBError) in text }, glob: { _ in ["r.yml"] })
            var tool = CheckTool(files)
            let rules = tool.rules(["r.yml"])
            #expect(rules.text.hasPrefix("Checking r.yml\n"))
            #expect(tool.configurations(["c.yml"]).text.hasPrefix("Checking c.yml\n"))
            var tests = RuleTestTool(files, now: Timestamp(milliseconds: 0))
            #expect(!tests.run(["t.yml"]).lines.isEmpty)
        }
    }
}
