import JSON
import Numbers
import TSDB

/// An alert as `GET /api/v2/alerts` lists it.
public struct ListedAlert: Sendable {
    /// Sorted by name.
    public var labels: [(name: String, value: String)]
    public var annotations: [(name: String, value: String)]
    public var startsAt: Timestamp
    public var endsAt: Timestamp
    public var generatorURL: String
    /// `active`, `suppressed`, `unprocessed`.
    public var state: String
    /// As it was answered.
    public var json: String

    init(_ value: JSONValue, _ json: String) throws(ClientError) {
        let fields = AnswerFields(value, "alert")
        labels = fields.pairs("labels")
        annotations = fields.pairs("annotations")
        startsAt = try fields.time("startsAt")
        endsAt = try fields.time("endsAt")
        generatorURL = value["generatorURL"]?.string ?? ""
        state = value["status"]?["state"]?.string ?? ""
        self.json = json
    }

    public func label(_ name: String) -> String { labels.first { $0.name == name }?.value ?? "" }
    public func annotation(_ name: String) -> String { annotations.first { $0.name == name }?.value ?? "" }
}

/// A matcher of a silence, as the API writes it; need not be valid.
public struct ListedMatcher: Sendable, Equatable {
    public var name: String
    public var value: String
    public var kind: Matcher.Kind

    public init(_ matcher: Matcher) {
        name = matcher.name
        value = matcher.value
        kind = matcher.kind
    }

    init(_ value: JSONValue) throws(ClientError) {
        guard let name = value["name"]?.string, let text = value["value"]?.string, let isRegex = value["isRegex"]?.bool
        else {
            throw ClientError(.malformed, "the answer has a matcher that is none")
        }
        self.name = name
        self.value = text
        // Servers before 0.22 do not say it.
        let isEqual = value["isEqual"]?.bool ?? true
        kind = isRegex ? isEqual ? .regex : .notRegex : isEqual ? .equal : .notEqual
    }

    var json: JSONValue {
        .object([
            JSONValue.Member(name: "isEqual", value: .bool(kind == .equal || kind == .regex)),
            JSONValue.Member(name: "isRegex", value: .bool(kind == .regex || kind == .notRegex)),
            JSONValue.Member(name: "name", value: .string(name)),
            JSONValue.Member(name: "value", value: .string(value)),
        ])
    }
}

/// A silence as the API lists it.
public struct ListedSilence: Sendable {
    public var id: String
    public var matchers: [ListedMatcher]
    public var startsAt: Timestamp
    public var endsAt: Timestamp
    public var updatedAt: Timestamp
    public var createdBy: String
    public var comment: String
    public var annotations: [(name: String, value: String)]
    /// As it was answered.
    public var json: String

    init(_ value: JSONValue, _ json: String) throws(ClientError) {
        let fields = AnswerFields(value, "silence")
        id = try fields.text("id")
        var matchers: [ListedMatcher] = []
        for element in value["matchers"]?.elements ?? [] { matchers.append(try ListedMatcher(element)) }
        self.matchers = matchers
        startsAt = try fields.time("startsAt")
        endsAt = try fields.time("endsAt")
        updatedAt = try fields.time("updatedAt")
        createdBy = try fields.text("createdBy")
        comment = try fields.text("comment")
        annotations = fields.pairs("annotations")
        self.json = json
    }
}

/// What `GET /api/v2/status` says.
public struct AlertmanagerState: Sendable {
    public var config: String
    public var clusterStatus: String
    public var clusterName: String
    public var peers: [(address: String, name: String)]
    public var uptime: String
    /// `version`, `revision`, `branch`, `buildUser`, `buildDate`, `goVersion`.
    public var version: [(name: String, value: String)]
    /// As it was answered.
    public var json: String
    /// The part about the cluster.
    public var clusterJSON: String

    init(_ value: JSONValue, _ json: String) throws(ClientError) {
        config = value["config"]?["original"]?.string ?? ""
        clusterStatus = value["cluster"]?["status"]?.string ?? ""
        clusterName = value["cluster"]?["name"]?.string ?? ""
        peers = (value["cluster"]?["peers"]?.elements ?? []).map {
            ($0["address"]?.string ?? "", $0["name"]?.string ?? "")
        }
        uptime = value["uptime"]?.string ?? ""
        version = AnswerFields(value, "status").pairs("versionInfo")
        self.json = json
        clusterJSON = JSONOutput.text(value["cluster"] ?? .null)
    }
}

// MARK: Fields

/// Fields of an answer that must be there.
private struct AnswerFields {
    let value: JSONValue
    let kind: String

    init(_ value: JSONValue, _ kind: String) {
        self.value = value
        self.kind = kind
    }

    func text(_ name: String) throws(ClientError) -> String {
        guard let text = value[name]?.string else {
            throw ClientError(.malformed, "the answer has a \(kind) without \(name)")
        }
        return text
    }

    func time(_ name: String) throws(ClientError) -> Timestamp {
        guard let milliseconds = TimeText.parse(try text(name)) else {
            throw ClientError(.malformed, "the answer has a \(kind) whose \(name) is no time")
        }
        return Timestamp(milliseconds: milliseconds)
    }

    /// The texts of an object, sorted by name.
    func pairs(_ name: String) -> [(name: String, value: String)] {
        guard case .object(let members)? = value[name] else { return [] }
        return members.compactMap { member in member.value.string.map { (member.name, $0) } }
            .sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
    }
}
