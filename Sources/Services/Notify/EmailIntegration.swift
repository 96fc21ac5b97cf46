import Alerter
import Digest
import NIOSSL
import TSDB
import TextTemplate

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Sends a notification as a mail, one connection for each.
///
///     connect ─(implicit TLS)─▶ EHLO ─(STARTTLS, EHLO)─▶ AUTH ─▶ MAIL FROM ▶ RCPT TO … ▶ DATA ▶ the mail ▶ QUIT
///
/// Source: RFC 5321, RFC 3207 (STARTTLS), RFC 4954 (AUTH), RFC 4616 (PLAIN), RFC 2195 (CRAM-MD5).
extension IntegrationNotifier {
    /// For one mail, connecting included, in seconds.
    static let longestMail: Int64 = 60

    func email(_ settings: EmailSettings, _ notification: Notification, _ exchange: Exchange) async throws(AttemptError) {
        let filling = filling(notification)
        let identity = MailMessage.Identity(
            messageID: Self.random() + "." + Self.random() + "@" + Self.hostName,
            boundary: Self.random() + Self.random(),
            date: Self.now)
        let message = try Self.filled("execute templates of the mail") { () throws(TemplateError) in
            try MailMessage(settings, notification, filling, identity: identity)
        }
        guard let (host, port) = Self.hostAndPort(settings.smarthost) else {
            throw AttemptError(.other, "smarthost is not host:port", isRetryable: false)
        }
        let isImplicit = settings.implicitTLS ?? (port == 465)
        let tls = isImplicit || settings.requiresTLS ? try settings.tls.configuration() : nil
        let serverName = settings.tls.serverName.isEmpty ? host : settings.tls.serverName
        let credentials = try Credentials(settings, exchange)
        do {
            try await SMTPConnection.open(
                host: host, port: port, tls: isImplicit ? tls : nil, serverName: serverName, seconds: Self.longestMail,
                exchange
            ) { connection in
                try await Self.deliver(
                    message, settings, credentials, startTLS: isImplicit ? nil : tls,
                    isSecure: isImplicit || tls != nil,
                    host: host, serverName: serverName, connection)
            }
        } catch {
            throw Self.failure(error, exchange)
        }
    }

    private static func deliver(
        _ message: MailMessage, _ settings: EmailSettings, _ credentials: Credentials, startTLS tls: TLSConfiguration?,
        isSecure: Bool, host: String, serverName: String, _ connection: SMTPConnection
    ) async throws {
        let greeting = try await connection.answer()
        guard greeting.code == 220 else { throw SMTPError("create SMTP client: \(greeting.code) \(greeting.text)") }
        var features = try await hello(settings, connection)
        if let tls {
            guard features.parameters(of: "STARTTLS") != nil else {
                throw SMTPError(
                    "'require_tls' is true (default) but \"\(settings.smarthost)\" does not advertise the STARTTLS extension"
                )
            }
            try await step("send STARTTLS command") { try await connection.send("STARTTLS", expecting: 220) }
            try await step("send STARTTLS command") { try await connection.startTLS(tls, serverName: serverName) }
            features = try await hello(settings, connection)
        }
        if let mechanisms = features.parameters(of: "AUTH") {
            try await credentials.authenticate(mechanisms, isSecure: isSecure, host: host, connection)
        }
        let body = features.parameters(of: "8BITMIME") == nil ? "" : " BODY=8BITMIME"
        try await step("send MAIL command") {
            try await connection.send("MAIL FROM:<\(message.sender)>\(body)", expecting: 250)
        }
        for recipient in message.recipients {
            let answer = try await connection.send("RCPT TO:<\(recipient)>")
            guard answer.code / 10 == 25 else { throw SMTPError("send RCPT command: \(answer.code) \(answer.text)") }
        }
        try await step("send DATA command") { try await connection.send("DATA", expecting: 354) }
        let answer = try await connection.send(message: message.bytes)
        guard answer.code == 250 else { throw SMTPError("delivery failure: \(answer.code) \(answer.text)") }
        // It is delivered; how the server says goodbye changes nothing.
        _ = try? await connection.send("QUIT")
    }

    private static func hello(_ settings: EmailSettings, _ connection: SMTPConnection) async throws -> SMTPAnswer {
        let name = settings.hello.isEmpty ? "localhost" : settings.hello
        let answer = try await connection.send("EHLO \(name)")
        if answer.code == 250 { return answer }
        try await step("send EHLO command") { try await connection.send("HELO \(name)", expecting: 250) }
        return SMTPAnswer(code: 250, lines: [])
    }

    /// Failures say in which step.
    private static func step(_ what: String, _ body: () async throws -> Void) async throws {
        do { try await body() } catch let error as SMTPError { throw SMTPError("\(what): \(error.message)") }
    }

    private static func failure(_ error: any Error, _ exchange: Exchange) -> AttemptError {
        let failure: AttemptError
        if error is CancellationError || Task.isCancelled {
            failure = AttemptError(.contextCanceled, "context canceled", isRetryable: true)
        } else if error is SMTPTimeout {
            failure = AttemptError(.contextDeadlineExceeded, "no mail within \(longestMail) s", isRetryable: true)
        } else if let error = error as? SMTPError {
            failure = AttemptError(.other, shortened(exchange.redacted(error.message)), isRetryable: true)
        } else {
            failure = AttemptError(
                .other, "connection to the mail server: " + exchange.redacted("\(error)"), isRetryable: true)
        }
        exchange.add(failure.message)
        return failure
    }

    // MARK: Small things

    static func hostAndPort(_ text: String) -> (host: String, port: Int)? {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (1...65_535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.first == "[", host.last == "]" { host = host.dropFirst().dropLast() }
        return host.isEmpty ? nil : (String(host), port)
    }

    private static func random() -> String { String(UInt64.random(in: .min ... .max), radix: 16) }

    private static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000)
    }

    private static let hostName: String = {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost.localdomain" }
        let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let isName =
            !bytes.isEmpty
            && bytes.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">") }
        return isName ? String(decoding: bytes, as: UTF8.self) : "localhost.localdomain"
    }()
}

/// Who we are to a mail server, and how we prove it.
private struct Credentials {
    let username: String
    let identity: String
    let password: String
    let secret: String

    init(_ settings: EmailSettings, _ exchange: Exchange) throws(AttemptError) {
        username = settings.authUsername
        identity = settings.authIdentity
        password = try settings.authPassword?.value() ?? ""
        secret = try settings.authSecret?.value() ?? ""
        for hidden in [password, secret, Base64.encode(password.utf8)] { exchange.hide(hidden) }
    }

    /// The first of the server's mechanisms that we have what it takes for.
    func authenticate(_ mechanisms: String, isSecure: Bool, host: String, _ connection: SMTPConnection) async throws {
        if username.isEmpty { return }
        var problems: [String] = []
        for mechanism in mechanisms.split(separator: " ") {
            switch mechanism.uppercased() {
            case "CRAM-MD5":
                if secret.isEmpty {
                    problems.append("missing secret for CRAM-MD5 auth mechanism")
                    continue
                }
                return try await cramMD5(connection)
            case "PLAIN":
                if password.isEmpty {
                    problems.append("missing password for PLAIN auth mechanism")
                    continue
                }
                guard isSecure || ["localhost", "127.0.0.1", "::1"].contains(host) else {
                    throw SMTPError("plain auth: unencrypted connection")
                }
                let token = Base64.encode("\(identity)\0\(username)\0\(password)".utf8)
                return try await finish(
                    "plain", try await connection.send("AUTH PLAIN \(token)", shown: "AUTH PLAIN <redacted>"))
            case "LOGIN":
                if password.isEmpty {
                    problems.append("missing password for LOGIN auth mechanism")
                    continue
                }
                return try await login(connection)
            default: problems.append("unknown auth mechanism: \(mechanism)")
            }
        }
        throw SMTPError("find auth mechanism: " + problems.joined(separator: "; "))
    }

    /// Servers word their two questions as they like (“Username:”, “User Name”): the first is for the name.
    private func login(_ connection: SMTPConnection) async throws {
        var answer = try await connection.send("AUTH LOGIN")
        for reply in [username, password] where answer.code == 334 {
            answer = try await connection.send(Base64.encode(reply.utf8), shown: "<redacted>")
        }
        try await finish("login", answer)
    }

    private func cramMD5(_ connection: SMTPConnection) async throws {
        let answer = try await connection.send("AUTH CRAM-MD5")
        guard answer.code == 334, let challenge = Base64.decode(answer.text) else {
            throw SMTPError("cram-md5 auth: \(answer.code) \(answer.text)")
        }
        let digest = MD5.hmac(challenge, key: secret.utf8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let reply = Base64.encode("\(username) \(digest)".utf8)
        try await finish("cram-md5", try await connection.send(reply, shown: "<redacted>"))
    }

    private func finish(_ mechanism: String, _ answer: SMTPAnswer) async throws {
        guard answer.code == 235 else { throw SMTPError("\(mechanism) auth: \(answer.code) \(answer.text)") }
    }
}
