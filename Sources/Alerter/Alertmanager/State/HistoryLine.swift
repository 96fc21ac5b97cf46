import JSON
import TSDB

/// An entry of the history as a line of JSON.
///
///     {"n":12,"t":1700000000000,"event":"fired","labels":{"alertname":"Down"}}
///     {"n":13,"t":1700000030000,"event":"notification","receiver":"ops","integration":"webhook[0]","groupKey":"{}:{}",
///      "reason":"first_notification","firing":["2cdd4f0d0379464b"],"resolved":[],"attempts":1,"outcome":"sent"}
///     {"n":14,"t":1700000060000,"event":"silence","id":"…","change":"created","by":"ann","comment":"deploy"}
enum HistoryLine {
    static func encoded(_ entry: AlertHistoryEntry) -> String {
        var text = "{\"n\":\(entry.number),\"t\":\(entry.time.milliseconds),\"event\":"
        switch entry.event {
        case .fired(let labels): text += "\"fired\",\"labels\":\(object(labels))"
        case .resolved(let labels): text += "\"resolved\",\"labels\":\(object(labels))"
        case .notification(let told):
            text += "\"notification\",\"receiver\":\(quoted(told.receiver)),\"integration\":\(quoted(told.integration))"
            text += ",\"groupKey\":\(quoted(told.groupKey)),\"reason\":\"\(told.reason.rawValue)\""
            text += ",\"firing\":\(list(told.firing)),\"resolved\":\(list(told.resolved)),\"attempts\":\(told.attempts)"
            switch told.outcome {
            case .sent: text += ",\"outcome\":\"sent\""
            case .failed(let reason, let message, let isRetryable):
                text += ",\"outcome\":\"failed\",\"why\":\(quoted(reason)),\"error\":\(quoted(message)),\"retryable\":\(isRetryable)"
            }
        case .silence(let id, let change, let by, let comment):
            text += "\"silence\",\"id\":\(quoted(id)),\"change\":\"\(change.rawValue)\",\"by\":\(quoted(by))"
            text += ",\"comment\":\(quoted(comment))"
        }
        return text + "}\n"
    }

    /// The entry of a line; `nil` for anything that is none.
    static func entry(_ line: UnsafeRawBufferPointer) -> AlertHistoryEntry? {
        guard let value = try? JSONValue(parsing: line), let number = value["n"]?.number.flatMap(UInt64.init(exactly:)),
            let time = value["t"]?.number.flatMap(Int64.init(exactly:)), let event = event(value)
        else { return nil }
        return AlertHistoryEntry(number: number, time: Timestamp(milliseconds: time), event: event)
    }

    private static func event(_ value: JSONValue) -> AlertHistoryEntry.Event? {
        func text(_ name: String) -> String? { value[name]?.string }
        switch text("event") {
        case "fired": return labels(value["labels"]).map { .fired($0) }
        case "resolved": return labels(value["labels"]).map { .resolved($0) }
        case "notification":
            guard let receiver = text("receiver"), let integration = text("integration"), let groupKey = text("groupKey"),
                let reason = text("reason").flatMap(Notification.Reason.init(rawValue:)),
                let attempts = value["attempts"]?.number.flatMap(Int.init(exactly:))
            else { return nil }
            let outcome: NotificationOutcome =
                text("outcome") == "sent"
                ? .sent
                : .failed(
                    reason: text("why") ?? "other", message: text("error") ?? "", isRetryable: value["retryable"]?.bool ?? false)
            return .notification(
                AlertHistoryEntry.Told(
                    receiver: receiver, integration: integration, groupKey: groupKey, reason: reason,
                    firing: fingerprints(value["firing"]), resolved: fingerprints(value["resolved"]), attempts: attempts,
                    outcome: outcome))
        case "silence":
            guard let id = text("id"), let change = text("change").flatMap(AlertHistoryEntry.SilenceChange.init(rawValue:))
            else { return nil }
            return .silence(id: id, change: change, by: text("by") ?? "", comment: text("comment") ?? "")
        default: return nil
        }
    }

    private static func labels(_ value: JSONValue?) -> Labels? {
        guard case .object(let members)? = value else { return nil }
        return Labels(members.compactMap { member in member.value.string.map { (name: member.name, value: $0) } })
    }

    private static func fingerprints(_ value: JSONValue?) -> [Fingerprint] {
        (value?.elements ?? []).compactMap { $0.string.flatMap(Fingerprint.init(_:)) }
    }

    private static func object(_ labels: Labels) -> String {
        "{" + labels.pairs.map { "\(quoted($0.name)):\(quoted($0.value))" }.joined(separator: ",") + "}"
    }

    private static func list(_ fingerprints: [Fingerprint]) -> String {
        "[" + fingerprints.map { "\"\($0)\"" }.joined(separator: ",") + "]"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{0}"..<" ":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
