import TSDB

/// All alerts that were reported and are not forgotten: what groups and inhibition are made from.
///
///     reported again, overlapping    one alert from both: the newer report's words, the earlier start, the end by the rules below
///     reported again, later          the new one takes the old one's place
///     over                           forgotten at the next collection
///
/// Source: Alertmanager, `provider/mem`, `store`, `limit`, `alert.Merge`.
struct AlertStore: Sendable {
    private(set) var alerts: [Fingerprint: Alert] = [:]
    /// Alerts of one name; 0: any number.
    private let limit: Int
    private var names: [String: Bucket] = [:]

    /// Alerts of one name by their ends.
    private struct Bucket: Sendable {
        var ends: [Fingerprint: Timestamp] = [:]
        /// No alert in the bucket ended before this.
        var earliestEnd = Timestamp.max
    }

    init(limitPerName limit: Int) { self.limit = limit }

    /// Stores an alert; returns it as it is now, or `nil` where there are too many of its name.
    mutating func put(_ alert: Alert, _ fingerprint: Fingerprint, at now: Timestamp) -> Alert? {
        var alert = alert
        if let old = alerts[fingerprint], Self.overlap(old, alert) { alert = Self.merged(old, alert, at: now) }
        if limit > 0 && !admits(alert, fingerprint, at: now) { return nil }
        alerts[fingerprint] = alert
        return alert
    }

    /// Forgets alerts that are over; returns them in order.
    mutating func collect(at now: Timestamp) -> [Fingerprint] {
        let gone = alerts.filter { $0.value.isResolved(at: now) }.keys.sorted()
        for fingerprint in gone { alerts[fingerprint] = nil }
        names = names.filter { !$0.value.ends.values.allSatisfy { $0 < now } }
        return gone
    }

    private static func overlap(_ old: Alert, _ new: Alert) -> Bool {
        let oldEnd = old.endsAt ?? .max, newEnd = new.endsAt ?? .max
        return newEnd > old.startsAt && newEnd < oldEnd || new.startsAt > old.startsAt && new.startsAt < oldEnd
    }

    /// One alert from two reports of it.
    static func merged(_ a: Alert, _ b: Alert, at now: Timestamp) -> Alert {
        let (old, new) = b.updatedAt < a.updatedAt ? (b, a) : (a, b)
        var result = new
        result.startsAt = min(old.startsAt, new.startsAt)
        if old.endsAt ?? .max > new.endsAt ?? .max {
            if new.isResolved(at: now) {
                // Of two ends that have come the later one counts.
                if old.isResolved(at: now) { result.endsAt = old.endsAt }
            } else if !old.endsByTimeout {
                // What a sender said counts over a guess, if it is later.
                result.endsAt = old.endsAt
            }
        }
        return result
    }

    /// Whether there is room for the name: an alert that is known, a free place, or the place of one that is over.
    private mutating func admits(_ alert: Alert, _ fingerprint: Fingerprint, at now: Timestamp) -> Bool {
        let end = alert.endsAt ?? .max
        var bucket = names[alert.name] ?? Bucket()
        defer { names[alert.name] = bucket }
        if bucket.ends[fingerprint] == nil && bucket.ends.count >= limit {
            if bucket.earliestEnd >= now { return false }
            let first = bucket.ends.min { ($0.value, $0.key) < ($1.value, $1.key) }
            bucket.earliestEnd = first?.value ?? .max
            guard let first, first.value < now else { return false }
            bucket.ends[first.key] = nil
        }
        bucket.ends[fingerprint] = end
        bucket.earliestEnd = min(bucket.earliestEnd, end)
        return true
    }
}
