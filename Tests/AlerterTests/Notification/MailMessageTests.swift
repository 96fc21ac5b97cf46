import TSDB
import Testing
import TextTemplate

@testable import Alerter

@Suite("Mails")
struct MailMessageTests {
    private let identity = MailMessage.Identity(
        messageID: "1.2@host", boundary: "BOUNDARY", date: TestNotifications.start)

    private var settings: EmailSettings {
        var settings = EmailSettings()
        (settings.to, settings.from) = ("Ops <ops@example.org>, second@example.org", "am@example.org")
        settings.text = "{{ .Status }} é"
        settings.html = "<p title=\"{{ .CommonAnnotations.summary }}\">{{ .CommonAnnotations.summary }}</p>"
        return settings
    }

    private func mail(_ settings: EmailSettings, _ notification: Notification = TestNotifications.down(receiver: "r"))
        throws -> MailMessage
    {
        try MailMessage(settings, notification, try TestNotifications.filling(notification), identity: identity)
    }

    @Test("a mail is its headers and two readings of one message")
    func message() throws {
        let mail = try mail(settings)
        #expect(mail.sender == "am@example.org")
        #expect(mail.recipients == ["ops@example.org", "second@example.org"])
        #expect(
            String(decoding: mail.bytes, as: UTF8.self)
                == [
                    "From: am@example.org", "Subject: [FIRING:2] Down (api critical)",
                    "To: Ops <ops@example.org>, second@example.org",
                    "Message-Id: <1.2@host>", "Date: Fri, 02 Jan 2026 03:04:05 +0000",
                    "Content-Type: multipart/alternative;  boundary=BOUNDARY", "MIME-Version: 1.0", "", "--BOUNDARY",
                    "Content-Transfer-Encoding: quoted-printable", "Content-Type: text/plain; charset=UTF-8", "",
                    "firing =C3=A9",
                    "--BOUNDARY", "Content-Transfer-Encoding: quoted-printable",
                    "Content-Type: text/html; charset=UTF-8", "",
                    "<p title=3D\"5 &lt; 6 &amp; 7 &gt; 2\">5 &lt; 6 &amp; 7 &gt; 2</p>", "--BOUNDARY--", "",
                ].joined(separator: "\r\n"))
    }

    @Test("labels cannot add headers or recipients")
    func injection() throws {
        var notification = TestNotifications.alone(receiver: "r")
        let evil = "x\r\nBcc: all@example.org\r\n\r\nbody\u{2028}\u{85}"
        notification.alerts[0].labels = Labels(["alertname": evil])
        notification.groupLabels = Labels(["alertname": evil])
        var settings = settings
        settings.headers = ["Subject": "{{ .GroupLabels.alertname }}", "X-Name": "{{ .GroupLabels.alertname }}"]
        let text = String(decoding: try mail(settings, notification).bytes, as: UTF8.self)
        let headers = text.components(before: "\r\n\r\n")
        #expect(!headers.contains("\r\nBcc"))
        #expect(headers.contains("Subject: =?utf-8?q?x=0D=0ABcc:_all@example.org"))
        settings.to = "ops@example.org{{ .GroupLabels.alertname }}"
        #expect(throws: TemplateError.self) { try mail(settings, notification) }
        settings.to = "ops@example.org"
        settings.headers = ["X\r\nBcc": "y"]
        #expect(throws: TemplateError.self) { try mail(settings, notification) }
    }

    @Test("mails of one group answer one root, of the day if wanted")
    func threading() throws {
        var settings = settings
        settings.threading = .byGroup
        let key = PagerDutyPayload.deduplicationKey("{}/{}:{alertname=\"Down\"}").prefix(16)
        #expect(
            String(decoding: try mail(settings).bytes, as: UTF8.self).contains(
                "References: <alert-\(key)-@alertmanager>\r\nIn-Reply-To: <alert-\(key)-@"))
        settings.threading = .byGroupAndDay
        #expect(
            String(decoding: try mail(settings).bytes, as: UTF8.self).contains(
                "In-Reply-To: <alert-\(key)-2026-01-02@alertmanager>"))
    }

    @Test(
        "quoted-printable breaks lines softly at 76 and guards spaces at their ends",
        arguments: [
            ("a=b", "a=3Db"), ("x \ny\t", "x=20\r\ny=09"), ("a\r\nb\rc\n", "a\r\nb\r\nc\r\n"),
            (String(repeating: "x", count: 80), String(repeating: "x", count: 75) + "=\r\nxxxxx"),
            (String(repeating: "é", count: 13), String(repeating: "=C3=A9", count: 12) + "=C3=\r\n=A9"), ("", ""),
        ])
    func quotedPrintable(text: String, expected: String) {
        #expect(String(decoding: MailEncoding.quotedPrintable(text), as: UTF8.self) == expected)
    }

    @Test("addresses are taken out of their names, and nothing else passes for one")
    func addresses() {
        #expect(MailAddress.list("\"A, B\" <a@b.c>, d@e.f ") == ["a@b.c", "d@e.f"])
        for bad in ["", "a", "a@", "@b", "a b@c", "<a@b", "a@b\r\nRCPT TO:<x@y>", "a@b>", "a@b,", "a@b@c", "x <a@b> y"] {
            #expect(MailAddress.list(bad) == nil, "\(bad)")
        }
    }

    @Test("the default mail tells every label and annotation, and stays a page whatever they say")
    func defaultPage() throws {
        var notification = TestNotifications.down(receiver: "r")
        notification.alerts[0].annotations["evil"] = "</td><script>alert(1)</script>"
        notification.alerts[0].generatorURL = "javascript:alert(1)"
        let page = try TestNotifications.filling(notification).html("{{ template \"email.default.html\" . }}")
        #expect(page.contains("instance = b:1<br>"))
        #expect(page.contains("summary = 5 &lt; 6 &amp; 7 &gt; 2<br>"))
        #expect(!page.contains("<script>") && !page.contains("javascript:"))
        #expect(page.contains("href=\"http://alertmanager.example:9093/prefix/#/alerts?receiver=r\""))
        #expect(page.contains("[2] Firing") && !page.contains("Resolved"))
    }
}

extension String {
    fileprivate func components(before separator: String) -> String {
        let bytes = Array(utf8)
        let end = Array(separator.utf8)
        for index in bytes.indices where bytes[index...].starts(with: end) {
            return String(decoding: bytes[..<index], as: UTF8.self)
        }
        return self
    }
}
