import DemoStore
import DemoSupport
import Postgres
import Testing

/// Against a PostgreSQL of the tests' own, one for all of them; one at a time, since some end the sessions of all.
@Suite("A real server", .serialized, .enabled(if: PrivateCluster.missing == nil, "initdb is not installed"))
struct RealServerTests {
    private static let cluster = Result { try PrivateCluster() }

    private func connection(_ change: (inout PostgresSettings) -> Void = { _ in }) throws -> PostgresConnection {
        var settings = try Self.cluster.get().settings
        change(&settings)
        return try PostgresConnection(settings)
    }

    private func pool(size: Int = 4) throws -> ConnectionPool {
        ConnectionPool(try Self.cluster.get().settings, size: size, prepare: DemoSchema.prepare)
    }

    @Test("a parameter stays a value, whatever is in it", arguments: ["'; DROP TABLE transactions; --", "$1", "\\", "é\u{1F980}", ""])
    func parameters(text: String) throws {
        let rows = try connection().query("SELECT $1::text AS it, $2::text AS nothing", [.text(text), .null])
        #expect(rows[0, "it"] == text)
        #expect(rows[0, "nothing"] == nil)
    }

    @Test("a text with a NUL in it is refused before it is sent")
    func nul() throws {
        let connection = try connection()
        #expect { try connection.query("SELECT $1::text", [.text("a\u{0}b")]) } throws: { ($0 as? PostgresError)?.code == .refused }
        #expect(try connection.query("SELECT 1 AS one")[0, "one"] == "1")
    }

    @Test("the server's no has its SQLSTATE, and the session goes on")
    func refused() throws {
        let connection = try connection()
        #expect { try connection.query("SELECT * FROM nowhere") } throws: {
            let error = $0 as? PostgresError
            return error?.sqlState == "42P01" && error?.code == .refused && error?.message == "relation \"nowhere\" does not exist"
        }
        #expect(connection.isAlive)
    }

    @Test("a statement that takes too long is cancelled by the server, and the session goes on")
    func statementTimeout() throws {
        let connection = try connection { $0.statementTimeout = .milliseconds(50) }
        #expect { try connection.query("SELECT pg_sleep(30)") } throws: {
            ($0 as? PostgresError)?.code == .timeout && ($0 as? PostgresError)?.sqlState == "57014"
        }
        #expect(try connection.query("SELECT 1 AS one")[0, "one"] == "1")
    }

    @Test("where the server does not keep the time, we stop waiting")
    func ownDeadline() throws {
        let connection = try connection { $0.statementTimeout = .milliseconds(1) }
        _ = try connection.query("SET statement_timeout = 0")
        #expect { try connection.query("SELECT pg_sleep(30)") } throws: { ($0 as? PostgresError)?.code == .timeout }
        #expect(!connection.isAlive)
    }

    @Test("a session that the server ended is noticed while idle, and is an error with code lost within a statement")
    func lost() async throws {
        let victim = try connection(), other = try connection()
        let process = try victim.query("SELECT pg_backend_pid() AS pid")[0, "pid"] ?? ""
        _ = try other.query("SELECT pg_terminate_backend($1::int, 5000)", [.text(process)])
        #expect(!victim.isAlive)
        #expect { try victim.query("SELECT 1") } throws: { ($0 as? PostgresError)?.code == .lost }
    }

    @Test("the pool goes on with a new session after all were ended")
    func reconnects() async throws {
        let pool = try pool(size: 1)
        _ = try await pool.query("SELECT 1")
        let other = try connection()
        _ = try other.query(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'minprom-demo' AND pid <> pg_backend_pid()")
        #expect(try await pool.query("SELECT 2 AS two")[0, "two"] == "2")
    }

    @Test("nobody listens: an error with code lost, at once")
    func nobody() throws {
        #expect { try connection { $0.port = 5439 } } throws: { ($0 as? PostgresError)?.code == .lost }
    }

    @Test("a transaction comes back as it was stored; the newest comes first")
    func transactions() async throws {
        let store = TransactionStore(try pool())
        let first = try await store.insert(amount: 12.5, description: "coffee ' \" \\ é")
        let second = try await store.insert(amount: -0.005, description: "")
        #expect(first.amount == "12.50" && first.description == "coffee ' \" \\ é" && second.amount == "-0.01")
        let listed = try await store.list(limit: 2)
        #expect(listed.map(\.id) == [second.id, first.id])
    }

    @Test("four workers at once do every job once")
    func jobs() async throws {
        let pool = try pool(size: 6), queue = JobQueue(pool),
            before = try await pool.query("SELECT count(*) AS n FROM transactions WHERE description LIKE 'payment%'")
        try await queue.enqueue(400)
        let done = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var sum = 0
                    while true {
                        let rows = try await queue.drain(7)
                        if rows == 0 { return sum }
                        sum += rows
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        let after = try await pool.query("SELECT count(*) AS n FROM transactions WHERE description LIKE 'payment%'")
        #expect(done == 400)
        #expect((after[0, "n"].flatMap { Int($0) } ?? 0) - (before[0, "n"].flatMap { Int($0) } ?? 0) == 400)
        #expect(try await queue.length() == 0)
    }

    @Test("many sessions that find no tables make them without an error")
    func schemaRace() async throws {
        let settings = try Self.cluster.get().settings
        _ = try connection().query("CREATE DATABASE race")
        var other = settings
        other.database = "race"
        let target = other
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask { _ = try await ConnectionPool(target, size: 1, prepare: DemoSchema.prepare).query("SELECT 1 FROM jobs") }
            }
            try await group.waitForAll()
        }
    }
}
