import PromQL
import Support
import TSDB
import Testing

@testable import WebAPI

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

@Suite("Records of queries")
struct QueryRecordTests {
    private let folder = TemporaryDirectory("records")

    private func read(_ path: String) -> String {
        String(decoding: (try? DiskFileStore().readAll(path)) ?? [], as: UTF8.self)
    }

    private let clock = ManualClock(Timestamp(milliseconds: 1_000_000))

    @Test("what runs stands in the file, what has ended does not, and a regular end leaves nothing")
    func active() throws {
        let directory = folder.path
        let queries = try ActiveQueries(directory: directory, places: 2, clock: clock)
        let first = try #require(queries.begin("up"))
        let second = try #require(queries.begin("sum(\"x\ny\")"))
        #expect(queries.begin("none left") == nil)
        let bytes = try DiskFileStore().readAll(directory + "/queries.active")
        #expect(bytes.count == 2001 && bytes[0] == UInt8(ascii: "[") && bytes[1000] == UInt8(ascii: ","))
        #expect(read(directory + "/queries.active").hasPrefix(#"[{"query":"up","timestamp_sec":1000,"fingerprint":""#))
        first.end()
        let next = try ActiveQueries(directory: directory, places: 2, clock: clock)
        #expect(next.unfinished.count == 1 && next.unfinished[0].hasPrefix(#"{"query":"sum(\"x\ny\")""#))
        second.end()
        _ = next.begin("runs at the end")
        next.close()
        #expect(try ActiveQueries(directory: directory, places: 2, clock: clock).unfinished.isEmpty)
    }

    @Test("a query that was there at two crashes is refused for an hour; one that ended well in between is not")
    func poison() throws {
        let directory = folder.path
        func crash(_ work: (ActiveQueries) -> Void) throws {
            work(try ActiveQueries(directory: directory, places: 4, clock: clock))
            clock.advance(by: .seconds(10))
        }
        try crash { queries in
            _ = queries.begin("bad")
            _ = queries.begin("unlucky")
        }
        try crash { queries in
            #expect(queries.refusal(of: "bad") == nil, "once is bad luck")
            queries.begin("unlucky")?.end()
            _ = queries.begin("bad")
            _ = queries.begin("unlucky")
        }
        try crash { queries in
            #expect(queries.refusal(of: "bad") == 3600)
            #expect(queries.refusal(of: "unlucky") == nil)
        }
        // A quiet restart keeps the sentence; an hour later it is over.
        try crash { #expect($0.refusal(of: "bad") == 3590) }
        clock.advance(by: .hours(1))
        try crash { #expect($0.refusal(of: "bad") == nil) }
    }

    @Test("a refused query is answered with 422, others are not touched")
    func refused() async throws {
        let directory = folder.path
        for _ in 0..<2 { _ = try ActiveQueries(directory: directory, places: 4, clock: clock).begin("1 + 1") }
        let test = TestAPI(activeQueries: directory)
        let answer = await test.ask(.get, "/api/v1/query", "query=1%20%2B%201")
        #expect(answer.status == 422 && answer.body.contains("the server went down twice while this query ran"))
        #expect(await test.ask(.get, "/api/v1/query", "query=1%20%2B%202").status == 200)
    }

    @Test("long queries are cut to their place, between characters", arguments: ["ü", "\"", "\u{1}", "a"])
    func long(letter: String) {
        let text = ActiveQueries.text(String(repeating: letter, count: 60_000), 7, 1)
        #expect(text.count < 1000 && text.count > 200)
        #expect(String(decoding: text, as: UTF8.self).hasSuffix(#"","timestamp_sec":1,"fingerprint":"7"}"#))
    }

    @Test(
        "files that are none of ours are read over",
        arguments: ["", "[", "{}", "[\"fingerprint\"", "[x,\n\u{0}y\"fingerprint\":\"zz\"}"])
    func foreign(content: String) throws {
        let directory = folder.path
        for name in ["/queries.active", "/queries.suspects"] {
            let file = try DiskFileStore().openForAppending(directory + name)
            try Array(content.utf8).withUnsafeBytes { try file.append($0) }
            file.close()
        }
        let queries = try ActiveQueries(directory: directory, places: 1, clock: clock)
        #expect(queries.refusal(of: "a") == nil && queries.begin("a") != nil)
    }

    @Test("the query log has upstream's fields, one object per line, and no line for what does not parse")
    func log() async throws {
        let directory = folder.path
        let test = TestAPI(queryLog: directory + "/q.log")
        try test.load(["__name__": "a", "job": "x"], [1, 2, 3])
        _ = await test.ask(.get, "/api/v1/query", "query=a&time=10")
        _ = await test.ask(.get, "/api/v1/query_range", "query=a%2Ba&start=0&end=20&step=10")
        _ = await test.ask(.get, "/api/v1/query", "query=a%2B")
        _ = await test.ask(.get, "/api/v1/query", "query=topk(NaN,a)&time=10")
        let lines = read(directory + "/q.log").split(separator: "\n")
        #expect(lines.count == 3)
        #expect(
            lines[0].hasPrefix(
                #"{"time":"1970-01-01T00:16:40Z","level":"INFO","msg":"promql query logged","params":{"end":"1970-01-01T00:00:10Z","query":"a","start":"1970-01-01T00:00:10Z","step":0},"stats":{"timings":{"evalTotalTime":"#
            ))
        #expect(
            lines[0].hasSuffix(
                #""samples":{"totalQueryableSamples":1,"peakSamples":1}},"httpRequest":{"clientIP":"","method":"GET","path":"/api/v1/query"}}"#
            ))
        for part in [#""query":"a+a""#, #""step":10}"#, #""totalQueryableSamples":6"#] {
            #expect(lines[1].contains(part))
        }
        #expect(lines[2].contains(#""error":""#))
    }

    @Test("stats=all tells samples per step where the feature is on; any other value tells totals")
    func statistics() async throws {
        var options = EngineOptions()
        for isOn in [false, true] {
            options.perStepStatistics = isOn
            let test = TestAPI(options: options)
            try test.load(["__name__": "a", "job": "x"], [1, 2, 3])
            let all = await test.get("/api/v1/query_range", "query=rate(a[30s])&start=0&end=20&step=10&stats=all")
            let steps = #""totalQueryableSamplesPerStep":[[0,1],[10,2],[20,3]],"totalQueryableSamples":6,"#
            #expect(all.contains(steps) == isOn)
            let totals = await test.get("/api/v1/query", "query=a&time=20&stats=true")
            #expect(totals.contains(#""samples":{"totalQueryableSamples":1,"peakSamples":1}}"#))
            #expect(totals.contains(#""stats":{"timings":{"evalTotalTime":"#))
            #expect(!(await test.get("/api/v1/query", "query=a&time=20")).contains("stats"))
        }
    }
}
