import DemoSupport
import HTTPServer
import HTTPTypes
import Logging
import NIOCore
import Postgres
import ServiceProcess
import Testing

@testable import DemoAPI

@Suite("The api, without a socket")
struct DemoAPITests {
    private let stop = StopRequest()

    private func api(
        _ database: ScriptedDatabase = ScriptedDatabase(), token: String? = "secret", fault: Fault = Fault(), strictParity: Bool = false
    ) -> DemoAPI {
        DemoAPI(
            database.pool(), fault: fault, strictParity: strictParity, token: AccessToken("ADMIN_TOKEN", token), stop: stop,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, now: { 1_700_000_000 }, chance: { 0 })
    }

    private func ask(
        _ api: DemoAPI, _ method: HTTPRequest.Method, _ path: String, query: String = "", _ body: String = "", token: String? = nil,
        accept: String? = nil
    ) async -> (status: Int, text: String, type: String) {
        var headers: HTTPFields = [:]
        if let token { headers[.authorization] = "Bearer \(token)" }
        if let accept { headers[.accept] = accept }
        let reply = await api.answer(APIRequest(method, path, query: query, headers: headers, body: ByteBuffer(string: body)))
        guard case .buffer(let buffer) = reply.body else { return (reply.status.code, "", reply.contentType) }
        return (reply.status.code, String(buffer: buffer), reply.contentType)
    }

    private static let row = Rows(
        columns: ["id", "amount", "description", "created_at"], cells: [["1", "12.50", "a \"b\"", "2026-01-01T00:00:00.000Z"]])

    @Test("health needs no database")
    func health() async {
        let database = ScriptedDatabase()
        database.stop()
        let answer = await ask(api(database), .get, "/health")
        #expect(answer.status == 200 && answer.text == "{\"status\":\"ok\"}\n")
    }

    @Test("transactions are listed and inserted")
    func transactions() async {
        let api = api(ScriptedDatabase { _, _ in .success(Self.row) })
        let json = #"{"id":1,"amount":"12.50","description":"a \"b\"","created_at":"2026-01-01T00:00:00.000Z"}"#
        #expect(await ask(api, .get, "/transactions", query: "limit=1").text == "{\"transactions\":[\(json)]}\n")
        let inserted = await ask(api, .post, "/transactions", #"{"amount":12.5,"description":"a"}"#)
        #expect(inserted.status == 201 && inserted.text == json + "\n")
    }

    @Test(
        "wrong input is 400 with the reason, and never reaches the database",
        arguments: [
            ("", "object"), ("[1]", "object"), ("{}", "amount"), (#"{"amount":"1"}"#, "amount"), (#"{"amount":1e10}"#, "amount"),
            (#"{"amount":1e999}"#, "object"), (#"{"amount":1,"description":7}"#, "description"),
            (#"{"amount":1,"description":"a\u0000"}"#, "description"),
        ])
    func wrongInput(body: String, reason: String) async {
        let database = ScriptedDatabase(), answer = await ask(api(database), .post, "/transactions", body)
        #expect(answer.status == 400 && answer.text.contains(reason))
        #expect(database.statements.isEmpty)
    }

    @Test("limits outside 1…1000 are 400", arguments: ["0", "1001", "x", "-1", "99999999999999999999"])
    func limit(text: String) async { #expect(await ask(api(), .get, "/transactions", query: "limit=\(text)").status == 400) }

    @Test("a database that is away is 503 and no exception; what nobody foresaw is 500 and one")
    func databaseErrors() async {
        let away = ScriptedDatabase()
        away.stop()
        let first = api(away)
        #expect(await ask(first, .get, "/transactions").status == 503)
        #expect(await ask(first, .get, "/metrics").text.contains("exceptions_total{method=\"GET\",status=\"500\"} 0\n"))
        let broken = api(ScriptedDatabase { _, _ in .failure(PostgresError(.refused, sqlState: "42P01", "no such table")) })
        #expect(await ask(broken, .get, "/transactions").status == 500)
        #expect(await ask(broken, .get, "/metrics").text.contains("exceptions_total{method=\"GET\",status=\"500\"} 1\n"))
    }

    @Test("unknown paths are 404, wrong methods 405, and OPTIONS lists them")
    func routes() async {
        #expect(await ask(api(), .get, "/nowhere").status == 404)
        #expect(await ask(api(), .delete, "/health").status == 405)
        #expect(await ask(api(), .options, "/transactions").status == 200)
    }

    @Test("without the token nobody breaks anything; where none is configured nobody at all")
    func guarded() async {
        let api = api()
        for path in ["/-/chaos", "/-/quit"] {
            #expect(await ask(api, .post, path, "{}").status == 401)
            #expect(await ask(api, .post, path, "{}", token: "wrong").status == 403)
            #expect(await ask(self.api(token: nil), .post, path, "{}", token: "").status != 200)
        }
        #expect(await ask(self.api(token: nil), .get, "/-/chaos", token: "x").text.contains("no ADMIN_TOKEN is configured"))
        #expect(await ask(api, .get, "/health").status == 200)
    }

    @Test("a posted fault strikes the application, never metrics and health checks, until it is deleted")
    func chaos() async {
        let api = api()
        #expect(await ask(api, .post, "/-/chaos", #"{"status":503}"#, token: "secret").status == 200)
        #expect(await ask(api, .get, "/health").status == 503)
        #expect(await ask(api, .get, "/metrics").status == 200)
        #expect(await ask(api, .get, "/-/healthy").status == 200)
        #expect(await ask(api, .post, "/-/chaos", #"{"throw":true}"#, token: "secret").status == 200)
        #expect(await ask(api, .get, "/health").status == 500)
        #expect(await ask(api, .delete, "/-/chaos", token: "secret").status == 200)
        #expect(await ask(api, .get, "/health").status == 200)
        let text = await ask(api, .get, "/metrics").text
        #expect(text.contains("exceptions_total{method=\"GET\",status=\"500\"} 1\n"))
        #expect(text.contains("flask_http_request_total{method=\"GET\",status=\"503\"} 1\n"))
        #expect(!text.contains("path=\"/metrics\"") && !text.contains("/-/"))
    }

    @Test("a delay for the database is spent in the statement")
    func databaseDelay() async {
        let delays = ScriptedDatabase { statement, parameters in
            #expect(statement.contains("pg_sleep") && parameters.last == .text("2.0"))
            return .success(Self.row)
        }
        let api = api(delays)
        _ = await ask(api, .post, "/-/chaos", #"{"db_delay_ms":2000}"#, token: "secret")
        #expect(await ask(api, .get, "/transactions").status == 200)
        #expect(await ask(api, .post, "/transactions", #"{"amount":1}"#).status == 201)
    }

    @Test("a scraper that takes OpenMetrics gets it")
    func negotiation() async {
        let api = api()
        #expect(await ask(api, .get, "/metrics").type == "text/plain; version=0.0.4; charset=utf-8")
        let answer = await ask(
            api, .get, "/metrics", accept: "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2")
        #expect(answer.type.hasPrefix("application/openmetrics-text; version=1.0.0"))
        #expect(answer.text.hasSuffix("# EOF\n"))
    }

    @Test("ready as long as the database answers")
    func ready() async {
        let database = ScriptedDatabase(), api = api(database)
        #expect(await ask(api, .get, "/-/ready").status == 200)
        database.stop()
        #expect(await ask(api, .get, "/-/ready").status == 503)
        database.start()
        #expect(await ask(api, .get, "/-/ready").status == 200)
    }

    @Test("quit answers, then asks the process to end, and is not ready any more")
    func quit() async {
        let api = api()
        #expect(await ask(api, .post, "/-/quit", token: "secret").status == 200)
        await stop.wait()
        #expect(await ask(api, .get, "/-/ready").status == 503)
    }
}
