import Numbers
import TSDB

/// The fields of one mapping, read and at the same time written down as they will be shown: defaults filled in, secrets hidden.
///
///     smtp_hello: ◄─ not written          text("smtp_hello", default: "localhost")   shows   smtp_hello: localhost
///     slack_api_url: https://…/T0/B0      secretURL("slack_api_url")                 shows   slack_api_url: <secret>
///
/// They are shown in the order in which they are read, which is upstream's, because people compare. As in the original, a field that is
/// written and null is the zero value, not the default.
package struct ShownFields {
    package static let secret = "<secret>"

    private var fields: Fields
    private var shown: [YAMLNode.Entry] = []

    package init(_ node: YAMLNode, _ kind: String) throws(ConfigError) { fields = try Fields(node, kind) }

    package var kind: String { fields.kind }
    package var position: YAMLPosition { fields.position }
    /// The mapping as it is shown.
    package var node: YAMLNode { YAMLNode(.mapping(shown)) }

    // MARK: Showing

    package mutating func show(_ name: String, _ node: YAMLNode) {
        shown.append(YAMLNode.Entry(key: name, position: YAMLPosition(), value: node))
    }

    /// Nothing is shown of an empty text or list.
    package mutating func show(_ name: String, _ text: String) {
        if !text.isEmpty { show(name, .text(text)) }
    }

    package mutating func show(_ name: String, list: [YAMLNode]) {
        if !list.isEmpty { show(name, YAMLNode(.sequence(list))) }
    }

    // MARK: Reading

    package mutating func take(_ name: String) -> YAMLNode? { fields.take(name) }

    /// Where the field is written and null.
    package mutating func takesNull(_ name: String) -> Bool { fields.takesNull(name) }

    /// A text; `fallback` where it is not written or empty.
    package mutating func text(_ name: String, default value: String = "", or fallback: String = "") throws(ConfigError)
        -> String
    {
        let text = try hidden(name, default: value, or: fallback)
        // Nothing instead of a default is said, so that what is shown reads back as what is meant.
        if text.isEmpty && !value.isEmpty { show(name, .text("")) } else { show(name, text) }
        return text
    }

    /// A text of which only is shown that it is there.
    package mutating func secret(_ name: String, or fallback: String = "") throws(ConfigError) -> String {
        let text = try hidden(name, or: fallback)
        show(name, text.isEmpty ? "" : Self.secret)
        return text
    }

    /// A text that is not shown; for those who show it themselves.
    package mutating func hidden(_ name: String, default value: String = "", or fallback: String = "") throws(ConfigError)
        -> String
    {
        let text = fields.takesNull(name) ? "" : try fields.string(name) ?? value
        return text.isEmpty ? fallback : text
    }

    package mutating func flag(_ name: String, default value: Bool = false) throws(ConfigError) -> Bool {
        let flag = fields.takesNull(name) ? false : try fields.bool(name) ?? value
        show(name, .flag(flag))
        return flag
    }

    /// Three-valued: `nil` where it is not written.
    package mutating func optionalFlag(_ name: String, or fallback: Bool? = nil) throws(ConfigError) -> Bool? {
        let flag = try fields.bool(name) ?? fallback
        if let flag { show(name, .flag(flag)) }
        return flag
    }

    package mutating func hiddenDuration(_ name: String) throws(ConfigError) -> TSDB.Duration? { try fields.duration(name) }

    /// `1h30m`.
    package mutating func duration(_ name: String) throws(ConfigError) -> TSDB.Duration? {
        let duration = try fields.duration(name)
        if let duration { show(name, .text(Numbers.DurationText.string(milliseconds: duration.milliseconds))) }
        return duration
    }

    /// In Go's dialect, `1h30m0s`; a bare number is nanoseconds. Rounded up to milliseconds.
    package mutating func goDuration(_ name: String) throws(ConfigError) -> TSDB.Duration {
        var nanoseconds: Int64 = 0
        if let node = fields.take(name) {
            let text = try node.text(name)
            if let number = Int64(text) {
                nanoseconds = number
            } else {
                do throws(DurationError) { nanoseconds = try Numbers.DurationText.parseGo(text) } catch {
                    throw ConfigError("\(name): \(error.message)", at: node.position)
                }
            }
            if nanoseconds < 0 { throw ConfigError("\(name) must not be negative", at: node.position) }
        }
        show(name, .text(Numbers.DurationText.goString(nanoseconds: nanoseconds)))
        return .milliseconds(nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 > 0 ? 1 : 0))
    }

    package mutating func count(_ name: String) throws(ConfigError) -> Int {
        let count = try fields.count(name) ?? 0
        show(name, .number(count))
        return count
    }

    package mutating func strings(_ name: String) throws(ConfigError) -> [String]? {
        guard let node = fields.take(name) else { return nil }
        var result: [String] = []
        for item in try node.items(name) { result.append(item.isNull ? "" : try item.text(name)) }
        show(name, list: result.map { .text($0) })
        return result
    }

    package mutating func items(_ name: String) throws(ConfigError) -> [YAMLNode] { try fields.items(name) }

    /// A list of mappings, each read by `read` and shown with what that showed.
    package mutating func list<Item>(
        _ name: String, _ read: (inout ShownFields) throws(ConfigError) -> Item
    ) throws(ConfigError) -> [Item] {
        var items: [Item] = [], shown: [YAMLNode] = []
        for node in try fields.items(name) {
            var entry = try ShownFields(node, "\(name) entry")
            items.append(try read(&entry))
            try entry.finish()
            shown.append(entry.node)
        }
        show(name, list: shown)
        return items
    }

    /// `name: value` pairs, sorted by name, shown where there are any.
    package mutating func labels(_ name: String) throws(ConfigError) -> [(name: String, value: String, position: YAMLPosition)] {
        let labels = try fields.pairs(name).sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        if !labels.isEmpty {
            show(
                name,
                YAMLNode(
                    .mapping(labels.map { YAMLNode.Entry(key: $0.name, position: $0.position, value: .text($0.value)) })
                ))
        }
        return labels
    }

    /// An address beginning with `http://` or `https://`; nothing where it is not written.
    package mutating func url(_ name: String, or fallback: String = "") throws(ConfigError) -> String {
        let url = try hiddenURL(name, or: fallback)
        show(name, url)
        return url
    }

    package mutating func secretURL(_ name: String, or fallback: String = "") throws(ConfigError) -> String {
        let url = try hiddenURL(name, or: fallback, takesSecret: true)
        show(name, url.isEmpty ? "" : Self.secret)
        return url
    }

    package mutating func hiddenURL(_ name: String, or fallback: String = "", takesSecret: Bool = false) throws(ConfigError)
        -> String
    {
        guard let node = fields.take(name) else { return fallback }
        let text = try node.text(name)
        // A configuration that was shown can be read again.
        if takesSecret && text == Self.secret { return text }
        if let problem = URLText.problem(text) { throw ConfigError(problem, at: node.position) }
        return text
    }

    // MARK: The end

    package func refuse(_ names: [String], _ reason: String = "is not supported yet") throws(ConfigError) {
        try fields.refuse(names, reason)
    }

    package func finish() throws(ConfigError) { try fields.finish() }
}

extension YAMLNode {
    package static func text(_ text: String) -> YAMLNode { YAMLNode(.scalar(text, isPlain: false)) }
    package static func flag(_ flag: Bool) -> YAMLNode { YAMLNode(.scalar(flag ? "true" : "false", isPlain: true)) }
    package static func number(_ number: Int) -> YAMLNode { YAMLNode(.scalar(String(number), isPlain: true)) }
}
