/// What the panels of the demo's and of a host's dashboard ask, and the rules of the demo's alerts.
///
/// Where a server has none of these metrics both answers are empty, which is an answer, too.
enum DashboardPanels {
    static let all: [ComparedQuery] = panels.flatMap { panel in
        panel.queries.map { ComparedQuery(panel.category, $0) }
    }

    private static let panels: [(category: String, queries: [String])] = [
        ("demo: requests", requests), ("demo: postgres", postgres), ("host", host), ("server", server),
    ]

    private static let requests = [
        "sum by (job) (rate(http_requests_total[5m]))",
        "sum by (code) (rate(http_requests_total[5m]))",
        "sum(rate(http_requests_total{code=~\"5..\"}[5m])) / sum(rate(http_requests_total[5m]))",
        "sum by (path) (rate(http_requests_total{code=~\"5..\"}[5m]))"
            + " / on (path) group_left () sum by (path) (rate(http_requests_total[5m]))",
        "histogram_quantile(0.5, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))",
        "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))",
        "histogram_quantile(0.99, sum by (le, path) (rate(http_request_duration_seconds_bucket[5m])))",
        "histogram_quantile(0.95, rate(http_request_duration_seconds_bucket[1m]))",
        "sum by (le) (increase(http_request_duration_seconds_bucket[10m]))",
        "rate(http_request_duration_seconds_sum[5m]) / rate(http_request_duration_seconds_count[5m])",
        "sum(rate(http_request_duration_seconds_bucket{le=\"0.25\"}[5m])) / sum(rate(http_request_duration_seconds_count[5m]))",
        "histogram_fraction(0, 0.25, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))",
        "topk(3, sum by (path) (rate(http_requests_total[5m])))",
        "sum(http_requests_in_flight)",
        "max_over_time(sum(rate(http_requests_total[1m]))[30m:1m])",
        "sum(rate(http_requests_total[5m])) > 2 * sum(rate(http_requests_total[5m] offset 1h))",
        "absent(up{job=\"api\"})",
        "up == 0",
        "count by (job) (up == 1)",
        "ALERTS{alertstate=\"firing\"}",
    ]

    private static let postgres = [
        "pg_up",
        "sum by (datname) (rate(pg_stat_database_xact_commit[5m]))",
        "rate(pg_stat_database_xact_rollback[5m]) / (rate(pg_stat_database_xact_commit[5m]) + rate(pg_stat_database_xact_rollback[5m]))",
        "rate(pg_stat_database_blks_hit[5m]) / (rate(pg_stat_database_blks_hit[5m]) + rate(pg_stat_database_blks_read[5m]))",
        "sum by (state) (pg_stat_activity_count)",
        "sum(pg_stat_activity_count) / max(pg_settings_max_connections)",
        "pg_database_size_bytes",
        "deriv(pg_database_size_bytes[30m])",
        "max by (datname) (pg_stat_activity_max_tx_duration)",
        "sum by (mode) (pg_locks_count)",
    ]

    private static let host = [
        "100 * (1 - avg by (instance) (rate(node_cpu_seconds_total{mode=\"idle\"}[5m])))",
        "sum by (mode) (irate(node_cpu_seconds_total[2m]))",
        "avg without (cpu) (rate(node_cpu_seconds_total[5m]))",
        "node_load1 / on (instance) count by (instance) (node_cpu_seconds_total{mode=\"idle\"})",
        "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
        "node_memory_MemTotal_bytes - node_memory_MemFree_bytes - node_memory_Buffers_bytes - node_memory_Cached_bytes",
        "100 - 100 * node_filesystem_avail_bytes{fstype!~\"tmpfs|overlay\"} / node_filesystem_size_bytes",
        "predict_linear(node_filesystem_avail_bytes[1h], 4 * 3600) < 0",
        "rate(node_disk_read_bytes_total[5m])",
        "rate(node_disk_io_time_seconds_total[5m])",
        "rate(node_network_receive_bytes_total{device!=\"lo\"}[5m]) * 8",
        "sum by (instance) (increase(node_network_transmit_errs_total[1h]))",
        "node_time_seconds - node_boot_time_seconds",
        "changes(node_boot_time_seconds[1h])",
        "rate(node_context_switches_total[5m])",
        "node_netstat_Tcp_CurrEstab",
        "rate(node_pressure_cpu_waiting_seconds_total[5m])",
    ]

    private static let server = [
        "prometheus_tsdb_head_series",
        "rate(prometheus_tsdb_head_samples_appended_total[5m])",
        "histogram_quantile(0.9, sum by (handler, le) (rate(prometheus_http_request_duration_seconds_bucket[5m])))",
        "sum by (handler) (rate(prometheus_http_requests_total[5m]))",
        "rate(process_cpu_seconds_total[5m])",
        "process_resident_memory_bytes / 2 ^ 20",
        "process_open_fds / process_max_fds",
        "time() - process_start_time_seconds",
        "rate(go_gc_duration_seconds_sum[5m]) / rate(go_gc_duration_seconds_count[5m])",
        "go_memstats_alloc_bytes",
        "scrape_duration_seconds",
        "scrape_samples_scraped - scrape_samples_post_metric_relabeling",
        "avg_over_time(up[10m])",
        "up * on (instance, job) group_left (version) prometheus_build_info",
    ]
}
