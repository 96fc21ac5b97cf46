/// Something that must be seen in Prometheus while an incident lasts, and the machine that decides whether it was.
///
///     seen      at least one reading fits                         “up is 0”, within 12 s
///     always    every reading from a time on is in the range, and there is one in it    “p95 between 2.3 and 2.5 after a full window”
///     never     no reading fits                                   “no exception is counted”
///     finally   the last reading fits                             “there is 1 worker again”
///
/// Readings come with the time since the incident began. Readings after the bot has acted do not count for `seen` and `always`: the fault is
/// gone then.
public struct SightCheck: Equatable, Sendable {
    public enum Condition: Equatable, Sendable {
        case above(Double), equal(Double), empty
    }

    public enum Kind: Equatable, Sendable {
        case seen(Condition)
        case always(ClosedRange<Double>, from: Duration)
        case never(Condition)
        case finally(Condition)
    }

    public enum Until: Equatable, Sendable { case end, action }

    /// What a query gave: no series, or its only value.
    public enum Reading: Equatable, Sendable {
        case empty
        case value(Double)
        /// No answer; says nothing.
        case unknown
    }

    public let name: String
    public let query: String
    public let kind: Kind
    public let within: Duration?
    let until: Until

    /// When it was first met.
    public private(set) var metAt: Duration?
    /// What was against it.
    public private(set) var failure: String?
    private var last: Reading?
    private var readings = 0

    public init(_ name: String, _ query: String, _ kind: Kind, within: Duration? = nil, until: Until = .end) {
        self.name = name
        self.query = query
        self.kind = kind
        self.within = within
        self.until = until
    }

    public static func == (a: SightCheck, b: SightCheck) -> Bool {
        a.name == b.name && a.query == b.query && a.kind == b.kind && a.within == b.within && a.until == b.until
    }

    /// `hasActed`: whether the bot has done something by then.
    public mutating func observe(_ reading: Reading, at time: Duration, hasActed: Bool) {
        guard reading != .unknown else { return }
        readings += 1
        last = reading
        switch kind {
        case .seen(let condition):
            if metAt == nil, Self.holds(condition, reading) { metAt = time }
        case .always(let range, let start):
            guard !hasActed, case .value(let value) = reading else { return }
            if range.contains(value) {
                if metAt == nil { metAt = time }
            } else if time >= start || value > range.upperBound {
                failure = failure ?? "\(LoadReport.fixed(value, 3)) at \(LoadReport.seconds(time.seconds))"
            }
        case .never(let condition):
            if until == .action, hasActed { return }
            if Self.holds(condition, reading) { failure = failure ?? "seen at \(LoadReport.seconds(time.seconds))" }
        case .finally(let condition):
            metAt = Self.holds(condition, reading) ? metAt ?? time : nil
        }
    }

    /// Why it is not met so far; `nil`: it is.
    public var objection: String? {
        if let failure { return failure }
        switch kind {
        case .seen, .finally, .always:
            guard let metAt else { return readings == 0 ? "no answer to the query" : "not seen; last reading \(Self.text(last))" }
            if let within, metAt > within { return "only after \(LoadReport.seconds(metAt.seconds))" }
            return nil
        case .never: return readings == 0 ? "no answer to the query" : nil
        }
    }

    private static func holds(_ condition: Condition, _ reading: Reading) -> Bool {
        switch (condition, reading) {
        case (.above(let bound), .value(let value)): value > bound
        case (.equal(let wanted), .value(let value)): value == wanted
        case (.empty, .empty): true
        case (_, .unknown), (.above, .empty), (.equal, .empty), (.empty, .value): false
        }
    }

    static func text(_ reading: Reading?) -> String {
        switch reading {
        case .value(let value): LoadReport.fixed(value, 3)
        case .empty: "no series"
        case .unknown, nil: "none"
        }
    }
}
