import Scraper
import TSDB

/// `alerting:`: which Alertmanagers get the alerts of rules, and how alerts are rewritten before.
public struct AlertingConfig: Equatable, Sendable {
    /// Some Alertmanagers that are reached in one way.
    public struct Alertmanagers: Equatable, Sendable {
        public var staticConfigs: [TargetGroup] = []
        public var scheme = "http"
        /// In front of `/api/v2/alerts`.
        public var pathPrefix = ""
        /// For one batch.
        public var timeout = TSDB.Duration.seconds(10)
        public var http = HTTPClientConfig()
        /// Of the Alertmanagers as targets.
        public var relabelConfigs: [RelabelConfig] = []
        /// Of alerts, for these Alertmanagers alone.
        public var alertRelabelConfigs: [RelabelConfig] = []

        public init() {}
    }

    /// Of alerts, for all.
    public var relabelConfigs: [RelabelConfig] = []
    public var alertmanagers: [Alertmanagers] = []

    public init() {}
}

extension AlertingConfig.Alertmanagers {
    /// URLs to post alerts to, each once, and those that relabeling has dropped.
    public func urls() -> (active: [String], dropped: [String]) {
        var active: [String] = [], dropped: [String] = []
        for group in staticConfigs {
            for target in group.targets {
                var builder = LabelsBuilder(group.labels)
                for (name, value) in target.pairs { builder.set(name, to: value) }
                builder.set("__scheme__", to: scheme)
                builder.set("__alerts_path__", to: path)
                let before = builder
                guard Relabeling.apply(relabelConfigs, to: &builder) else {
                    dropped.append(Self.url(before))
                    continue
                }
                let url = Self.url(builder)
                if !builder["__address__"].isEmpty, !active.contains(url) { active.append(url) }
            }
        }
        return (active, dropped)
    }

    private static func url(_ target: LabelsBuilder) -> String {
        "\(target["__scheme__"])://\(target["__address__"])\(target["__alerts_path__"])"
    }

    private var path: String {
        "/" + (pathPrefix.split(separator: "/").map(String.init) + ["api", "v2", "alerts"]).joined(separator: "/")
    }
}

/// Reads `alerting:`.
struct AlertingReader {
    let global: GlobalConfig

    func read(_ node: YAMLNode) throws(ConfigError) -> AlertingConfig {
        var fields = try Fields(node, "alerting")
        var config = AlertingConfig()
        config.relabelConfigs = try relabel(&fields, "alert_relabel_configs")
        for item in try fields.items("alertmanagers") { config.alertmanagers.append(try alertmanagers(item)) }
        try fields.finish()
        return config
    }

    private func alertmanagers(_ node: YAMLNode) throws(ConfigError) -> AlertingConfig.Alertmanagers {
        var fields = try Fields(node, "alertmanagers entry")
        var config = AlertingConfig.Alertmanagers()
        let scrape = ScrapeConfigReader(global: global)
        if let node = fields.take("scheme") {
            config.scheme = try node.text("scheme")
            guard ["http", "https"].contains(config.scheme) else {
                throw ConfigError("scheme must be http or https, not \"\(config.scheme)\"", at: node.position)
            }
        }
        config.pathPrefix = try fields.string("path_prefix") ?? ""
        if let timeout = try fields.duration("timeout"), timeout > .zero { config.timeout = timeout }
        if let node = fields.take("api_version") {
            let version = try node.text("api_version")
            guard version == "v2" else {
                throw ConfigError("expected Alertmanager api version to be one of [v2] but got \(version)", at: node.position)
            }
        }
        config.http = try scrape.http(&fields)
        config.relabelConfigs = try relabel(&fields, "relabel_configs")
        for (index, item) in try fields.items("static_configs").enumerated() {
            config.staticConfigs.append(try scrape.staticConfig(item, index, mayBeURLs: !config.relabelConfigs.isEmpty))
        }
        config.alertRelabelConfigs = try relabel(&fields, "alert_relabel_configs")
        try fields.refuse([
            "sigv4", "oauth2", "tls_config", "proxy_url", "proxy_from_environment", "no_proxy", "proxy_connect_header",
        ])
        try fields.refuse(["bearer_token", "bearer_token_file"], "is replaced by authorization")
        for field in fields.names where field.name.hasSuffix("_sd_configs") {
            throw ConfigError(
                "field \(field.name) of \(fields.kind) is not supported yet; use static_configs", at: field.position)
        }
        try fields.finish()
        return config
    }

    private func relabel(_ fields: inout Fields, _ name: String) throws(ConfigError) -> [RelabelConfig] {
        var configs: [RelabelConfig] = []
        for item in try fields.items(name) {
            configs.append(
                try ScrapeConfigReader(global: global).relabel(item, "\(name) entry", global.nameValidation))
        }
        return configs
    }
}
