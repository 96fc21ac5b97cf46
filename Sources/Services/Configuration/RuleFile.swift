import Alerter
import PromQL
import TSDB

/// Reads a rule file; expressions are parsed and type-checked here, so that a typing error stops a load and not a rule.
public enum RuleFile {
    public static func parse(
        _ text: [UInt8], file: String, global interval: TSDB.Duration, queryOffset: TSDB.Duration = .zero,
        options: ParserOptions = ParserOptions()
    ) throws(ConfigError) -> [RuleGroup] {
        do throws(ConfigError) {
            var fields = try Fields(try YAMLReader.read(text), "rule file")
            let nodes = try fields.items("groups")
            try fields.finish()
            var groups: [RuleGroup] = []
            for node in nodes {
                let group = try self.group(node, file, interval, queryOffset, options)
                if groups.contains(where: { $0.name == group.name }) {
                    throw ConfigError("groupname: \"\(group.name)\" is repeated in the same file", at: node.position)
                }
                groups.append(group)
            }
            return groups
        } catch {
            throw error.inside(file)
        }
    }

    private static func group(
        _ node: YAMLNode, _ file: String, _ interval: TSDB.Duration, _ queryOffset: TSDB.Duration, _ options: ParserOptions
    ) throws(ConfigError) -> RuleGroup {
        var fields = try Fields(node, "rule group")
        guard let name = try fields.string("name"), !name.isEmpty else {
            throw ConfigError("Groupname must not be empty", at: node.position)
        }
        let own = try fields.duration("interval") ?? .zero
        var group = RuleGroup(name: name, file: file, interval: own > .zero ? own : interval)
        group.limit = try fields.count("limit") ?? 0
        group.queryOffset = try fields.duration("query_offset") ?? queryOffset
        group.labels = Annotations(try fields.labels("labels").map { (name: $0.name, value: $0.value) })
        for rule in try fields.items("rules") { group.rules.append(try self.rule(rule, options)) }
        try fields.refuse(["partial_response_strategy"], "is Thanos' and not known here")
        try fields.finish()
        return group
    }

    private static func rule(_ node: YAMLNode, _ options: ParserOptions) throws(ConfigError) -> Rule {
        var fields = try Fields(node, "rule")
        let record = try fields.string("record") ?? "", alert = try fields.string("alert") ?? ""
        if !record.isEmpty && !alert.isEmpty {
            throw ConfigError("only one of 'record' and 'alert' must be set", at: node.position)
        }
        if record.isEmpty && alert.isEmpty {
            throw ConfigError("one of 'record' or 'alert' must be set", at: node.position)
        }
        let exprNode = fields.take("expr")
        let query = try exprNode?.text("expr") ?? ""
        if query.isEmpty { throw ConfigError("field 'expr' must be set in rule", at: node.position) }
        let expr: Expr
        do throws(QueryError) {
            expr = try Parser.parse(query, options: options)
        } catch {
            throw ConfigError("could not parse expression: \(error.positioned(in: query))", at: exprNode?.position)
        }
        let hold = try fields.duration("for"), keepFiring = try fields.duration("keep_firing_for")
        let labels = Annotations(try fields.labels("labels").map { (name: $0.name, value: $0.value) })
        let annotations = try fields.labels("annotations")
        try fields.finish()
        if !record.isEmpty {
            if !annotations.isEmpty { throw ConfigError("invalid field 'annotations' in recording rule", at: node.position) }
            if hold != nil { throw ConfigError("invalid field 'for' in recording rule", at: node.position) }
            if keepFiring != nil { throw ConfigError("invalid field 'keep_firing_for' in recording rule", at: node.position) }
            return Rule(.recording(metric: record), query: query, expr: expr, labels: labels)
        }
        if labels["__name__"] != nil { throw ConfigError("invalid label name: __name__", at: node.position) }
        let alerting = Rule.Alerting(
            name: alert, hold: hold ?? .zero, keepFiring: keepFiring ?? .zero,
            annotations: annotations.map { (name: $0.name, template: $0.value) }.sorted { $0.name < $1.name })
        return Rule(.alerting(alerting), query: query, expr: expr, labels: labels)
    }
}
