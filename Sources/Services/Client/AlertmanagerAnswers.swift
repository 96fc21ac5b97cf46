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
        guard let name = value["name"]?.string, let text = value["value"]?.string, let isRegex = value["isRegex"]?.bool else {
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
        peers = (value["cluster"]?["peers"]?.elements ?? []).map { ($0["address"]?.string ?? "", $0["name"]?.string ?? "") }
        uptime = value["uptime"]?.string ?? ""
        version = AnswerFields(value, "status").pairs("versionInfo")
        self.json = json
        clusterJSON = JSONOutput.text(value["cluster"] ?? .null)
    }
}

/// An alert to be sent.
public struct PostedAlert: Sendable {
    public var labels: [(name: String, value: String)]
    public var annotations: [(name: String, value: String)]
    public var generatorURL: String
    /// `nil`: the server's now, and its resolve timeout.
    public var startsAt: Timestamp?
    public var endsAt: Timestamp?

    public init(
        labels: [(name: String, value: String)], annotations: [(name: String, value: String)], generatorURL: String,
        startsAt: Timestamp?, endsAt: Timestamp?
    ) {
        self.labels = labels
        self.annotations = annotations
        self.generatorURL = generatorURL
        self.startsAt = startsAt
        self.endsAt = endsAt
    }

    var json: String {
        var members = [
            JSONValue.Member(name: "labels", value: .labels(labels)), JSONValue.Member(name: "annotations", value: .labels(annotations)),
        ]
        if !generatorURL.isEmpty { members.append(JSONValue.Member(name: "generatorURL", value: .string(generatorURL))) }
        if let startsAt { members.append(JSONValue.Member(name: "startsAt", value: .time(startsAt))) }
        if let endsAt { members.append(JSONValue.Member(name: "endsAt", value: .time(endsAt))) }
        return JSONOutput.text(.object(members))
    }
}

/// A silence to be made or changed.
public struct PostedSilence: Sendable {
    /// Empty for a new one.
    public var id: String
    public var matchers: [ListedMatcher]
    public var startsAt: Timestamp
    public var endsAt: Timestamp
    public var createdBy: String
    public var comment: String
    public var annotations: [(name: String, value: String)]

    public init(
        id: String = "", matchers: [ListedMatcher], startsAt: Timestamp, endsAt: Timestamp, createdBy: String, comment: String,
        annotations: [(name: String, value: String)] = []
    ) {
        self.id = id
        self.matchers = matchers
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.createdBy = createdBy
        self.comment = comment
        self.annotations = annotations
    }

    var json: String {
        var members = [
            JSONValue.Member(name: "matchers", value: .array(matchers.map(\.json))),
            JSONValue.Member(name: "startsAt", value: .time(startsAt)), JSONValue.Member(name: "endsAt", value: .time(endsAt)),
            JSONValue.Member(name: "createdBy", value: .string(createdBy)), JSONValue.Member(name: "comment", value: .string(comment)),
        ]
        if !id.isEmpty { members.append(JSONValue.Member(name: "id", value: .string(id))) }
        if !annotations.isEmpty { members.append(JSONValue.Member(name: "annotations", value: .labels(annotations))) }
        return JSONOutput.text(.object(members))
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
        guard let text = value[name]?.string else { throw ClientError(.malformed, "the answer has a \(kind) without \(name)") }
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

extension JSONValue {
    static func labels(_ pairs: [(name: String, value: String)]) -> JSONValue {
        .object(pairs.map { Member(name: $0.name, value: .string($0.value)) })
    }

    static func time(_ time: Timestamp) -> JSONValue { .string(TimeText.string(milliseconds: time.milliseconds)) }

    /// An object without one of its members.
    public func without(_ name: String) -> JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(members.filter { $0.name != name })
    }
}

/// JSON as text, for small documents.
public enum JSONOutput {
    public static func text(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .number(let number): number.isFinite ? NumberText.string(number, style: .plain) : "null"
        case .string(let text): quoted(text)
        case .array(let elements): "[" + elements.map(text).joined(separator: ",") + "]"
        case .object(let members): "{" + members.map { quoted($0.name) + ":" + text($0.value) }.joined(separator: ",") + "}"
        }
    }

    public static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case "\u{0}"..."\u{1f}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
