import Numbers
import TSDB

/// One endpoint to scrape: the labels its series get, and where and how to ask it.
///
///     discovered   __address__="api:8000" __scheme__="http" __metrics_path__="/metrics" job="api" …
///        │ relabel_configs
///        ▼
///     labels       job="api" instance="api:8000"            on every series
///     request      GET http://api:8000/metrics
///
/// Source of the order of steps: upstream's target population: discovered labels win over the config's, relabeling may
/// change everything that starts with `__`, `instance` defaults to the address at the very end, no port is added.
public struct Target: Sendable, Equatable {
    /// Before relabeling; shown on `/targets` and `/service-discovery`.
    public let discovered: Labels
    /// All labels after relabeling, those with a double underscore included.
    let all: Labels
    /// The labels that series get.
    public let labels: Labels
    public let interval: Duration
    public let timeout: Duration
    public let scheme: String
    public let address: String
    public let path: String
    /// Query string, names ascending, percent-encoded.
    public let query: String

    /// The URL that is scraped, as it is shown and hashed.
    public var url: String {
        scheme + "://" + address + (path.isEmpty || path.hasPrefix("/") ? path : "/" + path) + (query.isEmpty ? "" : "?" + query)
    }

    /// What became of one discovered label set.
    public enum Outcome: Sendable, Equatable {
        case active(Target)
        /// Relabeling dropped it, or left no label.
        case dropped(discovered: Labels)
        /// It cannot be a target; the reason is upstream's.
        case invalid(discovered: Labels, reason: String)
    }

    /// Builds the target that `labels`, found in a group with `groupLabels`, makes in the job `config`.
    public static func make(_ labels: Labels, groupLabels: Labels, config: ScrapeConfig) -> Outcome {
        var builder = discoveredLabels(labels, groupLabels: groupLabels, config: config)
        let discovered = builder.labels()
        guard Relabeling.apply(config.relabelConfigs, to: &builder) else { return .dropped(discovered: discovered) }

        let address = builder["__address__"]
        if let reason = problem(with: address) { return .invalid(discovered: discovered, reason: reason) }
        let intervalText = builder["__scrape_interval__"], timeoutText = builder["__scrape_timeout__"]
        let interval: Duration, timeout: Duration
        do {
            interval = try span(intervalText, of: "interval")
            timeout = try span(timeoutText, of: "timeout")
        } catch { return .invalid(discovered: discovered, reason: error.message) }
        if timeout > interval {
            let texts = "\(QuotedText.go(timeoutText)) > \(QuotedText.go(intervalText))"
            return .invalid(
                discovered: discovered, reason: "scrape timeout cannot be greater than scrape interval (\(texts))")
        }

        builder.removeAll { $0.utf8.starts(with: "__meta_".utf8) }
        if builder["instance"].isEmpty { builder.set("instance", to: address) }
        let all = builder.labels()
        builder.removeAll { $0.utf8.starts(with: "__".utf8) }
        let labels = builder.labels()
        if labels.isEmpty { return .dropped(discovered: discovered) }
        return .active(
            Target(
                discovered: discovered, all: all, labels: labels, interval: interval, timeout: timeout,
                scheme: all["__scheme__"] ?? "", address: address,
                path: URLText.encodedPath(all["__metrics_path__"] ?? ""),
                query: queryString(config.parameters, all)))
    }

    /// The target's own labels first, then the group's, then the config's defaults.
    private static func discoveredLabels(
        _ labels: Labels, groupLabels: Labels, config: ScrapeConfig
    ) -> LabelsBuilder {
        var builder = LabelsBuilder(groupLabels)
        for (name, value) in labels.pairs { builder.set(name, to: value) }
        var defaults = [
            ("job", config.jobName),
            ("__scrape_interval__", DurationText.string(milliseconds: config.interval.milliseconds)),
            ("__scrape_timeout__", DurationText.string(milliseconds: config.timeout.milliseconds)),
            ("__metrics_path__", config.metricsPath),
            ("__scheme__", config.scheme),
        ]
        for parameter in config.parameters {
            if let first = parameter.values.first { defaults.append(("__param_" + parameter.name, first)) }
        }
        for (name, value) in defaults where builder[name].isEmpty { builder.set(name, to: value) }
        return builder
    }

    private static func problem(with address: String) -> String? {
        if address.isEmpty { return "no address" }
        return address.utf8.contains(UInt8(ascii: "/")) ? "\(QuotedText.go(address)) is not a valid hostname" : nil
    }

    private static func span(_ text: String, of what: String) throws(DurationError) -> Duration {
        let milliseconds: Int64
        do { milliseconds = try DurationText.parse(text) } catch {
            throw DurationError("error parsing scrape \(what): \(error.message)")
        }
        if milliseconds == 0 { throw DurationError("scrape \(what) cannot be 0") }
        return Duration(milliseconds: milliseconds)
    }

    /// Configured parameters, with the first value of each replaced by its `__param_` label.
    private static func queryString(_ parameters: [QueryParameter], _ labels: Labels) -> String {
        var values: [String: [String]] = [:]
        for parameter in parameters { values[parameter.name] = parameter.values }
        for (name, value) in labels.pairs where name.utf8.starts(with: "__param_".utf8) {
            let parameter = String(decoding: name.utf8.dropFirst("__param_".utf8.count), as: UTF8.self)
            if values[parameter]?.isEmpty == false { values[parameter]?[0] = value } else { values[parameter] = [value] }
        }
        return URLText.query(values)
    }

    /// Spreads targets over the interval, and tells them apart: labels and URL.
    var identity: UInt64 {
        var bytes = all.packed
        bytes.append(0xff)
        bytes += Array(url.utf8)
        return bytes.withUnsafeBytes { FNV1a64.hash($0) }
    }
}

/// FNV-1a: the same on every machine and in every run, so that a target keeps its place within the interval.
enum FNV1a64 {
    static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return hash
    }
}
