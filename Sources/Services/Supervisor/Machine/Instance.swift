import TSDB

/// The life of one process.
///
///     waiting ─▶ launching ─▶ running ──exit──▶ backingOff ─▶ launching …      restart policy
///        ▲                       │  └───exit──▶ exited(code)                   … or none
///        └── restart ── stopping ◀ stop: terminate, after the grace period kill
///                          └──▶ stopped
public struct Instance: Equatable, Sendable {
    public enum Phase: Equatable, Sendable {
        /// For what it depends on.
        case waiting
        case launching
        case running(since: Timestamp)
        case backingOff(until: Timestamp)
        case stopping(killAt: Timestamp, isKilled: Bool)
        case exited(code: Int)
        case stopped
    }

    /// What was asked for last.
    public enum Wish: Equatable, Sendable { case up, down, restart }

    public enum Health: String, Sendable { case none, starting, healthy, unhealthy }

    public internal(set) var phase = Phase.waiting
    public internal(set) var wish = Wish.up
    public internal(set) var health = Health.none
    /// How often it was started again without being asked to.
    public internal(set) var restarts = 0
    public internal(set) var startedAt: Timestamp?
    public internal(set) var pid: Int32?
    /// Scaled away: forgotten when it is gone.
    var isRetired = false
    /// Before the next restart.
    var delay = RestartDelay.first
    var failures = 0
    /// Checks asked for so far; the answer to any but the last is stale.
    var checks = 0
    var nextCheck: Timestamp?

    /// Whether there is a process, or about to be.
    public var isAlive: Bool {
        switch phase {
        case .launching, .running, .stopping: return true
        case .waiting, .backingOff, .exited, .stopped: return false
        }
    }

    public var isRunning: Bool {
        if case .running = phase { true } else { false }
    }
}

/// How long to wait before a restart: Docker's numbers.
enum RestartDelay {
    static let first = Duration.milliseconds(100)
    static let longest = Duration.minutes(1)
    /// Who ran this long begins anew with the first.
    static let enough = Duration.seconds(10)

    static func after(_ delay: Duration) -> Duration { min(longest, .milliseconds(delay.milliseconds * 2)) }
}
