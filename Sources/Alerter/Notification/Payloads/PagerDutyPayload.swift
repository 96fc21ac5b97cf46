import Digest
import TextTemplate

/// An event for PagerDuty's Events API v2.
///
///     {"routing_key":"…","dedup_key":"<SHA-256 of the group key>","event_action":"trigger","payload":{"summary":"[FIRING:1] Down",…}}
///
/// A detail that reads as YAML is sent as what it says: `[{"status":…}]` becomes a list, `2` a number. The file's format is read
/// outside of the core, so the caller brings the reader.
/// Source: PagerDuty, “Send an alert event”; the order of members is upstream's.
public enum PagerDutyPayload {
    /// Bytes of one event; larger ones lose their details.
    static let maximumEvent = 512_000
    static let maximumSummary = 1024

    /// `structure`: the value that a YAML text other than a plain string says; `nil`: it is a string.
    public static func body(
        _ settings: PagerDutySettings, routingKey: String, _ notification: Notification, _ filling: TemplateFilling,
        structure: (String) -> PayloadJSON?
    ) throws(TemplateError) -> [UInt8] {
        var details: [PayloadJSON.Member] = []
        for pair in settings.details.pairs {
            let text = try filling.text(pair.value)
            details.append(.init(pair.name, structure(text) ?? .string(text)))
        }
        let body = try event(settings, routingKey, notification, filling, PayloadJSON(sorting: details)).line
        if body.count <= maximumEvent { return body }
        let reason = "Custom details have been removed because the original event exceeds the maximum size of 512KB"
        return try event(settings, routingKey, notification, filling, .object([.init("error", .string(reason))])).line
    }

    /// By this receivers recognise the group.
    public static func deduplicationKey(_ groupKey: String) -> String {
        SHA256.digest(groupKey.utf8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func event(
        _ settings: PagerDutySettings, _ routingKey: String, _ notification: Notification, _ filling: TemplateFilling,
        _ details: PayloadJSON
    ) throws(TemplateError) -> PayloadJSON {
        var payload = Members()
        payload.add(
            "summary", try filling.text(settings.description).truncated(toScalars: maximumSummary), evenEmpty: true)
        payload.add("source", try filling.text(settings.source), evenEmpty: true)
        payload.add(
            "severity", try filling.text(settings.severity.isEmpty ? "error" : settings.severity), evenEmpty: true)
        payload.add("class", try filling.text(settings.kind))
        payload.add("component", try filling.text(settings.component))
        payload.add("group", try filling.text(settings.group))
        if case .object(let members) = details, !members.isEmpty {
            payload.list.append(.init("custom_details", details))
        }

        var event = Members()
        event.add("routing_key", try filling.text(routingKey))
        event.add("dedup_key", deduplicationKey(notification.groupKey))
        event.add("event_action", filling.data.status == .firing ? "trigger" : "resolve")
        event.list.append(.init("payload", .object(payload.list)))
        event.add("client", try filling.text(settings.client))
        event.add("client_url", try filling.text(settings.clientURL))
        event.add("images", try images(settings, filling))
        event.add("links", try links(settings, filling))
        return .object(event.list)
    }

    private static func images(_ settings: PagerDutySettings, _ filling: TemplateFilling) throws(TemplateError)
        -> [PayloadJSON]
    {
        var result: [PayloadJSON] = []
        for image in settings.images {
            let source = try filling.text(image.source)
            let alt = try filling.text(image.alt)
            let href = try filling.text(image.href)
            if source.isEmpty { continue }
            result.append(
                .object([.init("src", .string(source)), .init("alt", .string(alt)), .init("href", .string(href))]))
        }
        return result
    }

    private static func links(_ settings: PagerDutySettings, _ filling: TemplateFilling) throws(TemplateError)
        -> [PayloadJSON]
    {
        var result: [PayloadJSON] = []
        for link in settings.links {
            let href = try filling.text(link.href)
            let text = try filling.text(link.text)
            if !href.isEmpty { result.append(.object([.init("href", .string(href)), .init("text", .string(text))])) }
        }
        return result
    }
}
