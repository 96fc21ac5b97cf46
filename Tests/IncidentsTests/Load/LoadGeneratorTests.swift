import HTTPServer
import Loopback
import NIOCore
import Testing

@testable import Incidents

@Suite("A load over real sockets", .timeLimit(.minutes(1)))
struct LoadGeneratorTests {
    @Test("all requests arrive, paths in turn, statuses counted")
    func statuses() async throws {
        let service = ScriptedService { request, _ in request.hasSuffix("/bad") ? .text("no", .serviceUnavailable) : .text("ok") }
        try await serving(service) { port in
            var request = LoadGenerator.Request(base: "http://127.0.0.1:\(port)", paths: ["/good", "/bad"])
            request.method = "POST"
            request.body = "{}"
            let generator = try LoadGenerator(request, try #require(ArrivalSchedule(rate: 500, length: .milliseconds(80))))
            let report = await generator.run()
            #expect(report.sent == 40 && report.statuses == [200: 20, 503: 20] && report.failed == 0 && report.inFlight == 0)
            #expect(report.latencies.count == 40)
        }
        #expect(Set(service.transcript) == ["POST /good {}", "POST /bad {}"])
    }

    @Test("a server that never answers: timeouts with their time, the rest not sent")
    func timeouts() async throws {
        let service = ScriptedService { _, _ in
            try? await Task.sleep(for: .seconds(600))
            return .text("late")
        }
        try await serving(service) { port in
            var request = LoadGenerator.Request(base: "http://127.0.0.1:\(port)", paths: ["/"])
            // All ten are due long before the first time is over, on a busy machine too.
            request.timeout = .seconds(2)
            request.connections = 3
            let report = await (try LoadGenerator(request, try #require(ArrivalSchedule(rate: 200, length: .milliseconds(50))))).run()
            #expect(report.sent == 3 && report.unsent == 7 && report.errors == ["timeout": 3])
            #expect((report.latencies.quantile(0) ?? 0) >= 2_000_000)
        }
    }

    @Test("nobody there is an error with its reason, and has no latency")
    func refused() async throws {
        let report = await
            (try LoadGenerator(
                LoadGenerator.Request(base: "http://127.0.0.1:1", paths: ["/"]), try #require(ArrivalSchedule(rate: 100, length: .milliseconds(30)))))
            .run()
        #expect(report.errors == ["connection refused": 3] && report.latencies.count == 0)
    }

    @Test("a load that is ended early says what was sent, and cuts off what is under way")
    func cancelled() async throws {
        let begun = AsyncStream.makeStream(of: Void.self)
        let service = ScriptedService { _, _ in
            begun.continuation.yield()
            try? await Task.sleep(for: .seconds(600))
            return .text("late")
        }
        try await serving(service) { port in
            // Nothing but the cancellation may end the request, and no second one is due, however slow the machine is.
            var request = LoadGenerator.Request(base: "http://127.0.0.1:\(port)", paths: ["/"])
            request.timeout = .seconds(3600)
            let generator = try LoadGenerator(request, try #require(ArrivalSchedule(rate: 0.0001, length: .seconds(36000))))
            let work = Task { await generator.run() }
            for await _ in begun.stream { break }
            work.cancel()
            let report = await work.value
            #expect(report.sent == 1 && report.cut == 1 && report.latencies.count == 0)
        }
    }

    @Test(
        "what is no address, no path and no method is refused",
        arguments: [
            ("ftp://x", "/", "GET"), ("http://", "/", "GET"), ("http://x:0", "/", "GET"), ("http://x", "health", "GET"), ("http://x", "/a b", "GET"),
            ("http://x", "/", "get x"),
        ])
    func malformed(base: String, path: String, method: String) {
        var request = LoadGenerator.Request(base: base, paths: [path])
        request.method = method
        #expect(throws: IncidentError.self) {
            guard let schedule = ArrivalSchedule(rate: 1, length: .seconds(1)) else { return }
            _ = try LoadGenerator(request, schedule)
        }
    }
}
