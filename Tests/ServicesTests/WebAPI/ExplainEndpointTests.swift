import HTTPTypes
import PromQL
import Synchronization
import TSDB
import Testing

@testable import WebAPI

@Suite("Explanations over HTTP: nothing unless asked for, then trees and arithmetic")
struct ExplainEndpointTests {
    private func loaded() throws -> TestAPI {
        let ticks = Ticks()
        var options = EngineOptions()
        options.clock = { ticks.next() }
        let test = TestAPI(options: options)
        try test.load(["__name__": "a_total", "job": "x"], [1, 2, 3, 5])
        try test.load(["__name__": "a_total", "job": "y"], [0, 10, 20, 30])
        return test
    }

    private final class Ticks: Sendable {
        private let now = Atomic<Int64>(0)
        func next() -> Int64 { now.wrappingAdd(1000, ordering: .relaxed).newValue }
    }

    private let query = "query=sum(rate(a_total[1m]))&start=0&end=30&step=10"

    @Test("who does not ask gets upstream's answer to the byte")
    func unasked() async throws {
        let test = try loaded()
        let plain = await test.get("/api/v1/query_range", query)
        #expect(!plain.contains("explain"))
        #expect(await test.get("/api/v1/query_range", query + "&explain=") == plain)
        let analyzed = await test.get("/api/v1/query_range", query + "&explain=analyze")
        let cut = try #require(analyzed.range(ofText: ",\"explain\":"))
        #expect(plain.hasPrefix(String(analyzed[..<cut])))
    }

    @Test("a plan reads nothing; its tree has titles, places and lines")
    func plan() async throws {
        let body = try await loaded().get("/api/v1/query_range", query + "&explain=plan")
        #expect(
            body
                == #"{"status":"success","data":{"resultType":"vector","result":[],"explain":{"mode":"plan","text":["query 4 steps from 0 to 30 by 10s","└─ sum","   └─ rate","      └─ window [1m] a_total"],"tree":{"title":"query","detail":"4 steps from 0 to 30 by 10s","children":[{"title":"sum","detail":"","place":[0,22],"children":[{"title":"rate","detail":"","place":[4,21],"children":[{"title":"window","detail":"[1m] a_total","place":[9,20],"children":[]}]}]}]}}}}"#
        )
    }

    @Test("an analysis counts series, points, samples and chunks, and takes time")
    func analyze() async throws {
        let body = try await loaded().get("/api/v1/query_range", query + "&explain=analyze")
        #expect(body.contains(#""mode":"analyze""#))
        #expect(
            body.contains(#""title":"rate","detail":"","place":[4,21],"measures":{"series":2,"columns":2,"points":6,"#))
        #expect(body.contains(#""storage":{"samples":8,"chunks":2,"#))
    }

    @Test("a point's arithmetic, down to its samples")
    func point() async throws {
        let body = try await loaded().get(
            "/api/v1/explain_point", "query=increase(a_total[1m])&time=30&metric={job=\"y\"}")
        #expect(body.hasPrefix(#"{"status":"success","data":{"text":["increase {job=\"y\"} = 30  at 30","#))
        #expect(body.contains(#""metric":{"job":"y"},"time":30,"value":"30""#))
        #expect(body.contains(#"{"name":"increase","formula":"30 - 0","note":"","value":"30"}"#))
        #expect(body.contains(#""samples":[[0,"0",""],[10,"10",""],[20,"20",""],[30,"30",""]]"#))
    }

    @Test(
        "what cannot be explained is named",
        arguments: [
            (
                "/api/v1/query", "query=a_total&explain=x", 400,
                #"invalid parameter \"explain\": must be plan or analyze"#
            ),
            (
                "/api/v1/explain_point", "query=a_total&time=30", 422,
                "the query has 2 series at that time: say which one"
            ),
            ("/api/v1/explain_point", "query=a_total[1m]&time=30", 422, "only points of instant vectors and scalars"),
            ("/api/v1/explain_point", "query=sum(&time=30", 400, #"invalid parameter \"query\": 1:5: parse error"#),
            ("/api/v1/explain_point", "query=a_total&time=30&metric={", 400, #"invalid parameter \"metric\""#),
            ("/api/v1/explain_point", "query=a_total&time=30&step=0", 400, #"invalid parameter \"step\""#),
            ("/api/v1/explain_point", "query=a_total&time=x", 400, #"invalid parameter \"time\""#),
        ])
    func refusals(_ path: String, _ query: String, _ status: Int, _ text: String) async throws {
        let answer = try await loaded().ask(.get, path, query)
        #expect(answer.status == status && answer.body.contains(text), "\(answer.body)")
    }

    @Test("numbers from outside never trap")
    func extremes() async throws {
        let test = try loaded()
        let numbers = ["-9223372036854775808", "9223372036854775807", "1e308", "NaN", "-Inf", "0", "1e15"]
        for time in numbers {
            for step in [
                "", "&step=1&start=0&end=\(time)", "&step=1e9&start=\(time)&end=0",
                "&step=9223372036&start=\(time)&end=\(time)",
            ] {
                for query in [
                    "a_total", "rate(a_total[5m:1m])", "vector(time())", "a_total @ end()",
                    "sum(max_over_time(a_total[100y]))",
                ] {
                    let answer = await test.ask(.get, "/api/v1/explain_point", "query=\(query)&time=\(time)\(step)")
                    #expect([200, 400, 422, 503].contains(answer.status), "\(query) \(time) \(step): \(answer.body)")
                }
            }
        }
    }
}

extension String {
    fileprivate func range(ofText wanted: String) -> Index? {
        indices.first { self[$0...].hasPrefix(wanted) }
    }
}
