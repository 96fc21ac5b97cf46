import HTTPServer
import Loopback
import Synchronization
import Testing

@testable import Incidents

@Suite("Watching a scripted stack", .timeLimit(.minutes(1)))
struct WatcherTests {
    /// Prometheus and bot as they answer at one step of a story.
    private struct Scene {
        var state: String?
        var p95: String?
        var log: [String] = []
    }

    private static func line(_ event: String, _ more: String = "") -> String {
        #"{"event":"\#(event)","alert":"APIHighLatency","hash":"\#(event)"\#(more)}"#
    }

    private func play(_ scenes: [Scene]) async throws -> ([String], [String]) {
        let step = Mutex(0)
        let service = ScriptedService { request, _ in
            let scene = scenes[min(step.withLock { $0 }, scenes.count - 1)]
            switch request {
            case "GET /api/v1/alerts":
                let alert = scene.state.map { #"{"labels":{"alertname":"APIHighLatency"},"state":"\#($0)"}"# } ?? ""
                return .object(#"{"status":"success","data":{"alerts":[\#(alert)]}}"#)
            case "GET /api/incidents": return .object("[" + scene.log.joined(separator: ",") + "]")
            default:
                let sample = scene.p95.map { #"{"metric":{},"value":[1,"\#($0)"]}"# } ?? ""
                return .object(#"{"status":"success","data":{"resultType":"vector","result":[\#(sample)]}}"#)
            }
        }
        let result = Mutex<([String], [String])>(([], []))
        try await serving(service) { port in
            var addresses = StackAddresses()
            (addresses.prometheus, addresses.bot) = ("http://127.0.0.1:\(port)", "http://127.0.0.1:\(port)")
            let client = StackClient()
            var watcher = Watcher(IncidentPlan(.latency), addresses, client, Watcher.Options(botToken: "b0t"))
            try await watcher.begin()
            var told: [String] = []
            for index in scenes.indices.dropFirst() {
                step.withLock { $0 = index }
                told += await watcher.poll(at: .seconds(15 * index)).map(\.text)
            }
            let final = (told, watcher.objections)
            result.withLock { $0 = final }
            await client.shutdown()
        }
        #expect(service.transcript.contains("GET /api/incidents [Bearer b0t]"))
        return result.withLock { $0 }
    }

    @Test("the whole story: seen, decided, done, verified, resolved")
    func story() async throws {
        let decided = [Self.line("received"), Self.line("decision")]
        let done = decided + [Self.line("action", #","action":"restart","target":"api","result":"ok""#)]
        let verified = done + [Self.line("verified", #","verify":{"ok":true,"after":0.004}"#)]
        let (told, objections) = try await play([
            Scene(), Scene(state: nil, p95: "NaN"), Scene(state: "pending", p95: "2.41"), Scene(state: "firing", p95: "2.425"),
            Scene(state: "firing", p95: "2.425", log: decided), Scene(state: "firing", p95: "2.425", log: done),
            Scene(state: "firing", p95: "1.9", log: verified), Scene(state: nil, p95: "0.005", log: verified + [Self.line("resolved")]),
        ])
        #expect(objections == [])
        #expect(
            told == [
                "APIHighLatency inactive → pending", "seen: p95 reads between 2.3 and 2.5 (2.410)", "APIHighLatency pending → firing",
                "bot: received APIHighLatency", "bot: decision APIHighLatency", "bot: action APIHighLatency  restart api → ok",
                "bot: verified APIHighLatency  now 0.004", "APIHighLatency firing → inactive", "bot: resolved APIHighLatency",
            ])
    }

    @Test("p95 that reads 1 s is the wrong one, however well it heals")
    func wrongReading() async throws {
        let log = ["received", "decision", "action", "verified", "resolved"].map { Self.line($0, #","result":"ok","verify":{"ok":true}"#) }
        let (_, objections) = try await play([Scene(), Scene(state: "pending", p95: "1.0"), Scene(state: "firing", p95: "1.0"), Scene(log: log)])
        #expect(objections == ["p95 reads between 2.3 and 2.5: not seen; last reading no series"])
    }

    @Test("a stack that does not answer, or whose alert fires already, is not watched")
    func notWatchable() async throws {
        let client = StackClient()
        var addresses = StackAddresses()
        (addresses.prometheus, addresses.bot) = ("http://127.0.0.1:1", "http://127.0.0.1:1")
        var watcher = Watcher(IncidentPlan(.latency), addresses, client)
        await #expect(throws: IncidentError.self) { try await watcher.begin() }
        #expect(await watcher.poll(at: .zero).map(\.text).allSatisfy { $0.hasPrefix("no answer: ") })
        // Told once, not every second.
        #expect(await watcher.poll(at: .seconds(1)) == [])
        await client.shutdown()
        await #expect(throws: (any Error).self) { try await playFiring() }
    }

    private func playFiring() async throws {
        let service = ScriptedService { _, _ in
            .object(#"{"status":"success","data":{"alerts":[{"labels":{"alertname":"APIHighLatency"},"state":"firing"}]}}"#)
        }
        let failure = Mutex<IncidentError?>(nil)
        try await serving(service) { port in
            var addresses = StackAddresses()
            (addresses.prometheus, addresses.bot) = ("http://127.0.0.1:\(port)", "http://127.0.0.1:\(port)")
            let client = StackClient()
            var watcher = Watcher(IncidentPlan(.latency), addresses, client)
            do throws(IncidentError) { try await watcher.begin() } catch { failure.withLock { $0 = error } }
            await client.shutdown()
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    @Test("in the way are its own alerts and a bot that must not act on its target; a busy machine is not")
    func obstacles() async throws {
        let step = Mutex(0)
        let scenes: [(alert: String, page: String)] = [
            ("APIHighLatency", page: "{}"), ("HostHighCPU", #"{"cooldowns":[{"target":"api","until":1}]}"#),
            ("HostHighCPU", #"{"cooldowns":[{"target":"worker","until":1}]}"#),
        ]
        let service = ScriptedService { request, _ in
            let scene = scenes[step.withLock { $0 }]
            guard request == "GET /api/v1/alerts" else { return .object(scene.page) }
            return .object(#"{"status":"success","data":{"alerts":[{"labels":{"alertname":"\#(scene.alert)"},"state":"firing"}]}}"#)
        }
        try await serving(service) { port in
            var addresses = StackAddresses()
            (addresses.prometheus, addresses.bot) = ("http://127.0.0.1:\(port)", "http://127.0.0.1:\(port)")
            let client = StackClient()
            let watcher = Watcher(IncidentPlan(.latency), addresses, client)
            var told: [String?] = []
            for index in scenes.indices {
                step.withLock { $0 = index }
                told.append(try await watcher.obstacle())
            }
            #expect(told == ["APIHighLatency is firing already", "api cools down from the bot's last action", nil])
            await client.shutdown()
        }
    }

    @Test(
        "an instant query's answer: a number, no series, or nothing that can be said",
        arguments: [
            (#"{"data":{"result":[{"metric":{},"value":[1,"2.425"]}]}}"#, 200, SightCheck.Reading.value(2.425)),
            (#"{"data":{"result":[]}}"#, 200, .empty), (#"{"data":{"result":[{"value":[1,"NaN"]}]}}"#, 200, .unknown),
            (#"{"status":"error"}"#, 400, .unknown), ("", 200, .unknown), ("{}", 503, .unknown),
        ])
    func reading(text: String, status: Int, wanted: SightCheck.Reading) {
        #expect(Watcher.reading(StackClient.Answer(status: status, text: text)) == wanted)
    }

    @Test("a query is escaped whole")
    func escaped() { #expect(Watcher.escaped("a{b=\"ü\"}+1") == "a%7Bb%3D%22%C3%BC%22%7D%2B1") }
}
