import HTTPTypes
import RegularExpression
import Synchronization
import Testing

@testable import WebAPI

@Suite("Paths, verbs and lifecycle")
struct RoutingTests {
    @Test("unknown paths are text, never a page")
    func unknown() async {
        let test = TestAPI(assets: WebAssets(files: ["index.html": Array("<html>".utf8), "app.js": [1]]))
        for path in [
            "/nope", "/api/v1/nope", "/api/v1/", "/rules/x", "/api/v1/label//values", "/api/v1/label/a/b/values", "/assets/x", "/assets/../x",
        ] {
            let answer = await test.ask(.get, path)
            #expect(answer.status == 404 && answer.body == "404 page not found\n", "\(path)")
        }
    }

    @Test("a wrong verb is 405 with what is allowed; OPTIONS is 204")
    func verbs() async {
        let test = TestAPI()
        let wrong = await test.ask(.post, "/api/v1/label/job/values")
        #expect(wrong.status == 405 && wrong.body == "Method Not Allowed\n")
        #expect(wrong.reply.headers[.allow] == "GET, OPTIONS")
        #expect(await test.ask(.delete, "/api/v1/query").reply.headers[.allow] == "GET, OPTIONS, POST")
        #expect(await test.ask(.options, "/api/v1/query").status == 204)
        let lifecycle = await test.ask(.get, "/-/reload")
        #expect(lifecycle.status == 405 && lifecycle.body == "Only POST or PUT requests allowed")
    }

    @Test("before the log is replayed only health answers")
    func ready() async {
        let test = TestAPI(ready: false)
        #expect(await test.ask(.get, "/-/healthy").status == 200)
        #expect(await test.ask(.get, "/-/ready").status == 503)
        #expect(await test.ask(.get, "/api/v1/query", "query=1").status == 503)
        #expect(await test.ask(.get, "/api/v1/status/walreplay").status == 200)
        #expect(await test.ask(.get, "/metrics").status == 200)
        test.status.setReady(true)
        #expect(await test.ask(.get, "/-/ready").body == "Prometheus Server is Ready.\n")
    }

    @Test("lifecycle needs its flag, and a page of another site cannot use it")
    func lifecycle() async {
        let asked = Mutex<[String]>([])
        let hooks = WebAPI.Hooks(
            reload: {
                asked.withLock { $0.append("reload") }
                return "line 3 is wrong"
            }, quit: { asked.withLock { $0.append("quit") } })
        let closed = TestAPI(hooks: hooks)
        #expect(await closed.ask(.post, "/-/reload").status == 403)
        #expect(await closed.ask(.put, "/-/quit").body == "Lifecycle API is not enabled.")
        #expect(asked.withLock { $0 } == [])
        let open = TestAPI(lifecycle: true, hooks: hooks)
        let site = HTTPField.Name("Sec-Fetch-Site")
        #expect(site != nil)
        if let site { #expect(await open.ask(.post, "/-/quit", headers: [site: "cross-site"]).status == 403) }
        #expect(asked.withLock { $0 } == [])
        #expect(await open.ask(.post, "/-/reload").body == "failed to reload config: line 3 is wrong\n")
        #expect(await open.ask(.post, "/-/quit").status == 200)
        #expect(asked.withLock { $0 } == ["reload", "quit"])
    }

    @Test("buildinfo has the six strings Grafana wants, and neither features nor application")
    func buildinfo() async {
        let body = await TestAPI().get("/api/v1/status/buildinfo")
        for key in ["version", "revision", "branch", "buildUser", "buildDate", "goVersion"] { #expect(body.contains("\"\(key)\":\"")) }
        #expect(!body.contains("features") && !body.contains("application"))
    }

    @Test("status endpoints answer JSON of upstream's shape")
    func status() async throws {
        let test = TestAPI()
        try test.load(["__name__": "a", "job": "x"], [1])
        #expect(await test.get("/api/v1/status/flags") == #"{"status":"success","data":{"a":"1","web.enable-lifecycle":"false"}}"#)
        #expect(await test.get("/api/v1/status/config") == #"{"status":"success","data":{"yaml":"global: {}\n"}}"#)
        #expect(
            await test.get("/api/v1/targets") == #"{"status":"success","data":{"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":{}}}"#)
        #expect(await test.get("/api/v1/rules") == #"{"status":"success","data":{"groups":[]}}"#)
        #expect(await test.get("/api/v1/metadata") == #"{"status":"success","data":{}}"#)
        let tsdb = await test.get("/api/v1/status/tsdb")
        #expect(tsdb.contains(#""seriesCountByMetricName":[{"name":"a","value":1}]"#))
        #expect(await test.get("/api/v1/status/runtimeinfo").contains(#""storageRetention":"#))
    }

    @Test("pages and files of the UI, with tags")
    func assets() async {
        let test = TestAPI(assets: WebAssets(files: ["index.html": Array("<p>".utf8), "app.js": Array("x".utf8)]))
        #expect(await test.ask(.get, "/query", "g0.expr=up").body == "<p>")
        #expect(await test.ask(.get, "/graph", "g0.expr=up").reply.headers[.location] == "/query?g0.expr=up")
        let file = await test.ask(.get, "/assets/app.js")
        #expect(file.body == "x" && file.reply.contentType == "text/javascript; charset=utf-8")
        let tag = file.reply.headers[.eTag] ?? ""
        #expect(await test.ask(.get, "/assets/app.js", headers: [.ifNoneMatch: tag]).status == 304)
    }

    @Test("metrics come as protobuf to who asks for it")
    func metricsInProtobuf() async {
        let test = TestAPI()
        _ = await test.get("/api/v1/labels")
        let accept = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
        let reply = await test.ask(.get, "/metrics", headers: [.accept: accept]).reply
        #expect(reply.contentType == "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited")
        #expect(reply.wholeBody.first != UInt8(ascii: "#") && !reply.wholeBody.isEmpty)
    }

    @Test(
        "every answer says what it is",
        arguments: [
            ("/api/v1/query?query=1", "application/json"), ("/api/v1/query?query=(", "application/json"),
            ("/-/healthy", "text/plain; charset=utf-8"), ("/nope", "text/plain; charset=utf-8"),
            ("/metrics", "text/plain; version=0.0.4; charset=utf-8"), ("/query", "text/html; charset=utf-8"),
            ("/assets/style.css", "text/css; charset=utf-8"), ("/assets/icon.svg", "image/svg+xml"),
            ("/assets/vendor/lib.mjs", "text/javascript; charset=utf-8"), ("/assets/raw", "application/octet-stream"),
        ])
    func contentTypes(target: String, type: String) async {
        let names = ["index.html", "style.css", "icon.svg", "vendor/lib.mjs", "raw"]
        let test = TestAPI(assets: WebAssets(files: Dictionary(uniqueKeysWithValues: names.map { ($0, [1]) })))
        let parts = target.split(separator: "?").map(String.init)
        #expect(await test.ask(.get, parts[0], parts.count > 1 ? parts[1] : "").reply.contentType == type)
    }

    @Test("every path of the API has its verbs, and HEAD is for pages and health")
    func allVerbs() async {
        let test = TestAPI(assets: WebAssets(files: ["index.html": [1]]))
        let both = ["query", "query_range", "query_exemplars", "format_query", "parse_query", "labels", "series"]
        for name in both { #expect(await test.ask(.put, "/api/v1/" + name).reply.headers[.allow] == "GET, OPTIONS, POST", "\(name)") }
        for name in ["metadata", "targets", "label/x/values", "status/buildinfo"] {
            #expect(await test.ask(.post, "/api/v1/" + name).reply.headers[.allow] == "GET, OPTIONS", "\(name)")
        }
        #expect(await test.ask(.get, "/api/v1/write").status == 405)
        for path in ["/-/healthy", "/-/ready", "/query"] { #expect(await test.ask(.head, path).status == 200, "\(path)") }
    }

    @Test("pages of other origins may read the API, as far as the flag lets them")
    func crossOrigin() async {
        let origin = "https://grafana.example"
        let open = await TestAPI().ask(.get, "/api/v1/query", "query=1", headers: [.origin: origin]).reply.headers
        #expect(open[.accessControlAllowOrigin] == origin && open[.vary] == "Origin")
        #expect(open[.accessControlAllowMethods] == "GET, POST, OPTIONS" && open[.accessControlExposeHeaders] == "Date")
        #expect(open[.accessControlAllowHeaders] == "Accept, Authorization, Content-Type, Origin")
        #expect(await TestAPI().ask(.get, "/api/v1/query", "query=(", headers: [.origin: origin]).reply.headers[.accessControlAllowOrigin] == origin)
        #expect(await TestAPI().ask(.get, "/api/v1/query", "query=1").reply.headers[.accessControlAllowOrigin] == nil)
        #expect(await TestAPI().ask(.get, "/metrics", headers: [.origin: origin]).reply.headers[.accessControlAllowOrigin] == nil)
        let asked = await TestAPI().ask(.options, "/api/v1/anything", headers: [.origin: origin])
        #expect(asked.status == 204 && asked.reply.headers[.accessControlAllowOrigin] == origin)
        let narrow = TestAPI(origins: try? Pattern("https://(grafana|other)[.]example"))
        #expect(await narrow.ask(.get, "/api/v1/query", headers: [.origin: origin]).reply.headers[.accessControlAllowOrigin] == origin)
        #expect(await narrow.ask(.get, "/api/v1/query", headers: [.origin: origin + ".evil"]).reply.headers[.accessControlAllowOrigin] == nil)
    }

    @Test("a page of another site may ask by POST what it may ask by GET, and may not write")
    func forged() async throws {
        let site = try #require(HTTPField.Name("Sec-Fetch-Site"))
        let headers: HTTPFields = [site: "cross-site", .origin: "https://x.example"]
        #expect(await TestAPI().ask(.post, "/api/v1/query", "query=1", headers: headers).status == 200)
        #expect(await TestAPI().ask(.post, "/api/v1/write", headers: headers).status == 403)
        #expect(await TestAPI(origins: nil).ask(.post, "/api/v1/query", "query=1", headers: headers).status == 403)
        #expect(await TestAPI().ask(.post, "/api/v1/query", "query=1", headers: [site: "cross-site"]).status == 403)
    }

    @Test("with a prefix everything lives below it, and / leads there")
    func prefixed() async {
        let test = TestAPI(assets: WebAssets(files: ["index.html": Array("<p>".utf8)]), prefix: "/prom")
        #expect(await test.ask(.get, "/prom/-/healthy").status == 200)
        #expect(await test.ask(.get, "/prom/api/v1/query", "query=1").status == 200)
        for path in ["/-/healthy", "/promx/-/healthy", "/prom/prom/-/healthy", "/query"] {
            #expect(await test.ask(.get, path).status == 404, "\(path)")
        }
        for path in ["/", "/prom", "/prom/"] {
            #expect(await test.ask(.get, path).reply.headers[.location] == "/prom/query", "\(path)")
        }
    }

    @Test("requests are counted per route")
    func counted() async {
        let test = TestAPI()
        _ = await test.get("/api/v1/query", "query=1")
        _ = await test.get("/api/v1/query", "query=(")
        _ = await test.get("/x/y")
        let page = await test.get("/metrics")
        #expect(page.contains("prometheus_http_requests_total{code=\"200\",handler=\"/api/v1/query\"} 1\n"))
        #expect(page.contains("prometheus_http_requests_total{code=\"400\",handler=\"/api/v1/query\"} 1\n"))
        #expect(page.contains("prometheus_http_requests_total{code=\"404\",handler=\"unknown\"} 1\n"))
        #expect(page.contains("prometheus_http_request_duration_seconds_count{handler=\"/api/v1/query\"} 2\n"))
    }
}
