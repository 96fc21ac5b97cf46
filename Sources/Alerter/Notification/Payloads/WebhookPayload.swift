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
