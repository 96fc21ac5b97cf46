import TSDB
import TextTemplate

/// What a notification's templates see: `{{ .Status }}`, `{{ .CommonLabels.job }}`, `{{ range .Alerts.Firing }}`.
///
///     Receiver Status ExternalURL NotificationReason
///     Alerts          list with .Firing and .Resolved; each: Status Labels Annotations StartsAt EndsAt GeneratorURL Fingerprint
///     GroupLabels CommonLabels CommonAnnotations     name → value, with .SortedPairs .Names .Values .Remove
///
/// Source: Alertmanager's documentation, “Notification template reference”.
public struct NotificationData: TemplateObject {
    public let receiver: String
    public let status: Status
    public let alerts: [Entry]
    public let reason: String
    public let groupLabels: [NamedText]
    public let commonLabels: [NamedText]
    public let commonAnnotations: [NamedText]
    public let externalURL: String

    public enum Status: String, Sendable { case firing, resolved }

    /// In the order of names' bytes.
    public struct NamedText: Sendable, Hashable {
        public var name: String
        public var value: String
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// One alert.
    public struct Entry: Sendable {
        public let status: Status
        public let labels: [NamedText]
        public let annotations: [NamedText]
        public let startsAt: TemplateTime
        public let endsAt: TemplateTime
        public let generatorURL: String
        public let fingerprint: String
    }

    /// `limit`: alerts beyond this many are not looked at, 0: all are.
    public init(_ notification: Notification, externalURL: String, limit: Int = 0) {
        let chosen = limit > 0 ? Array(notification.alerts.prefix(limit)) : notification.alerts
        alerts = chosen.map { alert in
            let isResolved = alert.isResolved(at: notification.now)
            return Entry(
                status: isResolved ? .resolved : .firing,
                labels: alert.labels.pairs.map { NamedText($0.name, $0.value) },
                annotations: alert.annotations.pairs.map { NamedText($0.name, $0.value) },
                startsAt: TemplateTime(alert.startsAt), endsAt: TemplateTime(isResolved ? alert.endsAt : nil),
                generatorURL: alert.generatorURL, fingerprint: alert.fingerprint.description)
        }
        status = alerts.contains { $0.status == .firing } ? .firing : .resolved
        receiver = Self.quotedMeta(notification.receiver)
        reason = notification.reason.words
        groupLabels = notification.groupLabels.pairs.map { NamedText($0.name, $0.value) }
        commonLabels = Self.common(alerts.map(\.labels))
        commonAnnotations = Self.common(alerts.map(\.annotations))
        self.externalURL = externalURL
    }

    /// What all lists have, of the first one's names. As upstream: a name that is not there says the same as an empty text.
    private static func common(_ lists: [[NamedText]]) -> [NamedText] {
        guard var result = lists.first else { return [] }
        for list in lists.dropFirst() {
            if result.isEmpty { break }
            let values = Dictionary(list.map { ($0.name, $0.value) }) { $1 }
            result.removeAll { (values[$0.name] ?? "") != $0.value }
        }
        return result
    }

    /// As Go's `regexp.QuoteMeta`: upstream shows receivers so, for its page takes the name for an expression.
    private static func quotedMeta(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if "\\.+*?()|[]{}^$".unicodeScalars.contains(scalar) { result += "\\" }
            result.unicodeScalars.append(scalar)
        }
        return result
    }

    // MARK: TemplateObject

    public var typeName: String { "*template.Data" }
    public var text: String {
        let fields: [TemplateValue] = [
            .string(receiver), .string(status.rawValue), .object(AlertList(alerts)), .string(reason),
            .keyValues(groupLabels),
            .keyValues(commonLabels), .keyValues(commonAnnotations), .string(externalURL),
        ]
        return "&{" + fields.map(\.nestedText).joined(separator: " ") + "}"
    }

    public func field(_ name: String) -> TemplateValue? {
        switch name {
        case "Receiver": .string(receiver)
        case "Status": .string(status.rawValue)
        case "Alerts": .object(AlertList(alerts))
        case "NotificationReason": .string(reason)
        case "GroupLabels": .keyValues(groupLabels)
        case "CommonLabels": .keyValues(commonLabels)
        case "CommonAnnotations": .keyValues(commonAnnotations)
        case "ExternalURL": .string(externalURL)
        default: nil
        }
    }
}

extension NotificationData.Entry: TemplateObject {
    public var typeName: String { "template.Alert" }
    public var text: String {
        let fields: [TemplateValue] = [
            .string(status.rawValue), .keyValues(labels), .keyValues(annotations), .object(startsAt), .object(endsAt),
            .string(generatorURL), .string(fingerprint),
        ]
        return "{" + fields.map(\.nestedText).joined(separator: " ") + "}"
    }

    public func field(_ name: String) -> TemplateValue? {
        switch name {
        case "Status": .string(status.rawValue)
        case "Labels": .keyValues(labels)
        case "Annotations": .keyValues(annotations)
        case "StartsAt": .object(startsAt)
        case "EndsAt": .object(endsAt)
        case "GeneratorURL": .string(generatorURL)
        case "Fingerprint": .string(fingerprint)
        default: nil
        }
    }
}

/// `.Alerts`: a list that can be asked for those firing.
struct AlertList: TemplateObject {
    let alerts: [NotificationData.Entry]
    init(_ alerts: [NotificationData.Entry]) { self.alerts = alerts }

    private static let elementsType = "[]template.Alert"

    var typeName: String { "template.Alerts" }
    var text: String { TemplateValue.list(alerts.map { .object($0) }).text }
    var list: (elements: [TemplateValue], type: String)? { (alerts.map { .object($0) }, Self.elementsType) }
    func field(_ name: String) -> TemplateValue? { nil }

    func method(_ name: String) -> TemplateFunction? {
        let status: NotificationData.Status
        switch name {
        case "Firing": status = .firing
        case "Resolved": status = .resolved
        default: return nil
        }
        let chosen = alerts.filter { $0.status == status }
        return TemplateFunction { _ in .list(chosen.map { .object($0) }, type: Self.elementsType) }
    }
}

extension Notification.Reason {
    /// As Alertmanager 0.33.1 tells receivers.
    var words: String {
        switch self {
        case .firstNotification: "first notification"
        case .newAlerts: "new alerts added"
        case .newlyResolved: "some alerts resolved"
        case .repeatInterval: "repeat interval elapsed"
        case .allResolved: "all alerts resolved"
        }
    }
}
