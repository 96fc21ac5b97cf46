import HTTPServer
import Loopback
import Programs
import Testing

@testable import Incidents

@Suite("Incidents as plans, and plans as requests", .timeLimit(.minutes(1)))
struct IncidentPlanTests {
    /// What each incident says to which service, and what takes it back.
    private static let table: [(Incident, begin: [String], revert: [String])] = [
        (
            .latency, [#"POST /-/chaos [Bearer t0ken] {"latency_ms":1000,"path":"/health","for_s":180}"#],
            ["DELETE /-/chaos [Bearer t0ken]"]
        ),
        (
            .errors, [#"POST /-/chaos [Bearer t0ken] {"throw":true,"path":"/transactions","for_s":180}"#],
            ["DELETE /-/chaos [Bearer t0ken]"]
        ),
        (
            .status, [#"POST /-/chaos [Bearer t0ken] {"status":503,"path":"/transactions","for_s":180}"#],
            ["DELETE /-/chaos [Bearer t0ken]"]
        ),
        (.dbSlow, [#"POST /-/chaos [Bearer t0ken] {"db_delay_ms":2000,"for_s":180}"#], ["DELETE /-/chaos [Bearer t0ken]"]),
        (.kill, ["POST /services/api/stop"], ["POST /services/api/start"]),
        (.partition, [#"POST /-/fault [Bearer t0ken] {"mode":"reset","for_s":180}"#], ["DELETE /-/fault [Bearer t0ken]"]),
        (.backlog, ["POST /-/enqueue?jobs=6000 [Bearer t0ken]"], []),
    ]

    private static func addresses(_ port: Int) -> StackAddresses {
        var addresses = StackAddresses()
        let here = "http://127.0.0.1:\(port)"
        (addresses.api, addresses.worker, addresses.proxy) = (here, here, here)
        (addresses.supervisor, addresses.prometheus, addresses.bot) = (here, here, here)
        return addresses
    }

    @Test("each incident asks for what was agreed on, with the token, and takes it back", arguments: table)
    func requests(incident: Incident, begin: [String], revert: [String]) async throws {
        let service = ScriptedService { _, _ in .object("{}") }
        try await serving(service) { port in
            let client = StackClient()
            let run = IncidentRun(IncidentPlan(incident), Self.addresses(port), client, token: "t0ken")
            try await run.begin()
            #expect(service.transcript == begin)
            #expect(await run.revert() == [])
            #expect(service.transcript == begin + revert)
            await client.shutdown()
        }
    }

    @Test("what the flags say arrives in the request")
    func flags() {
        var options = IncidentOptions()
        options.length = .milliseconds(90_500)
        options.latency = .milliseconds(250)
        options.path = "/a\"b"
        options.probability = 0.25
        options.fault = Fault(.delay, delay: .milliseconds(700))
        options.kill = .docker("flask_api")
        #expect(
            IncidentPlan(.latency, options).begin == [
                .request(.POST, .api, "/-/chaos", json: #"{"latency_ms":250,"path":"/a\"b","probability":0.25,"for_s":91}"#)
            ])
        #expect(
            IncidentPlan(.partition, options).begin == [.request(.POST, .proxy, "/-/fault", json: #"{"mode":"delay","delay_ms":700,"for_s":91}"#)])
        #expect(
            IncidentPlan(.kill, options).begin == [.docker(["stop", "flask_api"])]
                && IncidentPlan(.kill, options).revert == [.docker(["start", "flask_api"])])
        // A fault of another size reads otherwise: the range for 1 s does not apply.
        #expect(IncidentPlan(.latency, options).checks.isEmpty && !IncidentPlan(.latency).checks.isEmpty)
    }

    @Test("its load leaves the api sessions with a slow database; memory to be watched is as much as its alert needs")
    func amounts() {
        // Requests under way: rate × time each. The api's pool has 16 sessions.
        #expect(IncidentPlan(.dbSlow).loadRate * IncidentOptions().databaseDelay.seconds <= 12)
        #expect(IncidentPlan(.latency).loadRate == 20)
        var options = IncidentOptions()
        #expect(IncidentPlan(.memory, options).checks.isEmpty)
        options.megabytes = 0
        #expect(IncidentPlan(.memory, options).checks.map(\.query) == ["1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes"])
        // The alert looks back a minute and waits for half of one; three scrapes and evaluations come on top.
        #expect(Incident.cpu.naturalLength ?? .zero >= .seconds(60 + 30 + 15))
    }

    @Test("a network that is cut makes the api not ready, and ready again; one that is slow does not")
    func readiness() {
        func kinds(_ mode: Fault.Mode) -> [SightCheck.Kind] {
            var options = IncidentOptions()
            options.fault = Fault(mode, delay: mode == .delay ? .milliseconds(500) : .zero)
            return IncidentPlan(.partition, options).checks.filter { $0.query.contains("http://api:8000/-/ready") }.map(\.kind)
        }
        #expect(kinds(.reset) == [.seen(.equal(0)), .finally(.equal(1))] && kinds(.drop).count == 2 && kinds(.delay).isEmpty)
    }

    @Test("each says what it does, what to watch and what the bot will do", arguments: Incident.allCases)
    func announcement(incident: Incident) {
        let plan = IncidentPlan(incident)
        let text = plan.announcement(StackAddresses()).joined(separator: "\n")
        #expect(text.contains(plan.alert) && text.contains(plan.bot) && text.contains("http://localhost:9090/alerts"))
        #expect(!plan.sights.isEmpty && plan.sights.allSatisfy { text.contains($0.query) })
        #expect(!plan.begin.isEmpty)
    }

    @Test("a service that says no is an error with its reason, and no terminal codes")
    func refused() async throws {
        let service = ScriptedService { _, _ in .text("no\u{1b}[31m token\n", .forbidden) }
        try await serving(service) { port in
            let client = StackClient()
            let run = IncidentRun(IncidentPlan(.latency), Self.addresses(port), client, token: nil)
            let error = await #expect(throws: IncidentError.self) { try await run.begin() }
            #expect(
                error?.code == .refused && error?.message.contains("403: no [31m token ") == true && error?.message.contains("ADMIN_TOKEN") == true)
            #expect(service.transcript == [#"POST /-/chaos {"latency_ms":1000,"path":"/health","for_s":180}"#])
            await client.shutdown()
        }
    }

    @Test("a service that is away has no fault to take back; a supervisor that is away is a complaint")
    func away() async throws {
        let client = StackClient()
        let addresses = Self.addresses(1)
        #expect(await IncidentRun(IncidentPlan(.latency), addresses, client, token: nil).revert() == [])
        #expect(await IncidentRun(IncidentPlan(.kill), addresses, client, token: nil).revert().count == 1)
        await client.shutdown()
    }

    @Test(
        "no process is killed that the supervisor does not name properly",
        arguments: ["{}", #"{"pid":0}"#, #"{"pid":1}"#, #"{"pid":-1}"#, #"{"pid":1e12}"#, #"{"pid":"7"}"#, "x"])
    func noProcess(answer: String) async throws {
        let service = ScriptedService { _, _ in .object(answer) }
        try await serving(service) { port in
            let client = StackClient()
            var options = IncidentOptions()
            options.kill = .signal
            let run = IncidentRun(IncidentPlan(.kill, options), Self.addresses(port), client, token: nil)
            await #expect(throws: IncidentError.self) { try await run.begin() }
            #expect(service.transcript == ["GET /services/api"])
            await client.shutdown()
        }
    }

    @Test("the process that the supervisor names is ended")
    func signal() async throws {
        let child = try ChildProgram(try #require(ProgramFile.find("cat")), [])
        let pid = child.pid
        let service = ScriptedService { _, _ in .object(#"{"name":"api","pid":\#(pid)}"#) }
        try await serving(service) { port in
            let client = StackClient()
            var options = IncidentOptions()
            options.kill = .signal
            try await IncidentRun(IncidentPlan(.kill, options), Self.addresses(port), client, token: nil).begin()
            await client.shutdown()
        }
        #expect(await child.wait() == 128 + 9)
    }

    @Test(
        "addresses are taken apart",
        arguments: [
            ("http://api:8000", "api", 8000, ""), ("localhost:9090/", "localhost", 9090, ""), ("http://[::1]:80/a/b/", "::1", 80, "/a/b"),
            ("https://x", "x", 443, ""), ("http://x", "x", 80, ""),
        ])
    func address(text: String, host: String, port: Int, prefix: String) throws {
        let address = try ServiceAddress(text)
        #expect(address.host == host && address.port == port && address.prefix == prefix)
    }

    @Test(
        "what is no address is refused",
        arguments: ["", "http://", "ftp://x/", "http://a b", "http://x:70000", "http://x:", "http://u@x", "http://x?q", "unix" + " x"])
    func noAddress(text: String) { #expect(throws: IncidentError.self) { try ServiceAddress(text) } }
}
