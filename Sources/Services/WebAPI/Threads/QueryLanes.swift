import HTTPServer
import PromQL
import Synchronization
import TSDB

/// Where queries run: a lane that only light ones may use, and places for heavy ones.
///
///     query ─▶ light lane: tried for 20 ms of CPU and 16 MiB ──▶ answer                   (nearly all end here)
///                   │ heavier
///                   ▼
///              gate: 20 places, a queue of 10 s ─▶ heavy threads, at lower priority ──▶ answer
///
/// No estimate says beforehand what a query costs: regular expressions, joins and subqueries surprise. So each is
/// begun, and the few that turn out heavy lose 20 ms and begin again elsewhere. Their texts are remembered for a
/// minute, so that a dashboard of them does not use up the light lane by trying.
///
/// However many heavy queries run, a light one finds a thread at once, and the system prefers it to theirs.
public final class QueryLanes: Sendable {
    public struct Options: Sendable {
        /// Heavy queries that run at once (`--query.max-concurrency`).
        public var heavyQueries = 20
        /// Heavy queries that may wait.
        public var queueLimit = 1_000
        /// For how long.
        public var patience = Swift.Duration.seconds(10)
        /// CPU time that a query may use before it is taken for heavy, nanoseconds.
        public var lightTime: Int64 = 20_000_000
        /// Threads of the light lane. More than one, so that trials of heavy queries do not stand in the way.
        public var lightThreads = 3

        public init() {}
    }

    /// How far heavy threads give way to others (`nice`): a third of the time where both want it.
    private static let heavyNiceness: Int32 = 5

    public let options: Options
    /// Light queries, and everything else that is short.
    public let light: ThreadPool
    /// Makes and packs long answers while they are sent.
    public let answers: ThreadPool
    private let heavy: ThreadPool
    private let gate: QueryGate
    private let known = KnownHeavy()
    private let demotions = Atomic<Int>(0)
    private let isDirty = Atomic<Bool>(false)

    public init(_ options: Options = Options()) {
        self.options = options
        light = ThreadPool("light", threads: options.lightThreads)
        answers = ThreadPool("answers", threads: 2, niceness: Self.heavyNiceness)
        heavy = ThreadPool("heavy", threads: options.heavyQueries, niceness: Self.heavyNiceness)
        gate = QueryGate(limit: options.heavyQueries, queueLimit: options.queueLimit, patience: options.patience)
    }

    /// What came of running a query in one of the lanes.
    enum Outcome: Sendable {
        case answer(Result<Reply, APIError>)
        /// Only in the light lane.
        case tooHeavy
    }

    /// Runs `work`, which evaluates under the context it is given, in the lane where it belongs. `key` stands for what
    /// is asked. A client that goes away cancels it, also while it waits.
    func run(
        _ key: UInt64, _ connection: Connection?, context makeContext: () -> QueryContext,
        _ work: @escaping @Sendable (QueryContext) -> Outcome
    ) async throws(APIError) -> Reply {
        let connection = connection ?? Connection()
        if !known.contains(key) {
            let context = makeContext()
            if case .answer(let result) = try await tryLight(connection, context, work) { return try result.get() }
            known.insert(key)
            demotions.wrappingAdd(1, ordering: .relaxed)
        }
        return try await runHeavy(connection, makeContext(), work)
    }

    private func tryLight(
        _ connection: Connection, _ context: QueryContext, _ work: @escaping @Sendable (QueryContext) -> Outcome
    ) async throws(APIError) -> Outcome {
        do {
            return try await connection.cancelling({ context.cancel() }) {
                try await light.run {
                    context.tryAsLight(nanoseconds: self.options.lightTime)
                    return work(context)
                }
            }
        } catch {
            throw APIError(.unavailable, "too many requests are waiting; the limit is \(light.queueLimit)")
        }
    }

    private func runHeavy(
        _ connection: Connection, _ context: QueryContext, _ work: @escaping @Sendable (QueryContext) -> Outcome
    ) async throws(APIError) -> Reply {
        let gate = gate, ticket = gate.ticket()
        defer { gate.discard(ticket) }
        let outcome: Outcome
        do {
            outcome = try await connection.cancelling({
                context.cancel()
                gate.abandon(ticket)
            }) {
                try await gate.enter(ticket)
                defer {
                    isDirty.store(true, ordering: .relaxed)
                    gate.leave()
                }
                return try await heavy.run { work(context) }
            }
        } catch let refusal as QueryGate.Refusal {
            throw self.error(refusal)
        } catch {
            throw APIError(.unavailable, "too many queries are waiting")
        }
        guard case .answer(let result) = outcome else {
            throw APIError(.internal, "a heavy query was tried as a light one")
        }
        return try result.get()
    }

    private func error(_ refusal: QueryGate.Refusal) -> APIError {
        switch refusal {
        case .full: return APIError(.unavailable, "too many queries are waiting; the limit is \(options.queueLimit)")
        case .tooLong:
            return APIError(
                .unavailable,
                "the query waited \(options.patience.components.seconds)s in vain for one of \(options.heavyQueries) places "
                    + "(--query.max-concurrency); try again later")
        case .abandoned: return APIError(.canceled, "query was canceled in query queue")
        }
    }

    /// Heavy queries that run and wait, and how many were taken for light ones first.
    var load: (running: Int, waiting: Int, demoted: Int) {
        let now = gate.load
        return (now.running, now.waiting, demotions.load(ordering: .relaxed))
    }

    /// Gives memory that heavy queries have used back to the system, once they are done. To be called about once a
    /// second.
    public func tick() {
        guard isDirty.load(ordering: .relaxed), gate.load.running == 0 else { return }
        // Answers may still be on their way: then there is a next time.
        isDirty.store(answers.load.running > 0, ordering: .relaxed)
        FreeMemory.release()
    }
}

/// Texts of queries that were heavy within the last minute.
private final class KnownHeavy: Sendable {
    private static let lifetime = Swift.Duration.seconds(60)
    private static let limit = 4_096
    private let seen = Mutex<[UInt64: ContinuousClock.Instant]>([:])

    func contains(_ key: UInt64) -> Bool {
        seen.withLock { seen in
            guard let since = seen[key] else { return false }
            if since.duration(to: .now) < Self.lifetime { return true }
            seen[key] = nil
            return false
        }
    }

    func insert(_ key: UInt64) {
        seen.withLock { seen in
            if seen.count >= Self.limit { seen.removeAll() }
            seen[key] = .now
        }
    }
}
