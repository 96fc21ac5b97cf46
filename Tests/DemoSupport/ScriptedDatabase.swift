import Postgres
import Synchronization

/// A server as the pool sees it: statements are answered by a function, or from a list, and it can be stopped and started.
public final class ScriptedDatabase: Sendable {
    public typealias Answer = @Sendable (_ statement: String, _ parameters: [Parameter]) -> Result<Rows, PostgresError>

    private struct State {
        var statements: [String] = []
        var isUp = true
        /// Sessions opened before this one are dead.
        var generation = 0
        var opened = 0
    }

    private let state = Mutex(State())
    private let answer: Answer

    public init(_ answer: @escaping Answer = { _, _ in .success(Rows()) }) { self.answer = answer }

    /// Answers in order, then empty ones.
    public convenience init(_ answers: [Result<Rows, PostgresError>]) {
        let list = AnswerList(answers)
        self.init { _, _ in list.next() }
    }

    public var statements: [String] { state.withLock { $0.statements } }
    public var opened: Int { state.withLock { $0.opened } }

    /// The server goes away; open sessions end.
    public func stop() {
        state.withLock {
            $0.isUp = false
            $0.generation += 1
        }
    }

    public func start() { state.withLock { $0.isUp = true } }

    public func connect() throws(PostgresError) -> any DatabaseConnection {
        let generation: Int? = state.withLock {
            guard $0.isUp else { return nil }
            $0.opened += 1
            return $0.generation
        }
        guard let generation else { throw PostgresError(.lost, "connection refused") }
        return Session(self, generation)
    }

    /// A pool of sessions with it.
    public func pool(size: Int = 1, prepare: @escaping ConnectionPool.Prepare = { _ in }) -> ConnectionPool {
        ConnectionPool(size: size, connect: { () throws(PostgresError) in try self.connect() }, prepare: prepare)
    }

    private final class Session: DatabaseConnection {
        let database: ScriptedDatabase
        let generation: Int

        init(_ database: ScriptedDatabase, _ generation: Int) {
            self.database = database
            self.generation = generation
        }

        var isAlive: Bool { database.state.withLock { $0.isUp && $0.generation == generation } }

        func query(_ statement: StaticString, _ parameters: [Parameter]) throws(PostgresError) -> Rows {
            let text = statement.description
            let isThere = database.state.withLock {
                guard $0.isUp && $0.generation == generation else { return false }
                $0.statements.append(text)
                return true
            }
            guard isThere else { throw PostgresError(.lost, "server closed the connection") }
            return try database.answer(text, parameters).get()
        }
    }

    private final class AnswerList: Sendable {
        let rest: Mutex<[Result<Rows, PostgresError>]>
        init(_ answers: [Result<Rows, PostgresError>]) { rest = Mutex(answers) }
        func next() -> Result<Rows, PostgresError> { rest.withLock { $0.isEmpty ? .success(Rows()) : $0.removeFirst() } }
    }
}
