import TSDB
import TextTemplate

/// A notification as a mail: who it is from, whom it goes to, and its bytes.
///
///     From: …   To: …   Subject: [FIRING:1] Down       the configuration's headers, in order of names
///     Message-Id: …   References: …   Date: …
///     Content-Type: multipart/alternative; boundary=…
///       ├─ text/plain, quoted-printable
///       └─ text/html                                   the preferred one comes last
///
/// Source: RFC 5322, RFC 2046 §5.1.4. A value in a header is encoded where it has anything unprintable: no label can add a header
/// or a recipient.
public struct MailMessage: Sendable, Equatable {
    public var sender: String
    public var recipients: [String]
    /// Lines end with CR LF.
    public var bytes: [UInt8]

    /// What differs from mail to mail.
    public struct Identity: Sendable {
        /// Without brackets: `unique@host`.
        public var messageID: String
        public var boundary: String
        public var date: Timestamp
        public init(messageID: String, boundary: String, date: Timestamp) {
            self.messageID = messageID
            self.boundary = boundary
            self.date = date
        }
    }

    public init(
        _ settings: EmailSettings, _ notification: Notification, _ filling: TemplateFilling, identity: Identity
    ) throws(TemplateError) {
        guard let senders = MailAddress.list(try filling.text(settings.from)) else {
            throw TemplateError("parse 'from' addresses: not a mail address")
        }
        guard senders.count == 1, let sender = senders.first else {
            throw TemplateError("must be exactly one 'from' address (got: \(senders.count))")
        }
        guard let recipients = MailAddress.list(try filling.text(settings.to)) else {
            throw TemplateError("parse 'to' addresses: not a mail address")
        }
        self.sender = sender
        self.recipients = recipients
        bytes = []

        var hasMessageID = false
        for header in Self.headers(settings) {
            guard Self.isFieldName(header.name) else { throw TemplateError("\"\(header.name)\" is no header's name") }
            if header.name.lowercased() == "message-id" { hasMessageID = true }
            add(header.name, MailEncoding.header(try filling.text(header.value)))
        }
        if !hasMessageID { add("Message-Id", "<\(identity.messageID)>") }
        if let threading = settings.threading {
            let key = PagerDutyPayload.deduplicationKey(notification.groupKey).prefix(16)
            let day = threading == .byGroup ? "" : TimeLayout.format(TemplateTime(identity.date), "2006-01-02")
            add("References", "<alert-\(key)-\(day)@alertmanager>")
            add("In-Reply-To", "<alert-\(key)-\(day)@alertmanager>")
        }
        add("Date", TimeLayout.format(TemplateTime(identity.date), "Mon, 02 Jan 2006 15:04:05 -0700"))
        add("Content-Type", "multipart/alternative;  boundary=\(identity.boundary)")
        add("MIME-Version", "1.0")
        bytes += [13, 10]
        if !settings.text.isEmpty { addPart("text/plain", try filling.text(settings.text), identity) }
        if !settings.html.isEmpty { addPart("text/html", try filling.html(settings.html), identity) }
        bytes += Array("--\(identity.boundary)--\r\n".utf8)
    }

    /// The configuration's, and what a mail must have.
    private static func headers(_ settings: EmailSettings) -> [Annotations.Pair] {
        var headers = settings.headers
        let names = Set(headers.pairs.map { $0.name.lowercased() })
        let defaults = [
            ("Subject", "{{ template \"email.default.subject\" . }}"), ("To", settings.to), ("From", settings.from),
        ]
        for (name, value) in defaults where !names.contains(name.lowercased()) { headers[name] = value }
        return headers.pairs
    }

    private static func isFieldName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: ":") }
    }

    /// Longer lines are folded: RFC 5322 allows 998 characters.
    private mutating func add(_ name: String, _ value: String) {
        let folded = value.utf8.count > 900 ? value.split(separator: " ").joined(separator: "\r\n ") : value
        bytes += Array("\(name): \(folded)\r\n".utf8)
    }

    private mutating func addPart(_ type: String, _ content: String, _ identity: Identity) {
        bytes += Array("--\(identity.boundary)\r\n".utf8)
        bytes += Array(
            "Content-Transfer-Encoding: quoted-printable\r\nContent-Type: \(type); charset=UTF-8\r\n\r\n".utf8)
        bytes += MailEncoding.quotedPrintable(content) + [13, 10]
    }
}
