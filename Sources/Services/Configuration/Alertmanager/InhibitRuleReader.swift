import Alerter
import Numbers
import TSDB

/// Reads one entry of `inhibit_rules`, in its new form (`source_matchers`, `target_matchers`) and its old ones.
struct InhibitRuleReader {
    private(set) var warnings: [String] = []

    mutating func read(_ node: YAMLNode) throws(ConfigError) -> (rule: InhibitRule, node: YAMLNode) {
        var fields = try ShownFields(node, "inhibit_rules entry")
        var rule = InhibitRule(name: try fields.text("name"))
        rule.sourceMatchers = try matchers("source", &fields)
        rule.targetMatchers = try matchers("target", &fields)
        rule.equal = try fields.strings("equal") ?? []
        for name in rule.equal where name.isEmpty {
            throw ConfigError("invalid label name \(QuotedText.go(name)) in equal list", at: node.position)
        }
        try fields.finish()
        return (rule, fields.node)
    }

    private mutating func matchers(_ side: String, _ fields: inout ShownFields) throws(ConfigError) -> [Matcher] {
        var reader = MatcherReader()
        try reader.takeEqual("\(side)_match", from: &fields)
        try reader.takeRegex("\(side)_match_re", from: &fields)
        try reader.takeTexts("\(side)_matchers", from: &fields)
        warnings += reader.warnings
        return MatcherText.sorted(reader.matchers)
    }
}
