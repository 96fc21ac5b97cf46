/// What goes wrong on purpose, and for which requests.
///
///     {"latency_ms": 1000, "path": "/health", "probability": 0.5, "for_s": 60}
///
/// `status` and `throws` look alike from outside and are not: a returned 503 is an answer, a raised exception is one that
/// `flask_http_request_exceptions_total` counts.
public struct Fault: Equatable, Sendable {
    /// Waited before the answer is made.
    public var latency = Swift.Duration.zero
    /// The path it is for; `nil` is all of the application's.
    public var path: String?
    /// Answered instead of what would have been.
    public var status: Int?
    /// Raises an exception in the handler.
    public var throwsException = false
    /// Spent inside the database, in the statement.
    public var databaseDelay = Swift.Duration.zero
    /// Of a request to be hit.
    public var probability = 1.0

    public init() {}

    public var isNone: Bool { latency == .zero && status == nil && !throwsException && databaseDelay == .zero }

    /// The fault as far as it is for a request: itself, or none. `chance` is in 0..<1.
    public func striking(_ path: String, chance: Double) -> Fault {
        if let wanted = self.path, wanted != path { return Fault() }
        return chance < probability ? self : Fault()
    }
}

/// The fault that holds now: the environment's, unless one was posted, until it is over.
///
///     environment ──POST──▶ posted ──DELETE, `for_s` over, restart──▶ environment
public struct FaultState: Sendable {
    public let fromEnvironment: Fault
    private var posted: (fault: Fault, end: ContinuousClock.Instant?)?

    public init(_ fromEnvironment: Fault = Fault()) { self.fromEnvironment = fromEnvironment }

    public mutating func set(_ fault: Fault, for duration: Swift.Duration?, at now: ContinuousClock.Instant) {
        posted = (fault, duration.map { now + $0 })
    }

    public mutating func revert() { posted = nil }

    public func current(at now: ContinuousClock.Instant) -> Fault {
        guard let posted else { return fromEnvironment }
        if let end = posted.end, end <= now { return fromEnvironment }
        return posted.fault
    }

    /// How much longer a posted fault holds; `nil` where it has no end, or none was posted.
    public func remaining(at now: ContinuousClock.Instant) -> Swift.Duration? {
        guard let end = posted?.end, end > now else { return nil }
        return now.duration(to: end)
    }
}
