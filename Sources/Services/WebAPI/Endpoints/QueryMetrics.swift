import SelfMetrics

/// `prometheus_engine_*`: how many queries run and where their time goes.
public final class QueryMetrics: Sendable {
    private let running = Gauge()
    private let samples = Counter()
    private let slices = Labelled<Tally> { Tally() }
    private let lanes: QueryLanes

    init(_ lanes: QueryLanes) { self.lanes = lanes }

    func begin() { running.add(1) }
    func end() { running.add(-1) }

    /// Times in seconds.
    func observe(queued: Double, prepared: Double, evaluated: Double, samples: Int) {
        slices["queue_time"].observe(queued)
        slices["prepare_time"].observe(prepared)
        slices["inner_eval"].observe(evaluated)
        self.samples.increment(by: samples)
    }

    func write(to page: inout MetricsPage) {
        page.single("prometheus_engine_queries", .gauge, "The current number of queries being executed or waiting.", running.value)
        page.single("prometheus_engine_queries_concurrent_max", .gauge, "The max number of concurrent queries.", lanes.options.heavyQueries)
        let load = lanes.load
        page.single("minprom_query_heavy_running", .gauge, "Heavy queries that run.", load.running)
        page.single("minprom_query_heavy_waiting", .gauge, "Heavy queries that wait for a place.", load.waiting)
        page.single(
            "minprom_query_heavy_total", .counter, "Queries that were begun as light ones and were not.", load.demoted)
        page.family("prometheus_engine_query_duration_seconds", .summary, "Query timings.")
        for (slice, tally) in slices.all {
            tally.write("prometheus_engine_query_duration_seconds", [("slice", slice)], to: &page)
        }
        page.single(
            "prometheus_engine_query_samples_total", .counter, "The total number of samples loaded by all queries.",
            samples.value)
    }
}
