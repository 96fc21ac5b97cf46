import Alerter
import ConfigurationFile
import Numbers
import TSDB

/// A file of `Tests/stories`: what happens to an Alertmanager over time, and what must be told. `Tests/system/story.py` describes the
/// format; `Tests/system/stories.py` plays the same files in real time against a server.
struct Story: Sendable {
    struct Step: Sendable {
        var at: Duration
        var action: Action
        /// What the server must answer, where the story says it.
        var answer: String?
    }

    enum Action: Sendable {
        case fire([Annotations])
        case resolve([Annotations])
        case post([Post])
        case silence(Quiet)
        case expire(String)
        case reload(String)
        case receiver(String, does: String)
        case alertmanager(String)
        case alerts([Listed])
    }

    /// An alert as it is reported; times are the story's.
    struct Post: Sendable {
        var labels: Annotations
        var annotations: Annotations
        var generatorURL: String
        var startsAt: Duration?
        var endsAt: Duration?
    }

    struct Quiet: Sendable {
        var name: String
        var matchers: [SilenceMatcher]
        var startsAt: Duration
        var endsAt: Duration
    }

    /// An alert as the API must list it.
    struct Listed: Sendable {
        var labels: Labels
        var state: String
        var silencedBy: [String]
        var inhibitedBy: [Labels]
    }

    /// One webhook that must come.
    struct Expectation: Sendable {
        var at: Duration
        var within: Duration
        var to: String
        var answered: String?
        var attempts: ClosedRange<Int>
        /// Receiver, status, reason, groupLabels, commonLabels, truncatedAlerts: the field's name and its text.
        var fields: [String: String]
        var groupKey: String
        /// Each as the fields that count: status, labels and what the story `shows`.
        var alerts: [[String: String]]
    }

    var title: String
    var config: String
    var steps: [Step]
    var until: Duration
    var shows: [String]
    var expected: [Expectation]
}

// MARK: Reading

extension Story {
    init(_ text: String) throws {
        let root = try StoryNode(YAMLReader.read(Array(text.utf8)))
        title = try root.required("title").text()
        config = try root.required("config").text()
        until = try root.required("until").duration()
        shows = try root["shows"]?.list().map { try $0.text() } ?? []
        steps = try root.required("timeline").list().map(Step.init)
        let within = try root["within"]?.duration() ?? .milliseconds(600)
        expected = try root["expected"]?.list().map { try Expectation($0, within: within) } ?? []
    }
}

extension Story.Step {
    init(_ node: StoryNode) throws {
        at = try node.required("at").duration()
        answer = try node["answer"]?.text()
        if let labels = try node["fire"]?.list() {
            action = .fire(try labels.map { try $0.texts() })
        } else if let labels = try node["resolve"]?.list() {
            action = .resolve(try labels.map { try $0.texts() })
        } else if let posts = try node["post"]?.list() {
            action = .post(try posts.map(Story.Post.init))
        } else if let silence = node["silence"] {
            action = .silence(try Story.Quiet(silence))
        } else if let name = node["expire"] {
            action = .expire(try name.text())
        } else if let config = node["reload"] {
            action = .reload(try config.text())
        } else if let receiver = node["receiver"] {
            action = .receiver(try receiver.required("name").text(), does: try receiver.required("does").text())
        } else if let verb = node["alertmanager"] {
            action = .alertmanager(try verb.text())
        } else if let listed = try node["alerts"]?.list() {
            action = .alerts(try listed.map(Story.Listed.init))
        } else {
            throw StoryError("a step does nothing")
        }
    }
}

extension Story.Post {
    init(_ node: StoryNode) throws {
        labels = try node.required("labels").texts()
        annotations = try node["annotations"]?.texts() ?? Annotations()
        generatorURL = try node["generatorURL"]?.text() ?? ""
        startsAt = try node["startsAt"]?.duration()
        endsAt = try node["endsAt"]?.duration()
    }
}

extension Story.Quiet {
    init(_ node: StoryNode) throws {
        name = try node.required("name").text()
        matchers = try node.required("matchers").list().map { try Self.matcher($0.text()) }
        startsAt = try node.required("startsAt").duration()
        endsAt = try node.required("endsAt").duration()
    }

    /// `instance=~"a|b"`, without compiling the expression: it may be wrong on purpose.
    private static func matcher(_ text: String) throws -> SilenceMatcher {
        let quote: Character = "\""
        let start =
            text.hasPrefix("\"") ? text.dropFirst().firstIndex(of: quote).map(text.index(after:)) : text.startIndex
        guard let start, let first = text[start...].firstIndex(where: { "=!".contains($0) }) else {
            throw StoryError(text)
        }
        let operation = ["=~", "!~", "!=", "="].first { text[first...].hasPrefix($0) }
        guard let operation, let kind = Matcher.Kind(rawValue: operation) else { throw StoryError(text) }
        let value = text[text.index(first, offsetBy: operation.count)...]
        return SilenceMatcher(
            kind, name: text[..<first].filter { $0 != quote }, value: value.filter { $0 != quote })
    }
}

extension Story.Listed {
    init(_ node: StoryNode) throws {
        labels = try node.required("labels").labels()
        state = try node.required("state").text()
        silencedBy = try node["silencedBy"]?.list().map { try $0.text() } ?? []
        inhibitedBy = try node["inhibitedBy"]?.list().map { try $0.labels() } ?? []
    }
}

extension Story.Expectation {
    init(_ node: StoryNode, within usual: Duration) throws {
        at = try node.required("at").duration()
        within = try node["within"]?.duration() ?? usual
        to = try (node["to"] ?? node.required("receiver")).text()
        answered = try node["answered"]?.text()
        groupKey = try node.required("groupKey").text()
        let bounds = try node["attempts"]?.text().split(separator: ".").compactMap { Int($0) } ?? [1, 1]
        attempts = (bounds.first ?? 1)...(bounds.last ?? 1)
        fields = [:]
        for name in ["receiver", "status", "reason"] { fields[name] = try node.required(name).text() }
        for name in ["groupLabels", "commonLabels"] { fields[name] = try node.required(name).labels().description }
        fields["truncatedAlerts"] = try node["truncatedAlerts"]?.text() ?? "0"
        alerts = try node.required("alerts").list().map { alert in
            var fields = ["labels": try alert.required("labels").labels().description]
            for name in ["status", "startsAt", "endsAt", "generatorURL"] { fields[name] = try alert[name]?.text() }
            fields["annotations"] = try alert["annotations"]?.labels().description
            return fields
        }
    }
}

/// What is wrong with a story's file.
struct StoryError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// A YAML node as stories use them: mappings, lists and texts.
struct StoryNode {
    private let node: YAMLNode
    init(_ node: YAMLNode) { self.node = node }

    subscript(key: String) -> StoryNode? {
        guard case .mapping(let entries) = node.content else { return nil }
        return entries.first { $0.key == key }.map { StoryNode($0.value) }
    }

    func required(_ key: String) throws -> StoryNode {
        guard let value = self[key] else { throw StoryError("\(key) is missing at line \(node.position.line)") }
        return value
    }

    func text() throws -> String {
        guard case .scalar(let text, _) = node.content else {
            throw StoryError("no text at line \(node.position.line)")
        }
        return text
    }

    func list() throws -> [StoryNode] {
        guard case .sequence(let items) = node.content else {
            throw StoryError("no list at line \(node.position.line)")
        }
        return items.map(StoryNode.init)
    }

    func texts() throws -> Annotations {
        guard case .mapping(let entries) = node.content else {
            throw StoryError("no mapping at line \(node.position.line)")
        }
        return Annotations(try entries.map { (name: $0.key, value: try StoryNode($0.value).text()) })
    }

    func labels() throws -> Labels { Labels(try texts().pairs.map { (name: $0.name, value: $0.value) }) }

    func duration() throws -> Duration { try Self.duration(try text()) }

    /// `-1h`, `500ms`.
    static func duration(_ text: String) throws -> Duration {
        let isNegative = text.hasPrefix("-")
        let amount = Duration.milliseconds(try Numbers.DurationText.parse(isNegative ? String(text.dropFirst()) : text))
        return isNegative ? -amount : amount
    }
}
