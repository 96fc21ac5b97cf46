import Alerter
import Support
import TSDB
import Testing

@testable import Notify

@Suite("Notifications over HTTP", .timeLimit(.minutes(2)))
struct HTTPIntegrationTests {
    private let directory = TemporaryDirectory("notify")

    private func webhook(_ url: String, _ edit: (inout WebhookSettings) -> Void = { _ in }) -> Notification {
        var settings = WebhookSettings(url: .text(url))
        edit(&settings)
        return NotifySupport.notification(.webhook(settings))
    }

    @Test("a webhook is one POST of JSON to the filled-in URL")
    func delivered() async throws {
        try await NotifyServer.http(NotifyServer.answer("200 OK")) { server in
            try await NotifySupport.with { notifier in
                let url = "http://127.0.0.1:\(server.port)/hook/{{ .GroupLabels.alertname }}?status={{ .Status }}"
                #expect(await notifier.send(webhook(url)) == .sent)
            }
            let request = try #require(server.transcript.first)
            #expect(request.hasPrefix("POST /hook/Down?status=firing HTTP/1.1\r\n"))
            #expect(request.lowercased().contains("content-type: application/json\r\n"))
            #expect(
                request.contains(
                    "\r\n\r\n{\"receiver\":\"ops\",\"status\":\"firing\",\"alerts\":[{\"status\":\"firing\",\"labels\":{\"alertname\":\"Down\"}"
                ))
            #expect(request.hasSuffix("\"truncatedAlerts\":0}\n"))
        }
    }

    @Test(
        "statuses mean what they mean upstream",
        arguments: [
            ("200 OK", "sent", nil), ("204 No Content", "sent", nil), ("500 Oops", "serverError", true),
            ("503 Busy", "serverError", true),
            ("404 Not Found", "clientError", false), ("429 Too Many", "clientError", false),
            ("301 Moved", "other", false),
        ] as [(String, String, Bool?)])
    func statuses(status: String, reason: String, isRetryable: Bool?) async throws {
        try await NotifyServer.http(NotifyServer.answer(status, status.hasPrefix("204") ? "" : "why")) { server in
            try await NotifySupport.with { notifier in
                let outcome = await notifier.send(webhook("http://127.0.0.1:\(server.port)/s3cret"))
                #expect(outcome.reason == reason && outcome.isRetryable == isRetryable)
                if isRetryable != nil { #expect(outcome.message == "unexpected status code \(status.prefix(3)): why") }
            }
        }
    }

    @Test("PagerDuty's 429 is tried again, and a 400 says what is wrong")
    func pagerDuty() async throws {
        let bad = #"{"status":"invalid event","message":"Event object is invalid","errors":["'x' is missing","y"]}"#
        try await NotifyServer.http(NotifyServer.answer("429 Slow"), NotifyServer.answer("400 Bad", bad)) { server in
            try await NotifySupport.with { notifier in
                var settings = PagerDutySettings(routingKey: .text("routing-key-1"))
                settings.url = "http://127.0.0.1:\(server.port)/v2/enqueue"
                settings.details = ["n": "{{ len .Alerts }}", "yaml": "a: [1, yes]", "text": "plain words"]
                let notification = NotifySupport.notification(.pagerDuty(settings))
                let busy = await notifier.send(notification)
                #expect(busy.isRetryable == true && busy.reason == "clientError")
                let invalid = await notifier.send(notification)
                #expect(
                    invalid
                        == .failed(
                            reason: "clientError",
                            message: "unexpected status code 400: Event object is invalid: 'x' is missing,y",
                            isRetryable: false))
            }
            #expect(
                server.transcript.first?.contains(
                    #""custom_details":{"n":1,"text":"plain words","yaml":{"a":[1,true]}}"#) == true)
        }
    }

    @Test("Slack says no with status 200, as text or JSON")
    func slack() async throws {
        let json = "Content-Type: application/json; charset=utf-8\r\n"
        try await NotifyServer.http(
            NotifyServer.answer("200 OK", "ok"), NotifyServer.answer("200 OK", "no_text"),
            NotifyServer.answer("200 OK", #"{"ok":true}"#, headers: json),
            NotifyServer.answer("200 OK", #"{"ok":false,"error":"channel_not_found"}"#, headers: json)
        ) { server in
            try await NotifySupport.with { notifier in
                var settings = SlackSettings(apiURL: .text("http://127.0.0.1:\(server.port)/T0/B0/s3cret"))
                settings.channel = "#ops"
                let notification = NotifySupport.notification(.slack(settings))
                #expect(await notifier.send(notification) == .sent)
                #expect(
                    await notifier.send(notification)
                        == .failed(
                            reason: "clientError",
                            message: "channel \"#ops\": received an error response from Slack: no_text",
                            isRetryable: false))
                #expect(await notifier.send(notification) == .sent)
                #expect(
                    await notifier.send(notification).message
                        == "channel \"#ops\": error response from Slack: channel_not_found")
            }
        }
    }

    @Test("nobody there: try again, and the URL stays secret")
    func refused() async throws {
        try await NotifySupport.with { notifier in
            // A port that was free a moment ago.
            var port = 0
            try await NotifyServer.http { port = $0.port }
            let outcome = await notifier.send(webhook("http://127.0.0.1:\(port)/s3cret-token"))
            #expect(outcome.isRetryable == true && outcome.reason == "other")
            #expect(outcome.message.hasPrefix("Post \"<redacted>\": ") && !outcome.message.contains("s3cret"))
        }
    }

    @Test(
        "an answer that does not come in time is a deadline, nobody waiting any more a cancellation; both may be tried again"
    )
    func deadlines() async throws {
        try await NotifyServer.http { server in
            try await NotifySupport.with { notifier in
                let slow = webhook("http://127.0.0.1:\(server.port)/") { $0.timeout = .milliseconds(50) }
                let late = await notifier.send(slow)
                #expect(late.reason == "contextDeadlineExceeded" && late.isRetryable == true)
                let task = Task { await notifier.send(webhook("http://127.0.0.1:\(server.port)/second")) }
                // Whether the first was heard in its short time is the machine's affair.
                while !server.transcript.contains(where: { $0.hasPrefix("POST /second ") }) { await Task.yield() }
                task.cancel()
                let cancelled = await task.value
                #expect(cancelled.reason == "contextCanceled" && cancelled.isRetryable == true)
            }
        }
    }

    @Test("a 200 whose body breaks off is a delivery to a webhook, and none to Slack")
    func brokenBody() async throws {
        try await NotifyServer.http("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok") { server in
            try await NotifySupport.with { notifier in
                #expect(await notifier.send(webhook("http://127.0.0.1:\(server.port)/")) == .sent)
                let slack = SlackSettings(apiURL: .text("http://127.0.0.1:\(server.port)/"))
                #expect(await notifier.send(NotifySupport.notification(.slack(slack))).isRetryable == true)
            }
        }
    }

    @Test("credentials are read anew from their files, and stay with their host")
    func credentials() async throws {
        let token = directory("token")
        try NotifySupport.write("first\n", to: token)
        try await NotifyServer.http(NotifyServer.answer("200 OK")) { other in
            let away = "Location: http://127.0.0.1:\(other.port)/elsewhere\r\n"
            try await NotifyServer.http(
                NotifyServer.answer("307 Here", headers: "Location: /again\r\n"),
                NotifyServer.answer("307 There", headers: away)
            ) { server in
                try await NotifySupport.with { notifier in
                    let notification = webhook("http://127.0.0.1:\(server.port)/a") { settings in
                        settings.http.authorization = .bearer(
                            type: "Bearer", credentials: .file(path: token))
                        settings.http.headers = [.init(name: "X-Key", values: [.text("value-1")])]
                    }
                    #expect(await notifier.send(notification) == .sent)
                    try NotifySupport.write("second", to: token)
                    #expect(await notifier.send(notification) == .sent)
                }
                let requests = server.transcript
                #expect(
                    requests[0].contains("Authorization: Bearer first\r\n")
                        && requests[0].contains("X-Key: value-1\r\n"))
                #expect(
                    requests[1].hasPrefix("POST /again ") && requests[1].contains("Authorization: Bearer first\r\n"))
                #expect(requests[2].contains("Authorization: Bearer second\r\n"))
            }
            #expect(other.transcript.count == 2)
            for request in other.transcript {
                #expect(
                    request.hasPrefix("POST /elsewhere ") && !request.contains("Authorization")
                        && !request.contains("X-Key"))
                #expect(request.contains("\"truncatedAlerts\":0}"))
            }
        }
    }

    @Test("redirects end, and where they are not followed they are the answer")
    func redirects() async throws {
        try await NotifyServer.http(NotifyServer.answer("302 Round", headers: "Location: /\r\n")) { server in
            try await NotifySupport.with { notifier in
                let endless = await notifier.send(webhook("http://127.0.0.1:\(server.port)/"))
                #expect(endless.message == "Post \"<redacted>\": stopped after 10 redirects")
                let direct = await notifier.send(
                    webhook("http://127.0.0.1:\(server.port)/") { $0.http.followsRedirects = false })
                #expect(direct.message.hasPrefix("unexpected status code 302"))
            }
            #expect(server.transcript[1].hasPrefix("GET / "))
        }
    }

    @Test(
        "what cannot be asked for is refused at once",
        arguments: ["", "ftp://x/", "http://", "http://a b/", "/relative", "http://h:99999/"])
    func malformed(url: String) async throws {
        try await NotifySupport.with { notifier in
            let outcome = await notifier.send(webhook(url))
            #expect(outcome.isRetryable == false)
            let proxied = await notifier.send(webhook("http://127.0.0.1:1/") { $0.http.proxyURL = "https://proxy" })
            #expect(proxied.isRetryable == false && proxied.message.contains("proxy"))
        }
    }

    @Test("a test notification shows the exchange of each integration, without secrets")
    func testNotification() async throws {
        try await NotifyServer.http(NotifyServer.answer("500 Oops", "token s3cret-1 is bad")) { server in
            try await NotifySupport.with { notifier in
                var settings = WebhookSettings(url: .text("http://user:pass-word@127.0.0.1:\(server.port)/s3cret-path"))
                settings.http.authorization = .bearer(type: "Bearer", credentials: .text("s3cret-1"))
                let receiver = Receiver(
                    name: "ops",
                    integrations: [
                        Integration(.webhook(settings), index: 0, sendsResolved: true),
                        Integration(.log(LogSettings()), index: 0, sendsResolved: true),
                    ])
                let alerts = NotifySupport.notification(.log(LogSettings())).alerts
                let results = await notifier.test(
                    receiver: receiver, alerts: alerts, now: Timestamp(milliseconds: 1_767_323_100_000))
                #expect(results.map(\.integration) == ["webhook", "log"])
                #expect(
                    results[0].outcome
                        == .failed(
                            reason: "serverError", message: "unexpected status code 500: token <redacted> is bad",
                            isRetryable: true))
                #expect(results[0].exchange.contains("POST http://127.0.0.1:\(server.port)/<redacted>\n"))
                #expect(
                    results[0].exchange.contains("Authorization: <redacted>")
                        && results[0].exchange.contains("500 Internal Server Error"))
                #expect(!results[0].exchange.contains("s3cret") && !results[0].exchange.contains("pass-word"))
                #expect(results[1].outcome == .sent && results[1].exchange.contains("\"receiver\":\"ops\""))
            }
        }
    }

    @Test(
        "YAML in details is what upstream's reader makes of it",
        arguments: [
            ("2", "2"), ("true", "true"), ("", "null"), ("a: b", #"{"a":"b"}"#), ("[1, 'x', ~]", #"[1,"x",null]"#),
            ("1.5", "1.5"), ("- a\n- b", #"["a","b"]"#),
        ])
    func yaml(text: String, json: String) { #expect(YAMLStructure.read(text)?.text == json) }

    @Test(
        "what is a string, broken or bottomless stays a string",
        arguments: [
            "word", "5 < 6", "[FIRING:1] Down", "2026-01-02", "'quoted'", "http://x/",
            String(repeating: "[", count: 10_000),
            String(repeating: "- ", count: 10_000), "a: &a [x]\nb: *c",
        ])
    func plainText(text: String) { #expect(YAMLStructure.read(text) == nil) }

    @Test("time zones are the machine's", .enabled(if: SmallFileCheck.hasZones))
    func zones() {
        let zones = ZoneFiles()
        #expect(zones.offset(in: "Europe/Berlin", at: 1_767_323_045)?.abbreviation == "CET")
        #expect(zones.offset(in: "Europe/Berlin", at: 1_785_000_000)?.seconds == 7200)
        #expect(zones.offset(in: "America/New_York", at: 4_000_000_000)?.abbreviation.hasPrefix("E") == true)
        #expect(zones.offset(in: "../../etc/passwd", at: 0) == nil && zones.offset(in: "Nowhere", at: 0) == nil)
    }
}

enum SmallFileCheck {
    static var hasZones: Bool { (try? SmallFile.bytes("/usr/share/zoneinfo/Europe/Berlin")) != nil }
}
