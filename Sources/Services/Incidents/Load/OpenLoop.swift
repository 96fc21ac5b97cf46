/// The open loop as a machine: time comes in, requests to send go out.
///
///     due:   0  1  2  3  4  5          limit 2
///     tick ─▶ 0  1  ✗  ✗  4  …         2 and 3 were due while two were in flight: counted as not sent
///
/// A bound on requests in flight is needed, or a server that stands still takes all our memory; but it would turn the open loop into a closed
/// one in silence. So what the bound holds back is never sent late and never forgotten: it is counted, and a report with a count
/// above zero says that its percentiles are too good.
///
/// Invariant: `sent + unsent` is the number of requests due so far; `inFlight <= limit`.
public struct OpenLoop: Sendable {
    /// A request to send now; its latency counts from `due`.
    public struct Launch: Equatable, Sendable {
        public var number: Int
        public var due: Duration
    }

    public let schedule: ArrivalSchedule
    /// Requests in flight at most.
    public let limit: Int
    public private(set) var sent = 0
    public private(set) var unsent = 0
    public private(set) var inFlight = 0
    /// How late the latest launch was: ours, not the server's. Large values mean that this machine is too busy to measure.
    public private(set) var maximumLag = Duration.zero

    public init(_ schedule: ArrivalSchedule, limit: Int) {
        self.schedule = schedule
        self.limit = max(1, limit)
    }

    /// When the next request is due; `nil` after the last.
    public var nextDue: Duration? { sent + unsent < schedule.count ? schedule.due(sent + unsent) : nil }

    /// Everything that is due at `now`.
    public mutating func tick(at now: Duration) -> [Launch] {
        var launches: [Launch] = []
        while let due = nextDue, due <= now {
            if inFlight < limit {
                launches.append(Launch(number: sent + unsent, due: due))
                sent += 1
                inFlight += 1
                maximumLag = max(maximumLag, now - due)
            } else {
                unsent += 1
            }
        }
        return launches
    }

    /// A request has its answer, or its error.
    public mutating func finish() { inFlight = max(0, inFlight - 1) }
}
