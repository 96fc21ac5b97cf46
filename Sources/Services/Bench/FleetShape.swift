import TSDB

/// The metrics of the fleet; each has `seriesCount` series, but for `build`, which has one per instance.
enum MetricFamily: String, CaseIterable, Sendable {
    /// Buckets of classic histograms: cumulative counters with `le`, `handler` and `instance`.
    case latency = "latency_seconds_bucket"
    /// Counters with `worker`, `handler` and `instance`; an instance's restart sets them back.
    case requests = "requests_total"
    /// Gauges with the labels of `requests`: integers, two decimals, full floats and constants by turns.
    case load = "load"
    /// Constant 1 with `instance` and `version`: the "one" side of a join.
    case build = "build_info"
}

/// What a benchmark's data look like; everything about them follows from these few numbers.
///
///     instance 0 ┬ handler 0 ┬ le 0.005      a scrape of one instance has one timestamp; every instance has an offset
///                │           ┆ le +Inf       of its own within the interval
///                ┆ handler 9
///     instance 1 …
struct FleetShape: Equatable, Sendable {
    /// Series of each family; the last instance has fewer where it does not come out even.
    var seriesCount: Int
    /// Buckets of a histogram, `+Inf` among them; as many workers have counters and gauges.
    var bucketCount: Int
    var scrapeCount: Int
    /// Milliseconds between two scrapes of an instance.
    var interval: Int64
    /// No sample is later.
    var end: Timestamp
    var families: Set<MetricFamily>
    /// The same seed gives the same samples.
    var seed: UInt64
    /// Value of the label `bench_run` on every series: keeps runs against one server apart.
    var run: String

    static let handlerCount = 10

    /// Series of one family on one instance that is whole.
    var seriesPerInstance: Int { Self.handlerCount * bucketCount }

    var instanceCount: Int { (seriesCount + seriesPerInstance - 1) / seriesPerInstance }

    func seriesCount(of family: MetricFamily, instance: Int) -> Int {
        family == .build ? 1 : min(seriesPerInstance, seriesCount - instance * seriesPerInstance)
    }

    /// Series of all families.
    var totalSeriesCount: Int { families.reduce(0) { $0 + ($1 == .build ? instanceCount : seriesCount) } }

    /// Samples of the whole fleet if no scrape failed.
    var maximumSampleCount: Int { totalSeriesCount * scrapeCount }

    /// In the order in which an instance shows them.
    var orderedFamilies: [MetricFamily] { MetricFamily.allCases.filter(families.contains) }
}

// MARK: Labels

extension FleetShape {
    /// Upper bounds of the buckets. Twelve are Prometheus' default ones; other numbers are spread evenly by ratio over
    /// 1 ms to 60 s.
    var bucketBounds: [String] {
        if bucketCount == 12 {
            return ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"]
        }
        let finite = bucketCount - 1
        var bound = 1_000.0
        // Microseconds as integers: what is printed is what is meant, in any number of digits.
        let ratio = root(60_000, finite - 1)
        return (0..<finite).map { _ in
            defer { bound *= ratio }
            return "\(bound.rounded() / 1_000_000)"
        } + ["+Inf"]
    }

    /// The labels of series `slot` of `family` on `instance`.
    func labels(_ family: MetricFamily, instance: Int, slot: Int, bounds: [String]) -> Labels {
        var labels: [(name: String, value: String)] = [
            ("__name__", family.rawValue), ("bench_run", run), ("job", "api"),
            ("instance", "10.\(instance >> 16 & 255).\(instance >> 8 & 255).\(instance & 255):8080"),
        ]
        switch family {
        case .latency: labels.append(("le", bounds[slot % bucketCount]))
        case .requests, .load: labels.append(("worker", "\(slot % bucketCount)"))
        case .build: labels.append(("version", "1.\(instance % 4).0"))
        }
        if family != .build { labels.append(("handler", "/api/v1/\(slot / bucketCount)")) }
        return Labels(labels)
    }
}

/// The `degree`th root of `x >= 1` by bisection: no mathematical library for one number.
private func root(_ x: Double, _ degree: Int) -> Double {
    guard degree > 1 else { return x }
    var low = 1.0, high = x
    for _ in 0..<100 {
        let middle = (low + high) / 2
        if (0..<degree).reduce(1.0, { power, _ in power * middle }) < x { low = middle } else { high = middle }
    }
    return low
}
