import Numbers
import RegularExpression
import Scraper
import TSDB

/// Reads one entry of `scrape_configs`.
struct ScrapeConfigReader {
    let global: GlobalConfig

    func read(_ node: YAMLNode) throws(ConfigError) -> ScrapeConfig {
        var fields = try Fields(node, "scrape_configs entry")
        let job = try fields.required("job_name")
        var config = ScrapeConfig(jobName: job)
        let interval = try fields.duration("scrape_interval"), timeout = try fields.duration("scrape_timeout")
        config.interval = interval.flatMap { $0 > .zero ? $0 : nil } ?? global.scrapeInterval
        if let timeout, timeout > config.interval {
            throw ConfigError(
                "scrape timeout greater than scrape interval for scrape config with job name \"\(job)\"", at: node.position)
        }
        config.timeout = timeout.flatMap { $0 > .zero ? $0 : nil } ?? min(global.scrapeTimeout, config.interval)
        config.metricsPath = try fields.string("metrics_path").flatMap { $0.isEmpty ? nil : $0 } ?? config.metricsPath
        config.scheme = try scheme(&fields)
        config.parameters = try parameters(&fields)
        config.honorLabels = try fields.bool("honor_labels") ?? config.honorLabels
        config.honorTimestamps = try fields.bool("honor_timestamps") ?? config.honorTimestamps
        config.trackTimestampsStaleness = try fields.bool("track_timestamps_staleness") ?? config.trackTimestampsStaleness
        config.enableCompression = try fields.bool("enable_compression") ?? config.enableCompression
        config.fallbackProtocol = try CommonScrapeFields.protocols(fields.take("fallback_scrape_protocol").map { [$0] } ?? []).first
        config.limits = global.limits
        config.histograms = global.histograms
        config.storesStartZeros = global.storesStartZeros
        config.storesStarts = global.storesStarts
        config.nameValidation = global.nameValidation
        config.nameEscaping = global.nameEscaping
        config.extraScrapeMetrics = global.extraScrapeMetrics
        var protocols = global.protocols
        try CommonScrapeFields.read(
            &fields, protocols: &protocols, limits: &config.limits, histograms: &config.histograms,
            validation: &config.nameValidation, escaping: &config.nameEscaping, extra: &config.extraScrapeMetrics)
        // What global says, or a feature, goes before what the job's histograms would like.
        config.protocols = protocols ?? (config.histograms.scrapesNative ? ScrapeProtocol.protobufFirst : ScrapeProtocol.standard)
        if let count = try fields.count("native_histogram_bucket_limit") { config.limits.buckets = count }
        if let factor = try fields.number("native_histogram_min_bucket_factor") { config.limits.minimumBucketFactor = factor }
        config.http = try http(&fields)
        for item in try fields.items("relabel_configs") {
            config.relabelConfigs.append(try relabel(item, "relabel_configs entry", config.nameValidation))
        }
        for (index, item) in try fields.items("static_configs").enumerated() {
            config.staticConfigs.append(try staticConfig(item, index, mayBeURLs: !config.relabelConfigs.isEmpty))
        }
        for item in try fields.items("metric_relabel_configs") {
            config.metricRelabelConfigs.append(try relabel(item, "metric_relabel_configs entry", config.nameValidation))
        }
        try refuseRest(fields)
        try fields.finish()
        return config
    }

    private func scheme(_ fields: inout Fields) throws(ConfigError) -> String {
        guard let node = fields.take("scheme") else { return "http" }
        let scheme = try node.text("scheme")
        switch scheme {
        case "http", InternalTransport.scheme: return scheme
        case "https": throw ConfigError("scheme https is not supported yet: TLS is not built in", at: node.position)
        default: throw ConfigError("scheme must be http or https, not \"\(scheme)\"", at: node.position)
        }
    }

    private func parameters(_ fields: inout Fields) throws(ConfigError) -> [QueryParameter] {
        guard let node = fields.take("params") else { return [] }
        guard case .mapping(let entries) = node.content else { throw ConfigError("params must be a mapping", at: node.position) }
        var result: [QueryParameter] = []
        for entry in entries {
            var values: [String] = []
            for item in try entry.value.items(entry.key) { values.append(try item.text(entry.key)) }
            result.append(QueryParameter(name: entry.key, values: values))
        }
        return result.sorted { $0.name < $1.name }
    }

    /// `mayBeURLs`: relabeling follows, which may make an address of anything, as the jobs of probes do with URLs.
    func staticConfig(_ node: YAMLNode, _ index: Int, mayBeURLs: Bool) throws(ConfigError) -> TargetGroup {
        var fields = try Fields(node, "static_configs entry")
        var addresses: [String] = []
        for item in try fields.items("targets") {
            let address = try item.text("targets")
            if !mayBeURLs, address.contains("/") {
                throw ConfigError("\"\(address)\" is not a valid hostname", at: item.position)
            }
            addresses.append(address)
        }
        let labels = Labels(try fields.labels("labels").map { (name: $0.name, value: $0.value) })
        try fields.finish()
        return TargetGroup(source: "\(index)", addresses: addresses, labels: labels)
    }

    func http(_ fields: inout Fields) throws(ConfigError) -> HTTPClientConfig {
        var http = HTTPClientConfig()
        http.followRedirects = try fields.bool("follow_redirects") ?? http.followRedirects
        // A wish that HTTP/1.1 fulfils as well.
        _ = try fields.bool("enable_http2")
        let basic = fields.take("basic_auth"), authorization = fields.take("authorization")
        if let basic, authorization != nil {
            throw ConfigError("at most one of basic_auth, oauth2 & authorization must be configured", at: basic.position)
        }
        if let basic {
            var fields = try Fields(basic, "basic_auth")
            let username = try fields.string("username") ?? "", password = try fields.string("password") ?? ""
            try fields.refuse(["username_file", "password_file", "username_ref", "password_ref"])
            try fields.finish()
            http.credentials = .basic(username: username, password: password)
        }
        if let authorization {
            var fields = try Fields(authorization, "authorization")
            let type = try fields.string("type").flatMap { $0.isEmpty ? nil : $0 } ?? "Bearer"
            let credentials = try fields.string("credentials") ?? ""
            try fields.refuse(["credentials_file", "credentials_ref"])
            try fields.finish()
            if type.lowercased() == "basic" {
                throw ConfigError(
                    "authorization type cannot be set to \"basic\", use \"basic_auth\" instead", at: authorization.position)
            }
            http.credentials = .authorization(type: type, credentials: credentials)
        }
        if let node = fields.take("http_headers") { http.headers = try headers(node) }
        return http
    }

    private func headers(_ node: YAMLNode) throws(ConfigError) -> [(name: String, value: String)] {
        guard case .mapping(let entries) = node.content else {
            throw ConfigError("http_headers must be a mapping", at: node.position)
        }
        var result: [(name: String, value: String)] = []
        for entry in entries {
            let isName = !entry.key.isEmpty && entry.key.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ":") }
            guard isName else { throw ConfigError("\"\(entry.key)\" is no header name", at: entry.position) }
            var fields = try Fields(entry.value, "http_headers entry")
            for name in ["values", "secrets"] {
                for item in try fields.items(name) {
                    let value = try item.text(name)
                    guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else {
                        throw ConfigError("a header's value must be one line", at: item.position)
                    }
                    result.append((entry.key, value))
                }
            }
            try fields.refuse(["files"])
            try fields.finish()
        }
        return result
    }

    func relabel(_ node: YAMLNode, _ kind: String, _ names: NameValidation) throws(ConfigError) -> RelabelConfig {
        var fields = try Fields(node, kind)
        let regexNode = fields.take("regex")
        var config: RelabelConfig
        do throws(PatternError) {
            config = try RelabelConfig(regex: regexNode?.plain() ?? RelabelConfig.standardRegex)
        } catch {
            throw ConfigError("regex: \(error.message)", at: regexNode?.position ?? node.position)
        }
        config.sourceLabels = try fields.strings("source_labels") ?? []
        // An empty separator or replacement is a value, not a default.
        if let separator = try fields.string("separator") { config.separator = separator }
        if let replacement = try fields.string("replacement") { config.replacement = replacement }
        config.modulus = UInt64(try fields.count("modulus") ?? 0)
        config.targetLabel = try fields.string("target_label") ?? ""
        if let node = fields.take("action") {
            let text = try node.text("action")
            guard let action = RelabelConfig.Action(rawValue: text.lowercased()) else {
                throw ConfigError("unknown relabel action \"\(text)\"", at: node.position)
            }
            config.action = action
        }
        try fields.finish()
        do throws(RelabelError) { try config.validate(names: names) } catch {
            throw ConfigError(error.message, at: node.position)
        }
        return config
    }

    /// What upstream knows and we do not do yet.
    private func refuseRest(_ fields: Fields) throws(ConfigError) {
        try fields.refuse([
            "scrape_failure_log_file", "oauth2", "tls_config", "proxy_url", "proxy_from_environment", "no_proxy",
            "proxy_connect_header",
        ])
        try fields.refuse(["scrape_classic_histograms"], "is replaced by always_scrape_classic_histograms")
        try fields.refuse(["bearer_token", "bearer_token_file"], "is replaced by authorization")
        for field in fields.names where field.name.hasSuffix("_sd_configs") {
            throw ConfigError(
                "field \(field.name) of \(fields.kind) is not supported yet; use static_configs", at: field.position)
        }
    }
}

/// Fields that `global` and a scrape config have in common.
enum CommonScrapeFields {
    static func read(
        _ fields: inout Fields, protocols: inout [ScrapeProtocol]?, limits: inout ScrapeLimits,
        histograms: inout HistogramScraping, validation: inout NameValidation, escaping: inout NameEscaping, extra: inout Bool
    ) throws(ConfigError) {
        if let node = fields.take("scrape_protocols") {
            let wanted = try self.protocols(try node.items("scrape_protocols"))
            if wanted.isEmpty { throw ConfigError("scrape_protocols cannot be empty", at: node.position) }
            protocols = wanted
        }
        if let size = try fields.bytes("body_size_limit") { limits.bodySize = size }
        if let count = try fields.count("sample_limit") { limits.samples = count }
        if let count = try fields.count("label_limit") { limits.labels = count }
        if let count = try fields.count("label_name_length_limit") { limits.labelNameLength = count }
        if let count = try fields.count("label_value_length_limit") { limits.labelValueLength = count }
        if let count = try fields.count("target_limit") { limits.targets = count }
        if let count = try fields.count("keep_dropped_targets") { limits.keptDroppedTargets = count }
        if let choice = try fields.choice("metric_name_validation_scheme", NameValidation.self) { validation = choice }
        if let choice = try fields.choice("metric_name_escaping_scheme", NameEscaping.self) { escaping = choice }
        if let flag = try fields.bool("extra_scrape_metrics") { extra = flag }
        if let flag = try fields.bool("scrape_native_histograms") { histograms.scrapesNative = flag }
        if let flag = try fields.bool("always_scrape_classic_histograms") { histograms.keepsClassic = flag }
        if let flag = try fields.bool("convert_classic_histograms_to_nhcb") { histograms.convertsClassic = flag }
    }

    static func protocols(_ nodes: [YAMLNode]) throws(ConfigError) -> [ScrapeProtocol] {
        var result: [ScrapeProtocol] = []
        for node in nodes {
            let text = try node.text("scrape_protocols")
            guard let choice = ScrapeProtocol(rawValue: text) else {
                throw ConfigError(
                    "unknown scrape protocol \(text), supported: \(ScrapeProtocol.allCases.map(\.rawValue).sorted())",
                    at: node.position)
            }
            if result.contains(choice) { throw ConfigError("duplicated protocol in scrape_protocols: \(text)", at: node.position) }
            result.append(choice)
        }
        return result
    }
}
