import Alerter
import TSDB

/// The alerts that Tests/system/notifications.py posts.
enum TestNotifications {
    static let externalURL = "http://alertmanager.example:9093/prefix"
    /// 2026-01-02T03:04:05.250Z
    static let start = Timestamp(milliseconds: 1_767_323_045_250)

    static func down(receiver: String, isResolved: Bool = false) -> Notification {
        let endsAt = isResolved ? start : nil
        let first = Alert(
            labels: Labels(["alertname": "Down", "instance": "a:1", "job": "api", "severity": "critical"]),
            annotations: ["summary": "5 < 6 & 7 > 2", "empty": ""],
            generatorURL: "http://prometheus/graph?g0.expr=up+%3D%3D+0&g0.tab=1", startsAt: start, endsAt: endsAt)
        let second = Alert(
            labels: Labels(["alertname": "Down", "instance": "b:1", "job": "api", "severity": "critical"]),
            annotations: [
                "summary": "5 < 6 & 7 > 2", "more": "tab\tand\nline \u{2028} \u{1} \u{7f} \"quoted\" é 😀 \\",
            ],
            startsAt: start, endsAt: endsAt)
        return notification(receiver, "Down", [first, second], isResolved ? .allResolved : .firstNotification)
    }

    static func alone(receiver: String) -> Notification {
        let alert = Alert(
            labels: Labels(["alertname": "Alone"]), generatorURL: "http://p/",
            startsAt: Timestamp(milliseconds: 1_767_323_045_678))
        return notification(receiver, "Alone", [alert], .firstNotification)
    }

    static func notification(
        _ receiver: String, _ name: String, _ alerts: [Alert], _ reason: Notification.Reason
    ) -> Notification {
        Notification(
            receiver: receiver, integration: Integration(.log(LogSettings()), index: 0, sendsResolved: true),
            groupKey: "{}/{}:{alertname=\"\(name)\"}", groupLabels: Labels(["alertname": name]), alerts: alerts,
            now: start + .seconds(30), reason: reason)
    }

    static func filling(
        _ notification: Notification, files: [(path: String, text: String)] = [], zones: any TemplateZones = UTCOnly()
    ) throws -> TemplateFilling {
        try NotificationTemplates(files: files, zones: zones).filling(notification, externalURL: externalURL)
    }

    /// `email.default.html` and the like, as the configuration fills them in.
    static func defaults(_ prefix: String, _ name: String) -> String {
        "{{ template \"\(prefix).default.\(name)\" . }}"
    }

    static var slack: SlackSettings {
        var settings = SlackSettings(apiURL: .text("http://127.0.0.1/slack"))
        settings.channel = "#alerts"
        settings.color = defaults("slack", "color")
        settings.username = defaults("slack", "username")
        settings.title = defaults("slack", "title")
        settings.titleLink = defaults("slack", "titlelink")
        settings.iconEmoji = defaults("slack", "iconemoji")
        settings.iconURL = defaults("slack", "iconurl")
        settings.pretext = defaults("slack", "pretext")
        settings.text = defaults("slack", "text")
        settings.fallback = defaults("slack", "fallback")
        settings.callbackID = defaults("slack", "callbackid")
        settings.footer = defaults("slack", "footer")
        return settings
    }

    static var pagerDuty: PagerDutySettings {
        var settings = PagerDutySettings(routingKey: .text("key-1"))
        settings.description = defaults("pagerduty", "description")
        settings.client = defaults("pagerduty", "client")
        settings.clientURL = defaults("pagerduty", "clientURL")
        settings.source = settings.client
        settings.details = [
            "firing": "{{ .Alerts.Firing | toJson }}", "resolved": "{{ .Alerts.Resolved | toJson }}",
            "num_firing": "{{ .Alerts.Firing | len }}", "num_resolved": "{{ .Alerts.Resolved | len }}",
        ]
        return settings
    }
}
