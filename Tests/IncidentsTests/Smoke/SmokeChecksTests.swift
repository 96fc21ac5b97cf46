import HTTPServer
import Loopback
import Synchronization
import Testing

@testable import Incidents

@Suite("Checks of minprom smoke", .timeLimit(.minutes(1)))
struct SmokeChecksTests {
    /// A stack in good health, but for the answers of `sick`.
    private static func finding(_ name: String, sick: [String: Reply] = [:], countsAll: Bool = true) async throws -> Result<String, IncidentError> {
        let requests = Mutex(0)
        let service = ScriptedService { request, _ in
            if let reply = sick[request] { return reply }
            switch request {
            case "GET /services":
                return .object(
                    #"[{"name":"api","state":"running","health":"healthy","pid":7},{"name":"bot","state":"running","health":"none"},{"name":"secrets","state":"exited","health":"none"}]"#
                )
            case "GET /api/v1/targets?state=active":
                return .object(#"{"data":{"activeTargets":[{"health":"up","scrapeUrl":"http://api:8000/metrics"}]}}"#)
            case "GET /api/v1/query?query=1%2B1&time=4": return .object(#"{"data":{"resultType":"scalar","result":[4,"2"]}}"#)
            case "GET /api/v1/status/buildinfo": return .object(#"{"data":{"version":"3.5.0"}}"#)
            case "GET /api/v1/rules": return .object(#"{"data":{"groups":[{"rules":[{"health":"ok"},{"health":"unknown"}]}]}}"#)
            case "GET /api/v2/status": return .object(#"{"versionInfo":{"version":"0.34.0"}}"#)
            case "GET /-/ready": return .text("Ready\n")
            case "GET /health":
                requests.withLock { $0 += 1 }
                return .text("ok")
            case "GET /metrics":
                let count = requests.withLock { $0 }
                return .text("# TYPE x counter\nflask_http_request_total{status=\"200\"} \(countsAll ? count : 0)\nother 5\n")
            default: return .notFound
            }
        }
        let result = Mutex<Result<String, IncidentError>>(.failure(IncidentError(.system, "not run")))
        let check = try #require(SmokeChecks.all.first { $0.name == name })
        try await serving(service) { port in
            let here = "http://127.0.0.1:\(port)"
            var addresses = StackAddresses()
            (addresses.api, addresses.prometheus, addresses.bot, addresses.supervisor) = (here, here, here, here)
            let client = StackClient()
            let checks = SmokeChecks(addresses: addresses, alertmanager: here, client: client, loadLength: .milliseconds(500))
            let found: Result<String, IncidentError>
            do throws(IncidentError) { found = .success(try await check.run(checks)) } catch { found = .failure(error) }
            result.withLock { $0 = found }
            await client.shutdown()
        }
        return result.withLock { $0 }
    }

    @Test(
        "in a stack in good health each check finds what it is for",
        arguments: [
            ("services", "3 as they should be"), ("targets", "1 up"), ("data source", "answers 1+1, is 3.5.0"),
            ("rules", "2 in 1 groups, all in health"), ("alertmanager", "is 0.34.0"), ("bot", "ready"),
            ("load", "20 requests a second for 0.5 s; the api counted 10"),
        ])
    func good(name: String, finding: String) async throws {
        #expect(try await Self.finding(name).get() == finding)
    }

    @Test(
        "what is not as it should be fails its check, and is named",
        arguments: [
            (
                "services", "GET /services",
                #"[{"name":"api","state":"restarting","health":"none"},{"name":"bot","state":"running","health":"unhealthy"}]"#,
                "api is restarting, none; bot is running, unhealthy"
            ),
            (
                "targets", "GET /api/v1/targets?state=active",
                #"{"data":{"activeTargets":[{"health":"down","scrapeUrl":"http://x","lastError":"refused"}]}}"#, "http://x: refused"
            ),
            ("targets", "GET /api/v1/targets?state=active", #"{"data":{"activeTargets":[]}}"#, "none"),
            ("data source", "GET /api/v1/query?query=1%2B1&time=4", #"{"data":{"resultType":"vector"}}"#, "1+1 is no scalar"),
            ("data source", "GET /api/v1/status/buildinfo", #"{"data":{"version":"2.0","features":{}}}"#, "buildinfo"),
            ("rules", "GET /api/v1/rules", #"{"data":{"groups":[{"rules":[{"health":"err","lastError":"no vector"}]}]}}"#, "no vector"),
            ("rules", "GET /api/v1/rules", #"{"data":{"groups":[]}}"#, "none"),
            ("alertmanager", "GET /api/v2/status", "<html>", "/api/v2/status: "),
        ])
    func bad(name: String, request: String, answer: String, reason: String) async throws {
        let found = try await Self.finding(name, sick: [request: .object(answer)])
        guard case .failure(let error) = found else {
            Issue.record("found good: \(found)")
            return
        }
        #expect(error.message.hasPrefix(reason), "\(error.message)")
    }

    @Test("a bot that is not ready, and an api that does not count, are found")
    func more() async throws {
        await #expect(throws: IncidentError.self) { try await Self.finding("bot", sick: ["GET /-/ready": .text("no", .serviceUnavailable)]).get() }
        let load = await #expect(throws: IncidentError.self) { try await Self.finding("load", countsAll: false).get() }
        #expect(load?.message == "20 requests a second: 10 answered 200, 0 counted by the api")
        let broken = await #expect(throws: IncidentError.self) {
            try await Self.finding("load", sick: ["GET /health": .text("", .serviceUnavailable)]).get()
        }
        #expect(broken?.message == "20 requests a second: 0 answered 200, 0 counted by the api")
    }
}
