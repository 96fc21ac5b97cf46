import TSDB

/// Everything behind the Alertmanager's lock: plain values, no input or output.
///
///     store ─▶ inhibitor        wakes: what is due when
///       └────▶ groups ─▶ tellings ─▶ log
///
/// By topic: `Dispatching` (alerts to groups, the configuration), `Flushing` (a group's look at itself), `TellingProgress` (attempts),
/// `Viewing` and `Explaining`.
struct AlertmanagerState: Sendable {
    let options: AlertmanagerOptions
    var random: AnyRandom

    var config: AlertmanagerConfig
    var tree: RouteTree
    var receivers: [String: Receiver] = [:]
    var intervals: [String: TimeInterval] = [:]

    var store: AlertStore
    var inhibitor: Inhibitor
    var silences: Silences
    var log: NotificationLog
    var saved: SavedAlerts
    var history: AlertHistory
    var statistics = AlertmanagerStatistics()

    var groups: [Int: AggregationGroup] = [:]
    var groupNumbers: [AggregationGroup.ID: Int] = [:]
    var nextGroup = 0

    var tellings: [Int: Telling] = [:]
    var nextTelling = 0
    var inFlight: [Delivery.ID: Int] = [:]
    var nextDelivery: UInt64 = 0
    /// Attempts under way whose group went with an old configuration, and the groups that wait for them.
    var orphans: [OrphanKey: Int] = [:]
    var waitingForOrphans: [OrphanKey: [Int]] = [:]

    var wakes = WakeQueue()
    var nextMaintenance: Timestamp
    var nextCollection: Timestamp
    /// Maintenance is due; who does it writes files and does not hold the lock.
    var isMaintenanceDue = false
    /// Records of the notification log that are not in its file.
    var unwrittenLog: [UInt8] = []

    struct OrphanKey: Sendable, Hashable {
        var groupKey: String
        var receiver: String
    }

    init(
        _ config: AlertmanagerConfig, options: AlertmanagerOptions,
        random: some RandomNumberGenerator & Sendable, at now: Timestamp
    ) {
        self.options = options
        self.random = AnyRandom(random)
        self.config = config
        tree = RouteTree(config.route)
        store = AlertStore(limitPerName: options.alertsPerName)
        inhibitor = Inhibitor(config.inhibitRules)
        silences = Silences(
            Silences.Limits(
                retention: options.retention, maximumCount: options.maximumSilences, maximumBytes: options.maximumSilenceBytes))
        log = NotificationLog(retention: options.retention)
        saved = SavedAlerts(isWritten: options.directory != nil)
        history = AlertHistory(capacity: options.historyEntries, isWritten: options.directory != nil)
        nextMaintenance = now + options.maintenanceInterval
        nextCollection = now + options.alertCollectionInterval
        wakes.add(.maintain, at: nextMaintenance)
        wakes.add(.collect, at: nextCollection)
        index(config)
    }

    /// Names of receivers and intervals, for looking up.
    mutating func index(_ config: AlertmanagerConfig) {
        receivers = Dictionary(config.receivers.map { ($0.name, $0) }) { first, _ in first }
        intervals = Dictionary(config.timeIntervals.map { ($0.name, $0) }) { first, _ in first }
    }

    // MARK: Time

    /// When something is due. Drops what is no longer wanted.
    mutating func nextWake() -> Timestamp? {
        while let wake = wakes.first {
            if isWanted(wake) { return wake.time }
            wakes.removeFirst()
        }
        return nil
    }

    mutating func advance(to now: Timestamp) -> [Delivery] {
        var deliveries: [Delivery] = []
        while let wake = wakes.first, wake.time <= now {
            wakes.removeFirst()
            guard isWanted(wake) else { continue }
            switch wake.event {
            case .tick(let group): tick(group, at: now, &deliveries)
            case .attempt(let telling): tryAgain(telling, at: now, &deliveries)
            case .abandon(let id): abandon(id, at: now)
            case .maintain:
                isMaintenanceDue = true
                nextMaintenance = now + max(options.maintenanceInterval, .seconds(1))
                wakes.add(.maintain, at: nextMaintenance)
            case .collect:
                collect(at: now)
                nextCollection = now + max(options.alertCollectionInterval, .seconds(1))
                wakes.add(.collect, at: nextCollection)
            }
        }
        return deliveries
    }

    private func isWanted(_ wake: WakeQueue.Wake) -> Bool {
        switch wake.event {
        case .tick(let group): groups[group].map { $0.nextTick == wake.time && !$0.isTickWaiting } ?? false
        case .attempt(let telling): tellings[telling].map { $0.state == .waiting(until: wake.time) } ?? false
        case .abandon(let id): inFlight[id] != nil
        case .maintain: wake.time == nextMaintenance
        case .collect: wake.time == nextCollection
        }
    }

    /// Forgets alerts that are over. Groups keep theirs until their end has been told.
    private mutating func collect(at now: Timestamp) {
        for (fingerprint, alert) in store.alerts where alert.isResolved(at: now) && history.firing[fingerprint] != nil {
            history.ends(alert.labels, fingerprint, at: alert.endsAt ?? now)
        }
        silences.forget(store.collect(at: now))
        inhibitor.collect(at: now)
    }
}
