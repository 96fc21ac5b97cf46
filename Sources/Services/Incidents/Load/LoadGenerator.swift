import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// Sends a load over HTTP: `OpenLoop` says when, `StackClient` sends, `LoadReport` counts.
///
///     OpenLoop.tick ─▶ launches ─▶ one task each ─▶ outcome ─▶ LoadReport
///        ▲ sleeps until the next is due, never for an answer
public final class LoadGenerator: Sendable {
    public struct Request: Sendable {
        /// `http://host:port`.
        public var base: String
        /// Taken in turn; each begins with a slash.
        public var paths: [String]
        public var method = "GET"
        public var body: String?
        /// For an answer to come, whole.
        public var timeout = Duration.seconds(10)
        /// Connections, and requests in flight, at most.
        public var connections = 256

        public init(base: String, paths: [String]) {
            self.base = base
            self.paths = paths
        }
    }

    private struct State {
        var loop: OpenLoop
        var report = LoadReport()
    }

    private let request: Request
    private let state: Mutex<State>
    private let requests: [HTTPClientRequest]
    private let client: StackClient
    private let clock = ContinuousClock()

    public init(_ request: Request, _ schedule: ArrivalSchedule) throws(IncidentError) {
        guard !request.paths.isEmpty, request.paths.allSatisfy({ $0.hasPrefix("/") && $0.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } })
        else { throw IncidentError(.usage, "a path begins with a slash and has no blanks") }
        guard request.timeout > .zero else { throw IncidentError(.usage, "the timeout must be positive") }
        guard !request.method.isEmpty, request.method.utf8.allSatisfy({ (65...90).contains($0) }) else {
            throw IncidentError(.usage, "\"\(request.method)\" is no method")
        }
        self.request = request
        state = Mutex(State(loop: OpenLoop(schedule, limit: request.connections)))
        client = StackClient(connections: request.connections)
        var prepared: [HTTPClientRequest] = []
        do throws(IncidentError) {
            for path in request.paths {
                var one = try client.prepared(request.base, path)
                one.method = HTTPMethod(rawValue: request.method)
                if let body = request.body {
                    one.headers.replaceOrAdd(name: "Content-Type", value: "application/json")
                    one.body = .bytes(ByteBuffer(string: body))
                }
                prepared.append(one)
            }
        } catch {
            let client = client
            Task { await client.shutdown() }
            throw error
        }
        requests = prepared
    }

    /// How it stands.
    public var report: LoadReport { state.withLock { Self.report($0) } }

    /// Sends until the schedule ends, then waits for the answers that are under way (each has its timeout). A cancelled task stops
    /// sending at once and cuts those off.
    public func run() async -> LoadReport {
        let start = clock.now
        let timeout = TimeAmount.nanoseconds(Int64(clamping: request.timeout.microseconds) &* 1000)
        await withDiscardingTaskGroup { group in
            while let due = state.withLock({ $0.loop.nextDue }) {
                do { try await clock.sleep(until: start + due) } catch { break }
                let now = clock.now - start
                let launches = state.withLock { state in
                    state.report.length = max(state.report.length, now)
                    return state.loop.tick(at: now)
                }
                for launch in launches {
                    group.addTask { [self] in
                        let outcome = await client.outcome(of: requests[launch.number % requests.count], timeout: timeout)
                        let latency = clock.now - start - launch.due
                        state.withLock { state in
                            state.loop.finish()
                            state.report.record(outcome, latency: latency)
                        }
                    }
                }
            }
            // The schedule's end, not the last arrival: 20/s for 60 s is 1200 requests in 60 s.
            state.withLock { state in
                if state.loop.nextDue == nil { state.report.length = max(state.report.length, state.loop.schedule.length) }
            }
            if Task.isCancelled { group.cancelAll() }
        }
        await client.shutdown()
        return report
    }

    private static func report(_ state: State) -> LoadReport {
        var report = state.report
        report.sent = state.loop.sent
        report.unsent = state.loop.unsent
        report.inFlight = state.loop.inFlight
        report.maximumLag = state.loop.maximumLag
        report.wantedRate = state.loop.schedule.rate
        return report
    }
}
