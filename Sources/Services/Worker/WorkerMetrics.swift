import SelfMetrics
import Synchronization

/// What the worker reports.
final class WorkerMetrics: Sendable {
    let batches = Labelled<Counter> { Counter() }
    let rowsInserted = Counter()
    let batchDuration = Histogram(bounds: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])
    let lastSuccess = Gauge()
    let concurrency = Gauge()
    /// `nil` while the database does not say: an old number would look like a true one.
    private let queueLength = Mutex<Int?>(nil)

    init() {
        // There from the start, so that the first failure is seen by `rate()`.
        _ = (batches["success"], batches["error"])
    }

    func setQueueLength(_ length: Int?) { queueLength.withLock { $0 = length } }
    var knownQueueLength: Int? { queueLength.withLock { $0 } }

    func page() -> [UInt8] {
        var page = MetricsPage()
        if let length = knownQueueLength {
            page.single("worker_queue_length", .gauge, "Jobs that wait to be done.", length)
        }
        page.family("worker_batches_total", .counter, "Batches of jobs, by how they ended.")
        for (result, counter) in batches.all { page.sample("worker_batches_total", [("result", result)], counter.value) }
        page.single("worker_rows_inserted_total", .counter, "Rows inserted into the table of transactions.", rowsInserted.value)
        page.family("worker_batch_duration_seconds", .histogram, "Time one batch took.")
        batchDuration.write("worker_batch_duration_seconds", to: &page)
        page.single(
            "worker_last_success_timestamp_seconds", .gauge, "When the database last did what the worker asked for, since unix epoch.",
            lastSuccess.value)
        page.single("worker_concurrency", .gauge, "Workers that take batches.", concurrency.value)
        ProcessMetrics.write(to: &page)
        return page.bytes
    }
}
