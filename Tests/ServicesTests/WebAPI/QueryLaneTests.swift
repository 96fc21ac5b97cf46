import HTTPServer
import HTTPTypes
import PromQL
import Synchronization
import TSDB
import Testing

@testable import WebAPI

@Suite("Lanes of queries")
struct QueryLaneTests {
    private static let fine = QueryLanes.Outcome.answer(.success(.text("fine")))

    /// Waits for something that other threads are about to do.
    private func until(_ condition: () -> Bool) async {
        while !condition() { await Task.yield() }
    }

    @Test("places are given in order, each once")
    func order() async throws {
        let gate = QueryGate(limit: 1, queueLimit: 10, patience: .seconds(60))
        try await gate.enter(gate.ticket())
        let entered = Shared<[Int]>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<5 {
                group.addTask {
                    try await gate.enter(gate.ticket())
                    entered.withLock { $0.append(number) }
                    gate.leave()
                }
                await until { gate.load.waiting == number + 1 }
            }
            gate.leave()
            try await group.waitForAll()
        }
        #expect(entered.withLock { $0 } == [0, 1, 2, 3, 4])
        let load = gate.load
        #expect(load.running == 0 && load.waiting == 0)
    }

    @Test("who waits too long, or leaves, or finds the queue full, is told so and takes no place")
    func refusals() async throws {
        let gate = QueryGate(limit: 1, queueLimit: 1, patience: .milliseconds(20))
        try await gate.enter(gate.ticket())
        await #expect(throws: QueryGate.Refusal.tooLong) { try await gate.enter(gate.ticket()) }
        let patient = QueryGate(limit: 1, queueLimit: 1, patience: .seconds(60))
        try await patient.enter(patient.ticket())
        let ticket = patient.ticket()
        let waiting = Task { () -> QueryGate.Refusal? in
            do throws(QueryGate.Refusal) {
                try await patient.enter(ticket)
                return nil
            } catch { return error }
        }
        await until { patient.load.waiting == 1 }
        await #expect(throws: QueryGate.Refusal.full) { try await patient.enter(patient.ticket()) }
        patient.abandon(ticket)
        #expect(await waiting.value == .abandoned)
        let early = patient.ticket()
        patient.abandon(early)
        await #expect(throws: QueryGate.Refusal.abandoned) { try await patient.enter(early) }
        patient.leave()
        let load = patient.load
        #expect(load.running == 0 && load.waiting == 0)
    }

    @Test("light work is answered while heavy work holds every place; more heavy work is refused with 503")
    func light() async throws {
        var options = QueryLanes.Options()
        options.heavyQueries = 2
        options.patience = .milliseconds(50)
        let lanes = QueryLanes(options)
        let isHeld = Shared(true)
        @Sendable func heavy(_ key: UInt64) async -> Result<Reply, APIError> {
            let attempts = Shared(0)
            do throws(APIError) {
                return .success(
                    try await lanes.run(key, nil, context: { QueryContext() }) { _ in
                        if attempts.withLock({
                            $0 += 1; return $0
                        }) == 1 {
                            return .tooHeavy
                        }
                        while isHeld.withLock({ $0 }) {}
                        return Self.fine
                    })
            } catch { return .failure(error) }
        }
        let first = Task { await heavy(1) }, second = Task { await heavy(2) }
        await until { lanes.load.running == 2 }
        for key in 10..<200 as Range<UInt64> {
            #expect(try await lanes.run(key, nil, context: { QueryContext() }) { _ in Self.fine }.status == .ok)
        }
        guard case .failure(let refusal) = await heavy(3) else {
            Issue.record("found a place")
            return isHeld.withLock { $0 = false }
        }
        #expect(refusal.kind == .unavailable)
        #expect(refusal.message.contains("in vain for one of 2 places (--query.max-concurrency)"))
        isHeld.withLock { $0 = false }
        #expect((try? await first.value.get())?.status == .ok)
        #expect((try? await second.value.get())?.status == .ok)
        let load = lanes.load
        #expect(load.running == 0 && load.waiting == 0 && load.demoted == 3)
    }

    @Test("what was heavy is not tried as light again")
    func memory() async throws {
        let lanes = QueryLanes()
        let tries = Shared(0)
        for _ in 0..<3 {
            _ = try await lanes.run(7, nil, context: { QueryContext() }) { _ in
                tries.withLock {
                    $0 += 1; return $0
                } == 1 ? .tooHeavy : Self.fine
            }
        }
        #expect(tries.withLock { $0 } == 4)
    }

    @Test("a client that goes away cancels its query, in either lane")
    func leaving() async throws {
        let lanes = QueryLanes()
        for isHeavy in [false, true] {
            let connection = Connection(), attempts = Shared(0)
            let running = Task {
                do throws(APIError) {
                    _ = try await lanes.run(isHeavy ? 8 : 9, connection, context: { QueryContext() }) { context in
                        if isHeavy
                            && attempts.withLock({
                                $0 += 1; return $0
                            }) == 1
                        {
                            return .tooHeavy
                        }
                        attempts.withLock { $0 = 10 }
                        while !context.isCanceled {}
                        return .answer(.failure(APIError(.canceled, "gone")))
                    }
                    return ""
                } catch { return error.message }
            }
            await until { attempts.withLock { $0 } == 10 }
            connection.clientIsGone()
            #expect(await running.value == "gone")
        }
    }

    @Test("a query that is heavy is answered all the same, and so are searches")
    func whole() async throws {
        var lanes = QueryLanes.Options()
        // Nothing is light.
        lanes.lightTime = -1
        var options = EngineOptions()
        options.timeout = nil
        let test = TestAPI(options: options, lanes: lanes)
        try test.load(["__name__": "a", "job": "x"], [1, 2, 3])
        #expect(await test.get("/api/v1/query", "query=sum(a)&time=10").contains(#""value":[10,"2"]"#))
        #expect(
            await test.get("/api/v1/series", "match[]=a")
                == #"{"status":"success","data":[{"__name__":"a","job":"x"}]}"#)
        #expect(await test.get("/api/v1/labels", "match[]=a") == #"{"status":"success","data":["__name__","job"]}"#)
        #expect(await test.get("/api/v1/label/job/values", "match[]=a") == #"{"status":"success","data":["x"]}"#)
        #expect(test.api.lanes.load.demoted == 4)
    }
}

/// A value that several tasks change.
private final class Shared<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) { self.value = Mutex(value) }

    func withLock<Answer: Sendable>(_ change: (inout Value) -> Answer) -> Answer { value.withLock { change(&$0) } }
}
