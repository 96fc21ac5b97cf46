import TSDB

/// A time during which alerts that match are kept from people.
///
///     pending ── startsAt ──▶ active ── endsAt ──▶ expired ── retention ──▶ forgotten
///
/// One set of matchers holds when all its matchers match; the silence holds when one of its sets does.
/// Source: Alertmanager, `silence/silence.go`.
public struct Silence: Sendable, Equatable {
    public enum State: String, Sendable, CaseIterable { case pending, active, expired }

    /// A UUID.
    public var id: String
    /// At least one set, none of them empty.
    public var matcherSets: [[Matcher]]
    public var startsAt: Timestamp
    public var endsAt: Timestamp
    public var updatedAt: Timestamp
    public var createdBy: String
    public var comment: String
    public var annotations: Annotations
    /// Fields of a newer version, kept as they were read.
    var unknownFields: [UInt8] = []

    public init(
        id: String, matcherSets: [[Matcher]], startsAt: Timestamp, endsAt: Timestamp, updatedAt: Timestamp,
        createdBy: String = "", comment: String = "", annotations: Annotations = Annotations()
    ) {
        self.id = id
        self.matcherSets = matcherSets
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.updatedAt = updatedAt
        self.createdBy = createdBy
        self.comment = comment
        self.annotations = annotations
    }

    /// The first set: what clients that know only one are shown.
    public var matchers: [Matcher] { matcherSets.first ?? [] }

    public func state(at now: Timestamp) -> State {
        if now < startsAt { return .pending }
        return now < endsAt ? .active : .expired
    }

    func matches(_ labels: Labels) -> Bool {
        matcherSets.contains { set in set.allSatisfy { $0.matches(labels) } }
    }
}

/// A silence as somebody asks for it.
public struct SilenceDraft: Sendable {
    /// Of the silence to change; empty for a new one.
    public var id: String
    public var matcherSets: [[SilenceMatcher]]
    /// `nil`: now.
    public var startsAt: Timestamp?
    public var endsAt: Timestamp?
    public var createdBy: String
    public var comment: String
    public var annotations: Annotations

    public init(
        id: String = "", matcherSets: [[SilenceMatcher]], startsAt: Timestamp? = nil, endsAt: Timestamp?, createdBy: String = "",
        comment: String = "", annotations: Annotations = Annotations()
    ) {
        self.id = id
        self.matcherSets = matcherSets
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.createdBy = createdBy
        self.comment = comment
        self.annotations = annotations
    }

    public init(
        id: String = "", _ matchers: [Matcher], from startsAt: Timestamp? = nil, to endsAt: Timestamp, createdBy: String = "",
        comment: String = "", annotations: Annotations = Annotations()
    ) {
        self.init(
            id: id, matcherSets: [matchers.map { SilenceMatcher($0.kind, name: $0.name, value: $0.value) }], startsAt: startsAt,
            endsAt: endsAt, createdBy: createdBy, comment: comment, annotations: annotations)
    }
}

/// A matcher nobody has compiled yet: its name may be empty, its expression wrong.
public struct SilenceMatcher: Sendable, Equatable {
    public var kind: Matcher.Kind
    public var name: String
    public var value: String

    public init(_ kind: Matcher.Kind, name: String, value: String) {
        self.kind = kind
        self.name = name
        self.value = value
    }
}

/// Why a silence was not made, changed or ended. Texts are upstream's.
public struct SilenceError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Code: Sendable {
        /// No silence has this id: 404.
        case notFound
        /// The draft makes no silence, or one too many: 400.
        case invalid
        /// It could not be written to disk, so it was not made: 500.
        case storage
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }

    static let notFound = SilenceError(.notFound, "silence not found")
}
