import DemoSupport
import Postgres
import Testing

@Suite("Sessions with a database")
struct ConnectionPoolTests {
    private func pool(_ database: ScriptedDatabase) -> ConnectionPool {
        database.pool { session throws(PostgresError) in try session.query("PREPARED") }
    }

    @Test("a session is opened once, prepared once, and used again")
    func reuse() async throws {
        let database = ScriptedDatabase(), pool = pool(database)
        for _ in 0..<3 { _ = try await pool.query("SELECT 1") }
        #expect(database.opened == 1)
        #expect(database.statements == ["PREPARED", "SELECT 1", "SELECT 1", "SELECT 1"])
        #expect(pool.isHealthy)
    }

    @Test("a session that ended while it was idle is replaced before it is used")
    func reconnects() async throws {
        let database = ScriptedDatabase(), pool = pool(database)
        _ = try await pool.query("SELECT 1")
        database.stop()
        database.start()
        _ = try await pool.query("SELECT 2")
        #expect(database.opened == 2)
    }

    @Test("a server that is away is an error with code lost, and no health")
    func away() async {
        let database = ScriptedDatabase(), pool = pool(database)
        database.stop()
        #expect(await pool.ping()?.code == .lost)
        #expect(!pool.isHealthy)
        database.start()
        #expect(await pool.ping() == nil)
        #expect(pool.isHealthy)
    }

    @Test("a refused statement is thrown as it is and keeps its session")
    func refused() async throws {
        let error = PostgresError(.refused, sqlState: "23505", "duplicate key")
        let database = ScriptedDatabase([.success(Rows()), .failure(error)]), pool = pool(database)
        await #expect(throws: error) { try await pool.query("INSERT") }
        _ = try await pool.query("SELECT 1")
        #expect(database.opened == 1)
        #expect(pool.isHealthy)
    }

    @Test("a statement that was lost is not sent again")
    func noSecondTry() async throws {
        let lost = PostgresError(.lost, "server closed the connection unexpectedly")
        let database = ScriptedDatabase([.success(Rows()), .failure(lost)]), pool = pool(database)
        await #expect(throws: lost) { try await pool.query("INSERT") }
        #expect(database.statements == ["PREPARED", "INSERT"])
    }

    @Test(
        "states of the server's errors",
        arguments: [
            ("57014", PostgresError.Code.timeout), ("08006", .lost), ("57P01", .lost), ("53300", .lost), ("23505", .refused), ("42P01", .refused),
        ])
    func states(state: String, code: PostgresError.Code) { #expect(PostgresError.code(ofState: state) == code) }
}
