import Alerter
import HTTPServer
import PromQL
import Support
import TSDB
import Testing

@testable import WebAPI

@Suite("Rules in the API")
struct RuleEndpointTests {
    /// Two groups, evaluated once at time 1000.
    private func test() throws -> TestAPI {
        let test = TestAPI()
        try test.load(["__name__": "x", "job": "a"], [0.125])
        func rule(_ kind: Rule.Kind, _ query: String, _ labels: Alerter.Annotations = [:]) throws -> Rule {
            Rule(kind, query: query, expr: try Parser.parse(query), labels: labels)
        }
        let groups = [
            RuleGroup(
                name: "one", file: "a.yml", interval: .seconds(15), limit: 3, labels: ["team": "t"],
                rules: [
                    try rule(.recording(metric: "y"), "sum(x)by(job)"),
                    try rule(
                        .alerting(.init(name: "A", keepFiring: .minutes(1), annotations: [("s", "{{ $value }}")])), "x>0",
                        ["severity": "page"]),
                ]),
            RuleGroup(
                name: "two", file: "b.yml", interval: .minutes(1),
                rules: [try rule(.alerting(.init(name: "B", hold: .minutes(5))), "x>0"), try rule(.recording(metric: "bad"), "x[5m]")]),
        ]
        let environment = RuleEnvironment(storage: test.database, engine: Engine(), clock: test.clock)
        let statuses = groups.map { group in
            var evaluation = GroupEvaluation(group)
            _ = evaluation.evaluate(at: Timestamp(milliseconds: 1_000), in: environment)
            return evaluation.status
        }
        var parts = try #require(test.status.parts)
        parts.rules = RulesView(groups: { statuses }, alertmanagers: { (["http://am/api/v2/alerts"], ["http://x/"]) })
        test.status.use(parts)
        return test
    }

    @Test("a group has all that upstream says of it")
    func groups() async throws {
        let body = try await test().get("/api/v1/rules", "rule_group[]=one")
        #expect(
            body
                == #"{"status":"success","data":{"groups":[{"name":"one","file":"a.yml","rules":[{"name":"y","query":"sum by (job) (x)","labels":{"team":"t"},"health":"ok","evaluationTime":0,"lastEvaluation":"1970-01-01T00:16:40Z","type":"recording"},{"state":"firing","name":"A","query":"x \u003e 0","duration":0,"keepFiringFor":60,"labels":{"severity":"page","team":"t"},"annotations":{"s":"{{ $value }}"},"alerts":[{"labels":{"alertname":"A","job":"a","severity":"page","team":"t"},"annotations":{"s":"0.125"},"state":"firing","activeAt":"1970-01-01T00:00:01Z","value":"1.25e-01"}],"health":"ok","evaluationTime":0,"lastEvaluation":"1970-01-01T00:16:40Z","type":"alerting"}],"interval":15,"limit":3,"evaluationTime":0,"lastEvaluation":"1970-01-01T00:16:40Z"}]}}"#
                .split(separator: "\\u003e").joined(separator: ">"))
    }

    @Test("errors of rules are shown, and groups without wanted rules left out")
    func filters() async throws {
        let test = try test()
        let bad = await test.get("/api/v1/rules", "rule_name[]=bad")
        #expect(bad.contains(#""health":"err","lastError":"rule result is not a vector or scalar""#))
        #expect(!bad.contains(#""name":"one""#))
        #expect(await test.get("/api/v1/rules", "type=alert&exclude_alerts=true&file[]=a.yml").contains(#""alerts":null"#))
        #expect(!(await test.get("/api/v1/rules", "type=alert").contains("recording")))
        #expect(await test.get("/api/v1/rules", "match[]={severity=\"page\"}").contains(#""name":"A""#))
        #expect(!(await test.get("/api/v1/rules", "match[]={severity=\"page\"}").contains(#""name":"B""#)))
        // Grafana's spelling of other servers means nothing here.
        #expect(await test.get("/api/v1/rules", "rule_group=two").contains(#""name":"one""#))
        #expect(await test.get("/api/v1/rules", "file[]=c.yml") == #"{"status":"success","data":{"groups":[]}}"#)
    }

    @Test("pages of groups follow a token")
    func pages() async throws {
        let test = try test()
        let first = await test.get("/api/v1/rules", "group_limit=1")
        let token = try #require(first.split(separator: #""groupNextToken":""#).last?.prefix { $0 != "\"" })
        #expect(first.contains(#""name":"one""#) && !first.contains(#""name":"two""#))
        let second = await test.get("/api/v1/rules", "group_limit=1&group_next_token=\(token)")
        #expect(second.contains(#""name":"two""#) && !second.contains(#""name":"one""#) && !second.contains("groupNextToken"))
    }

    @Test(
        "what cannot be is refused with upstream's words",
        arguments: [
            ("type=x", #"invalid parameter \"type\": not supported value \"x\""#),
            ("group_limit=0", #"invalid parameter \"group_limit\": group_limit needs to be greater than 0"#),
            ("group_next_token=x", #"invalid parameter \"group_next_token\": group_limit needs to be present in order to paginate over the groups"#),
            ("group_limit=1&group_next_token=x", #"invalid parameter \"group_next_token\": invalid group_next_token 'x'. were rule groups changed?"#),
            ("exclude_alerts=x", #"strconv.ParseBool: parsing \"x\": invalid syntax"#),
            ("match[]={}", "match[] must contain at least one non-empty matcher"),
        ])
    func refusals(query: String, text: String) async throws {
        let answer = try await test().ask(.get, "/api/v1/rules", query)
        #expect(answer.status == 400)
        #expect(answer.body.contains(text))
    }

    @Test("alerts and Alertmanagers")
    func lists() async throws {
        let test = try test()
        let alerts = await test.get("/api/v1/alerts")
        #expect(
            alerts.contains(#""alertname":"A""#) && alerts.contains(#""state":"pending","activeAt":"1970-01-01T00:00:01Z","value":"1.25e-01"}]}}"#))
        #expect(
            await test.get("/api/v1/alertmanagers")
                == #"{"status":"success","data":{"activeAlertmanagers":[{"url":"http://am/api/v2/alerts"}],"droppedAlertmanagers":[{"url":"http://x/"}]}}"#
        )
    }

    @Test(
        "values as Go's %e writes them",
        arguments: [
            (0, "0e+00"), (1, "1e+00"), (-12.5, "-1.25e+01"), (0.00012, "1.2e-04"), (1e21, "1e+21"), (123_456_789, "1.23456789e+08"),
            (1.5e-7, "1.5e-07"), (.infinity, "+Inf"), (100, "1e+02"),
        ])
    func scientific(value: Double, text: String) { #expect(JSONText.scientific(value) == text) }
}
