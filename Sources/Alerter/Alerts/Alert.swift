import TSDB

/// One alert as rules send it and Alertmanager keeps it.
///
///     labels       who it is: two alerts with equal labels are one, reported twice
///     annotations  what to tell people; not part of who it is
///     startsAt … endsAt   firing while `now < endsAt`; what nobody reports again ends by itself
///
/// Source: Alertmanager's API v2, `postableAlert`.
public struct Alert: Sendable, Equatable {
    public var labels: Labels
    public var annotations: Annotations
    /// Where it came from: a link to the expression's graph.
    public var generatorURL: String
    public var startsAt: Timestamp
    /// `nil`: not said; whoever takes it in sets now + `resolve_timeout` and `endsByTimeout`.
    public var endsAt: Timestamp?
    /// When it was last reported.
    public var updatedAt: Timestamp
    /// `endsAt` is a guess, made because the sender gave none.
    public var endsByTimeout: Bool

    public init(
        labels: Labels, annotations: Annotations = Annotations(), generatorURL: String = "", startsAt: Timestamp,
        endsAt: Timestamp? = nil, updatedAt: Timestamp? = nil, endsByTimeout: Bool = false
    ) {
        self.labels = labels
        self.annotations = annotations
        self.generatorURL = generatorURL
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.updatedAt = updatedAt ?? startsAt
        self.endsByTimeout = endsByTimeout
    }

    /// `alertname`, or nothing.
    public var name: String { labels["alertname"] ?? "" }

    public var fingerprint: Fingerprint { Fingerprint(labels) }

    /// Whether it is over at `now`: its end has come.
    public func isResolved(at now: Timestamp) -> Bool { endsAt.map { $0 <= now } ?? false }
}

/// Identity of a label set, the same number in every Alertmanager: FNV-1a over `name 0xff value 0xff`, by names.
///
///     {alertname="X",severity="warning"}   2cdd4f0d0379464b
///
/// Source: prometheus/common, `model.LabelSet.Fingerprint`.
public struct Fingerprint: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public init(_ labels: Labels) {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        labels.forEachPair { name, value in
            for byte in name { add(byte) }
            add(0xff)
            for byte in value { add(byte) }
            add(0xff)
        }
        rawValue = hash
    }

    /// As sixteen hexadecimal digits; `nil` for anything else.
    public init?(_ text: String) {
        guard text.utf8.count == 16, let value = UInt64(text, radix: 16) else { return nil }
        rawValue = value
    }

    public static func < (a: Fingerprint, b: Fingerprint) -> Bool { a.rawValue < b.rawValue }

    public var description: String {
        let digits = String(rawValue, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
