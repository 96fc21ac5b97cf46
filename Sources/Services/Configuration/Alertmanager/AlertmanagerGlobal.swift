import Alerter
import TSDB

/// The section `global`: what receivers take where they say nothing themselves.
struct AlertmanagerGlobal {
    var resolveTimeout = TSDB.Duration.minutes(5)
    var http = HTTPClientReader.Result()
    var smtpFrom = "", smtpHello = "localhost", smtpSmarthost = ""
    var smtpUsername = "", smtpIdentity = ""
    var smtpPassword = "", smtpPasswordFile = "", smtpSecret = "", smtpSecretFile = ""
    var smtpRequiresTLS = true
    var smtpTLS = HTTPClientConfig.TLS()
    var smtpTLSNode = YAMLNode(
        .mapping([YAMLNode.Entry(key: "insecure_skip_verify", position: YAMLPosition(), value: .flag(false))]))
    var smtpImplicitTLS: Bool?
    var slackAPIURL = "", slackAPIURLFile = "", slackToken = "", slackTokenFile = ""
    var slackAppURL = "https://slack.com/api/chat.postMessage"
    var pagerDutyURL = "https://events.pagerduty.com/v2/enqueue"

    /// As it is shown.
    var node = YAMLNode(.mapping([]))

    /// Fields of receivers that we do not have: read, checked as far as they exclude each other, and without effect.
    private static let foreign = [
        "jira_api_url", "opsgenie_api_url", "opsgenie_api_key", "opsgenie_api_key_file", "wechat_api_url",
        "wechat_api_secret",
        "wechat_api_secret_file", "wechat_api_corp_id", "victorops_api_url", "victorops_api_key",
        "victorops_api_key_file",
        "telegram_api_url", "telegram_bot_token", "telegram_bot_token_file", "webex_api_url", "rocketchat_api_url",
        "rocketchat_token",
        "rocketchat_token_file", "rocketchat_token_id", "rocketchat_token_id_file", "mattermost_webhook_url",
        "mattermost_webhook_url_file",
    ]

    /// What is shown of them where the file says nothing.
    private static let foreignDefaults = [
        "opsgenie_api_url": "https://api.opsgenie.com/", "wechat_api_url": "https://qyapi.weixin.qq.com/cgi-bin/",
        "victorops_api_url": "https://alert.victorops.com/integrations/generic/20131114/alert/",
        "telegram_api_url": "https://api.telegram.org", "webex_api_url": "https://webexapis.com/v1/messages",
        "rocketchat_api_url": "https://open.rocket.chat/",
    ]

    /// A null node, and a section that is not there, are the defaults.
    init(_ node: YAMLNode, directory: ConfigurationDirectory, warnings: inout [String]) throws(ConfigError) {
        var fields = try ShownFields(node, "global")
        if let timeout = try fields.duration("resolve_timeout") {
            resolveTimeout = timeout
        } else {
            fields.show("resolve_timeout", "5m")
        }
        let reader = HTTPClientReader(directory: directory)
        if let node = fields.take("http_config") { http = try reader.read(node) }
        fields.show("http_config", http.node)
        try smtp(&fields, reader)
        try slack(&fields)
        pagerDutyURL = try fields.url("pagerduty_url", or: pagerDutyURL)
        for name in Self.foreign {
            let isSecret =
                ["key", "secret", "token", "id", "webhook_url"].contains { name.hasSuffix($0) }
                && !name.hasSuffix("corp_id")
            let standard = Self.foreignDefaults[name] ?? ""
            let text = isSecret ? try fields.secret(name) : try fields.text(name, or: standard)
            if name.hasSuffix("_url"), !isSecret, !text.isEmpty, let problem = URLText.problem(text) {
                throw ConfigError(problem, at: node.position)
            }
            if !text.isEmpty && text != standard {
                warnings.append(
                    "global.\(name): accepted, without effect: receivers of that kind are not supported yet")
            }
        }
        try fields.finish()
        self.node = fields.node
    }

    private mutating func smtp(_ fields: inout ShownFields, _ reader: HTTPClientReader) throws(ConfigError) {
        smtpFrom = try fields.text("smtp_from")
        smtpHello = try fields.text("smtp_hello", default: smtpHello)
        let smarthost = fields.take("smtp_smarthost")
        smtpSmarthost = try smarthost?.text("smtp_smarthost") ?? ""
        if let problem = HostPortText.problem(smtpSmarthost) { throw ConfigError(problem, at: smarthost?.position) }
        fields.show("smtp_smarthost", smtpSmarthost)
        smtpUsername = try fields.text("smtp_auth_username")
        smtpPassword = try fields.secret("smtp_auth_password")
        smtpPasswordFile = try fields.text("smtp_auth_password_file")
        smtpSecret = try fields.secret("smtp_auth_secret")
        smtpSecretFile = try fields.text("smtp_auth_secret_file")
        smtpIdentity = try fields.text("smtp_auth_identity")
        smtpRequiresTLS = try fields.flag("smtp_require_tls", default: true)
        if let node = fields.take("smtp_tls_config") { (smtpTLS, smtpTLSNode) = try reader.tls(node) }
        fields.show("smtp_tls_config", smtpTLSNode)
        smtpImplicitTLS = try fields.optionalFlag("smtp_force_implicit_tls")
        try exclude("smtp_auth_password", smtpPassword, "smtp_auth_password_file", smtpPasswordFile, fields)
        try exclude("smtp_auth_secret", smtpSecret, "smtp_auth_secret_file", smtpSecretFile, fields)
    }

    private mutating func slack(_ fields: inout ShownFields) throws(ConfigError) {
        slackAPIURL = try fields.secretURL("slack_api_url")
        slackAPIURLFile = try fields.text("slack_api_url_file")
        slackToken = try fields.secret("slack_app_token")
        slackTokenFile = try fields.text("slack_app_token_file")
        slackAppURL = try fields.url("slack_app_url", or: slackAppURL)
        try exclude("slack_app_token", slackToken, "slack_app_token_file", slackTokenFile, fields)
        try exclude("slack_api_url", slackAPIURL, "slack_api_url_file", slackAPIURLFile, fields)
        let hasToken = !slackToken.isEmpty || !slackTokenFile.isEmpty,
            hasURL = !slackAPIURL.isEmpty || !slackAPIURLFile.isEmpty
        if hasToken && hasURL && slackAPIURL != slackAppURL {
            throw ConfigError(
                "at most one of slack_app_token/slack_app_token_file & slack_api_url/slack_api_url_file must be configured",
                at: fields.position)
        }
    }

    private func exclude(_ name: String, _ a: String, _ other: String, _ b: String, _ fields: ShownFields)
        throws(ConfigError)
    {
        if !a.isEmpty && !b.isEmpty {
            throw ConfigError("at most one of \(name) & \(other) must be configured", at: fields.position)
        }
    }
}
