import Alerter
import Numbers
import TSDB

/// Reads matchers in their three forms: `matchers` (a list of texts), and the old `match` and `match_re` (mappings).
///
///     match:    {team: db}        team="db"
///     match_re: {env: prod|dev}   env=~"^(?:prod|dev)$"      so upstream writes it in group keys
///     matchers: [severity!=info]  severity!="info"
struct MatcherReader {
    private(set) var matchers: [Matcher] = []
    private(set) var warnings: [String] = []

    mutating func takeEqual(_ name: String, from fields: inout ShownFields) throws(ConfigError) {
        for (name, value, position) in try fields.labels(name) {
            try Self.checkClassicName(name, at: position)
            matchers.append(.equal(name, value))
        }
    }

    mutating func takeRegex(_ name: String, from fields: inout ShownFields) throws(ConfigError) {
        if let node = fields.take(name) {
            guard case .mapping(let entries) = node.content else { throw ConfigError("\(name) must be a mapping", at: node.position) }
            var shown: [YAMLNode.Entry] = []
            for entry in entries.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
                try Self.checkClassicName(entry.key, at: entry.position)
                if entry.value.isNull {
                    throw ConfigError("invalid regexp value for \(QuotedText.go(entry.key))", at: entry.position)
                }
                let value = try entry.value.text(entry.key)
                if let problem = MatcherText.regexProblem(value) { throw ConfigError(problem, at: entry.value.position) }
                guard let matcher = try? Matcher(.regex, name: entry.key, value: "^(?:\(value))$") else {
                    throw ConfigError("invalid regexp value for \(QuotedText.go(entry.key))", at: entry.position)
                }
                matchers.append(matcher)
                shown.append(YAMLNode.Entry(key: entry.key, position: entry.position, value: .text(value)))
            }
            if !shown.isEmpty { fields.show(name, YAMLNode(.mapping(shown))) }
        }
    }

    mutating func takeTexts(_ name: String, from fields: inout ShownFields) throws(ConfigError) {
        var found: [Matcher] = []
        for item in try fields.items(name) where !item.isNull {
            do throws(MatcherError) {
                let reading = try MatcherText.matchers(try item.plainText())
                found += reading.matchers
                if let warning = reading.warning { warnings.append("line \(item.position.line): \(warning)") }
            } catch { throw ConfigError(error.message, at: item.position) }
        }
        found = MatcherText.sorted(found)
        fields.show(name, list: found.map { .text(MatcherText.string($0)) })
        matchers += found
    }

    /// A label name as the old forms take it.
    static func checkClassicName(_ name: String, at position: YAMLPosition) throws(ConfigError) {
        let first = name.utf8.first ?? 0
        let isValid =
            !(first >= 0x30 && first <= 0x39) && !name.isEmpty
            && name.utf8.allSatisfy { ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x5f }
        if !isValid { throw ConfigError("invalid label name \(QuotedText.go(name))", at: position) }
    }
}

extension YAMLNode {
    fileprivate func plainText() throws(MatcherError) -> String {
        guard case .scalar(let text, _) = content else { throw MatcherError("a matcher must be text") }
        return text
    }
}
