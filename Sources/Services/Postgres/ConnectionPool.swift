import HTTPServer
import Synchronization

/// A few sessions with one database, used from threads of their own.
///
///     handler ── await use { $0.query(…) } ──▶ queue (bounded) ──▶ thread ── idle session, or a new one ──▶ PostgreSQL
///        ▲                                                             │
///        └──────────────────────── one continuation ◀──────────────────┘
///
/// libpq blocks, and a thread of an event loop or of Swift's pool that blocks stops everybody. There are as many threads as sessions,
/// so whoever has a thread has a session.
///
/// A session that ended while it was idle is noticed before it is used, and replaced. One that ends within a statement is an error
/// of that statement: nobody knows whether it was done, so it is never sent twice.
public final class ConnectionPool: Sendable {
    public typealias Connect = @Sendable () throws(PostgresError) -> any DatabaseConnection
    /// What is done with each new session, tables for instance.
    public typealias Prepare = @Sendable (any DatabaseConnection) throws(PostgresError) -> Void

    private struct State {
        var idle: [any DatabaseConnection] = []
        var opened = 0
        var isHealthy = false
    }

    private let connect: Connect
    private let prepare: Prepare
    private let threads: ThreadPool
    private let patience: Swift.Duration
    private let state: Mutex<State>

    /// Up to `size` sessions; `waiting` callers may wait for one, each for `patience`: who waited longer has nobody who wants the answer.
    public init(
        size: Int = 4, waiting: Int = 100, patience: Swift.Duration = .seconds(10), connect: @escaping Connect,
        prepare: @escaping Prepare = { _ in }
    ) {
        self.connect = connect
        self.prepare = prepare
        self.patience = patience
        threads = ThreadPool("database", threads: size, queueLimit: waiting)
        state = Mutex(State())
    }

    public convenience init(_ settings: PostgresSettings, size: Int = 4, prepare: @escaping Prepare = { _ in }) {
        self.init(
            size: size, connect: { () throws(PostgresError) in try PostgresConnection(settings) }, prepare: prepare)
    }

    /// Whether the last attempt reached the server.
    public var isHealthy: Bool { state.withLock { $0.isHealthy } }
    /// Sessions opened so far.
    public var opened: Int { state.withLock { $0.opened } }

    /// Runs `body` with a session, on a thread of the pool.
    public func use<Value: Sendable>(
        _ body: @escaping @Sendable (any DatabaseConnection) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let answer: Result<Value, PostgresError>, begin = ContinuousClock.now
        do throws(ThreadPool.Full) {
            answer = try await threads.run { [self] in
                Result { () throws(PostgresError) in
                    guard begin.duration(to: .now) <= patience else { throw PostgresError(.busy, "no session was free in time") }
                    return try perform(body)
                }
            }
        } catch {
            throw PostgresError(.busy, "\(error.limit) requests wait for the database already")
        }
        return try answer.get()
    }

    /// One statement.
    public func query(_ statement: StaticString, _ parameters: [Parameter] = []) async throws(PostgresError) -> Rows {
        let parameters = parameters
        return try await use { connection throws(PostgresError) in try connection.query(statement, parameters) }
    }

    /// Whether the database answers now.
    public func ping() async -> PostgresError? {
        do throws(PostgresError) {
            _ = try await query("SELECT 1")
            return nil
        } catch { return error }
    }

    private func perform<Value>(
        _ body: (any DatabaseConnection) throws(PostgresError) -> Value
    ) throws(PostgresError) -> Value {
        do throws(PostgresError) {
            let connection = try session()
            let value: Value
            do throws(PostgresError) { value = try body(connection) } catch {
                // A refused statement leaves a good session; the others leave one that nobody should use again.
                if connection.isAlive { giveBack(connection) }
                throw error
            }
            giveBack(connection)
            return value
        } catch {
            if error.code == .lost { state.withLock { $0.isHealthy = false } }
            throw error
        }
    }

    private func session() throws(PostgresError) -> any DatabaseConnection {
        while let idle = state.withLock({ TakenConnection($0.idle.popLast()) }).connection {
            if idle.isAlive { return idle }
        }
        let made = try connect()
        state.withLock { $0.opened += 1 }
        try prepare(made)
        return made
    }

    private func giveBack(_ connection: any DatabaseConnection) {
        let taken = TakenConnection(connection)
        state.withLock { state in
            if let connection = taken.connection { state.idle.append(connection) }
            state.isHealthy = true
        }
    }
}

/// A session on its way between the list of idle ones and the one thread that uses it.
private struct TakenConnection: @unchecked Sendable {
    // Sendable: whoever took it from the list, or has not yet put it there, is its only user.
    let connection: (any DatabaseConnection)?
    init(_ connection: (any DatabaseConnection)?) { self.connection = connection }
}
