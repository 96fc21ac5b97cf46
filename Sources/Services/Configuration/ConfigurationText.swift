import Numbers
import Scraper
import TSDB

/// The configuration as YAML again, defaults filled in and secrets hidden: what `/api/v1/status/config` shows.
///
/// In upstream's order of fields, because people compare; reading it back gives an equal configuration but for the secrets.
package struct YAMLText {
    package private(set) var text = ""
    private var depth = 0
    /// The next line begins an item of a list.
    private var beginsItem = false

    package init() {}

    /// `name: value`.
    mutating func field(_ name: String, _ value: String) {
        line(name + ": " + Self.scalar(value))
    }

    mutating func field(_ name: String, _ value: Bool) { line("\(name): \(value)") }
    mutating func field(_ name: String, _ value: Int) { line("\(name): \(value)") }
    mutating func field(_ name: String, _ value: TSDB.Duration) {
        line("\(name): " + Numbers.DurationText.string(milliseconds: value.milliseconds))
    }

    mutating func mapping(_ name: String, _ body: (inout YAMLText) -> Void) {
        line(name + ":")
        depth += 1
        body(&self)
        depth -= 1
    }

    mutating func list(_ name: String, _ values: [String]) {
        line(name + ":")
        for value in values { line("- " + Self.scalar(value)) }
    }

    /// A list of mappings.
    mutating func items<Item>(_ name: String, _ items: [Item], _ body: (inout YAMLText, Item) -> Void) {
        line(name + ":")
        for item in items {
            beginsItem = true
            depth += 1
            body(&self, item)
            depth -= 1
            beginsItem = false
        }
    }

    /// A line of any content, in place.
    mutating func raw(_ content: String) { line(content) }

    private mutating func line(_ content: String) {
        if beginsItem {
            text += String(repeating: "  ", count: max(0, depth - 1)) + "- " + content + "\n"
            beginsItem = false
        } else {
            text += String(repeating: "  ", count: depth) + content + "\n"
        }
    }

    /// Quoted where the bare text would be read as something else.
    package static func scalar(_ value: String) -> String {
        // As Go's YAML writes it, and nothing else of its kind.
        if value.isEmpty { return "\"\"" }
        let special: Set<Character> = ["-", "?", ":", ",", "[", "]", "{", "}", "#", "&", "*", "!", "|", ">", "'", "\"", "%", "@", "`", " "]
        let words = ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "~"]
        let isBare =
            !words.contains(value.lowercased()) && !(value.first.map(special.contains) ?? true) && value.last != " "
            && value.last != ":" && !value.contains(": ") && !value.contains(" #")
            && value.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
            && NumberText.parse(value, allowing: .go) == nil && !isTimeLike(value)
        if isBare { return value }
        if value.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f }) {
            return "'" + value.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
        }
        return doubleQuoted(value)
    }

    /// `1:30`, `2026-11-29`: YAML 1.1 reads numbers in base 60 and dates.
    private static func isTimeLike(_ value: String) -> Bool {
        guard let first = value.utf8.first, (0x30...0x39).contains(first) || first == UInt8(ascii: "+") else { return false }
        return value.utf8.contains(UInt8(ascii: ":")) || value.utf8.prefix(5).last == UInt8(ascii: "-")
    }

    static func quoted(_ value: String) -> String { doubleQuoted(value) }

    /// The fields of a tree, as it stands.
    package mutating func tree(_ node: YAMLNode) {
        guard case .mapping(let entries) = node.content else { return }
        for entry in entries {
            let name = Self.scalar(entry.key)
            switch entry.value.content {
            case .scalar(let text, let isPlain): line(name + ": " + (isPlain ? text : Self.scalar(text)))
            case .sequence(let items) where items.isEmpty: line(name + ": []")
            case .sequence(let items): list(name, of: items)
            case .mapping(let entries) where entries.isEmpty: line(name + ": {}")
            case .mapping: mapping(name) { $0.tree(entry.value) }
            }
        }
    }

    private mutating func list(_ name: String, of nodes: [YAMLNode]) {
        line(name + ":")
        for node in nodes {
            switch node.content {
            case .scalar(let text, let isPlain): line("- " + (isPlain ? text : Self.scalar(text)))
            case .mapping(let entries) where !entries.isEmpty:
                beginsItem = true
                depth += 1
                tree(node)
                depth -= 1
                beginsItem = false
            // Nothing we show has lists in lists.
            case .mapping, .sequence: line("- {}")
            }
        }
    }

    private static func doubleQuoted(_ value: String) -> String {
        var result = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                result += "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

extension Configuration {
    /// See `YAMLText`.
    public var yaml: String {
        var out = YAMLText()
        out.mapping("global") { out in
            out.field("scrape_interval", global.scrapeInterval)
            out.field("scrape_timeout", global.scrapeTimeout)
            if let protocols = global.protocols { out.list("scrape_protocols", protocols.map(\.rawValue)) }
            out.field("evaluation_interval", global.evaluationInterval)
            if global.ruleQueryOffset > .zero { out.field("rule_query_offset", global.ruleQueryOffset) }
            if !global.queryLogFile.isEmpty { out.field("query_log_file", global.queryLogFile) }
            if !global.externalLabels.isEmpty { out.labels("external_labels", global.externalLabels) }
            out.limits(global.limits, besides: ScrapeLimits())
            out.histograms(global.histograms, besides: HistogramScraping())
        }
        if alerting != AlertingConfig() { out.mapping("alerting") { $0.alerting(alerting) } }
        if !ruleFiles.isEmpty { out.list("rule_files", ruleFiles) }
        if !scrapeConfigs.isEmpty { out.items("scrape_configs", scrapeConfigs) { $0.scrape($1, global) } }
        if storage != Storage() { out.mapping("storage") { $0.storage(storage) } }
        return out.text
    }
}

extension YAMLText {
    fileprivate mutating func labels(_ name: String, _ labels: Labels) {
        mapping(name) { out in for (name, value) in labels.pairs { out.field(Self.scalar(name), value) } }
    }

    fileprivate mutating func limits(_ limits: ScrapeLimits, besides base: ScrapeLimits) {
        if limits.bodySize != base.bodySize { field("body_size_limit", ByteSize.string(limits.bodySize)) }
        if limits.samples != base.samples { field("sample_limit", limits.samples) }
        if limits.labels != base.labels { field("label_limit", limits.labels) }
        if limits.labelNameLength != base.labelNameLength { field("label_name_length_limit", limits.labelNameLength) }
        if limits.labelValueLength != base.labelValueLength { field("label_value_length_limit", limits.labelValueLength) }
        if limits.buckets != base.buckets { field("native_histogram_bucket_limit", limits.buckets) }
        if limits.minimumBucketFactor != base.minimumBucketFactor {
            raw("native_histogram_min_bucket_factor: " + NumberText.string(limits.minimumBucketFactor, style: .plain))
        }
        if limits.targets != base.targets { field("target_limit", limits.targets) }
        if limits.keptDroppedTargets != base.keptDroppedTargets { field("keep_dropped_targets", limits.keptDroppedTargets) }
    }

    fileprivate mutating func histograms(_ histograms: HistogramScraping, besides base: HistogramScraping) {
        if histograms.scrapesNative != base.scrapesNative { field("scrape_native_histograms", histograms.scrapesNative) }
        if histograms.keepsClassic != base.keepsClassic { field("always_scrape_classic_histograms", histograms.keepsClassic) }
        if histograms.convertsClassic != base.convertsClassic {
            field("convert_classic_histograms_to_nhcb", histograms.convertsClassic)
        }
    }

    fileprivate mutating func scrape(_ config: ScrapeConfig, _ global: GlobalConfig) {
        field("job_name", config.jobName)
        if config.honorLabels { field("honor_labels", true) }
        field("honor_timestamps", config.honorTimestamps)
        field("track_timestamps_staleness", config.trackTimestampsStaleness)
        if !config.parameters.isEmpty {
            mapping("params") { out in for item in config.parameters { out.list(Self.scalar(item.name), item.values) } }
        }
        field("scrape_interval", config.interval)
        field("scrape_timeout", config.timeout)
        list("scrape_protocols", config.protocols.map(\.rawValue))
        if let fallback = config.fallbackProtocol { field("fallback_scrape_protocol", fallback.rawValue) }
        field("metrics_path", config.metricsPath)
        field("scheme", config.scheme)
        field("enable_compression", config.enableCompression)
        limits(config.limits, besides: global.limits)
        histograms(config.histograms, besides: global.histograms)
        field("metric_name_validation_scheme", config.nameValidation.rawValue)
        field("metric_name_escaping_scheme", config.nameEscaping.rawValue)
        credentials(config.http)
        field("follow_redirects", config.http.followRedirects)
        if !config.relabelConfigs.isEmpty { items("relabel_configs", config.relabelConfigs) { $0.relabel($1) } }
        if !config.metricRelabelConfigs.isEmpty {
            items("metric_relabel_configs", config.metricRelabelConfigs) { $0.relabel($1) }
        }
        targets(config.staticConfigs)
    }

    private mutating func credentials(_ http: HTTPClientConfig) {
        switch http.credentials {
        case .none: break
        case .basic(let username, _):
            mapping("basic_auth") { out in
                out.field("username", username)
                out.field("password", "<secret>")
            }
        case .authorization(let type, _):
            mapping("authorization") { out in
                out.field("type", type)
                out.field("credentials", "<secret>")
            }
        }
        if !http.headers.isEmpty {
            mapping("http_headers") { out in
                var written: Set<String> = []
                for header in http.headers where written.insert(header.name).inserted {
                    let count = http.headers.filter { $0.name == header.name }.count
                    out.mapping(Self.scalar(header.name)) {
                        $0.list("secrets", Array(repeating: "<secret>", count: count))
                    }
                }
            }
        }
    }

    private mutating func targets(_ groups: [TargetGroup]) {
        if groups.isEmpty { return }
        items("static_configs", groups) { out, group in
            out.list("targets", group.targets.compactMap { $0["__address__"] })
            if !group.labels.isEmpty { out.labels("labels", group.labels) }
        }
    }

    fileprivate mutating func alerting(_ config: AlertingConfig) {
        if !config.relabelConfigs.isEmpty { items("alert_relabel_configs", config.relabelConfigs) { $0.relabel($1) } }
        if config.alertmanagers.isEmpty { return }
        items("alertmanagers", config.alertmanagers) { out, set in
            out.credentials(set.http)
            out.field("follow_redirects", set.http.followRedirects)
            out.field("scheme", set.scheme)
            if !set.pathPrefix.isEmpty { out.field("path_prefix", set.pathPrefix) }
            out.field("timeout", set.timeout)
            out.field("api_version", "v2")
            if !set.relabelConfigs.isEmpty { out.items("relabel_configs", set.relabelConfigs) { $0.relabel($1) } }
            if !set.alertRelabelConfigs.isEmpty {
                out.items("alert_relabel_configs", set.alertRelabelConfigs) { $0.relabel($1) }
            }
            out.targets(set.staticConfigs)
        }
    }

    fileprivate mutating func relabel(_ config: RelabelConfig) {
        if !config.sourceLabels.isEmpty {
            field("source_labels", flow: config.sourceLabels)
        }
        field("separator", config.separator)
        if config.modulus > 0 { field("modulus", Int(clamping: config.modulus)) }
        field("regex", config.regex.source)
        if !config.targetLabel.isEmpty { field("target_label", config.targetLabel) }
        field("replacement", config.replacement)
        field("action", config.action.rawValue)
    }

    /// `name: [a, b]`.
    fileprivate mutating func field(_ name: String, flow values: [String]) {
        raw(
            "\(name): ["
                + values.map { value in
                    value.utf8.allSatisfy { $0 == UInt8(ascii: "_") || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a) } ? value : Self.quoted(value)
                }.joined(separator: ", ") + "]")
    }

    fileprivate mutating func storage(_ storage: Configuration.Storage) {
        mapping("tsdb") { out in
            if storage.outOfOrderWindow > .zero { out.field("out_of_order_time_window", storage.outOfOrderWindow) }
            guard let time = storage.retentionTime else { return }
            out.mapping("retention") { out in out.field("time", time) }
        }
    }
}
