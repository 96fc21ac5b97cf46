import TSDB
import TextTemplate

/// The templates of a configuration: ours, and over them those of the files it names. Read once, filled in for each notification.
///
///     let templates = try NotificationTemplates(files: config.templates, zones: zones)
///     let filling = templates.filling(notification, externalURL: "http://localhost:9093")
///     try filling.text("{{ template \"slack.default.title\" . }}")
///
/// What templates cost is bounded (`TextTemplate.Limits`): one that calls itself, or that makes gigabytes, is an error.
public struct NotificationTemplates: Sendable {
    private let set: TextTemplate
    private let zones: any TemplateZones

    /// `files`: paths and texts, in order; a template defined later replaces an earlier one of its name.
    public init(files: [(path: String, text: String)] = [], zones: any TemplateZones = UTCOnly()) throws(TemplateError) {
        var all = TextTemplate(functions: NotificationFunctions.all(now: Timestamp(milliseconds: 0), zones: zones))
        try all.add(DefaultTemplates.text, name: "default.tmpl")
        for file in files {
            try all.add(file.text, name: file.path.split(separator: "/").last.map(String.init) ?? file.path)
        }
        set = all
        self.zones = zones
    }

    /// Names of all templates, sorted.
    public var names: [String] { return set.names }

    /// `alertLimit`: alerts beyond this many are left out; 0: none are.
    public func filling(_ notification: Notification, externalURL: String, alertLimit: Int = 0) -> TemplateFilling {
        filling(NotificationData(notification, externalURL: externalURL, limit: alertLimit), now: notification.now)
    }

    public func filling(_ data: NotificationData, now: Timestamp) -> TemplateFilling {
        TemplateFilling(set: set.replacing(functions: NotificationFunctions.all(now: now, zones: zones)), data: data)
    }
}

/// One notification's data and the templates that it fills in.
public struct TemplateFilling: Sendable {
    let set: TextTemplate
    public let data: NotificationData

    /// What `template`, a text of the configuration, comes to.
    public func text(_ template: String) throws(TemplateError) -> String { try fill(template, .none) }

    /// The same as part of a page: values cannot break out of where they stand.
    public func html(_ template: String) throws(TemplateError) -> String { try fill(template, .html) }

    private func fill(_ template: String, _ escaping: TextTemplate.Escaping) throws(TemplateError) -> String {
        guard template.contains("{{") else { return template }
        var filled = set
        try filled.add(template, name: "")
        return try filled.fill("", with: .object(data), escaping: escaping)
    }
}
