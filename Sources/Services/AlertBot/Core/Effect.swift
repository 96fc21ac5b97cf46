import TSDB

/// What the machine wants done. Somebody else does it and comes back with the ticket.
public enum Effect: Equatable, Sendable {
    /// Ask `prometheus`; answer with `found`.
    case query(ticket: Int, prometheus: String, query: String)
    /// Do `work`; answer with `finished`. Its intent is on the disk.
    case act(ticket: Int, work: Work, timeout: Duration)
    /// Deliver; answer with `delivered`.
    case notify(ticket: Int, notifier: BotPolicy.Notifier, notice: Notice)
}

/// One thing done to the world, with nothing left to decide.
public enum Work: Equatable, Sendable {
    /// `POST url/-/quit`: the service ends, and its restart policy brings it back.
    case serviceQuit(url: String)
    case serviceScale(url: String, workers: Int)
    case supervisorRestart(service: String)
    case supervisorScale(service: String, replicas: Int)
    case dockerRestart(container: String)
    case http(BotPolicy.Request)
    case run(argv: [String])
}

/// How a piece of work ended.
public enum Outcome: Equatable, Sendable {
    case ok(String)
    /// It had no effect; it may be tried again.
    case failed(String)
    /// There is no such actuator here: the next one's turn.
    case unavailable(String)
    /// Killed at its timeout with all that it had started; it may be tried again.
    case killed(String)
    /// It may or may not have happened: never done again.
    case unknown(String)

    var result: String {
        switch self {
        case .ok: "ok"
        case .failed: "failed"
        case .unavailable: "unavailable"
        case .killed: "timeout"
        case .unknown: "unknown"
        }
    }

    var detail: String {
        switch self {
        case .ok(let text), .failed(let text), .unavailable(let text), .killed(let text), .unknown(let text): text
        }
    }
}

/// A message for people.
public struct Notice: Equatable, Sendable {
    public enum Kind: String, Sendable { case notify, ticket, approval, escalation }

    public var kind: Kind
    public var incident: String
    public var alert: String
    public var labels: Pairs
    public var summary: String
    public var text: String
    /// Path below the bot's own address, for an approval.
    public var link = ""
    public var time: Timestamp
}

extension Notice {
    /// The body that notifiers get; `base` is the bot's address.
    public func body(base: String) -> [UInt8] {
        var out = RecordWriter()
        out.member("kind", kind.rawValue)
        out.member("incident_id", incident)
        out.member("alert", alert)
        out.pairs("labels", labels)
        out.text("summary", summary)
        out.member("text", text)
        if !link.isEmpty { out.member("link", base + link) }
        out.member("ts_ms", time.milliseconds)
        return out.bytes + [UInt8(ascii: "}")]
    }
}
