import Synchronization
import TSDB

/// Turns alerts into notifications: grouped, inhibited, silenced, told once.
///
///     receive ─▶ AlertStore ─▶ RouteTree ─▶ AggregationGroup ──(its timer)──▶ flush
///                                                                              │ inhibited? in its hours? silenced?
///                                                                              ▼ each integration: told already?
///     finish ◀── somebody with a network ◀── [Delivery] ◀── advance            NotificationLog
///
/// It reads no clock and opens no socket: time is handed in, attempts are handed out. Who drives it does, for ever:
///
///     sleep until nextWake (which moves with every call)
///     for delivery in advance(to: now) { send it elsewhere, then finish(delivery.id, outcome, at: now) }
///
/// A silence is on disk before `setSilence` returns, a notification is in the log's file before `finish` returns.
/// Same calls with the same times give the same deliveries in the same order.
///
/// One lock, held for computing only; silences are written under a lock of their own.
/// Source: Alertmanager 0.33, `dispatch`, `notify`, `silence`, `inhibit`, `nflog`, `provider/mem`.
public final class Alertmanager: Sendable {
    public typealias Options = AlertmanagerOptions
    /// Whether a time lies in an interval; the one part of this that needs time zones.
    public typealias IntervalTest = @Sendable (TimeInterval, Timestamp) -> Bool

    private let state: Mutex<AlertmanagerState>

    /// Reads what an earlier run left in the options' directory. What is damaged there is left out and counted.
    public init(
        _ config: AlertmanagerConfig, options: Options = Options(), files: any FileStore,
        isWithin: @escaping IntervalTest, random: some RandomNumberGenerator & Sendable, at now: Timestamp
    ) throws(TSDBError) {
        state = Mutex(AlertmanagerState(config))
    }

    // MARK: Configuration and time

    /// Takes a new configuration: groups are made anew from the alerts there are. Attempts under way still count when they
    /// finish, and a group that waits for one is looked at only then, so a reload repeats nothing.
    public func apply(_ config: AlertmanagerConfig, at now: Timestamp) {}

    /// When `advance` has something to do; may have moved after any other call.
    public var nextWake: Timestamp? { nil }

    /// Does what is due at `now`; returns the attempts to make, in order.
    public func advance(to now: Timestamp) -> [Delivery] { [] }

    /// Says how an attempt went. Success goes to the notification log; failure is tried again if that may help and time is left.
    public func finish(_ id: Delivery.ID, _ outcome: NotificationOutcome, at now: Timestamp) {}

    /// Writes both state files anew and closes them. Nothing may be called afterwards.
    public func close(at now: Timestamp) {}

    // MARK: Alerts

    /// Takes in every report that is in order, and says what is wrong with the others.
    public func receive(_ reports: [AlertReport], at now: Timestamp) -> [AlertRefusal] { [] }

    /// Alerts that are not over, by fingerprint.
    public func alerts(_ filter: AlertFilter = AlertFilter(), at now: Timestamp) -> [AlertView] { [] }

    /// Groups with at least one alert that the filter shows, by labels and receiver.
    public func groups(_ filter: AlertFilter = AlertFilter(), at now: Timestamp) -> [GroupView] { [] }

    /// Names of receivers, as the configuration has them.
    public var receivers: [String] { [] }

    // MARK: Silences

    /// Makes a silence, or changes the one with the draft's id; where that would rewrite the past, the old one is ended and a new
    /// one made. Returns the id of the one that holds; it is on disk.
    public func setSilence(_ draft: SilenceDraft, at now: Timestamp) throws(SilenceError) -> String { throw .notFound }

    /// Ends a silence now; no error if it is over already.
    public func expireSilence(_ id: String, at now: Timestamp) throws(SilenceError) { throw .notFound }

    public func silence(_ id: String) -> Silence? { nil }

    /// Silences with all these matchers in one of their sets: active ones (next to end first), pending (next to begin first),
    /// expired (last ended first).
    public func silences(
        matching matchers: [Matcher] = [], in states: Set<Silence.State> = Set(Silence.State.allCases), at now: Timestamp
    ) -> [Silence] { [] }

    // MARK: Looking in

    /// Why is, or is not, somebody told about this alert?
    public func explain(_ labels: Labels, at now: Timestamp) -> NotificationExplanation {
        NotificationExplanation(labels: labels, fingerprint: Fingerprint(labels), isFiring: false, silences: [], routes: [])
    }

    /// What happened, newest first.
    public func history(_ query: AlertHistoryQuery = AlertHistoryQuery()) -> [AlertHistoryEntry] { [] }

    public func statistics(at now: Timestamp) -> AlertmanagerStatistics { AlertmanagerStatistics() }
}

/// Everything behind the lock.
struct AlertmanagerState: Sendable {
    var config: AlertmanagerConfig
    init(_ config: AlertmanagerConfig) { self.config = config }
}
