import Numbers
import Scraper
import SelfMetrics
import TSDB
import WebAPI

/// Prometheus' names for the numbers that the parts of this process keep.
enum ServerMetrics {
    static func write(_ database: Database, _ scrapes: ScrapeStatistics.Counters, to page: inout MetricsPage) {
        write(database.replay, to: &page)
        write(database.statistics, database.refusedCounts, to: &page)
        write(database.exemplarStatistics, to: &page)
        write(scrapes, to: &page)
    }

    static func write(_ status: ServerStatus, to page: inout MetricsPage) {
        let build = status.build, reload = status.lastReload
        page.family("prometheus_build_info", .gauge, "A metric with a constant '1' value labeled by version, revision, branch.")
        page.sample(
            "prometheus_build_info",
            [("branch", build.branch), ("goversion", ""), ("revision", build.revision), ("version", build.version)], 1)
        page.single(
            "prometheus_ready", .gauge,
            "Whether Prometheus startup was fully completed and the server is ready for normal operation.",
            status.isReady ? 1 : 0)
        page.single(
            "prometheus_config_last_reload_successful", .gauge,
            "Whether the last configuration reload attempt was successful.", reload.succeeded ? 1 : 0)
        page.single(
            "prometheus_config_last_reload_success_timestamp_seconds", .gauge,
            "Timestamp of the last successful configuration reload.", reload.lastSuccess.seconds)
    }

    private static func write(_ replay: WALReplayReport, to page: inout MetricsPage) {
        page.single(
            "prometheus_tsdb_wal_corruptions_total", .counter, "Total number of WAL corruptions.", replay.damages.count)
        page.single(
            "minprom_tsdb_wal_lost_samples", .gauge, "Samples behind damage in the log, lost when it was replayed.",
            replay.lostSampleCount)
    }

    private static func write(_ head: HeadStatistics, _ refused: [AppendVerdict: Int], to page: inout MetricsPage) {
        page.single("prometheus_tsdb_head_series", .gauge, "Total number of series in the head block.", head.seriesCount)
        page.single("prometheus_tsdb_head_chunks", .gauge, "Total number of chunks in the head block.", head.chunkCount)
        page.single(
            "prometheus_tsdb_head_series_created_total", .counter, "Total number of series created in the head",
            head.seriesCreated)
        page.single(
            "prometheus_tsdb_head_series_removed_total", .counter, "Total number of series removed in the head",
            head.seriesRemoved)
        page.family("prometheus_tsdb_head_samples_appended_total", .counter, "Total number of appended samples.")
        page.sample("prometheus_tsdb_head_samples_appended_total", [("type", "float")], head.samplesAppended)
        page.single(
            "prometheus_tsdb_head_min_time", .gauge, "Minimum time bound of the head block. The unit is decided by the library consumer.",
            Double(head.minTime.milliseconds))
        page.single(
            "prometheus_tsdb_head_max_time", .gauge, "Maximum timestamp of the head block. The unit is decided by the library consumer.",
            Double(head.maxTime.milliseconds))
        page.single(
            "prometheus_tsdb_head_min_time_seconds", .gauge, "Minimum time bound of the head block.", head.minTime.seconds)
        page.single(
            "prometheus_tsdb_head_max_time_seconds", .gauge, "Maximum timestamp of the head block.", head.maxTime.seconds)
        page.single(
            "prometheus_tsdb_lowest_timestamp_seconds", .gauge, "Lowest timestamp value stored in the database.",
            head.minTime.seconds)
        page.single(
            "prometheus_tsdb_out_of_order_samples_total", .counter,
            "Total number of out of order samples ingestion failed attempts due to out of order being disabled.",
            refused[.outOfOrder] ?? 0)
        page.single(
            "prometheus_tsdb_too_old_samples_total", .counter,
            "Total number of out of order samples ingestion failed attempts with out of support enabled, but sample outside of time window.",
            refused[.tooOld] ?? 0)
        page.single(
            "prometheus_tsdb_out_of_bound_samples_total", .counter,
            "Total number of out of bound samples ingestion failed attempts with out of order support disabled.",
            (refused[.outOfBounds] ?? 0) + (refused[.tooFarAhead] ?? 0))
        page.single("minprom_tsdb_head_chunk_bytes", .gauge, "Bytes of closed chunks in the head.", head.closedChunkBytes)
        page.single("minprom_tsdb_head_label_bytes", .gauge, "Bytes of labels and their index in the head.", head.labelArenaBytes)
    }

    private static func write(_ exemplars: ExemplarStatistics, to page: inout MetricsPage) {
        page.single(
            "prometheus_tsdb_exemplar_exemplars_appended_total", .counter, "Total number of appended exemplars.",
            exemplars.appendedCount)
        page.single(
            "prometheus_tsdb_exemplar_exemplars_in_storage", .gauge,
            "Number of exemplars currently in circular storage.", exemplars.count)
        page.single(
            "prometheus_tsdb_exemplar_series_with_exemplars_in_storage", .gauge,
            "Number of series with exemplars currently in circular storage.", exemplars.seriesCount)
        page.single(
            "prometheus_tsdb_exemplar_last_exemplars_timestamp_seconds", .gauge,
            "Timestamp of the exemplar that has been stored for longest: how far back the storage reaches.",
            exemplars.oldestTimestamp?.seconds ?? 0)
        page.single(
            "prometheus_tsdb_exemplar_max_exemplars", .gauge,
            "Total number of exemplars the exemplar storage can store, resizeable.", exemplars.capacity)
        page.single(
            "prometheus_tsdb_exemplar_out_of_order_exemplars_total", .counter,
            "Total number of out of order exemplar ingestion failed attempts.", exemplars.outOfOrderCount)
    }

    private static func write(_ scrapes: ScrapeStatistics.Counters, to page: inout MetricsPage) {
        let counters: [(String, String, UInt64)] = [
            (
                "prometheus_target_scrapes_exceeded_sample_limit_total",
                "Total number of scrapes that hit the sample limit and were rejected.", scrapes.exceededSampleLimit
            ),
            (
                "prometheus_target_scrapes_exceeded_native_histogram_bucket_limit_total",
                "Total number of scrapes that hit the native histogram bucket limit and were rejected.", scrapes.exceededBucketLimit
            ),
            (
                "prometheus_target_scrapes_exceeded_body_size_limit_total",
                "Total number of scrapes that hit the body size limit", scrapes.exceededBodySizeLimit
            ),
            (
                "prometheus_target_scrapes_sample_duplicate_timestamp_total",
                "Total number of samples rejected due to duplicate timestamps but different values.", scrapes.duplicateSamples
            ),
            (
                "prometheus_target_scrapes_sample_out_of_order_total",
                "Total number of samples rejected due to not being out of the expected order.", scrapes.outOfOrderSamples
            ),
            (
                "prometheus_target_scrapes_sample_out_of_bounds_total",
                "Total number of samples rejected due to timestamp falling outside of the time bounds.",
                scrapes.outOfBoundsSamples
            ),
            (
                "prometheus_target_scrapes_exemplar_out_of_order_total",
                "Total number of exemplar rejected due to not being out of the expected order.",
                scrapes.outOfOrderExemplars
            ),
            (
                "prometheus_target_scrape_pool_exceeded_target_limit_total",
                "Total number of times scrape pools hit the target limit, during sync or config reload.",
                scrapes.exceededTargetLimit
            ),
            (
                "prometheus_target_scrape_pool_exceeded_label_limits_total",
                "Total number of times scrape pools hit the label limits, during sync or config reload.",
                scrapes.exceededLabelLimits
            ),
            ("prometheus_target_scrape_pools_total", "Total number of scrape pool creation attempts.", scrapes.poolsCreated),
            ("prometheus_target_scrape_pool_reloads_total", "Total number of scrape pool reloads.", scrapes.poolReloads),
            ("minprom_target_scrapes_total", "Total number of scrapes.", scrapes.scrapes),
            ("minprom_target_scrapes_failed_total", "Total number of scrapes that failed.", scrapes.failedScrapes),
            ("minprom_target_scraped_samples_total", "Total number of samples on scraped pages.", scrapes.samplesScraped),
        ]
        for (name, help, value) in counters { page.single(name, .counter, help, Double(value)) }
        page.family("prometheus_target_sync_failed_total", .counter, "Total number of target sync failures.")
        for (job, count) in scrapes.failedSyncs.sorted(by: { $0.key < $1.key }) {
            page.sample("prometheus_target_sync_failed_total", [("scrape_job", job)], Double(count))
        }
        page.family("prometheus_target_scrape_pool_sync_total", .counter, "Total number of syncs that were executed on a scrape pool.")
        for (job, count) in scrapes.syncs.sorted(by: { $0.key < $1.key }) {
            page.sample("prometheus_target_scrape_pool_sync_total", [("scrape_job", job)], Double(count))
        }
        page.family("prometheus_target_interval_length_seconds", .summary, "Actual intervals between scrapes.")
        for (interval, lengths) in scrapes.intervals.sorted(by: { $0.key < $1.key }) {
            let label = ("interval", DurationText.string(milliseconds: interval.milliseconds))
            for quantile in [0.01, 0.05, 0.5, 0.9, 0.99] {
                page.sample(
                    "prometheus_target_interval_length_seconds", [label, ("quantile", "\(quantile)")],
                    lengths.quantile(quantile))
            }
            page.sample("prometheus_target_interval_length_seconds_sum", [label], lengths.sum)
            page.sample("prometheus_target_interval_length_seconds_count", [label], Double(lengths.count))
        }
    }
}
