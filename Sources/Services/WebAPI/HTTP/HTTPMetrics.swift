import SelfMetrics

/// Counts requests per route: how many with which status, how long they took, how large the answers were.
final class HTTPMetrics: Sendable {
    private let requests = Labelled<Counter> { Counter() }
    private let durations = Labelled<Histogram> { Histogram(bounds: [0.1, 0.2, 0.4, 1, 3, 8, 20, 60, 120], isNative: true) }
    private let sizes = Labelled<Histogram> { Histogram(bounds: [100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]) }

    /// `prometheus` or `alertmanager`: what the families' names begin with.
    private let prefix: String

    init(prefix: String = "prometheus") { self.prefix = prefix }

    /// `route` is the pattern, not the path, so the number of label values is bounded.
    func observe(route: String, status: Int, seconds: Double, bytes: Int) {
        requests["\(route) \(status)"].increment()
        durations[route].observe(seconds)
        sizes[route].observe(Double(bytes))
    }

    func write(to page: inout MetricsPage) {
        page.family(prefix + "_http_requests_total", .counter, "Counter of HTTP requests.")
        for (value, counter) in requests.all {
            let parts = value.split(separator: " ")
            let labels = [("code", parts.last.map(String.init) ?? ""), ("handler", parts.first.map(String.init) ?? "")]
            page.sample(prefix + "_http_requests_total", labels, counter.value)
        }
        page.family(prefix + "_http_request_duration_seconds", .histogram, "Histogram of latencies for HTTP requests.")
        for (route, histogram) in durations.all {
            histogram.write(prefix + "_http_request_duration_seconds", [("handler", route)], to: &page)
        }
        page.family(prefix + "_http_response_size_bytes", .histogram, "Histogram of response size for HTTP requests.")
        for (route, histogram) in sizes.all {
            histogram.write(prefix + "_http_response_size_bytes", [("handler", route)], to: &page)
        }
    }
}
