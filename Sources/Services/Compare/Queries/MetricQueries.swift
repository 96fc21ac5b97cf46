/// Queries made for the metrics that a server has, from their names.
///
///     …_bucket                  histogram_quantile over it        …_total, …_count, …_sum     rates
///     anything else             a gauge
public struct MetricQueries {
    /// Metrics that get queries of their own; of more, the first by name.
    public static let maximumMetrics = 300
    /// Gauges, counters and histograms over which the whole language is asked, the servers' own metrics aside.
    static let maximumWorlds = 3

    private let gauges: [String]
    private let counters: [String]
    private let buckets: [String]

    public init(names: [String]) {
        buckets = names.filter { $0.hasSuffix("_bucket") }
        counters = names.filter { name in ["_total", "_count", "_sum"].contains { name.hasSuffix($0) } }
        gauges = names.filter { name in !["_bucket", "_total", "_count", "_sum"].contains { name.hasSuffix($0) } }
    }

    public func queries() -> [ComparedQuery] {
        var queries = LanguageQueries.all(
            gauge: "go_goroutines", counter: "prometheus_http_requests_total",
            buckets: "prometheus_http_request_duration_seconds_bucket")
        let gauges = foreign(self.gauges), counters = foreign(self.counters), buckets = foreign(self.buckets)
        for index in 0..<min(Self.maximumWorlds, max(gauges.count, counters.count, buckets.count)) {
            queries += LanguageQueries.all(
                gauge: selector(gauges.cyclic(index) ?? "up"),
                counter: selector(counters.cyclic(index) ?? "process_cpu_seconds_total"),
                buckets: selector(buckets.cyclic(index) ?? "prometheus_http_request_duration_seconds_bucket"))
        }
        for name in (self.gauges + self.counters + self.buckets).sorted().prefix(Self.maximumMetrics) {
            queries += own(name).map { ComparedQuery("each metric", $0) }
        }
        return queries
    }

    private func own(_ name: String) -> [String] {
        let metric = selector(name)
        if name.hasSuffix("_bucket") {
            return [
                metric, "histogram_quantile(0.9, rate(\(metric)[5m]))",
                "histogram_quantile(0.5, sum by (le) (increase(\(metric)[2m])))",
            ]
        }
        if ["_total", "_count", "_sum"].contains(where: { name.hasSuffix($0) }) {
            return [
                metric, "rate(\(metric)[1m])", "increase(\(metric)[5m])", "sum(rate(\(metric)[5m]))",
                "resets(\(metric)[10m])",
            ]
        }
        return [
            metric, "sum(\(metric))", "avg(\(metric))", "avg_over_time(\(metric)[5m])", "\(metric) offset 1m",
            "sort(\(metric))",
            "count_over_time(\(metric)[1m])",
        ]
    }

    /// Without what every server says of itself.
    private func foreign(_ names: [String]) -> [String] {
        names.filter { name in
            !["prometheus_", "go_", "process_", "scrape_", "minprom_", "net_conntrack_"].contains { name.hasPrefix($0) }
        }
    }

    private func selector(_ name: String) -> String {
        if isPlain(name) { return name }
        var text = ""
        for scalar in name.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return "{\"\(text)\"}"
    }

    /// A name that needs no quotes.
    private func isPlain(_ name: String) -> Bool {
        for (index, byte) in name.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): continue
            case UInt8(ascii: "_"), UInt8(ascii: ":"): continue
            case UInt8(ascii: "0")...UInt8(ascii: "9") where index > 0: continue
            default: return false
            }
        }
        return !name.isEmpty
    }
}

extension Array {
    fileprivate func cyclic(_ index: Int) -> Element? { isEmpty ? nil : self[index % count] }
}
