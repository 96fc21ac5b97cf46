import Alerter
import Numbers
import TSDB

/// Reads one entry of `receivers`: a name and lists of integrations, each kind with a reader of its own.
struct ReceiverReader {
    let global: AlertmanagerGlobal
    let directory: ConfigurationDirectory

    /// Kinds that Alertmanager has and we do not.
    static let foreign = [
        "discord_configs", "incidentio_configs", "opsgenie_configs", "wechat_configs", "pushover_configs", "victorops_configs",
        "sns_configs", "telegram_configs", "webex_configs", "msteams_configs", "msteamsv2_configs", "jira_configs",
        "rocketchat_configs", "mattermost_configs",
    ]

    func read(_ node: YAMLNode) throws(ConfigError) -> (receiver: Receiver, node: YAMLNode) {
        var fields = try ShownFields(node, "receiver")
        let name = try fields.text("name")
        if name.isEmpty { throw ConfigError("missing name in receiver", at: node.position) }
        var receiver = Receiver(name: name)
        receiver.labels = try labels(&fields, name)
        let http = HTTPClientReader(directory: directory)
        try take("email", &fields, &receiver) { (fields) throws(ConfigError) in
            .email(try EmailReader(global: global, http: http).read(&fields))
        }
        try take("pagerduty", &fields, &receiver) { (fields) throws(ConfigError) in
            .pagerDuty(try PagerDutyReader(global: global, http: http).read(&fields))
        }
        try take("slack", &fields, &receiver) { (fields) throws(ConfigError) in
            .slack(try SlackReader(global: global, http: http).read(&fields))
        }
        try take("webhook", &fields, &receiver) { (fields) throws(ConfigError) in
            .webhook(try WebhookReader(global: global, http: http).read(&fields))
        }
        try take("log", &fields, &receiver) { (fields) throws(ConfigError) in
            var settings = LogSettings()
            settings.path = directory.absolute(try fields.hidden("path"))
            fields.show("path", settings.path)
            return .log(settings)
        }
        try take("exec", &fields, &receiver) { (fields) throws(ConfigError) in .exec(try ExecReader().read(&fields)) }
        try fields.refuse(Self.foreign)
        try fields.finish()
        return (receiver, fields.node)
    }

    private func labels(_ fields: inout ShownFields, _ name: String) throws(ConfigError) -> Labels {
        var labels: [(name: String, value: String)] = []
        if let node = fields.take("labels") {
            var written = try Fields(YAMLNode(.mapping([YAMLNode.Entry(key: "labels", position: node.position, value: node)])), "receiver")
            for (label, value, position) in try written.labels("labels") {
                if label == "name" && value != name {
                    throw ConfigError(
                        "receiver label \"name\" must match receiver name \(QuotedText.go(name)), got \(QuotedText.go(value))", at: position)
                }
                if label != "name" { labels.append((label, value)) }
            }
        }
        labels.append(("name", name))
        let sorted = Labels(labels)
        fields.show(
            "labels",
            YAMLNode(.mapping(sorted.pairs.map { YAMLNode.Entry(key: $0.name, position: YAMLPosition(), value: .text($0.value)) })))
        return sorted
    }

    private func take(
        _ kind: String, _ fields: inout ShownFields, _ receiver: inout Receiver,
        _ read: (inout ShownFields) throws(ConfigError) -> Integration.Settings
    ) throws(ConfigError) {
        var shown: [YAMLNode] = []
        for (index, item) in try fields.items("\(kind)_configs").enumerated() {
            if item.isNull { throw ConfigError("missing \(kind) config", at: item.position) }
            var entry = try ShownFields(item, "\(kind)_configs entry")
            // Slack and email are quiet about what is over, unless asked.
            let sendsResolved = try entry.flag("send_resolved", default: kind != "email" && kind != "slack")
            let settings = try read(&entry)
            try entry.finish()
            receiver.integrations.append(Integration(settings, index: index, sendsResolved: sendsResolved))
            shown.append(entry.node)
        }
        fields.show("\(kind)_configs", list: shown)
    }
}

extension ShownFields {
    /// `http_config`, or the global one, without showing it.
    mutating func http(_ reader: HTTPClientReader, or global: AlertmanagerGlobal) throws(ConfigError) -> HTTPClientReader.Result {
        guard let node = take("http_config") else { return global.http }
        return try reader.read(node)
    }

    /// One of a secret in the file and a secret in another file; `nil` for neither.
    mutating func secretOrFile(_ name: String, _ file: String) throws(ConfigError) -> Secret? {
        let text = try secret(name), path = try self.text(file)
        if !text.isEmpty && !path.isEmpty { throw ConfigError("at most one of \(name) & \(file) must be configured", at: position) }
        return !text.isEmpty ? .text(text) : path.isEmpty ? nil : .file(path: path)
    }
}
