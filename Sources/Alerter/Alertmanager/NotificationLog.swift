import TSDB

/// Who was told what about which group: one entry per group and integration.
///
/// It is what makes a notification come once: a look at a group asks it first (`decision`), a success is entered afterwards.
/// Source: Alertmanager, `nflog/nflog.go`, `notify/dedup_stage.go`.
struct NotificationLog: Sendable {
    typealias Key = NotificationRecord.Key

    private let retention: Duration
    private var entries: [Key: NotificationRecord] = [:]

    init(retention: Duration) { self.retention = retention }

    var count: Int { entries.count }

    subscript(key: Key) -> NotificationRecord? { entries[key] }

    /// Enters a success at `now` and returns the record to write; `nil` where a newer one is there.
    ///
    /// It is kept for twice the repeat interval, but no longer than the retention.
    mutating func enter(
        _ key: Key, firing: [UInt64], resolved: [UInt64], repeatInterval: Duration, isFirst: Bool, at now: Timestamp
    ) -> NotificationRecord? {
        let previous = entries[key]
        if let previous, previous.timestamp > now { return nil }
        let twice = repeatInterval + repeatInterval
        let keeping = twice > .zero && twice < retention ? twice : retention
        let record = NotificationRecord(
            key: key, timestamp: now, firing: firing, resolved: resolved, expiresAt: now + keeping,
            unknownFields: isFirst ? [] : previous?.unknownFields ?? [])
        entries[key] = record
        return record
    }

    /// Takes a record as it was written; of one key the last counts.
    mutating func load(_ record: NotificationRecord) { entries[record.key] = record }

    mutating func collect(at now: Timestamp) -> Int {
        let before = entries.count
        entries = entries.filter { $0.value.expiresAt > now }
        return before - entries.count
    }

    /// All records, for a snapshot.
    func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        for record in entries.values.sorted(by: { $0.key < $1.key }) { bytes.appendDelimited(record.encoded()) }
        return bytes
    }

    /// Whether there is something to tell, in this order:
    ///
    ///     never told                       something fires?  first notification : nothing
    ///     something fires they don't know  they knew of none firing?  first notification : new alerts
    ///     nothing fires                    they knew of some firing?  all resolved : nothing
    ///     something ended they don't know  if the integration wants to know: newly resolved
    ///     told longer ago than is repeated  repeat
    ///
    /// `tick` is when the group's timer said to look, not when the look came to be.
    func decision(
        _ key: Key, firing: [UInt64], resolved: [UInt64], sendsResolved: Bool, repeatInterval: Duration, tick: Timestamp
    ) -> NotificationDecision {
        guard let entry = entries[key] else { return firing.isEmpty ? .nothingToTell : .notify(.firstNotification) }
        if !Set(entry.firing).isSuperset(of: firing) {
            return .notify(entry.firing.isEmpty ? .firstNotification : .newAlerts)
        }
        // Whether or not it sends resolved ones: the log has to forget what fired.
        if firing.isEmpty { return entry.firing.isEmpty ? .nothingToTell : .notify(.allResolved) }
        if sendsResolved && !Set(entry.resolved).isSuperset(of: resolved) { return .notify(.newlyResolved) }
        if entry.timestamp < tick - repeatInterval { return .notify(.repeatInterval) }
        return .alreadyTold(at: entry.timestamp, repeatsAt: entry.timestamp + repeatInterval)
    }
}
