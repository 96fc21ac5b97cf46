import Alerter
import TextTemplate

/// Reads an entry of `webhook_configs`.
struct WebhookReader {
    let global: AlertmanagerGlobal
    let http: HTTPClientReader

    func read(_ fields: inout ShownFields) throws(ConfigError) -> WebhookSettings {
        let http = try fields.http(self.http, or: global)
        fields.show("http_config", http.node)
        let url = try fields.secret("url")
        // Shown even where it is empty.
        let file = try fields.hidden("url_file")
        fields.show("url_file", .text(file))
        if url.isEmpty && file.isEmpty { throw ConfigError("one of url or url_file must be configured", at: fields.position) }
        if !url.isEmpty && !file.isEmpty { throw ConfigError("at most one of url & url_file must be configured", at: fields.position) }
        if let problem = Self.urlProblem(url) { throw ConfigError(problem, at: fields.position) }
        var settings = WebhookSettings(url: file.isEmpty ? .text(url) : .file(path: file))
        settings.http = http.config
        settings.maxAlerts = try fields.count("max_alerts")
        settings.timeout = try fields.goDuration("timeout")
        try fields.refuse(["payload"])
        return settings
    }

    /// An address may be a template; it is checked as far as it can be known.
    static func urlProblem(_ url: String) -> String? {
        if url.isEmpty || url == ShownFields.secret { return nil }
        guard url.contains("{{") else { return URLText.problem(url).map { "invalid URL: \($0)" } }
        var template = TextTemplate()
        do throws(TemplateError) { try template.add(url, name: "") } catch { return "invalid template syntax: \(error.message)" }
        return nil
    }
}
