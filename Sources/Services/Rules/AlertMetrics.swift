import SelfMetrics
import Synchronization

/// The numbers behind `prometheus_notifications_*`, by the Alertmanager's URL.
final class AlertMetrics: Sendable {
    private struct Counts {
        var sent = 0
        var errors = 0
        var dropped = 0
        /// Loops that use them: two configurations may name one Alertmanager.
        var users = 0
        let latency = Summary()
        let histogram = Histogram(bounds: [0.01, 0.1, 1, 10])
    }

    private let counts = Mutex<[String: Counts]>([:])

    func add(_ url: String) { counts.withLock { $0[url, default: Counts()].users += 1 } }

    func remove(_ url: String) {
        counts.withLock { counts in
            counts[url]?.users -= 1
            if counts[url]?.users == 0 { counts[url] = nil }
        }
    }

    func sent(_ url: String, _ alerts: Int, seconds: Double) {
        counts.withLock { counts in
            counts[url]?.sent += alerts
            counts[url]?.latency.observe(seconds)
            counts[url]?.histogram.observe(seconds)
        }
    }

    /// A batch that failed is dropped, too.
    func failed(_ url: String, _ alerts: Int) {
        counts.withLock { counts in
            counts[url]?.errors += alerts
            counts[url]?.dropped += alerts
        }
    }

    func dropped(_ url: String, _ alerts: Int) { counts.withLock { $0[url]?.dropped += alerts } }

    func write(queues: [(url: String, length: Int)], capacity: Int, to page: inout MetricsPage) {
        let all = counts.withLock { $0 }.sorted { $0.key < $1.key }
        func label(_ url: String) -> [(String, String)] { [("alertmanager", url)] }
        func counters(_ name: String, _ help: String, _ value: (Counts) -> Int) {
            page.family(name, .counter, help)
            for (url, counts) in all { page.sample(name, label(url), value(counts)) }
        }
        page.single(
            "prometheus_notifications_alertmanagers_discovered", .gauge,
            "The number of alertmanagers discovered and active.", queues.count)
        counters(
            "prometheus_notifications_dropped_total",
            "Total number of alerts dropped due to errors when sending to Alertmanager."
        ) { $0.dropped }
        counters("prometheus_notifications_errors_total", "Total number of sent alerts affected by errors.") { $0.errors }
        counters("prometheus_notifications_sent_total", "Total number of alerts sent.") { $0.sent }
        page.single(
            "prometheus_notifications_queue_capacity", .gauge, "The capacity of the alert notifications queue.", capacity)
        page.family(
            "prometheus_notifications_queue_length", .gauge, "The number of alert notifications in the queue.")
        var seen: Set<String> = []
        for queue in queues where seen.insert(queue.url).inserted {
            page.sample("prometheus_notifications_queue_length", label(queue.url), queue.length)
        }
        page.family(
            "prometheus_notifications_latency_seconds", .summary, "Latency quantiles for sending alert notifications.")
        for (url, counts) in all { counts.latency.write("prometheus_notifications_latency_seconds", label(url), to: &page) }
        page.family(
            "prometheus_notifications_latency_histogram_seconds", .histogram,
            "Latency histogram for sending alert notifications.")
        for (url, counts) in all {
            counts.histogram.write("prometheus_notifications_latency_histogram_seconds", label(url), to: &page)
        }
    }
}
