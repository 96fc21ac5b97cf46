/// Per database and role: sizes, limits, transactions, rows, blocks.
extension Collector {
    static let database = Collector(
        "database",
        [
            Part(
                "SELECT datname, datconnlimit, pg_database_size(oid) AS size FROM pg_database ORDER BY datname", labels: ["datname"],
                [
                    .gauge("pg_database_connection_limit", "Connections that the database allows; -1 is no limit.", "datconnlimit"),
                    .gauge("pg_database_size_bytes", "Disk space that the database takes.", "size"),
                ])
        ])

    static let roles = Collector(
        "roles",
        [
            Part(
                "SELECT rolname, rolconnlimit FROM pg_roles ORDER BY rolname", labels: ["rolname"],
                [.gauge("pg_roles_connection_limit", "Connections that the role may have; -1 is no limit.", "rolconnlimit")])
        ])

    static let statDatabase = Collector(
        "stat_database",
        [
            Part(
                statement: { version in
                    if version >= .v14 {
                        """
                        SELECT *, datid::text AS id, coalesce(extract(epoch FROM stats_reset), 0)::bigint AS reset, active_time / 1000 AS active
                        FROM pg_stat_database WHERE datname IS NOT NULL ORDER BY datid
                        """
                    } else {
                        """
                        SELECT *, datid::text AS id, coalesce(extract(epoch FROM stats_reset), 0)::bigint AS reset
                        FROM pg_stat_database WHERE datname IS NOT NULL ORDER BY datid
                        """
                    }
                },
                labels: ["datid", "datname"],
                families: [.gauge("pg_stat_database_numbackends", "Sessions with this database now.", "numbackends")]
                    + [
                        ("xact_commit", "Transactions that were committed."), ("xact_rollback", "Transactions that were rolled back."),
                        ("blks_read", "Blocks read from disk."), ("blks_hit", "Blocks found in PostgreSQL's own cache."),
                        ("tup_returned", "Rows that scans read."), ("tup_fetched", "Rows that index scans fetched."),
                        ("tup_inserted", "Rows inserted."), ("tup_updated", "Rows updated."), ("tup_deleted", "Rows deleted."),
                        ("conflicts", "Queries cancelled because recovery needed what they used; on standbys only."),
                        ("temp_files", "Temporary files that queries made."), ("temp_bytes", "Bytes that queries wrote to temporary files."),
                        ("deadlocks", "Deadlocks found."), ("blk_read_time", "Milliseconds spent reading blocks."),
                        ("blk_write_time", "Milliseconds spent writing blocks."),
                    ].map { .counter("pg_stat_database_" + $0.0, $0.1, $0.0) }
                    + [
                        .counter("pg_stat_database_stats_reset", "When these statistics began, since unix epoch; 0 where never.", "reset"),
                        .counter("pg_stat_database_active_time_seconds_total", "Time spent executing statements.", "active"),
                    ])
        ])

    static let conflicts = Collector(
        "",
        [
            Part(
                "SELECT datid::text AS datid, datname, confl_tablespace, confl_lock, confl_snapshot, confl_bufferpin, confl_deadlock FROM pg_stat_database_conflicts ORDER BY datid",
                labels: ["datid", "datname"], namesServer: true,
                [
                    ("confl_tablespace", "dropped tablespaces"), ("confl_lock", "lock timeouts"), ("confl_snapshot", "old snapshots"),
                    ("confl_bufferpin", "pinned buffers"), ("confl_deadlock", "deadlocks"),
                ].map { .counter("pg_stat_database_conflicts_" + $0.0, "Queries cancelled because of \($0.1).", $0.0) })
        ])
}
