import JSON
import Numbers
import TSDB

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
            JSONValue.Member(name: "labels", value: .labels(labels)),
            JSONValue.Member(name: "annotations", value: .labels(annotations)),
        ]
        if !generatorURL.isEmpty {
            members.append(JSONValue.Member(name: "generatorURL", value: .string(generatorURL)))
        }
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
        id: String = "", matchers: [ListedMatcher], startsAt: Timestamp, endsAt: Timestamp, createdBy: String,
        comment: String,
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
            JSONValue.Member(name: "startsAt", value: .time(startsAt)),
            JSONValue.Member(name: "endsAt", value: .time(endsAt)),
            JSONValue.Member(name: "createdBy", value: .string(createdBy)),
            JSONValue.Member(name: "comment", value: .string(comment)),
        ]
        if !id.isEmpty { members.append(JSONValue.Member(name: "id", value: .string(id))) }
        if !annotations.isEmpty { members.append(JSONValue.Member(name: "annotations", value: .labels(annotations))) }
        return JSONOutput.text(.object(members))
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
        case .object(let members):
            "{" + members.map { quoted($0.name) + ":" + text($0.value) }.joined(separator: ",") + "}"
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
