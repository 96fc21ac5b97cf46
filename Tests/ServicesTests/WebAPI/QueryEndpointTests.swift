import HTTPServer
import HTTPTypes
import PromQL
import TSDB
import Testing

@testable import WebAPI

@Suite("Queries over HTTP answer as upstream does")
struct QueryEndpointTests {
    private func loaded() throws -> TestAPI {
        let test = TestAPI()
        try test.load(["__name__": "a", "job": "x"], [1, 2, 3])
        try test.load(["__name__": "a", "job": "y"], [0.5, .nan, .infinity])
        return test
    }

    @Test("an instant vector: type before result, time as a number, values as strings")
    func vector() async throws {
        let body = try await loaded().get("/api/v1/query", "query=a&time=10.5")
        #expect(
            body
                == #"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"a","job":"x"},"value":[10.5,"2"]},{"metric":{"__name__":"a","job":"y"},"value":[10.5,"NaN"]}]}}"#
        )
    }

    @Test("a range query: one list of points per series, absent steps left out")
    func matrix() async throws {
        let body = try await loaded().get("/api/v1/query_range", "query=a{job='y'}*2&start=-10&end=20&step=10")
        #expect(
            body
                == #"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"job":"y"},"values":[[0,"1"],[10,"NaN"],[20,"+Inf"]]}]}}"#
        )
    }

    @Test("scalars, strings and range vectors")
    func others() async throws {
        let test = try loaded()
        #expect(await test.get("/api/v1/query", "query=1%2B1&time=4") == #"{"status":"success","data":{"resultType":"scalar","result":[4,"2"]}}"#)
        // A scalar's value never has an exponent, a sample's may.
        for (query, type, value) in [("1e-7", "scalar", #"[4,"0.0000001"]"#), ("vector(1e-7)", "vector", #"{"metric":{},"value":[4,"1e-07"]}"#)] {
            let list = type == "vector" ? "[\(value)]" : value
            #expect(
                await test.get("/api/v1/query", "query=\(query)&time=4")
                    == "{\"status\":\"success\",\"data\":{\"resultType\":\"\(type)\",\"result\":\(list)}}")
        }
        #expect(
            await test.get("/api/v1/query", "query=%22a%5C%22b%22&time=4")
                == #"{"status":"success","data":{"resultType":"string","result":[4,"a\"b"]}}"#)
        #expect(
            await test.get("/api/v1/query", "query=a{job='x'}[1m]&time=15")
                == #"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"a","job":"x"},"values":[[0,"1"],[10,"2"]]}]}}"#
        )
        #expect(await test.get("/api/v1/query", "query=nope") == #"{"status":"success","data":{"resultType":"vector","result":[]}}"#)
    }

    @Test("a form body counts like the URL; a JSON body does not (vmalert sends an empty one)")
    func forms() async throws {
        let test = try loaded()
        let answer = #"{"status":"success","data":{"resultType":"scalar","result":[4,"2"]}}"#
        #expect(
            await test.ask(
                .post, "/api/v1/query", headers: [.contentType: "application/x-www-form-urlencoded"], body: "query=1%2B1&time=4"
            ).body == answer)
        #expect(
            await test.ask(.post, "/api/v1/query", "query=1%2B1&time=4", headers: [.contentType: "application/json"]).body
                == answer)
    }

    @Test("limit cuts series off and says so")
    func limit() async throws {
        let body = try await loaded().get("/api/v1/query", "query=a&time=10&limit=1")
        #expect(body.hasSuffix(#"]},"warnings":["results truncated due to limit"]}"#))
        #expect(body.contains(#""job":"x""#) && !body.contains(#""job":"y""#))
        let whole = try await loaded().get("/api/v1/query", "query=a&time=10&limit=2")
        #expect(!whole.contains("warnings"))
    }

    @Test("notes of the engine reach the reader")
    func infos() async throws {
        let body = try await loaded().get("/api/v1/query", "query=rate(a[1m])&time=20")
        #expect(body.contains(#""infos":["PromQL info: metric might not be a counter"#))
    }

    @Test(
        "bad parameters are named in upstream's words",
        arguments: [
            ("/api/v1/query", "", #"invalid parameter \"query\": unknown position: parse error: no expression found in input"#),
            (
                "/api/v1/query", "query=a&time=x",
                #"invalid parameter \"time\": invalid time value for 'time': cannot parse \"x\" to a valid timestamp"#
            ),
            ("/api/v1/query", "query=a&timeout=x", #"cannot parse \"x\" to a valid duration"#),
            ("/api/v1/query", "query=a&limit=x", #"invalid parameter \"limit\": strconv.Atoi: parsing \"x\": invalid syntax"#),
            ("/api/v1/query", "query=a&limit=-1", #"invalid parameter \"limit\": limit must be non-negative"#),
            ("/api/v1/query", "query=a&lookback_delta=x", #"error parsing lookback delta duration: cannot parse \"x\" to a valid duration"#),
            ("/api/v1/query", "query=sum(", #"invalid parameter \"query\": 1:5: parse error: unclosed left parenthesis"#),
            ("/api/v1/query_range", "query=a&start=x", #"invalid parameter \"start\": cannot parse \"x\" to a valid timestamp"#),
            ("/api/v1/query_range", "query=a&start=1&end=x", #"invalid parameter \"end\": cannot parse \"x\" to a valid timestamp"#),
            ("/api/v1/query_range", "query=a&start=1&end=2&step=x", #"invalid parameter \"step\": cannot parse \"x\" to a valid duration"#),
            (
                "/api/v1/query_range", "query=a&start=1&end=2&step=0",
                "zero or negative query resolution step widths are not accepted. Try a positive integer"
            ),
            ("/api/v1/query_range", "query=a&start=5&end=2&step=1", "end timestamp must not be before start time"),
            (
                "/api/v1/query_range", "query=a&start=1&end=200000&step=1",
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"
            ),
            (
                "/api/v1/query_range", "query=a[1m]&start=1&end=2&step=1",
                #"invalid expression type \"range vector\" for range query, must be Scalar or instant Vector"#
            ),
            ("/api/v1/query_range", "query=a&start=0&end=1&step=1e17", "It overflows int64"),
            ("/api/v1/query_exemplars", "query=a&start=5&end=1", "end timestamp must not be before start timestamp"),
            ("/api/v1/labels", "match[]=x(", #"1:2: parse error"#),
            ("/api/v1/labels", "start=x", #"invalid parameter \"start\": invalid time value for 'start'"#),
            ("/api/v1/series", "", "no match[] parameter provided"),
            ("/api/v1/series", "match[]={}", #"invalid parameter \"match[]\": match[] must contain at least one non-empty matcher"#),
            ("/api/v1/status/tsdb", "limit=0", "limit must be a positive number"),
            ("/api/v1/metadata", "limit=x", "limit must be a number"),
        ])
    func badParameters(_ path: String, _ query: String, _ text: String) async throws {
        let answer = try await loaded().ask(.get, path, query)
        #expect(answer.status == 400)
        #expect(answer.body.hasPrefix(#"{"status":"error","errorType":"bad_data","error":""#))
        #expect(answer.body.contains(text), "\(answer.body)")
    }

    @Test("numbers from outside never trap: times and steps at the ends of their ranges")
    func extremes() async throws {
        let test = try loaded()
        let numbers = ["-9223372036854775808", "9223372036854775807", "1e308", "-1e308", "NaN", "Inf", "-Inf", "0", "1e-300", "0x1p63", "1e15"]
        for start in numbers {
            for end in numbers {
                for step in ["1", "1e9", "1e-9", "9223372036", "NaN", "Inf", "-1"] {
                    let query = "query=sum_over_time(a[5m:1m])%2Ba&start=\(start)&end=\(end)&step=\(step)&timeout=\(step)&lookback_delta=\(step)"
                    let answer = await test.ask(.get, "/api/v1/query_range", query)
                    #expect([200, 400, 422, 503].contains(answer.status), "\(query): \(answer.body)")
                }
            }
            _ = await test.ask(.get, "/api/v1/query", "query=a@\(start)+offset+1y&time=\(start)")
            _ = await test.ask(.get, "/api/v1/series", "match[]=a&start=\(start)&end=0")
            _ = await test.ask(.get, "/api/v1/labels", "limit=\(start)")
        }
    }

    @Test("execution errors are 422, a timeout is 503, and a client that is gone cancels")
    func failures() async throws {
        var options = EngineOptions()
        options.maxSamples = 1
        let small = TestAPI(options: options)
        try small.load(["__name__": "a"], [1, 2, 3])
        let many = await small.ask(.get, "/api/v1/query_range", "query=a&start=0&end=20&step=1")
        #expect(many.status == 422 && many.body.contains("query processing would load too many samples into memory in query execution"))

        let test = try loaded()
        let gone = Connection()
        gone.clientIsGone()
        let reply = await test.api.answer(APIRequest(.get, "/api/v1/query", query: "query=a", connection: gone))
        #expect(reply.status.code == 503)
    }

    @Test("a large answer comes in pieces that make one JSON text")
    func pieces() async throws {
        let test = TestAPI()
        for series in 0..<300 { try test.load(["__name__": "big", "n": "\(series)"], (0..<20).map { Double($0) / 7 }) }
        let answer = await test.ask(.get, "/api/v1/query_range", "query=big&start=0&end=1000&step=1")
        guard case .pieces = answer.reply.body else {
            Issue.record("one buffer of \(answer.body.utf8.count) bytes")
            return
        }
        let text = String(decoding: answer.reply.wholeBody, as: UTF8.self)
        // The pieces were taken once already, by `ask`.
        #expect(text.isEmpty)
        #expect(
            answer.body.hasPrefix(
                #"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"big","n":"0"},"values":[[0,"0"],[1,"0"]"#))
        #expect(answer.body.hasSuffix(#"]}]}}"#))
        #expect(answer.body.split(separator: "{\"metric\":").count == 301)
    }

    @Test("labels, label values and series, with limits and escaped names")
    func labels() async throws {
        let test = try loaded()
        try test.load(["__name__": "b", "my.label": "ä\n"], [1])
        #expect(await test.get("/api/v1/labels") == #"{"status":"success","data":["__name__","job","my.label"]}"#)
        #expect(await test.get("/api/v1/labels", "match[]=a") == #"{"status":"success","data":["__name__","job"]}"#)
        #expect(await test.get("/api/v1/labels", "match[]=a&match[]=b") == #"{"status":"success","data":["__name__","job","my.label"]}"#)
        #expect(
            await test.get("/api/v1/labels", "limit=1") == #"{"status":"success","data":["__name__"],"warnings":["results truncated due to limit"]}"#)
        #expect(await test.get("/api/v1/label/job/values") == #"{"status":"success","data":["x","y"]}"#)
        #expect(await test.get("/api/v1/label/U__my_2e_label/values") == #"{"status":"success","data":["ä\n"]}"#)
        #expect(await test.get("/api/v1/series", "match[]=b") == #"{"status":"success","data":[{"__name__":"b","my.label":"ä\n"}]}"#)
        #expect(await test.get("/api/v1/series", "match[]=a&match[]={job=\"x\"}&limit=5").components(of: "__name__") == 2)
    }

    @Test("a probe for exemplars finds success and nothing, milliseconds included")
    func exemplars() async throws {
        let test = try loaded()
        #expect(await test.get("/api/v1/query_exemplars", "query=test&start=1800000000000&end=1800000000001") == #"{"status":"success","data":[]}"#)
    }
}

extension String {
    fileprivate func components(of part: String) -> Int { split(separator: part, omittingEmptySubsequences: false).count - 1 }
}
