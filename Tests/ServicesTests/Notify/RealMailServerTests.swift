import Alerter
import Loopback
import Testing

@testable import Notify

/// Run by Tests/system/mail.py, which starts the server, says where it is, and looks at what arrived.
@Suite("A mail server that is not ours", .enabled(if: NotifySupport.environment("MINPROM_TEST_SMTP") != nil))
struct RealMailServerTests {
    private func variable(_ name: String) -> String { NotifySupport.environment("MINPROM_TEST_SMTP_" + name) ?? "" }

    @Test("takes our mail")
    func delivered() async throws {
        var settings = EmailSettings()
        settings.smarthost = NotifySupport.environment("MINPROM_TEST_SMTP") ?? ""
        (settings.to, settings.from) = ("Ops <ops@example.org>, two@example.org", "am@example.org")
        settings.requiresTLS = variable("TLS") == "starttls"
        settings.implicitTLS = variable("TLS") == "implicit"
        settings.tls.ca = .text(TestCertificate.certificate)
        if !variable("USER").isEmpty {
            settings.authUsername = variable("USER")
            settings.authPassword = .text(variable("PASSWORD"))
        }
        settings.text =
            "{{ .Status }} é = a line of more than seventy-six characters, to see that it comes through as it was\n.\n.dot\n"
        settings.html = "{{ template \"email.default.html\" . }}"
        settings.headers = ["X-Name": "{{ .GroupLabels.alertname }}"]
        settings.threading = .byGroup
        try await NotifySupport.with { notifier in
            let notification = NotifySupport.notification(.email(settings), name: "Dówn <&>\r\nBcc: x@y.z")
            let exchange = Exchange()
            #expect(await notifier.send(notification, exchange) == .sent, "\(exchange.text)")
            #expect(variable("PASSWORD").isEmpty || !exchange.text.contains(variable("PASSWORD")))
        }
    }
}
