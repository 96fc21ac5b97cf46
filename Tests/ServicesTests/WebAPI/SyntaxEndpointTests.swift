import HTTPTypes
import PromQL
import Testing

@testable import WebAPI

@Suite("Queries are formatted and taken apart as upstream does")
struct SyntaxEndpointTests {
    private let test: TestAPI = {
        var options = EngineOptions()
        options.parser = .everything
        return TestAPI(options: options)
    }()

    @Test("format_query gives a string, by GET and by POST")
    func format() async {
        let answer = #"{"status":"success","data":"sum by (a) (rate(foo{b=\"x\"}[5m])) / on (a) group_left (c) bar"}"#
        let query = "query=sum+by(a)(rate(foo{b='x'}[5m]))/on(a)group_left(c)bar"
        #expect(await test.get("/api/v1/format_query", query) == answer)
        let form: HTTPFields = [.contentType: "application/x-www-form-urlencoded"]
        #expect(await test.ask(.post, "/api/v1/format_query", headers: form, body: query).body == answer)
    }

    @Test("what does not parse is 400 with the place of the mistake", arguments: ["format_query", "parse_query"])
    func errors(path: String) async {
        let answer = await test.ask(.get, "/api/v1/" + path, "query=sum(")
        #expect(answer.status == 400)
        #expect(
            answer.body
                == #"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:5: parse error: unclosed left parenthesis"}"#
        )
        #expect(await test.ask(.get, "/api/v1/" + path).body.contains("unknown position: parse error: no expression found in input"))
        let deep = String(repeating: "(", count: 5_000) + "a" + String(repeating: ")", count: 5_000)
        #expect(await test.ask(.get, "/api/v1/" + path, "query=" + deep).status == 400)
    }

    /// The tree of `query`, without the envelope.
    private func tree(_ query: String) async -> String {
        let encoded = query.utf8.map { "%" + (String($0, radix: 16).count < 2 ? "0" : "") + String($0, radix: 16) }.joined()
        let body = await test.get("/api/v1/parse_query", "query=" + encoded)
        let envelope = #"{"status":"success","data":"#
        guard body.hasPrefix(envelope) else { return body }
        return String(body.dropFirst(envelope.count).dropLast())
    }

    @Test("literals, parentheses and signs")
    func plain() async {
        #expect(await tree("1.50") == #"{"type":"numberLiteral","val":"1.5"}"#)
        #expect(await tree("5m") == #"{"type":"numberLiteral","val":"300"}"#)
        #expect(await tree(#""a\"b""#) == #"{"type":"stringLiteral","val":"a\"b"}"#)
        #expect(
            await tree("-(pi())")
                == #"{"expr":{"expr":{"args":[],"func":{"argTypes":[],"name":"pi","returnType":"scalar","variadic":0},"type":"call"},"type":"parenExpr"},"op":"-","type":"unaryExpr"}"#
        )
    }

    @Test("selectors: matchers in order, the name last; spans in milliseconds; @")
    func selectors() async {
        #expect(
            await tree(#"x{a!~"b"} @ 123.5 offset -1h"#)
                == #"{"anchored":false,"matchers":[{"name":"a","type":"!~","value":"b"},{"name":"__name__","type":"=","value":"x"}],"name":"x","smoothed":false,"offset":-3600000,"offsetExpr":null,"startOrEnd":null,"timestamp":123500,"type":"vectorSelector"}"#
        )
        #expect(
            await tree("x[5m] anchored @ end()")
                == #"{"anchored":true,"matchers":[{"name":"__name__","type":"=","value":"x"}],"name":"x","smoothed":false,"offset":0,"offsetExpr":null,"startOrEnd":"end","timestamp":null,"range":300000,"rangeExpr":null,"type":"matrixSelector"}"#
        )
        #expect(
            await tree("a[1h:5m]")
                == #"{"expr":{"anchored":false,"matchers":[{"name":"__name__","type":"=","value":"a"}],"name":"a","smoothed":false,"offset":0,"offsetExpr":null,"startOrEnd":null,"timestamp":null,"type":"vectorSelector"},"offset":0,"offsetExpr":null,"range":3600000,"rangeExpr":null,"startOrEnd":null,"timestamp":null,"step":300000,"stepExpr":null,"type":"subquery"}"#
        )
    }

    @Test("aggregations and matching, fill values included")
    func operators() async {
        #expect(
            await tree("count_values without (b) (\"v\", vector(1))")
                == #"{"expr":{"args":[{"type":"numberLiteral","val":"1"}],"func":{"argTypes":["scalar"],"name":"vector","returnType":"vector","variadic":0},"type":"call"},"grouping":["b"],"op":"count_values","param":{"type":"stringLiteral","val":"v"},"type":"aggregation","without":true}"#
        )
        let joined = await tree("vector(1) > bool on (a) group_left (b) fill_right (0.5) vector(2)")
        #expect(joined.hasPrefix(#"{"bool":true,"lhs":{"#))
        #expect(
            joined.contains(
                #","matching":{"card":"many-to-one","fillValues":{"lhs":null,"rhs":0.5},"include":["b"],"labels":["a"],"on":true},"op":">","rhs":{"#
            ))
        #expect(await tree("1 + 2").contains(#""matching":null"#))
    }

    @Test("arithmetic on durations: parentheses are a mark, a literal in them is a sum of one")
    func durations() async {
        let range =
            #""range":0,"rangeExpr":{"lhs":{"lhs":null,"op":"step","rhs":null,"type":"durationExpr","wrapped":false},"op":"min_of","rhs":{"lhs":{"lhs":null,"op":"+","rhs":{"duration":true,"type":"numberLiteral","val":"300"},"type":"durationExpr","wrapped":true},"op":"*","rhs":{"duration":false,"type":"numberLiteral","val":"2"},"type":"durationExpr","wrapped":false},"type":"durationExpr","wrapped":false}"#
        #expect(await tree("x[min_of(step(), (5m) * 2)]").contains(range))
        let offset =
            #""offset":0,"offsetExpr":{"lhs":null,"op":"-","rhs":{"lhs":{"duration":true,"type":"numberLiteral","val":"3600"},"op":"-","rhs":{"lhs":null,"op":"range","rhs":null,"type":"durationExpr","wrapped":false},"type":"durationExpr","wrapped":true},"type":"durationExpr","wrapped":false}"#
        #expect(await tree("x offset -(1h - range())").contains(offset))
    }
}
