import Alerter
import Loopback
import NIOCore
import NIOSSL
import TSDB
import Testing

@testable import Notify

@Suite("Notifications by mail", .timeLimit(.minutes(2)))
struct EmailIntegrationTests {
    /// How the server of a test behaves.
    struct Mailbox: Sendable {
        var extensions = ["8BITMIME"]
        var hasTLS = false
        /// Said in one breath with the answer to STARTTLS.
        var injected = ""
        var refusal: [String: String] = [:]

        func serve(_ server: NotifyServer, _ stream: NotifyStream) async throws {
            try await stream.write("220 test ready\r\n")
            var isSecure = false
            while true {
                let line = String(try await stream.read(until: "\r\n").dropLast())
                server.note(line)
                let verb = line.prefix { $0 != " " && $0 != ":" }.uppercased()
                if let answer = refusal[verb] {
                    try await stream.write(answer + "\r\n")
                    continue
                }
                switch verb {
                case "EHLO":
                    let all = extensions + (hasTLS && !isSecure ? ["STARTTLS"] : [])
                    let lines = ["test"] + all
                    for (index, text) in lines.enumerated() {
                        try await stream.write("250\(index == lines.count - 1 ? " " : "-")\(text)\r\n")
                    }
                case "STARTTLS":
                    try await stream.startTLS(saying: "220 go on\r\n" + injected)
                    isSecure = true
                case "AUTH": try await authenticate(line, server, stream)
                case "DATA":
                    try await stream.write("354 go on\r\n")
                    server.note(try await stream.read(until: "\r\n.\r\n"))
                    try await stream.write("250 taken\r\n")
                case "QUIT":
                    try await stream.write("221 bye\r\n")
                    return
                default: try await stream.write("250 fine\r\n")
                }
            }
        }

        private func authenticate(_ line: String, _ server: NotifyServer, _ stream: NotifyStream) async throws {
            if line.hasPrefix("AUTH LOGIN") {
                for challenge in ["VXNlcm5hbWU6", "UGFzc3dvcmQ6"] {
                    try await stream.write("334 \(challenge)\r\n")
                    server.note(String(try await stream.read(until: "\r\n").dropLast()))
                }
            } else if line.hasPrefix("AUTH CRAM-MD5") {
                // RFC 2195's own example.
                try await stream.write("334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+\r\n")
                server.note(String(try await stream.read(until: "\r\n").dropLast()))
            }
            try await stream.write("235 welcome\r\n")
        }
    }

    private func settings(_ port: Int, host: String = "127.0.0.1") -> EmailSettings {
        var settings = EmailSettings()
        (settings.to, settings.from) = ("Ops <ops@example.org>, two@example.org", "am@example.org")
        settings.smarthost = "\(host):\(port)"
        settings.requiresTLS = false
        settings.text = "{{ .Status }}\n.dot\n..\n"
        return settings
    }

    private func send(_ settings: EmailSettings, name: String = "Down") async throws -> NotificationOutcome {
        var outcome = NotificationOutcome.sent
        try await NotifySupport.with { notifier in
            outcome = await notifier.send(NotifySupport.notification(.email(settings), name: name))
        }
        return outcome
    }

    @Test("one mail is one connection: greeting, envelope, the mail with its dots guarded, goodbye")
    func delivered() async throws {
        try await NotifyServer.with(Mailbox().serve) { server in
            let outcome = try await send(settings(server.port))
            #expect(outcome == .sent)
            let lines = server.transcript
            #expect(lines.first == "EHLO localhost")
            #expect(
                lines.dropFirst().prefix(4) == [
                    "MAIL FROM:<am@example.org> BODY=8BITMIME", "RCPT TO:<ops@example.org>",
                    "RCPT TO:<two@example.org>", "DATA",
                ])
            #expect(lines[5].contains("\r\nfiring\r\n..dot\r\n...\r\n"))
            #expect(lines[5].contains("Subject: [FIRING:1] Down \r\n") && lines[5].hasSuffix("--\r\n.\r\n"))
            #expect(lines[6] == "QUIT")
        }
    }

    @Test("STARTTLS: the mail and the password go secretly; a server without it gets neither")
    func startTLS() async throws {
        var mailbox = Mailbox()
        (mailbox.hasTLS, mailbox.extensions) = (true, ["AUTH LOGIN PLAIN"])
        try await NotifyServer.with(mailbox.serve) { server in
            var settings = settings(server.port, host: "localhost")
            settings.requiresTLS = true
            settings.tls.ca = .text(TestCertificate.certificate)
            (settings.authUsername, settings.authPassword) = ("user", .text("pass-word"))
            let outcome = try await send(settings)
            #expect(outcome == .sent)
            #expect(
                server.transcript.prefix(6) == [
                    "EHLO localhost", "STARTTLS", "EHLO localhost", "AUTH LOGIN", "dXNlcg==", "cGFzcy13b3Jk",
                ])

            // Without its authority the server is a stranger.
            settings.tls.ca = nil
            let stranger = try await send(settings)
            #expect(stranger.isRetryable == true && stranger.reason == "other")
        }
        try await NotifyServer.with(Mailbox().serve) { server in
            var settings = settings(server.port)
            settings.requiresTLS = true
            let outcome = try await send(settings)
            #expect(outcome.message.hasSuffix("does not advertise the STARTTLS extension"))
            #expect(server.transcript == ["EHLO localhost"])
        }
    }

    @Test("what is said in the open behind STARTTLS is not believed")
    func injection() async throws {
        var mailbox = Mailbox()
        (mailbox.hasTLS, mailbox.injected) = (true, "250-evil\r\n250 AUTH PLAIN\r\n")
        try await NotifyServer.with(mailbox.serve) { server in
            var settings = settings(server.port, host: "localhost")
            (settings.requiresTLS, settings.tls.ca) = (true, .text(TestCertificate.certificate))
            let outcome = try await send(settings)
            #expect(outcome.isRetryable == true)
            #expect(!server.transcript.contains { $0.hasPrefix("MAIL") })
        }
    }

    @Test("nor what comes in the open behind the go-ahead, and waits to be read when TLS begins")
    func lateInjection() async throws {
        let goAheadIsRead = AsyncStream.makeStream(of: Void.self)
        try await NotifyServer.with(
            { _, stream in
                try await stream.write("220 go on\r\n")
                for await _ in goAheadIsRead.stream { break }
                try await stream.write("250-evil\r\n250 AUTH PLAIN\r\n")
                _ = try await stream.read(until: "never")
            },
            { server in
                let open = {
                    try await SMTPConnection.open(
                        host: "127.0.0.1", port: server.port, tls: nil, serverName: "localhost", seconds: 3600, Exchange()
                    ) { connection in
                        #expect(try await connection.answer().code == 220)
                        goAheadIsRead.continuation.yield()
                        let channel = connection.channel
                        let haveCome = { try PlainByteCounter.hasUnread(in: channel, after: "220 go on\r\n".utf8.count) }
                        while try await !channel.eventLoop.submit(haveCome).get() { await Task.yield() }
                        try await connection.startTLS(.makeClientConfiguration(), serverName: "localhost")
                    }
                }
                await #expect(throws: SMTPError("the server talked before TLS began")) { try await open() }
            })
    }

    @Test("mechanisms are tried in the server's order, as far as we have what they ask for")
    func authentication() async throws {
        func transcript(_ mechanisms: String, _ edit: (inout EmailSettings) -> Void) async throws -> (
            [String], NotificationOutcome
        ) {
            var lines: [String] = []
            var outcome = NotificationOutcome.sent
            var mailbox = Mailbox()
            mailbox.extensions = ["AUTH \(mechanisms)"]
            try await NotifyServer.with(mailbox.serve) { server in
                var settings = settings(server.port)
                settings.authUsername = "tim"
                edit(&settings)
                outcome = try await send(settings)
                lines = Array(server.transcript.dropFirst().prefix { !$0.hasPrefix("MAIL") })
            }
            return (lines, outcome)
        }
        let plain = try await transcript("CRAM-MD5 PLAIN") { $0.authPassword = .text("secret") }
        #expect(plain.0 == ["AUTH PLAIN AHRpbQBzZWNyZXQ="] && plain.1 == .sent)
        let cram = try await transcript("PLAIN CRAM-MD5") { $0.authSecret = .text("tanstaaftanstaaf") }
        #expect(cram.0 == ["AUTH CRAM-MD5", "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw"])
        let none = try await transcript("PLAIN XOAUTH2") { _ in }
        #expect(
            none.1.message
                == "find auth mechanism: missing password for PLAIN auth mechanism; unknown auth mechanism: XOAUTH2")
        let nobody = try await transcript("PLAIN") { $0.authUsername = "" }
        #expect(nobody.0.isEmpty && nobody.1 == .sent)
    }

    @Test(
        "a server's no is told with its step, and may be tried again",
        arguments: [
            ("MAIL", "send MAIL command: 550 no"), ("RCPT", "send RCPT command: 550 no"),
            ("DATA", "send DATA command: 550 no"),
        ])
    func refusals(verb: String, message: String) async throws {
        var mailbox = Mailbox()
        mailbox.refusal = [verb: "550 no"]
        try await NotifyServer.with(mailbox.serve) { server in
            let outcome = try await send(settings(server.port))
            #expect(outcome == .failed(reason: "other", message: message, isRetryable: true))
        }
    }

    @Test("a label with line ends changes neither headers nor envelope")
    func headerInjection() async throws {
        try await NotifyServer.with(Mailbox().serve) { server in
            let outcome = try await send(settings(server.port), name: "x\r\nBcc: a@b.c\r\n.\r\nMAIL FROM:<x@y.z>")
            #expect(outcome == .sent)
            #expect(server.transcript.filter { $0.hasPrefix("MAIL") || $0.hasPrefix("RCPT") }.count == 3)
            #expect(server.transcript[5].contains("Subject: =?utf-8?q?[FIRING:1]_x=0D=0ABcc:_a@b.c"))
        }
    }

    @Test("answers are bounded and have three digits")
    func answers() throws {
        var reader = SMTPAnswerReader()
        reader.feed(Array("250-a\r\n250-SIZE 10\r\n".utf8))
        #expect(try reader.next() == nil)
        reader.feed(Array("250 AUTH=LOGIN\r\n354 go".utf8))
        let answer = try #require(try reader.next())
        #expect(answer.code == 250 && answer.parameters(of: "SIZE") == "10" && answer.parameters(of: "AUTH") == "LOGIN")
        #expect(try reader.next() == nil && reader.hasRest)
        var bad = SMTPAnswerReader()
        bad.feed(Array("hello\r\n".utf8))
        #expect(throws: SMTPError.self) { try bad.next() }
        var endless = SMTPAnswerReader()
        endless.feed([UInt8](repeating: 0x32, count: 70_000))
        #expect(throws: SMTPError.self) { try endless.next() }
    }
}
