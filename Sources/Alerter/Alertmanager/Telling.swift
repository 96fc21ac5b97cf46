import TSDB

/// One integration being told what a flush found: attempts until one succeeds, none helps, or time is over.
///
///     in flight ── sent ──▶ done           ── will never do ──▶ failed
///        ▲  └── may do later ──▶ waiting ── deadline ──▶ failed
///        └───────── back-off ───────┘
///
/// It outlives its group when the configuration changes while an attempt is under way: what that attempt reaches is still noted.
/// Source: Alertmanager, `notify/retry_stage.go`.
struct Telling: Sendable {
    enum State: Sendable, Equatable {
        case inFlight(Delivery.ID, since: Timestamp)
        case waiting(until: Timestamp)
    }

    /// `nil`: the group is gone.
    var group: Int?
    /// Position among the receiver's integrations.
    let position: Int
    let key: NotificationRecord.Key
    let notification: Notification
    /// What the log will say: hashes of all alerts of the flush, also of those that are not sent.
    let firing: [UInt64]
    let resolved: [UInt64]
    let repeatInterval: Duration
    let deadline: Timestamp
    var backoff = Backoff()
    var attempts = 0
    var state = State.waiting(until: .min)
    var lastError: (reason: String, message: String)?
}

/// Waiting times between attempts: half a second, then half as much again each time, up to a minute; each shortened or lengthened
/// by chance by up to a half, so that many senders do not come at once.
///
///     0.5  0.75  1.1  1.3  1.3 …│20 s│1.9  2.9  4.3  6.4 … 60  60
///
/// Most failures are short: in the first twenty seconds no wait is longer than 1.9 s, so that who comes back is told within two.
/// Source: `cenkalti/backoff`, its defaults, but for the first twenty seconds.
struct Backoff: Sendable {
    static let first = 500.0, factor = 1.5, longest = 60_000.0, jitter = 0.5
    /// Milliseconds: the longest wait at first, and how long that is.
    static let longestAtFirst = 1900.0, eagerness = 20_000.0

    private var interval = Self.first
    private var waited = 0.0

    mutating func next(using random: inout some RandomNumberGenerator) -> Duration {
        let spread = Self.jitter * interval
        let wait = Double.random(in: interval - spread...interval + spread, using: &random)
        waited += wait
        if waited < Self.eagerness {
            interval = min(interval * Self.factor, Self.longestAtFirst / (1 + Self.jitter))
            return .milliseconds(Int64(wait))
        }
        interval = min(interval * Self.factor, Self.longest)
        return .milliseconds(Int64(wait))
    }
}

/// A generator of unknown kind.
struct AnyRandom: RandomNumberGenerator, Sendable {
    private var base: any RandomNumberGenerator & Sendable

    init(_ base: any RandomNumberGenerator & Sendable) { self.base = base }

    mutating func next() -> UInt64 { base.next() }
}
