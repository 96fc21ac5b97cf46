/// Per table of the database that we are connected to.
extension Collector {
    static let userTables = Collector(
        "stat_user_tables",
        [
            Part(
                """
                SELECT current_database() AS datname, *, coalesce(extract(epoch FROM last_vacuum), 0)::bigint AS vacuumed,
                       coalesce(extract(epoch FROM last_autovacuum), 0)::bigint AS autovacuumed,
                       coalesce(extract(epoch FROM last_analyze), 0)::bigint AS analyzed,
                       coalesce(extract(epoch FROM last_autoanalyze), 0)::bigint AS autoanalyzed,
                       coalesce(idx_scan, 0) AS index_scans, coalesce(idx_tup_fetch, 0) AS index_rows,
                       pg_indexes_size(relid) AS index_size, pg_table_size(relid) AS table_size
                FROM pg_stat_user_tables
                """, labels: ["datname", "relname", "schemaname"],
                [
                    .counter("pg_stat_user_tables_seq_scan", "Scans of the whole table.", "seq_scan"),
                    .counter("pg_stat_user_tables_seq_tup_read", "Rows that those read.", "seq_tup_read"),
                    .counter("pg_stat_user_tables_idx_scan", "Scans of its indexes.", "index_scans"),
                    .counter("pg_stat_user_tables_idx_tup_fetch", "Rows that those fetched.", "index_rows"),
                    .counter("pg_stat_user_tables_n_tup_ins", "Rows inserted.", "n_tup_ins"),
                    .counter("pg_stat_user_tables_n_tup_upd", "Rows updated.", "n_tup_upd"),
                    .counter("pg_stat_user_tables_n_tup_del", "Rows deleted.", "n_tup_del"),
                    .counter("pg_stat_user_tables_n_tup_hot_upd", "Rows updated without a new entry in an index.", "n_tup_hot_upd"),
                    .gauge("pg_stat_user_tables_n_live_tup", "Rows, estimated.", "n_live_tup"),
                    .gauge("pg_stat_user_tables_n_dead_tup", "Dead rows, estimated.", "n_dead_tup"),
                    .gauge("pg_stat_user_tables_n_mod_since_analyze", "Rows changed since statistics were taken.", "n_mod_since_analyze"),
                    .gauge("pg_stat_user_tables_last_vacuum", "When somebody vacuumed it, since unix epoch.", "vacuumed"),
                    .gauge("pg_stat_user_tables_last_autovacuum", "When the server vacuumed it, since unix epoch.", "autovacuumed"),
                    .gauge("pg_stat_user_tables_last_analyze", "When somebody analyzed it, since unix epoch.", "analyzed"),
                    .gauge("pg_stat_user_tables_last_autoanalyze", "When the server analyzed it, since unix epoch.", "autoanalyzed"),
                    .counter("pg_stat_user_tables_vacuum_count", "Times somebody vacuumed it.", "vacuum_count"),
                    .counter("pg_stat_user_tables_autovacuum_count", "Times the server vacuumed it.", "autovacuum_count"),
                    .counter("pg_stat_user_tables_analyze_count", "Times somebody analyzed it.", "analyze_count"),
                    .counter("pg_stat_user_tables_autoanalyze_count", "Times the server analyzed it.", "autoanalyze_count"),
                    .gauge("pg_stat_user_tables_index_size_bytes", "Disk space of its indexes.", "index_size"),
                    .gauge("pg_stat_user_tables_table_size_bytes", "Disk space of the table.", "table_size"),
                ])
        ])

    static let userTableBlocks = Collector(
        "statio_user_tables",
        [
            Part(
                """
                SELECT current_database() AS datname, schemaname, relname, coalesce(heap_blks_read, 0) AS heap_blocks_read,
                       coalesce(heap_blks_hit, 0) AS heap_blocks_hit, coalesce(idx_blks_read, 0) AS idx_blocks_read,
                       coalesce(idx_blks_hit, 0) AS idx_blocks_hit, coalesce(toast_blks_read, 0) AS toast_blocks_read,
                       coalesce(toast_blks_hit, 0) AS toast_blocks_hit, coalesce(tidx_blks_read, 0) AS tidx_blocks_read,
                       coalesce(tidx_blks_hit, 0) AS tidx_blocks_hit
                FROM pg_statio_user_tables
                """, labels: ["datname", "relname", "schemaname"],
                [
                    ("heap_blocks_read", "Blocks of the table read from disk."), ("heap_blocks_hit", "Blocks of the table found in the cache."),
                    ("idx_blocks_read", "Blocks of its indexes read from disk."), ("idx_blocks_hit", "Blocks of its indexes found in the cache."),
                    ("toast_blocks_read", "Blocks of its long values read from disk."),
                    ("toast_blocks_hit", "Blocks of its long values found in the cache."),
                    ("tidx_blocks_read", "Blocks of the indexes of its long values read from disk."),
                    ("tidx_blocks_hit", "Blocks of the indexes of its long values found in the cache."),
                ].map { .counter("pg_statio_user_tables_" + $0.0, $0.1, $0.0) })
        ])

    /// Vacuums that run: one row each, and one per phase that is 1 for the phase it is in.
    static let vacuumProgress = Collector(
        "stat_progress_vacuum",
        [
            Part(
                """
                SELECT coalesce(datname, 'unknown') AS datname,
                       coalesce(CASE WHEN datname = current_database() THEN relid::regclass::text END, relid::text, 'unknown') AS relname,
                       p.phase, (v.phase = p.phase)::int AS is_it
                FROM pg_stat_progress_vacuum AS v
                CROSS JOIN unnest(ARRAY['initializing', 'scanning heap', 'vacuuming indexes', 'vacuuming heap', 'cleaning up indexes',
                                        'truncating heap', 'performing final cleanup']) AS p(phase)
                """, labels: ["datname", "phase", "relname"],
                [.gauge("pg_stat_progress_vacuum_phase", "1 for the phase that the vacuum is in.", "is_it")]),
            Part(
                statement: { version in
                    if version >= .v17 {
                        """
                        SELECT coalesce(datname, 'unknown') AS datname,
                               coalesce(CASE WHEN datname = current_database() THEN relid::regclass::text END, relid::text, 'unknown') AS relname,
                               heap_blks_total, heap_blks_scanned, heap_blks_vacuumed, index_vacuum_count, max_dead_tuple_bytes AS room,
                               dead_tuple_bytes AS dead
                        FROM pg_stat_progress_vacuum
                        """
                    } else {
                        """
                        SELECT coalesce(datname, 'unknown') AS datname,
                               coalesce(CASE WHEN datname = current_database() THEN relid::regclass::text END, relid::text, 'unknown') AS relname,
                               heap_blks_total, heap_blks_scanned, heap_blks_vacuumed, index_vacuum_count, max_dead_tuples AS room,
                               num_dead_tuples AS dead
                        FROM pg_stat_progress_vacuum
                        """
                    }
                },
                labels: ["datname", "relname"],
                families: [
                    .gauge("pg_stat_progress_vacuum_heap_blks", "Blocks of the table.", "heap_blks_total"),
                    .gauge("pg_stat_progress_vacuum_heap_blks_scanned", "Blocks scanned so far.", "heap_blks_scanned"),
                    .gauge("pg_stat_progress_vacuum_heap_blks_vacuumed", "Blocks vacuumed so far.", "heap_blks_vacuumed"),
                    .gauge("pg_stat_progress_vacuum_index_vacuums", "Rounds through the indexes so far.", "index_vacuum_count"),
                    .gauge("pg_stat_progress_vacuum_max_dead_tuples", "Dead rows that there is room for.", "room"),
                    .gauge("pg_stat_progress_vacuum_num_dead_tuples", "Dead rows found so far.", "dead"),
                ]),
        ])
}
