/// Of the whole server: background writer, archiver, write-ahead log, replication.
extension Collector {
    /// Version 17 moved most of it into `pg_stat_checkpointer`, which the original leaves out by default.
    static let backgroundWriter = Collector(
        "stat_bgwriter",
        [
            Part(
                "SELECT *, coalesce(extract(epoch FROM stats_reset), 0)::bigint AS reset FROM pg_stat_bgwriter",
                [
                    ("checkpoints_timed", "Checkpoints that were due."), ("checkpoints_req", "Checkpoints that were asked for."),
                    ("checkpoint_write_time", "Milliseconds that checkpoints spent writing files."),
                    ("checkpoint_sync_time", "Milliseconds that checkpoints spent syncing files."),
                    ("buffers_checkpoint", "Buffers that checkpoints wrote."), ("buffers_clean", "Buffers that the background writer wrote."),
                    ("maxwritten_clean", "Times the background writer stopped because it had written enough."),
                    ("buffers_backend", "Buffers that sessions had to write themselves."),
                    ("buffers_backend_fsync", "Times a session had to sync by itself."), ("buffers_alloc", "Buffers allocated."),
                ].map { .counter("pg_stat_bgwriter_\($0.0)_total", $0.1, $0.0) }
                    + [.counter("pg_stat_bgwriter_stats_reset_total", "When these statistics began, since unix epoch.", "reset")])
        ])

    static let archiver = Collector(
        "",
        [
            Part(
                """
                SELECT archived_count, failed_count, coalesce(extract(epoch FROM now() - last_archived_time)::float8, 'NaN') AS age
                FROM pg_stat_archiver
                """, namesServer: true,
                [
                    .counter("pg_stat_archiver_archived_count", "Segments of the log that were archived.", "archived_count"),
                    .counter("pg_stat_archiver_failed_count", "Attempts to archive that failed.", "failed_count"),
                    .gauge("pg_stat_archiver_last_archive_age", "Seconds since a segment was archived; NaN where none ever was.", "age"),
                ])
        ])

    static let writeAheadLog = Collector(
        "wal",
        [
            Part(
                "SELECT count(*) AS segments, sum(size) AS size FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'",
                [
                    .gauge("pg_wal_segments", "Segments of the write-ahead log.", "segments"),
                    .gauge("pg_wal_size_bytes", "Bytes of all segments.", "size"),
                ])
        ])

    static let replication = Collector(
        "replication",
        [
            Part(
                """
                SELECT pg_is_in_recovery()::int AS replica, greatest(0, extract(epoch FROM now() - pg_last_xact_replay_timestamp())) AS replay,
                       CASE WHEN NOT pg_is_in_recovery() OR pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
                            ELSE greatest(0, extract(epoch FROM now() - pg_last_xact_replay_timestamp())) END AS lag
                """,
                [
                    .gauge("pg_replication_is_replica", "1 for a replica.", "replica"),
                    .gauge("pg_replication_lag_seconds", "How far a replica is behind.", "lag"),
                    .gauge("pg_replication_last_replay_seconds", "Age of what was last replayed.", "replay"),
                ])
        ])

    static let replicationSlots = Collector(
        "replication_slot",
        [
            Part(
                """
                SELECT slot_name, slot_type, wal_status, active::int AS active, safe_wal_size,
                       CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END - '0/0' AS current,
                       CASE WHEN active THEN coalesce(confirmed_flush_lsn, '0/0') - '0/0' END AS flushed
                FROM pg_replication_slots
                """, labels: ["slot_name", "slot_type"],
                [
                    .gauge("pg_replication_slot_slot_current_wal_lsn", "Where the log ends.", "current"),
                    .gauge("pg_replication_slot_slot_confirmed_flush_lsn", "Up to where the slot has it, where it is active.", "flushed"),
                    .gauge("pg_replication_slot_slot_is_active", "1 for a slot in use.", "active"),
                    .gauge("pg_replication_slot_safe_wal_size_bytes", "Bytes until the slot may be lost.", "safe_wal_size"),
                ]),
            Part(
                "SELECT slot_name, slot_type, wal_status, 1 AS one FROM pg_replication_slots", labels: ["slot_name", "slot_type", "wal_status"],
                [.gauge("pg_replication_slot_wal_status", "Whether the slot's part of the log is still there.", "one")]),
            Part(
                """
                SELECT slot_name, coalesce(database, '') AS database, active::int AS active,
                       coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END,
                                                restart_lsn)::float8, 'NaN') AS behind
                FROM pg_replication_slots
                """, labels: ["database", "slot_name"], namesServer: true,
                [
                    .gauge("pg_replication_slots_active", "1 for a slot in use.", "active"),
                    .gauge("pg_replication_slots_pg_wal_lsn_diff", "Bytes that the slot is behind.", "behind"),
                ]),
        ])
}
