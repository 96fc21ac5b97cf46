import TextTemplate

/// The notification as JSON, version 4: what webhooks get, and programs on their standard input.
///
///     {"receiver":"ops","status":"firing","alerts":[…],…,"version":"4","groupKey":"{}:{alertname=\"Down\"}","truncatedAlerts":0}
///
/// Source: Alertmanager's documentation, “webhook_config”.
public enum WebhookPayload {
    /// `data` may have been limited to fewer alerts than the notification has; the others are counted.
    public static func body(_ notification: Notification, _ data: NotificationData) -> [UInt8] {
        let missing = Int64(notification.alerts.count - data.alerts.count)
        return PayloadJSON.object(
            PayloadJSON.members(data) + [
                .init("version", .string("4")),
                .init("groupKey", .string(notification.groupKey)),
                .init("truncatedAlerts", .integer(missing)),
            ]
        ).line
    }

    /// A payload of the user's own: each text filled in, and taken for what it says where it reads as YAML. Names come sorted.
    public static func body(
        of payload: PayloadJSON, _ filling: TemplateFilling, structure: (String) -> PayloadJSON?
    ) throws(TemplateError) -> [UInt8] {
        try filled(payload, filling, structure).line
    }

    private static func filled(
        _ value: PayloadJSON, _ filling: TemplateFilling, _ structure: (String) -> PayloadJSON?
    ) throws(TemplateError) -> PayloadJSON {
        switch value {
        case .null, .boolean, .integer, .float: return value
        case .string(let template):
            let text = try filling.text(template)
            return structure(text) ?? .string(text)
        case .array(let elements):
            var result: [PayloadJSON] = []
            for element in elements { result.append(try filled(element, filling, structure)) }
            return .array(result)
        case .object(let members):
            var result: [PayloadJSON.Member] = []
            for member in members {
                result.append(.init(try filling.text(member.name), try filled(member.value, filling, structure)))
            }
            return PayloadJSON(sorting: result)
        }
    }
}

/// A line of the `log` receiver: when, to whom, and the notification as webhooks get it.
public enum LogPayload {
    public static func line(_ notification: Notification, _ data: NotificationData) -> [UInt8] {
        PayloadJSON.object(
            [.init("time", .string(TemplateTime(notification.now).rfc3339))] + PayloadJSON.members(data)
                + [.init("groupKey", .string(notification.groupKey))]
        ).line
    }
}
