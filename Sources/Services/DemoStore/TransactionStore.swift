import Postgres

/// The table `transactions`, as the api sees it.
public struct TransactionStore: Sendable {
    /// One row, in the texts that go out.
    public struct Transaction: Equatable, Sendable {
        public var id: Int
        /// Two decimals: `12.50`.
        public var amount: String
        public var description: String
        /// RFC 3339, UTC.
        public var createdAt: String
    }

    /// Rows of one answer at most.
    public static let maximumRows = 1000

    private let pool: ConnectionPool

    public init(_ pool: ConnectionPool) { self.pool = pool }

    /// The newest rows first. `delay` is spent inside the statement, so that the database sees a slow query, too.
    public func list(limit: Int, delay: Swift.Duration = .zero) async throws(PostgresError) -> [Transaction] {
        let limit = min(max(limit, 0), Self.maximumRows)
        // The left join gives one row of NULLs where the table is empty; the delay is waited for all the same.
        let rows = try await pool.query(
            """
            SELECT t.id, t.amount::numeric(12,2)::text AS amount, t.description,
                   to_char(t.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at
            FROM (SELECT pg_sleep($2::float8) OFFSET 0) AS delay
            LEFT JOIN (SELECT * FROM transactions ORDER BY id DESC LIMIT $1::bigint) AS t ON true
            ORDER BY t.id DESC
            """, [.number(limit), .number(Self.seconds(delay))])
        return Self.transactions(rows)
    }

    /// The row as it was stored.
    public func insert(amount: Double, description: String, delay: Swift.Duration = .zero) async throws(PostgresError) -> Transaction {
        let rows = try await pool.query(
            """
            INSERT INTO transactions (amount, description)
            SELECT $1::numeric, $2 FROM (SELECT pg_sleep($3::float8) OFFSET 0) AS delay
            RETURNING id, amount::numeric(12,2)::text AS amount, description,
                      to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at
            """, [.number(amount), .text(description), .number(Self.seconds(delay))])
        guard let row = Self.transactions(rows).first else { throw PostgresError(.refused, "the database kept no row") }
        return row
    }

    private static func transactions(_ rows: Rows) -> [Transaction] {
        (0..<rows.count).compactMap { row in
            guard let id = rows[row, "id"].flatMap({ Int($0) }) else { return nil }
            return Transaction(
                id: id, amount: rows[row, "amount"] ?? "", description: rows[row, "description"] ?? "",
                createdAt: rows[row, "created_at"] ?? "")
        }
    }

    private static func seconds(_ duration: Swift.Duration) -> Double {
        let (seconds, attoseconds) = duration.components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
