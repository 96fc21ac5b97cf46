import Postgres

/// A queue that is a table.
///
///     enqueue:  INSERT … generate_series(1, n)
///     drain:    take n waiting rows that nobody else holds ─▶ mark them done ─▶ insert the transactions: one statement
///
/// `FOR UPDATE SKIP LOCKED` passes over rows that another worker is at, so workers never wait for each other. Because taking and
/// inserting are one statement they happen together or not at all: a worker that dies in the middle leaves its jobs waiting, and no
/// job is done twice.
/// Source: PostgreSQL documentation, SELECT, “The Locking Clause”.
public struct JobQueue: Sendable {
    /// Jobs that may be put in at once.
    public static let maximumEnqueued = 100_000
    /// Done jobs that one cleaning takes away.
    private static let maximumForgotten = 10_000

    private let pool: ConnectionPool

    public init(_ pool: ConnectionPool) { self.pool = pool }

    public func enqueue(_ count: Int) async throws(PostgresError) {
        let count = min(max(count, 0), Self.maximumEnqueued)
        _ = try await pool.query(
            "INSERT INTO jobs (payload) SELECT 'payment ' || n FROM generate_series(1, $1::bigint) AS n", [.number(count)])
    }

    /// Does up to `limit` jobs and gives the number of rows inserted.
    public func drain(_ limit: Int) async throws(PostgresError) -> Int {
        try await pool.query(
            """
            WITH taken AS (
                SELECT id, payload FROM jobs WHERE done_at IS NULL ORDER BY id LIMIT $1::bigint FOR UPDATE SKIP LOCKED
            ), done AS (
                UPDATE jobs SET done_at = now() WHERE id IN (SELECT id FROM taken)
            )
            INSERT INTO transactions (amount, description)
            SELECT ((id * 37) % 10000)::numeric / 100, payload FROM taken
            """, [.number(limit)]
        ).affected
    }

    /// Jobs that wait.
    public func length() async throws(PostgresError) -> Int {
        let rows = try await pool.query("SELECT count(*) AS waiting FROM jobs WHERE done_at IS NULL")
        return rows[0, "waiting"].flatMap { Int($0) } ?? 0
    }

    /// Deletes jobs that were done more than ten minutes ago: the table stays as small as the work that waits.
    public func forget() async throws(PostgresError) {
        _ = try await pool.query(
            """
            DELETE FROM jobs WHERE id IN (
                SELECT id FROM jobs WHERE done_at < now() - interval '10 minutes' ORDER BY id LIMIT $1::bigint)
            """, [.number(Self.maximumForgotten)])
    }
}
