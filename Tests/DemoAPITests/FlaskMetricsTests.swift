import SelfMetrics
import Testing

@testable import DemoAPI

@Suite("Metrics of a Flask application")
struct FlaskMetricsTests {
    private func page(_ metrics: FlaskMetrics, _ format: FlaskPage.Format = .text, names: Set<String> = []) -> String {
        var page = FlaskPage(metrics.snapshot, process: nil)
        if !names.isEmpty { page.keep(names) }
        return String(decoding: page.bytes(format), as: UTF8.self)
    }

    private func metrics(strictParity: Bool = false) -> FlaskMetrics {
        FlaskMetrics(methods: ["GET", "POST"], strictParity: strictParity) { 1_700_000_000 }
    }

    private func record(
        _ metrics: FlaskMetrics, _ status: Int = 200, _ path: String = "/health", method: String = "GET", known: Bool = true,
        seconds: Double = 0.03, raised: Bool = false
    ) { metrics.record(method: method, path: path, isKnownPath: known, status: status, seconds: seconds, raised: raised) }

    @Test("exceptions of known methods begin at 0; with strict parity they are absent until the first")
    func exceptionsBeginAtZero() {
        #expect(page(metrics()).contains("flask_http_request_exceptions_total{method=\"GET\",status=\"500\"} 0\n"))
        let strict = metrics(strictParity: true)
        #expect(!page(strict).contains("exceptions"))
        record(strict, 500, raised: true)
        #expect(page(strict).contains("flask_http_request_exceptions_total{method=\"GET\",status=\"500\"} 1\n"))
    }

    @Test("a returned 503 is no exception, a raised one is counted once in each family")
    func returnedIsNotRaised() {
        let metrics = metrics()
        record(metrics, 503)
        #expect(page(metrics).contains("exceptions_total{method=\"GET\",status=\"500\"} 0\n"))
        record(metrics, 500, raised: true)
        let text = page(metrics)
        #expect(text.contains("exceptions_total{method=\"GET\",status=\"500\"} 1\n"))
        #expect(text.contains("flask_http_request_total{method=\"GET\",status=\"500\"} 1\n"))
        #expect(text.contains("flask_http_request_duration_seconds_count{method=\"GET\",path=\"/health\",status=\"500\"} 1\n"))
    }

    @Test("buckets are cumulative, and a duration on a bound belongs to its bucket")
    func buckets() {
        let metrics = metrics()
        for seconds in [0.005, 0.0051, 1, 99] { record(metrics, seconds: seconds) }
        let text = page(metrics)
        for (bound, count) in [("0.005", 1), ("0.01", 2), ("0.75", 2), ("1.0", 3), ("10.0", 3), ("+Inf", 4)] {
            #expect(text.contains("_bucket{le=\"\(bound)\",method=\"GET\",path=\"/health\",status=\"200\"} \(count)\n"))
        }
    }

    @Test("unknown paths and methods are one series each; strict parity keeps them apart")
    func unmatched() {
        let ours = metrics(), strict = metrics(strictParity: true)
        for metrics in [ours, strict] {
            for path in ["/a", "/b"] { record(metrics, 404, path, known: false) }
            record(metrics, 404, "/a", method: "BREW", known: false)
        }
        #expect(page(ours).contains("_count{method=\"GET\",path=\"<unmatched>\",status=\"404\"} 2\n"))
        #expect(page(ours).contains("flask_http_request_total{method=\"<other>\",status=\"404\"} 1\n"))
        #expect(page(strict).contains("_count{method=\"GET\",path=\"/b\",status=\"404\"} 1\n"))
        #expect(page(strict).contains("flask_http_request_total{method=\"BREW\",status=\"404\"} 1\n"))
    }

    @Test("nobody can make more series than the bound, and none is lost")
    func bounded() {
        let metrics = metrics(strictParity: true)
        for number in 0..<2000 { record(metrics, 404, "/\(number)", known: false) }
        #expect(metrics.snapshot.durations.series.count == FlaskMetrics.maximumSeries + 1)
        #expect(page(metrics).contains("_count{method=\"<other>\",path=\"<other>\",status=\"<other>\"} 1500\n"))
    }

    @Test("text: families of counters end in _total, and beginnings are gauges of their own")
    func text() {
        let metrics = metrics(strictParity: true)
        record(metrics)
        #expect(
            page(metrics, names: ["flask_http_request_total", "flask_http_request_created"]) == """
                # HELP flask_http_request_total Total number of HTTP requests
                # TYPE flask_http_request_total counter
                flask_http_request_total{method="GET",status="200"} 1
                # HELP flask_http_request_created Total number of HTTP requests
                # TYPE flask_http_request_created gauge
                flask_http_request_created{method="GET",status="200"} 1.7e+09

                """)
    }

    @Test("OpenMetrics: the family is the name without _total, a series' beginning stands with it, EOF ends the page")
    func openMetrics() {
        let metrics = metrics(strictParity: true)
        record(metrics)
        record(metrics, 201, method: "POST")
        #expect(
            page(metrics, .openMetrics, names: ["flask_http_request_total", "flask_http_request_created"]) == """
                # HELP flask_http_request Total number of HTTP requests
                # TYPE flask_http_request counter
                flask_http_request_total{method="GET",status="200"} 1
                flask_http_request_created{method="GET",status="200"} 1.7e+09
                flask_http_request_total{method="POST",status="201"} 1
                flask_http_request_created{method="POST",status="201"} 1.7e+09
                # EOF

                """)
    }

    @Test("name[] keeps samples of these names and no family without one")
    func names() {
        let metrics = metrics()
        record(metrics)
        let text = page(metrics, names: ["flask_http_request_duration_seconds_sum"])
        #expect(text.split(separator: "\n").map { $0.prefix { $0 != " " && $0 != "{" } } == ["#", "#", "flask_http_request_duration_seconds_sum"])
        #expect(page(metrics, names: ["flask_http_request"]) == "")
    }
}
