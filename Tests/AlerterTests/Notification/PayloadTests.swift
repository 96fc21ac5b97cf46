import TSDB
import Testing
import TextTemplate

@testable import Alerter

@Suite("Payloads")
struct PayloadTests {
    private func text(_ line: [UInt8]) -> String {
        #expect(line.last == 10)
        return String(decoding: line.dropLast(), as: UTF8.self)
    }

    private func webhook(_ notification: Notification, limit: Int = 0) -> String {
        let data = NotificationData(notification, externalURL: TestNotifications.externalURL, limit: limit)
        return text(WebhookPayload.body(notification, data))
    }

    @Test("a webhook gets what Alertmanager 0.33.1 sends, byte for byte")
    func webhookBodies() {
        #expect(webhook(TestNotifications.down(receiver: "webhook")) == RecordedBodies.webhookFiring)
        #expect(
            webhook(TestNotifications.down(receiver: "webhook", isResolved: true)) == RecordedBodies.webhookResolved)
        #expect(webhook(TestNotifications.down(receiver: "webhook-max"), limit: 1) == RecordedBodies.webhookLimited)
    }

    @Test("Slack gets what Alertmanager 0.33.1 sends: the default texts, and every option")
    func slackBodies() throws {
        func body(_ settings: SlackSettings, _ notification: Notification) throws -> String {
            text(try SlackPayload.message(settings, try TestNotifications.filling(notification)).body)
        }
        var settings = TestNotifications.slack
        #expect(try body(settings, TestNotifications.down(receiver: "slack")) == RecordedBodies.slack)
        #expect(
            try body(settings, TestNotifications.down(receiver: "slack", isResolved: true))
                == RecordedBodies.slackResolved)

        settings.channel = "#{{ .CommonLabels.alertname | toLower }}"
        (settings.linkNames, settings.shortFields, settings.iconEmoji) = (true, true, ":bell:")
        (settings.imageURL, settings.thumbURL) = ("http://example/i.png", "http://example/t.png")
        (settings.messageText, settings.markdownIn) = ("plain <text>", ["text"])
        settings.pretext = "{{ .CommonAnnotations.summary }}"
        settings.text = "{{ range .Alerts }}{{ .Labels.instance | title | printf \"%s;\" }}{{ end }}"
        var job = SlackSettings.Field()
        (job.title, job.value) = ("Job", "{{ .CommonLabels.job }}")
        var long = SlackSettings.Field()
        (long.title, long.value, long.isShort) = ("Long", "{{ .Status | title }}", false)
        settings.fields = [job, long]
        var look = SlackSettings.Action()
        (look.type, look.text, look.url, look.style) = ("button", "Look", "http://example/?a=1&b=2", "primary")
        var ack = SlackSettings.Action()
        (ack.type, ack.text, ack.name, ack.value) = ("button", "Ack", "ack", "{{ .Status }}")
        var confirm = SlackSettings.Confirmation()
        (confirm.text, confirm.title, confirm.okText, confirm.dismissText) = ("Sure", "T", "Y", "N")
        ack.confirm = confirm
        settings.actions = [look, ack]
        #expect(try body(settings, TestNotifications.down(receiver: "slack-full")) == RecordedBodies.slackFull)
    }

    @Test("PagerDuty gets what Alertmanager 0.33.1 sends; a detail that is JSON is sent as that")
    func pagerDutyBodies() throws {
        func body(_ settings: PagerDutySettings, _ key: String, _ notification: Notification) throws -> String {
            let filling = try TestNotifications.filling(notification)
            return text(
                try PagerDutyPayload.body(
                    settings, routingKey: key, notification, filling, structure: TestStructure.read))
        }
        var settings = TestNotifications.pagerDuty
        #expect(try body(settings, "key-1", TestNotifications.alone(receiver: "pagerduty")) == RecordedBodies.pagerDuty)

        settings.severity = "{{ .CommonLabels.severity }}"
        (settings.kind, settings.component, settings.group) = ("cl", "co", "{{ .GroupLabels.alertname }}")
        settings.source = "somewhere"
        settings.details["custom"] = "{{ .CommonAnnotations.summary }}"
        settings.details["number"] = "{{ len .Alerts }}"
        settings.details["flag"] = "true"
        settings.details["list"] = "[1, \"a\"]"
        settings.details["empty"] = ""
        var image = PagerDutySettings.Image()
        (image.source, image.alt, image.href) = ("http://example/i.png", "A", "http://example")
        var none = PagerDutySettings.Image()
        none.alt = "left out"
        settings.images = [image, none]
        var link = PagerDutySettings.Link()
        (link.href, link.text) = ("http://example/{{ .GroupLabels.alertname }}", "a & b")
        settings.links = [link]
        let resolved = TestNotifications.down(receiver: "pagerduty-full", isResolved: true)
        #expect(try body(settings, "key-{{ .Status }}", resolved) == RecordedBodies.pagerDutyFull)
    }

    @Test("a payload of the user's own is filled in, text by text")
    func customPayload() throws {
        let payload = PayloadJSON.object([
            .init("text", .string("{{ .Status }} <{{ .GroupLabels.alertname }}>")),
            .init("{{ .Status }}", .string("{{ len .Alerts }}")),
            .init("list", .array([.integer(1), .string("{{ .CommonLabels.nothing }}"), .boolean(false)])),
        ])
        let filling = try TestNotifications.filling(TestNotifications.down(receiver: "r"))
        let body = text(try WebhookPayload.body(of: payload, filling, structure: TestStructure.read))
        #expect(body == #"{"firing":2,"list":[1,null,false],"text":"firing \u003cDown\u003e"}"#)
        #expect(throws: TemplateError.self) {
            try WebhookPayload.body(of: .string("{{ .Nope }}"), filling, structure: TestStructure.read)
        }
    }

    @Test("an event too large for PagerDuty loses its details, a summary too long its end")
    func pagerDutyLimits() throws {
        var notification = TestNotifications.alone(receiver: "p")
        notification.alerts[0].annotations["text"] = String(repeating: "x", count: 520_000)
        var settings = TestNotifications.pagerDuty
        settings.description = String(repeating: "é", count: 2000)
        let filling = try TestNotifications.filling(notification)
        let body = text(try PagerDutyPayload.body(settings, routingKey: "k", notification, filling) { _ in nil })
        #expect(
            body.contains(
                #""custom_details":{"error":"Custom details have been removed because the original event exceeds"#))
        #expect(body.contains("\"summary\":\"" + String(repeating: "é", count: 1023) + "…\""))
        #expect(body.utf8.count < PagerDutyPayload.maximumEvent)
    }

    @Test("JSON escapes as Go does")
    func json() {
        #expect(
            PayloadJSON.string("<&>\u{2029}\u{8}\u{c}\u{0}\"\\/").text == #""\u003c\u0026\u003e\u2029\b\f\u0000\"\\/""#)
        #expect(
            PayloadJSON.array([.float(1e-7), .float(1e21), .float(0.5), .float(3), .null, .boolean(true)]).text
                == "[1e-7,1e+21,0.5,3,null,true]")
    }

    @Test("a log line says when, and what webhooks are told")
    func logLine() {
        let notification = TestNotifications.alone(receiver: "log")
        let line = text(LogPayload.line(notification, NotificationData(notification, externalURL: "http://am")))
        #expect(line.hasPrefix(#"{"time":"2026-01-02T03:04:35.25Z","receiver":"log","status":"firing","alerts":[{"#))
        #expect(line.hasSuffix(#","groupKey":"{}/{}:{alertname=\"Alone\"}"}"#))
    }
}

/// Stands in for the YAML reader: numbers, words and this test's few lists.
enum TestStructure {
    static func read(_ text: String) -> PayloadJSON? {
        switch text {
        case "": return .null
        case "true": return .boolean(true)
        case "[]": return .array([])
        case "[1, \"a\"]": return .array([.integer(1), .string("a")])
        default: break
        }
        if let number = Int64(text) { return .integer(number) }
        guard text.hasPrefix("[{"), !text.contains("\u{7f}") else { return nil }
        // The one alert of `alone`, its members by name.
        return .array([
            PayloadJSON(sorting: [
                .init("status", .string("firing")), .init("labels", .object([.init("alertname", .string("Alone"))])),
                .init("annotations", .object([])), .init("startsAt", .string("2026-01-02T03:04:05.678Z")),
                .init("endsAt", .string("0001-01-01T00:00:00Z")), .init("generatorURL", .string("http://p/")),
                .init("fingerprint", .string("86e34f9e52236d97")),
            ])
        ])
    }
}
