import TSDB

/// After a restart: alerts go on from where the file says they were.
///
///     fires ───────── down ░░░░░░░░░░ fires, until `patience` has passed without a report ─▶ over, and that is told
///     over, not told to all ░░░░░░░░ over, told at once
///
/// Nobody could report while the process was dead, so an end that has come meanwhile proves nothing. The group waits for its interval
/// before it looks at what is only remembered, or for the first report of one of its alerts.
/// Upstream forgets its alerts: what ends while it is dead, and is not reported as over afterwards, is never told.
extension AlertmanagerState {
    /// A sender is given this long to report again. Prometheus begins a `for` of less than ten minutes anew when it starts, and
    /// until it is over reports nothing.
    static let patience = Duration.minutes(10)
    /// An end further away than this is what a sender knows, not how often it reports.
    static let longestPromise = Duration.hours(1)

    /// Takes in all that was read into `saved`.
    mutating func restoreAlerts(at now: Timestamp) {
        for (fingerprint, record) in saved.records.sorted(by: { $0.key < $1.key }) {
            var alert = record.alert
            switch record.state {
            case .gone: continue
            case .over:
                alert.endsAt = min(alert.endsAt ?? alert.updatedAt, now)
            case .fires:
                let end = alert.endsAt ?? alert.updatedAt
                let promise = max(Self.patience, min(end - alert.updatedAt, Self.longestPromise))
                alert.endsAt = max(end, now + promise)
                alert.endsByTimeout = true
            }
            guard let alert = store.put(alert, fingerprint, at: now) else { continue }
            if record.state == .fires { history.remember(alert.labels, fingerprint) }
            inhibitor.update(alert, fingerprint)
            dispatch(alert, fingerprint, isRemembered: record.state == .fires, at: now)
        }
    }

    /// The log is written: what everybody has been told of need not be remembered.
    mutating func forget(_ told: [Fingerprint]) {
        for fingerprint in told {
            guard let record = saved.records[fingerprint], !isHeld(fingerprint, record.alert.labels) else { continue }
            saved.forget(fingerprint)
        }
    }

    /// Whether some group still holds the alert.
    func isHeld(_ fingerprint: Fingerprint, _ labels: Labels) -> Bool {
        tree.matches(labels).contains { match in
            let id = AggregationGroup.ID(route: match.index, labels: match.groupLabels(of: labels))
            return groupNumbers[id].map { groups[$0]?.members[fingerprint] != nil } ?? false
        }
    }
}
