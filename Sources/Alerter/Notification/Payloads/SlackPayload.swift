import TextTemplate

/// A message for Slack's incoming webhooks, or its `chat.postMessage`: one attachment.
///
///     {"channel":"#alerts","username":"Alertmanager","attachments":[{"title":"[FIRING:1] Down","color":"danger",…}]}
///
/// Source: Slack, “Reference: secondary message attachments”; the order of members is upstream's.
public enum SlackPayload {
    /// Slack cuts titles beyond it.
    static let maximumTitle = 1024

    public struct Message: Sendable, Equatable {
        public var channel: String
        public var body: [UInt8]
    }

    public static func message(_ settings: SlackSettings, _ filling: TemplateFilling) throws(TemplateError) -> Message {
        var attachment = Members()
        attachment.add("title", try filling.text(settings.title).truncated(toScalars: maximumTitle))
        attachment.add("title_link", try filling.text(settings.titleLink))
        attachment.add("pretext", try filling.text(settings.pretext))
        attachment.add("text", try filling.text(settings.text), evenEmpty: true)
        attachment.add("fallback", try filling.text(settings.fallback), evenEmpty: true)
        attachment.add("callback_id", try filling.text(settings.callbackID), evenEmpty: true)
        attachment.add("fields", try fields(settings, filling))
        attachment.add("actions", try actions(settings, filling))
        attachment.add("image_url", try filling.text(settings.imageURL))
        attachment.add("thumb_url", try filling.text(settings.thumbURL))
        attachment.add("footer", try filling.text(settings.footer), evenEmpty: true)
        attachment.add("color", try filling.text(settings.color))
        let markdownIn = settings.markdownIn.isEmpty ? ["fallback", "pretext", "text"] : settings.markdownIn
        attachment.add("mrkdwn_in", markdownIn.map { .string($0) })

        let channel = try filling.text(settings.channel)
        var message = Members()
        message.add("channel", channel)
        message.add("username", try filling.text(settings.username))
        message.add("icon_emoji", try filling.text(settings.iconEmoji))
        message.add("icon_url", try filling.text(settings.iconURL))
        if settings.linkNames { message.list.append(.init("link_names", .boolean(true))) }
        message.add("text", try filling.text(settings.messageText))
        message.list.append(.init("attachments", .array([.object(attachment.list)])))
        return Message(channel: channel, body: PayloadJSON.object(message.list).line)
    }

    private static func fields(_ settings: SlackSettings, _ filling: TemplateFilling) throws(TemplateError)
        -> [PayloadJSON]
    {
        var result: [PayloadJSON] = []
        for field in settings.fields {
            var members = Members()
            members.add("title", try filling.text(field.title))
            members.add("value", try filling.text(field.value))
            members.list.append(.init("short", .boolean(field.isShort ?? settings.shortFields)))
            result.append(.object(members.list))
        }
        return result
    }

    private static func actions(_ settings: SlackSettings, _ filling: TemplateFilling) throws(TemplateError)
        -> [PayloadJSON]
    {
        var result: [PayloadJSON] = []
        for action in settings.actions {
            var members = Members()
            members.add("type", try filling.text(action.type))
            members.add("text", try filling.text(action.text))
            members.add("url", try filling.text(action.url))
            members.add("style", try filling.text(action.style))
            members.add("name", try filling.text(action.name))
            members.add("value", try filling.text(action.value))
            if let confirm = action.confirm {
                var inner = Members()
                inner.add("text", try filling.text(confirm.text))
                inner.add("title", try filling.text(confirm.title))
                inner.add("ok_text", try filling.text(confirm.okText))
                inner.add("dismiss_text", try filling.text(confirm.dismissText))
                members.list.append(.init("confirm", .object(inner.list)))
            }
            result.append(.object(members.list))
        }
        return result
    }
}

/// Members of an object, without those that are empty.
struct Members {
    var list: [PayloadJSON.Member] = []

    mutating func add(_ name: String, _ text: String, evenEmpty: Bool = false) {
        if evenEmpty || !text.isEmpty { list.append(.init(name, .string(text))) }
    }

    mutating func add(_ name: String, _ elements: [PayloadJSON]) {
        if !elements.isEmpty { list.append(.init(name, .array(elements))) }
    }
}
