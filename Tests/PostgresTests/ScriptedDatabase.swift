import Postgres
import Synchronization

/// A server as the pool sees it, played from a list: every session answers with the next entry, and can be ended from outside.
final class ScriptedDatabase: Sendable {
    private struct State {
        var answers: [Result<Rows, PostgresError>] = []
        var statements: [String] = []
        var isUp = true
        /// Sessions opened before this one are dead.
        var generation = 0
        var opened = 0
    }

    private let state = Mutex(State())

    init(_ answers: [Result<Rows, PostgresError>] = []) { state.withLock { $0.answers = answers } }

    var statements: [String] { state.withLock { $0.statements } }
    var opened: Int { state.withLock { $0.opened } }

    /// The server goes away; open sessions end.
    func stop() {
        state.withLock {
            $0.isUp = false
            $0.generation += 1
        }
    }

    func start() { state.withLock { $0.isUp = true } }

    func connect() throws(PostgresError) -> any DatabaseConnection {
        let generation: Int? = state.withLock {
            guard $0.isUp else { return nil }
            $0.opened += 1
            return $0.generation
        }
        guard let generation else { throw PostgresError(.lost, "connection refused") }
        return Session(self, generation)
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
            let answer: Result<Rows, PostgresError> = database.state.withLock {
                guard $0.isUp && $0.generation == generation else { return .failure(PostgresError(.lost, "server closed the connection")) }
                $0.statements.append(text)
                return $0.answers.isEmpty ? .success(Rows()) : $0.answers.removeFirst()
            }
            return try answer.get()
        }
    }
}
