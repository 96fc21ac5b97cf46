/// The subjects of benchmarks, as one names them on the command line.
public enum CaseGroup: String, CaseIterable, Sendable {
    case histogramQuantile = "histogram-quantile"
    case rate
    case aggregation
    case overTime = "over-time"
    case binary
    case subquery
    case labels
    case selector
    case storage
    case ingest

    /// What the group's measurements need. `ingest` makes its own requests from all that an instance shows.
    var families: Set<MetricFamily> {
        switch self {
        case .histogramQuantile, .storage: return [.latency]
        case .rate, .selector: return [.requests]
        case .aggregation, .overTime, .subquery: return [.requests, .load]
        case .binary: return [.requests, .load, .build]
        case .labels: return [.load]
        case .ingest: return [.latency, .requests, .load]
        }
    }

    var title: String {
        switch self {
        case .histogramQuantile: return "histogram_quantile over rates of 5 minutes"
        case .rate: return "counters"
        case .aggregation: return "aggregations over all series"
        case .overTime: return "windows of gauges"
        case .binary: return "operators between vectors"
        case .subquery: return "subqueries"
        case .labels: return "labels rewritten"
        case .selector: return "samples as they are"
        case .storage: return "storage, per sample or series"
        case .ingest: return "taking samples in, per sample"
        }
    }
}

/// One query to measure.
struct QueryCase: Equatable, Sendable {
    enum Kind: String, Sendable { case range, instant }

    var group: CaseGroup
    /// What stands in the table.
    var name: String
    /// Over the fleet's metrics, as one would type it.
    var query: String
    var kind: Kind

    /// The query with the run's label in every selector, so that it sees the samples of this run alone.
    ///
    ///     sum(load{worker="1"} / requests_total)   becomes
    ///     sum(load{bench_run="7",worker="1"} / requests_total{bench_run="7"})
    func query(run: String) -> String {
        var result = ""
        var word = ""
        func isPart(_ character: Character) -> Bool { character.isLetter || character.isNumber || character == "_" }
        for character in query + " " {
            if isPart(character) {
                word.append(character)
                continue
            }
            result += word
            let isMetric = MetricFamily(rawValue: word) != nil
            word = ""
            switch (isMetric, character) {
            case (true, "{"): result += "{bench_run=\"\(run)\","
            case (true, _): result += "{bench_run=\"\(run)\"}\(character)"
            case (false, _): result.append(character)
            }
        }
        return String(result.dropLast())
    }
}

extension QueryCase {
    /// All queries of `group`, in the order of the table. `both` is a range and an instant query.
    private static func table(of group: CaseGroup) -> String {
        switch group {
        case .histogramQuantile:
            return """
                both   by (le)           ▸ histogram_quantile(0.95, sum by (le) (rate(latency_seconds_bucket[5m])))
                both   by (le, handler)  ▸ histogram_quantile(0.95, sum by (le, handler) (rate(latency_seconds_bucket[5m])))
                both   every histogram   ▸ histogram_quantile(0.95, rate(latency_seconds_bucket[5m]))
                """
        case .rate:
            return """
                range  sum(rate(x[5m]))       ▸ sum(rate(requests_total[5m]))
                range  sum(increase(x[10m]))  ▸ sum(increase(requests_total[10m]))
                range  sum(irate(x[5m]))      ▸ sum(irate(requests_total[5m]))
                range  rate(x{handler}[5m])   ▸ rate(requests_total{handler="/api/v1/1"}[5m])
                """
        case .aggregation:
            return """
                both   sum by (handler)        ▸ sum by (handler) (load)
                range  avg by (handler)        ▸ avg by (handler) (load)
                range  max by (handler)        ▸ max by (handler) (load)
                range  stddev by (handler)     ▸ stddev by (handler) (load)
                range  count without (worker)  ▸ count without (worker) (load)
                range  quantile(0.9, x)        ▸ quantile(0.9, load)
                both   topk(5, rate(x[5m]))    ▸ topk(5, rate(requests_total[5m]))
                """
        case .overTime:
            return """
                range  avg_over_time       ▸ sum(avg_over_time(load[10m]))
                range  max_over_time       ▸ sum(max_over_time(load[10m]))
                range  stddev_over_time    ▸ sum(stddev_over_time(load[10m]))
                range  quantile_over_time  ▸ sum(quantile_over_time(0.9, load[10m]))
                range  deriv               ▸ sum(deriv(load[10m]))
                range  changes             ▸ sum(changes(requests_total[10m]))
                """
        case .binary:
            return """
                range  x / on (…) y       ▸ sum(load / on (instance, handler, worker) rate(requests_total[5m]))
                range  x * group_left y   ▸ sum(load * on (instance) group_left (version) build_info)
                range  x > 20             ▸ count(load > 20)
                range  x and y            ▸ count(load and on (instance, handler, worker) requests_total > 100)
                range  x or y             ▸ count(load or requests_total)
                range  sum / sum          ▸ sum by (handler) (load) / sum by (handler) (rate(requests_total[5m]))
                """
        case .subquery:
            return """
                range  of an aggregation  ▸ max_over_time(sum by (handler) (rate(requests_total[5m]))[10m:1m])
                range  of every series    ▸ sum(max_over_time(load[10m:1m]))
                """
        case .labels:
            return """
                range  label_replace  ▸ count(label_replace(load, "host", "$1", "instance", "(.*):.*"))
                range  label_join     ▸ count(label_join(load, "place", "/", "instance", "handler"))
                """
        case .selector:
            return """
                both   x{handler}     ▸ requests_total{handler="/api/v1/1"}
                range  x{handler=~…}  ▸ count(requests_total{handler=~"/api/v1/[1-3]"})
                """
        case .storage, .ingest: return ""
        }
    }

    static func all(of group: CaseGroup) -> [QueryCase] {
        table(of: group).split(separator: "\n").flatMap { line in
            let parts = line.split(separator: "▸", maxSplits: 1).map { $0.split(separator: " ") }
            precondition(parts.count == 2 && parts[0].count > 1, "not a case: \(line)")
            let kinds: [Kind] = parts[0][0] == "both" ? [.range, .instant] : [.range]
            let name = parts[0].dropFirst().joined(separator: " "), query = parts[1].joined(separator: " ")
            return kinds.map { QueryCase(group: group, name: name, query: query, kind: $0) }
        }
    }
}
