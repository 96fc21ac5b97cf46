import JSON
import TSDB

/// One notification of an Alertmanager, ours or the original: version 4 of its webhook payload.
///
///     {"version":"4","groupKey":"{}:{alertname=\"APIDown\"}","externalURL":"http://…","alerts":[
///       {"status":"firing","labels":{…},"annotations":{…},"startsAt":"2026-…","fingerprint":"f0e1…"}, …]}
///
/// Source: “webhook_config”, Alertmanager's documentation. Members it does not know are passed over.
///
/// Invariant: no more alerts, labels and bytes than `Limits` allows: what comes from outside is bounded here, once.
public struct Webhook: Equatable, Sendable {
    public enum Limits {
        /// Bytes of a body.
        public static let body = 1 << 20
        public static let alerts = 2000
        /// Labels, and annotations, of one alert.
        public static let pairs = 64
        /// Bytes of a name, a value, a group key; a value that is longer is cut, so it is equal to nothing in a policy.
        public static let text = 4096
    }

    public struct Alert: Equatable, Sendable {
        public var isFiring: Bool
        public var labels: Pairs
        public var annotations: Pairs
        /// As it was sent: part of the incident's key.
        public var startsAt: String
        public var fingerprint: String

        public init(isFiring: Bool, labels: Pairs, annotations: Pairs = [:], startsAt: String, fingerprint: String) {
            self.isFiring = isFiring
            self.labels = labels
            self.annotations = annotations
            self.startsAt = startsAt
            self.fingerprint = fingerprint
        }
    }

    public var receiver = ""
    public var groupKey = ""
    public var externalURL = ""
    public var alerts: [Alert] = []

    public init(groupKey: String, externalURL: String = "", alerts: [Alert]) {
        self.groupKey = groupKey
        self.externalURL = externalURL
        self.alerts = alerts
    }

    public init(parsing bytes: [UInt8]) throws(BotError) {
        guard bytes.count <= Limits.body else { throw BotError(.webhook, "the body has more than \(Limits.body) bytes") }
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(BotError) in
                var reader = WebhookReader(bytes)
                return try reader.webhook()
            }
        }
        self = try result.get()
    }
}

private struct WebhookReader {
    private var reader: JSONReader

    init(_ bytes: UnsafeRawBufferPointer) { reader = JSONReader(bytes, maximumDepth: 16) }

    mutating func webhook() throws(BotError) -> Webhook {
        do throws(JSONError) { return try document() } catch { throw BotError(.webhook, "not a webhook: \(error)") }
    }

    private mutating func document() throws(JSONError) -> Webhook {
        var webhook = Webhook(groupKey: "", alerts: [])
        var hasAlerts = false
        try reader.beginObject()
        while let name = try reader.nextKey() {
            switch name {
            case "version":
                let version = try text()
                if version != "4" { throw reader.error("its version is not 4") }
            case "receiver": webhook.receiver = try text()
            case "groupKey": webhook.groupKey = try text()
            case "externalURL": webhook.externalURL = try text()
            case "alerts":
                hasAlerts = true
                try reader.beginArray()
                while try reader.nextElement() {
                    if webhook.alerts.count >= Webhook.Limits.alerts { throw reader.error("more than 2000 alerts") }
                    webhook.alerts.append(try alert())
                }
            default: try reader.skip()
            }
        }
        try reader.finish()
        if !hasAlerts { throw reader.error("it has no alerts") }
        return webhook
    }

    private mutating func alert() throws(JSONError) -> Webhook.Alert {
        var alert = Webhook.Alert(isFiring: true, labels: [:], startsAt: "", fingerprint: "")
        try reader.beginObject()
        while let name = try reader.nextKey() {
            switch name {
            case "status":
                switch try text() {
                case "firing": alert.isFiring = true
                case "resolved": alert.isFiring = false
                default: throw reader.error("a status that is neither firing nor resolved")
                }
            case "labels": alert.labels = try pairs()
            case "annotations": alert.annotations = try pairs()
            case "startsAt": alert.startsAt = try text()
            case "fingerprint": alert.fingerprint = try text()
            default: try reader.skip()
            }
        }
        if alert.fingerprint.isEmpty { throw reader.error("an alert without a fingerprint") }
        return alert
    }

    private mutating func pairs() throws(JSONError) -> Pairs {
        if try reader.kind() == .null {
            try reader.null()
            return [:]
        }
        var pairs: [Pairs.Pair] = []
        try reader.beginObject()
        while let name = try reader.nextKey() {
            if pairs.count >= Webhook.Limits.pairs { throw reader.error("more than 64 labels or annotations") }
            pairs.append(.init(Self.cut(name), try text()))
        }
        return Pairs(pairs)
    }

    private mutating func text() throws(JSONError) -> String { Self.cut(try reader.string()) }

    private static func cut(_ text: String) -> String {
        guard text.utf8.count > Webhook.Limits.text else { return text }
        return String(decoding: text.utf8.prefix(Webhook.Limits.text), as: UTF8.self) + "…"
    }
}
