import Alerter

/// Reads an entry of `pagerduty_configs`, for the Events API v2. The first version of that API, `service_key`, is not spoken.
struct PagerDutyReader {
    let global: AlertmanagerGlobal
    let http: HTTPClientReader

    /// What people at night want to see.
    private static let details: [(name: String, value: String)] = [
        ("firing", "{{ .Alerts.Firing | toJson }}"), ("resolved", "{{ .Alerts.Resolved | toJson }}"),
        ("num_firing", "{{ .Alerts.Firing | len }}"), ("num_resolved", "{{ .Alerts.Resolved | len }}"),
    ]

    func read(_ fields: inout ShownFields) throws(ConfigError) -> PagerDutySettings {
        let http = try fields.http(self.http, or: global)
        fields.show("http_config", http.node)
        try fields.refuse(["service_key", "service_key_file"])
        guard let key = try fields.secretOrFile("routing_key", "routing_key_file") else {
            throw ConfigError("missing service or routing key in PagerDuty config", at: fields.position)
        }
        var settings = PagerDutySettings(routingKey: key)
        settings.http = http.config
        settings.url = try fields.url("url", or: global.pagerDutyURL)
        settings.client = try fields.text("client", default: "{{ template \"pagerduty.default.client\" . }}")
        settings.clientURL = try fields.text("client_url", default: "{{ template \"pagerduty.default.clientURL\" . }}")
        settings.description = try fields.text(
            "description", default: "{{ template \"pagerduty.default.description\" .}}")
        settings.details = try details(&fields)
        settings.images = try fields.list("images") { (fields) throws(ConfigError) in
            var image = PagerDutySettings.Image()
            image.source = try fields.text("src")
            image.alt = try fields.text("alt")
            image.href = try fields.text("href")
            return image
        }
        settings.links = try fields.list("links") { (fields) throws(ConfigError) in
            var link = PagerDutySettings.Link()
            link.href = try fields.text("href")
            link.text = try fields.text("text")
            return link
        }
        settings.source = try fields.text("source", or: settings.client)
        settings.severity = try fields.text("severity")
        settings.kind = try fields.text("class")
        settings.component = try fields.text("component")
        settings.group = try fields.text("group")
        settings.timeout = try fields.goDuration("timeout")
        return settings
    }

    private func details(_ fields: inout ShownFields) throws(ConfigError) -> Annotations {
        var details = Annotations(Self.details)
        if let node = fields.take("details") {
            guard case .mapping(let entries) = node.content else {
                throw ConfigError("details must be a mapping", at: node.position)
            }
            for entry in entries {
                guard case .scalar(let text, _) = entry.value.content else {
                    throw ConfigError(
                        "field details of \(fields.kind): values other than text are not supported yet",
                        at: entry.position)
                }
                details[entry.key] = entry.value.isNull ? "" : text
            }
        }
        let entries = details.pairs.map {
            YAMLNode.Entry(key: $0.name, position: YAMLPosition(), value: .text($0.value))
        }
        fields.show("details", YAMLNode(.mapping(entries)))
        return details
    }
}
