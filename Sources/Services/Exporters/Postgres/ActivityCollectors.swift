/// Who is connected, and what holds what: `pg_stat_activity`, `pg_locks`, statements.
extension Collector {
    /// Every database has every state, with 0 where nobody is in it, so that a sum never has holes.
    static let activity = Collector(
        "",
        [
            Part(
                """
                SELECT d.datname, s.state, coalesce(a.usename::text, '') AS usename, coalesce(a.application_name, '') AS application_name,
                       coalesce(a.backend_type, '') AS backend_type, coalesce(a.wait_event_type, '') AS wait_event_type,
                       coalesce(a.wait_event, '') AS wait_event, coalesce(a.sessions, 0) AS count, coalesce(a.longest, 0) AS max_tx_duration
                FROM pg_database AS d
                CROSS JOIN unnest(ARRAY['active', 'idle', 'idle in transaction', 'idle in transaction (aborted)', 'fastpath function call',
                                        'disabled']) AS s(state)
                LEFT JOIN (
                    SELECT datname, state, usename, application_name, backend_type, wait_event_type, wait_event, count(*) AS sessions,
                           max(extract(epoch FROM now() - xact_start))::float8 AS longest
                    FROM pg_stat_activity WHERE pid <> pg_backend_pid()
                    GROUP BY datname, state, usename, application_name, backend_type, wait_event_type, wait_event
                ) AS a ON a.datname = d.datname AND a.state = s.state
                """,
                labels: ["application_name", "backend_type", "datname", "state", "usename", "wait_event", "wait_event_type"], namesServer: true,
                [
                    .gauge("pg_stat_activity_count", "Sessions in this state.", "count"),
                    .gauge("pg_stat_activity_max_tx_duration", "Age of the oldest transaction in seconds.", "max_tx_duration"),
                ])
        ])

    static let locks = Collector(
        "locks",
        [
            Part(
                """
                SELECT d.datname, m.mode, count(l.mode) AS count
                FROM pg_database AS d
                CROSS JOIN unnest(ARRAY['accesssharelock', 'rowsharelock', 'rowexclusivelock', 'shareupdateexclusivelock', 'sharelock',
                                        'sharerowexclusivelock', 'exclusivelock', 'accessexclusivelock', 'sireadlock']) AS m(mode)
                LEFT JOIN pg_locks AS l ON l.database = d.oid AND lower(l.mode) = m.mode
                GROUP BY d.datname, m.mode ORDER BY d.datname, m.mode
                """, labels: ["datname", "mode"], [.gauge("pg_locks_count", "Number of locks.", "count")])
        ])

    static let longRunningTransactions = Collector(
        "long_running_transactions", isDefault: false,
        [
            Part(
                """
                SELECT count(*) AS transactions, coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8 AS oldest
                FROM pg_stat_activity
                WHERE state IS DISTINCT FROM 'idle' AND query NOT LIKE 'autovacuum:%' AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
                """,
                [
                    .gauge("pg_long_running_transactions", "Transactions that run.", "transactions"),
                    .gauge("pg_long_running_transactions_oldest_timestamp_seconds", "Age of the oldest of them in seconds.", "oldest"),
                ])
        ])

    /// The hundred statements that took the most time, without the tenth that took the least. The original wants a flag; here it is enough
    /// that somebody installed the extension.
    static let statements = Collector(
        "stat_statements", needsExtension: "pg_stat_statements",
        [
            Part(
                statement: { version in
                    if version >= .v17 {
                        """
                        SELECT pg_get_userbyid(s.userid) AS user, d.datname, s.queryid::text AS queryid, sum(s.calls) AS calls,
                               sum(s.total_exec_time) / 1000 AS seconds, sum(s.rows) AS rows,
                               sum(s.shared_blk_read_time) / 1000 AS reading, sum(s.shared_blk_write_time) / 1000 AS writing
                        FROM pg_stat_statements(false) AS s JOIN pg_database AS d ON d.oid = s.dbid
                        WHERE s.total_exec_time > (
                            SELECT percentile_cont(0.1) WITHIN GROUP (ORDER BY total_exec_time) FROM pg_stat_statements(false))
                        GROUP BY 1, 2, 3 ORDER BY seconds DESC LIMIT 100
                        """
                    } else if version >= ServerVersion(130_000) {
                        """
                        SELECT pg_get_userbyid(s.userid) AS user, d.datname, s.queryid::text AS queryid, sum(s.calls) AS calls,
                               sum(s.total_exec_time) / 1000 AS seconds, sum(s.rows) AS rows, sum(s.blk_read_time) / 1000 AS reading,
                               sum(s.blk_write_time) / 1000 AS writing
                        FROM pg_stat_statements(false) AS s JOIN pg_database AS d ON d.oid = s.dbid
                        WHERE s.total_exec_time > (
                            SELECT percentile_cont(0.1) WITHIN GROUP (ORDER BY total_exec_time) FROM pg_stat_statements(false))
                        GROUP BY 1, 2, 3 ORDER BY seconds DESC LIMIT 100
                        """
                    } else {
                        nil
                    }
                },
                labels: ["datname", "queryid", "user"],
                families: [
                    .counter("pg_stat_statements_calls_total", "Times the statement was executed.", "calls"),
                    .counter("pg_stat_statements_seconds_total", "Time spent in the statement.", "seconds"),
                    .counter("pg_stat_statements_rows_total", "Rows that the statement returned or changed.", "rows"),
                    .counter("pg_stat_statements_block_read_seconds_total", "Time the statement spent reading blocks.", "reading"),
                    .counter("pg_stat_statements_block_write_seconds_total", "Time the statement spent writing blocks.", "writing"),
                ])
        ])
}
