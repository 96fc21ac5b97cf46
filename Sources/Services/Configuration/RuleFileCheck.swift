import Alerter
import Numbers
import PromQL
import TSDB

/// Everything that is wrong with a rule file, as `promtool check rules` says it: a server stops at the first error, a person at a desk
/// wants them all.
///
///     6:11: group "g", rule 1, "A": could not parse expression: 1:6: parse error: unexpected end of input
///      └ where the value stands; 0:0 for what is missing
public struct RuleFileCheck: Sendable {
    /// A rule as the search for duplicates sees it.
    public struct Identity: Sendable, Hashable {
        /// Of a recording rule its metric, of an alerting rule its name.
        public var name: String
        /// Its own over its group's.
        public var labels: Alerter.Annotations
    }

    public private(set) var problems: [String] = []
    public private(set) var rules: [Identity] = []

    public init(_ text: [UInt8], options: ParserOptions = ParserOptions()) {
        do throws(ConfigError) {
            let root = try YAMLReader.read(text)
            var shape = Shape()
            let groups = try shape.groups(root)
            guard shape.unknown.isEmpty else {
                problems = ["yaml: unmarshal errors:\n" + shape.unknown.map { "  " + $0 }.joined(separator: "\n")]
                return
            }
            var names: Set<String> = []
            for group in groups {
                if group.name.isEmpty { problems.append("0:0: Groupname must not be empty") }
                if !names.insert(group.name).inserted {
                    problems.append("0:0: groupname: \"\(group.name)\" is repeated in the same file")
                }
                problems += Self.labelProblems(group.labels)
                for (index, rule) in group.rules.enumerated() {
                    let name = rule.alert?.text ?? rule.record?.text ?? ""
                    let place = "group \(QuotedText.go(group.name)), rule \(index + 1), \(QuotedText.go(name)): "
                    for problem in rule.problems(options) {
                        problems.append(problem.position + place + problem.message)
                    }
                    var labels = group.labels
                    for label in rule.labels.pairs { labels[label.name] = label.value }
                    rules.append(.init(name: name, labels: labels))
                }
            }
        } catch {
            problems = ["yaml: " + (error.position.map { "line \($0.line): " } ?? "") + error.message]
        }
    }

    /// Rules that are there more than once, each told once, sorted.
    public var duplicates: [Identity] {
        var counts: [Identity: Int] = [:]
        for rule in rules { counts[rule, default: 0] += 1 }
        return counts.filter { $0.value > 1 }.keys.sorted { a, b in
            if a.name != b.name { return a.name < b.name }
            return a.labels.pairs.map { [$0.name, $0.value] }.lexicographicallyPrecedes(
                b.labels.pairs.map { [$0.name, $0.value] }
            ) {
                $0.lexicographicallyPrecedes($1)
            }
        }
    }

    fileprivate static func labelProblems(_ labels: Alerter.Annotations) -> [String] {
        labels.pairs.filter { $0.name.isEmpty || $0.name == MetricName.label }.map { "invalid label name: \($0.name)" }
    }
}

// MARK: What stands in the file

/// A text and where it stands.
private struct Placed {
    var text: String
    var position: YAMLPosition
}

private struct WrittenGroup {
    var name = ""
    var labels = Alerter.Annotations()
    var rules: [WrittenRule] = []
}

private struct WrittenRule {
    var record: Placed?
    var alert: Placed?
    var expr: Placed?
    var hold: TSDB.Duration?
    var keepFiring: TSDB.Duration?
    var labels = Alerter.Annotations()
    var annotations = Alerter.Annotations()

    /// `position` is the front of the message, empty where upstream gives none.
    func problems(_ options: ParserOptions) -> [(position: String, message: String)] {
        func place(_ node: Placed?) -> String { node.map { "\($0.position.line):\($0.position.column): " } ?? "0:0: " }
        var problems: [(position: String, message: String)] = []
        let recorded = record?.text ?? "", alerting = alert?.text ?? ""
        if !recorded.isEmpty && !alerting.isEmpty {
            problems.append((place(record) + place(alert), "only one of 'record' and 'alert' must be set"))
        }
        if recorded.isEmpty && alerting.isEmpty {
            problems.append((place(record) + place(alert), "one of 'record' or 'alert' must be set"))
        }
        let query = expr?.text ?? ""
        if query.isEmpty {
            problems.append((place(expr), "field 'expr' must be set in rule"))
        } else {
            do throws(QueryError) {
                _ = try Parser.parse(query, options: options)
            } catch {
                problems.append((place(expr), "could not parse expression: \(error.positioned(in: query))"))
            }
        }
        if !recorded.isEmpty {
            if !annotations.isEmpty {
                problems.append((place(record), "invalid field 'annotations' in recording rule"))
            }
            if let hold, hold != .zero { problems.append((place(record), "invalid field 'for' in recording rule")) }
            if let keepFiring, keepFiring != .zero {
                problems.append((place(record), "invalid field 'keep_firing_for' in recording rule"))
            }
            if recorded.contains("{") || recorded.contains("}") {
                problems.append(
                    (place(record), "braces present in the recording rule name; should it be in expr?: \(recorded)"))
            }
        }
        problems += RuleFileCheck.labelProblems(labels).map { ("", $0) }
        for annotation in annotations.pairs where annotation.name.isEmpty {
            problems.append(("", "invalid annotation name: "))
        }
        if !alerting.isEmpty {
            for (kind, pairs) in [("label", labels.pairs), ("annotation", annotations.pairs)] {
                for pair in pairs {
                    guard let error = RuleTemplate.check(pair.value, name: "__alert_\(alerting)") else { continue }
                    problems.append(("", "\(kind) \(QuotedText.go(pair.name)): \(error.message)"))
                }
            }
        }
        return problems
    }
}

/// Takes the file apart without judging what it says; notes fields that nobody knows.
private struct Shape {
    var unknown: [String] = []

    mutating func groups(_ root: YAMLNode) throws(ConfigError) -> [WrittenGroup] {
        var fields = try Fields(root, "rule file")
        var groups: [WrittenGroup] = []
        for node in try fields.items("groups") { groups.append(try group(node)) }
        finish(fields, "RuleGroups")
        return groups
    }

    private mutating func group(_ node: YAMLNode) throws(ConfigError) -> WrittenGroup {
        var fields = try Fields(node, "rule group")
        var group = WrittenGroup()
        group.name = try fields.string("name") ?? ""
        _ = try fields.duration("interval")
        _ = try fields.count("limit")
        _ = try fields.duration("query_offset")
        group.labels = try labels(&fields, "labels")
        for node in try fields.items("rules") { group.rules.append(try rule(node)) }
        finish(fields, "RuleGroup")
        return group
    }

    private mutating func rule(_ node: YAMLNode) throws(ConfigError) -> WrittenRule {
        var fields = try Fields(node, "rule")
        var rule = WrittenRule()
        rule.record = try placed(&fields, "record")
        rule.alert = try placed(&fields, "alert")
        rule.expr = try placed(&fields, "expr")
        rule.hold = try fields.duration("for")
        rule.keepFiring = try fields.duration("keep_firing_for")
        rule.labels = try labels(&fields, "labels")
        rule.annotations = try labels(&fields, "annotations")
        finish(fields, "Rule")
        return rule
    }

    private func placed(_ fields: inout Fields, _ name: String) throws(ConfigError) -> Placed? {
        guard let node = fields.take(name) else { return nil }
        return Placed(text: try node.text(name), position: node.position)
    }

    private func labels(_ fields: inout Fields, _ name: String) throws(ConfigError) -> Alerter.Annotations {
        Alerter.Annotations(try fields.labels(name).map { (name: $0.name, value: $0.value) })
    }

    private mutating func finish(_ fields: Fields, _ type: String) {
        for field in fields.names {
            unknown.append("line \(field.position.line): field \(field.name) not found in type rulefmt.\(type)")
        }
    }
}
