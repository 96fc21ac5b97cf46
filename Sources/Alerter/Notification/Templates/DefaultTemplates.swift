/// The templates that are there without a file. Names and what comes out are upstream's, so that messages look the same and
/// users' templates find what they call; the page of a mail is a layout of our own.
///
///     __subject                   [FIRING:2] Down (api critical)
///     __text_alert_list           Labels: … Annotations: … Source: …      of each alert
///     slack.default.title …       one for each text of a receiver
enum DefaultTemplates {
    static let text = parts.joined(separator: "\n") + "\n" + mail

    private static let parts: [String] = basics + slack + pagerDuty + messages + titles

    private static func define(_ name: String, _ body: String = "") -> String { "{{ define \"\(name)\" }}\(body){{ end }}" }
    private static func call(_ name: String, _ dot: String = ".") -> String { "{{ template \"\(name)\" \(dot) }}" }

    // MARK: Building blocks

    private static let basics = [
        define("__alertmanager", "Alertmanager"),
        define("__alertmanagerURL", "{{ .ExternalURL }}/#/alerts?receiver={{ .Receiver | urlquery }}"),
        define("__description"),
        define(
            "__subject",
            "[{{ .Status | toUpper }}{{ if eq .Status \"firing\" }}:{{ len .Alerts.Firing }}{{ end }}] "
                + "{{ .GroupLabels.SortedPairs.Values.Join \" \" }} "
                + "{{ if gt (len .CommonLabels) (len .GroupLabels) }}("
                + "{{ (.CommonLabels.Remove .GroupLabels.Names).Values.Join \" \" }}){{ end }}"),
        define("__text_alert_list", "{{ range . }}" + alert(indent: " ", between: "") + "{{ end }}"),
        define("__text_alert_list_markdown", "{{ range . }}\n" + alert(indent: "  ", between: "\n") + "{{ end }}\n"),
    ]

    private static func alert(indent: String, between: String) -> String {
        func pairs(_ title: String, _ field: String) -> String {
            "\(title):\n{{ range .\(field).SortedPairs }}\(indent)- {{ .Name }} = {{ .Value }}\n{{ end }}\(between)"
        }
        return pairs("Labels", "Labels") + pairs("Annotations", "Annotations") + "Source: {{ .GeneratorURL }}\n"
    }

    // MARK: Receivers

    private static let slack = [
        define("slack.default.title", call("__subject")),
        define("slack.default.username", call("__alertmanager")),
        define("slack.default.fallback", call("slack.default.title") + " | " + call("slack.default.titlelink")),
        define("slack.default.titlelink", call("__alertmanagerURL")),
        define("slack.default.color", "{{ if eq .Status \"firing\" }}danger{{ else }}good{{ end }}"),
        define("slack.default.callbackid"), define("slack.default.pretext"), define("slack.default.iconemoji"),
        define("slack.default.iconurl"), define("slack.default.text"), define("slack.default.footer"),
    ]

    private static let pagerDuty = [
        define("pagerduty.default.description", call("__subject")),
        define("pagerduty.default.client", call("__alertmanager")),
        define("pagerduty.default.clientURL", call("__alertmanagerURL")),
        define("pagerduty.default.instances", call("__text_alert_list")),
    ]

    /// `.Alerts.Firing` under a heading, then the resolved ones; nothing where there are none.
    private static func lists(before: String, after: String, heading: String = "", list: String = "__text_alert_list") -> String {
        ["Firing", "Resolved"].map { status in
            "{{ if gt (len .Alerts.\(status)) 0 }}\(before)\(heading)Alerts \(status):\n" + call(list, ".Alerts.\(status)")
                + "\(after){{ end }}"
        }.joined(separator: "\n")
    }

    private static let annotations = "{{ .CommonAnnotations.SortedPairs.Values.Join \" \" }}\n"
    private static let close = annotations + lists(before: "", after: "")
    private static let spaced = lists(before: "\n", after: "\n") + "\n"
    private static let markdown = "\n" + lists(before: "\n", after: "\n", heading: "# ", list: "__text_alert_list_markdown") + "\n"

    /// For receivers that we do not send to yet: people's own templates call them.
    private static let messages = [
        define("opsgenie.default.description", close),
        define("victorops.default.state_message", close),
        define(
            "wechat.default.message",
            call("__subject") + "\n" + close + "\nAlertmanagerUrl:\n" + call("__alertmanagerURL") + "\n"),
        define("pushover.default.message", annotations + spaced),
        define("sns.default.message", annotations + spaced),
        define("webex.default.message", annotations + spaced),
        define("telegram.default.message", "\n" + spaced),
        define("discord.default.message", "\n" + spaced),
        define("msteams.default.text", markdown),
        define("msteamsv2.default.text", markdown),
        define("jira.default.description", markdown),
        define("mattermost.default.text", markdown),
    ]

    private static let titles =
        [
            "opsgenie.default.message", "victorops.default.entity_display_name", "pushover.default.title", "sns.default.subject",
            "discord.default.title", "msteams.default.summary", "msteams.default.title", "msteamsv2.default.title",
            "jira.default.summary", "rocketchat.default.title", "mattermost.default.title", "email.default.subject",
        ].map { define($0, call("__subject")) }
        + [
            "opsgenie.default.source", "pushover.default.url", "rocketchat.default.titlelink", "mattermost.default.titlelink",
        ].map { define($0, call("__alertmanagerURL")) }
        + [
            "victorops.default.monitoring_tool", "rocketchat.default.alias", "mattermost.default.username",
        ].map { define($0, call("__alertmanager")) }
        + [
            "discord.default.content", "rocketchat.default.emoji", "rocketchat.default.iconurl", "rocketchat.default.text",
            "wechat.default.to_user", "wechat.default.to_party", "wechat.default.to_tag", "wechat.default.agent_id",
        ].map { define($0) }
        + [
            define("mattermost.default.fallback", call("mattermost.default.title") + " | " + call("mattermost.default.titlelink")),
            define("mattermost.default.color", call("slack.default.color")),
        ]

    // MARK: Mail

    /// Tables and inline styles: what mail programs show alike.
    private static let mail = """
        {{ define "email.default.html" }}<!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>{{ template "__subject" . }}</title>
        </head>
        <body style="margin:0;padding:16px;background:#f4f5f7;color:#1b1f24;font:14px/1.5 sans-serif">
        <table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:640px;margin:0 auto;background:#fff;border:1px solid #d9dde3">
        <tr><td style="padding:12px 16px;color:#fff;font-weight:bold;background:{{ if .Alerts.Firing }}#c4352b{{ else }}#2f8a4c{{ end }}">
        {{ len .Alerts }} alert{{ if gt (len .Alerts) 1 }}s{{ end }} for {{ range .GroupLabels.SortedPairs }}{{ .Name }}={{ .Value }} {{ end }}
        </td></tr>
        <tr><td style="padding:12px 16px"><a href="{{ template "__alertmanagerURL" . }}" style="color:#1f5fbf">View in {{ template "__alertmanager" . }}</a></td></tr>
        {{ if .Alerts.Firing }}<tr><td style="padding:0 16px"><strong>[{{ len .Alerts.Firing }}] Firing</strong></td></tr>
        {{ range .Alerts.Firing }}{{ template "__email_alert" . }}{{ end }}{{ end -}}
        {{ if .Alerts.Resolved }}<tr><td style="padding:0 16px"><strong>[{{ len .Alerts.Resolved }}] Resolved</strong></td></tr>
        {{ range .Alerts.Resolved }}{{ template "__email_alert" . }}{{ end }}{{ end -}}
        <tr><td style="padding:12px 16px;color:#6a737d;font-size:12px"><a href="{{ .ExternalURL }}" style="color:#6a737d">Sent by {{ template "__alertmanager" . }}</a></td></tr>
        </table>
        </body>
        </html>
        {{ end }}
        {{ define "__email_alert" }}<tr><td style="padding:8px 16px;border-bottom:1px solid #eceff3">
        <strong>Labels</strong><br>
        {{ range .Labels.SortedPairs }}{{ .Name }} = {{ .Value }}<br>
        {{ end }}{{ if .Annotations }}<strong>Annotations</strong><br>
        {{ range .Annotations.SortedPairs }}{{ .Name }} = {{ .Value }}<br>
        {{ end }}{{ end }}<a href="{{ .GeneratorURL }}" style="color:#1f5fbf">Source</a>
        </td></tr>
        {{ end }}
        """
}
