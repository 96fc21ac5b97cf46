import Alerter

/// Reads an entry of `slack_configs`: an incoming webhook's address, or a token for Slack's own API.
struct SlackReader {
    let global: AlertmanagerGlobal
    let http: HTTPClientReader

    func read(_ fields: inout ShownFields) throws(ConfigError) -> SlackSettings {
        var settings = try address(&fields)
        settings.channel = try fields.text("channel")
        settings.username = try standard("username", &fields)
        settings.color = try standard("color", &fields)
        settings.title = try standard("title", &fields)
        settings.titleLink = try fields.text("title_link", default: Self.template("titlelink"))
        settings.pretext = try standard("pretext", &fields)
        settings.text = try standard("text", &fields)
        settings.messageText = try fields.text("message_text")
        settings.fields = try fields.list("fields", field)
        settings.shortFields = try fields.flag("short_fields")
        settings.footer = try standard("footer", &fields)
        settings.fallback = try standard("fallback", &fields)
        settings.callbackID = try fields.text("callback_id", default: Self.template("callbackid"))
        settings.iconEmoji = try fields.text("icon_emoji", default: Self.template("iconemoji"))
        settings.iconURL = try fields.text("icon_url", default: Self.template("iconurl"))
        settings.imageURL = try fields.text("image_url")
        settings.thumbURL = try fields.text("thumb_url")
        settings.linkNames = try fields.flag("link_names")
        settings.markdownIn = try fields.strings("mrkdwn_in") ?? []
        settings.actions = try fields.list("actions", action)
        if try fields.flag("update_message") {
            throw ConfigError("field update_message of \(fields.kind) is not supported yet", at: fields.position)
        }
        settings.timeout = try fields.goDuration("timeout")
        return settings
    }

    private static func template(_ name: String) -> String { "{{ template \"slack.default.\(name)\" . }}" }

    private func standard(_ name: String, _ fields: inout ShownFields) throws(ConfigError) -> String {
        try fields.text(name, default: Self.template(name))
    }

    // MARK: Where to

    private func address(_ fields: inout ShownFields) throws(ConfigError) -> SlackSettings {
        let position = fields.position
        let ownHTTP = fields.take("http_config")
        var http = try ownHTTP.map { (node) throws(ConfigError) in try self.http.read(node) } ?? global.http
        var url = try fields.hiddenURL("api_url", takesSecret: true), urlFile = try fields.hidden("api_url_file")
        var token = try fields.hidden("app_token"), tokenFile = try fields.hidden("app_token_file")
        let appURL = try fields.hiddenURL("app_url", or: global.slackAppURL)
        if !url.isEmpty && !urlFile.isEmpty {
            throw ConfigError("at most one of api_url & api_url_file must be configured", at: position)
        }
        if !token.isEmpty && !tokenFile.isEmpty {
            throw ConfigError("at most one of app_token & app_token_file must be configured", at: position)
        }
        if (!url.isEmpty || !urlFile.isEmpty) && (!token.isEmpty || !tokenFile.isEmpty) {
            throw ConfigError(
                "at most one of api_url/api_url_file & app_token/app_token_file must be configured", at: position)
        }
        let hasOwnAuthorization = ownHTTP != nil && isBearer(http)
        if token.isEmpty && tokenFile.isEmpty && !hasOwnAuthorization && url.isEmpty {
            token = global.slackToken
            tokenFile = global.slackTokenFile
        }
        if url.isEmpty && urlFile.isEmpty {
            url = global.slackAPIURL
            urlFile = global.slackAPIURLFile
        }
        let hasToken = !token.isEmpty || !tokenFile.isEmpty
        if url.isEmpty && urlFile.isEmpty && !hasToken {
            throw ConfigError("no Slack API URL nor App token set either inline or in a file", at: position)
        }
        if hasToken {
            if isBearer(http) {
                throw ConfigError("http authorization can't be set when using Slack App tokens", at: position)
            }
            let secret: Secret = token.isEmpty ? .file(path: tokenFile) : .text(token)
            http.config.authorization = .bearer(type: "Bearer", credentials: secret)
            if case .mapping(let entries) = http.node.content {
                let shown = YAMLNode.Entry(
                    key: "authorization", position: YAMLPosition(), value: HTTPClientReader.bearer(secret))
                http.node = YAMLNode(.mapping([shown] + entries))
            }
            url = appURL
        }
        fields.show("http_config", http.node)
        fields.show("api_url", url.isEmpty ? "" : ShownFields.secret)
        fields.show("api_url_file", urlFile)
        fields.show("app_token", token.isEmpty ? "" : ShownFields.secret)
        fields.show("app_token_file", tokenFile)
        fields.show("app_url", appURL)
        var settings = SlackSettings(apiURL: url.isEmpty ? .file(path: urlFile) : .text(url))
        settings.http = http.config
        return settings
    }

    private func isBearer(_ http: HTTPClientReader.Result) -> Bool {
        if case .bearer = http.config.authorization { true } else { false }
    }

    // MARK: Parts of the message

    private func field(_ fields: inout ShownFields) throws(ConfigError) -> SlackSettings.Field {
        var field = SlackSettings.Field()
        field.title = try fields.text("title")
        field.value = try fields.text("value")
        field.isShort = try fields.optionalFlag("short")
        if field.title.isEmpty { throw ConfigError("missing title in Slack field configuration", at: fields.position) }
        if field.value.isEmpty { throw ConfigError("missing value in Slack field configuration", at: fields.position) }
        return field
    }

    private func action(_ fields: inout ShownFields) throws(ConfigError) -> SlackSettings.Action {
        var action = SlackSettings.Action()
        action.type = try fields.text("type")
        action.text = try fields.text("text")
        action.url = try fields.text("url")
        action.style = try fields.text("style")
        let name = try fields.hidden("name"), value = try fields.hidden("value"), confirm = fields.take("confirm")
        var confirmation: (SlackSettings.Confirmation, YAMLNode)?
        if let confirm { confirmation = try self.confirmation(confirm) }
        if action.type.isEmpty { throw ConfigError("missing type in Slack action configuration", at: fields.position) }
        if action.text.isEmpty { throw ConfigError("missing text in Slack action configuration", at: fields.position) }
        // A link needs no more; a button has a name.
        if !action.url.isEmpty { return action }
        if name.isEmpty { throw ConfigError("missing name or url in Slack action configuration", at: fields.position) }
        action.name = name
        action.value = value
        action.confirm = confirmation?.0
        fields.show("name", name)
        fields.show("value", value)
        if let confirmation { fields.show("confirm", confirmation.1) }
        return action
    }

    private func confirmation(_ node: YAMLNode) throws(ConfigError) -> (SlackSettings.Confirmation, YAMLNode) {
        var fields = try ShownFields(node, "confirm"), confirmation = SlackSettings.Confirmation()
        confirmation.text = try fields.text("text")
        confirmation.title = try fields.text("title")
        confirmation.okText = try fields.text("ok_text")
        confirmation.dismissText = try fields.text("dismiss_text")
        if confirmation.text.isEmpty {
            throw ConfigError("missing text in Slack confirmation configuration", at: fields.position)
        }
        try fields.finish()
        return (confirmation, fields.node)
    }
}
