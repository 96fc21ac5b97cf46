import Postgres

/// The demo's two tables, made by whoever connects first.
///
///     transactions   id, amount, description, created_at           what the api lists and inserts
///     jobs           id, payload, created_at, done_at               the worker's queue: waiting while done_at is NULL
public enum DemoSchema {
    /// Makes what is missing. Two sessions may do so at once: the one that comes second is told so by an error that means “is there”.
    @Sendable
    public static func prepare(_ connection: any DatabaseConnection) throws(PostgresError) {
        // Making an index that is there waits for everybody who writes, even with IF NOT EXISTS.
        let known = try connection.query(
            "SELECT count(to_regclass(name)) AS known FROM unnest(ARRAY['transactions', 'jobs', 'jobs_waiting']) AS name")
        if known[0, "known"] == "3" { return }
        for statement in statements {
            do throws(PostgresError) { try connection.query(statement) } catch  where alreadyThere.contains(error.sqlState) {}
        }
    }

    /// Duplicate table, duplicate object, and the unique violation in the catalogue that a race ends with.
    private static let alreadyThere: Set<String> = ["42P07", "42710", "23505"]

    private static let statements: [StaticString] = [
        """
        CREATE TABLE IF NOT EXISTS transactions (
            id bigserial PRIMARY KEY, amount numeric(12,2) NOT NULL, description text NOT NULL DEFAULT '',
            created_at timestamptz NOT NULL DEFAULT now())
        """,
        """
        CREATE TABLE IF NOT EXISTS jobs (
            id bigserial PRIMARY KEY, payload text NOT NULL DEFAULT '', created_at timestamptz NOT NULL DEFAULT now(),
            done_at timestamptz)
        """,
        "CREATE INDEX IF NOT EXISTS jobs_waiting ON jobs (id) WHERE done_at IS NULL",
    ]
}
