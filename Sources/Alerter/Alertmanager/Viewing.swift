import TSDB

/// Alerts and groups as they are shown: with what keeps each from people right now.
extension AlertmanagerState {
    mutating func alertViews(_ filter: AlertFilter, at now: Timestamp) -> [AlertView] {
        var views: [AlertView] = []
        for (fingerprint, alert) in store.alerts where isShown(alert, filter, at: now) {
            let receivers = tree.matches(alert.labels).map(\.route.receiver)
            if let pattern = filter.receiver, !receivers.contains(where: { pattern.matches($0) }) { continue }
            let status = status(alert.labels, fingerprint, at: now)
            if !filter.shows(status) { continue }
            views.append(AlertView(alert: alert, fingerprint: fingerprint, receivers: receivers, status: status))
        }
        return views.sorted { $0.fingerprint < $1.fingerprint }
    }

    mutating func groupViews(_ filter: AlertFilter, at now: Timestamp) -> [GroupView] {
        var views: [GroupView] = []
        /// Receivers of the groups that an alert is in.
        var receivers: [Fingerprint: [String]] = [:]
        for number in groups.keys.sorted() {
            guard let group = groups[number] else { continue }
            let receiver = group.match.route.receiver
            if let pattern = filter.receiver, !pattern.matches(receiver) { continue }
            var alerts: [AlertView] = []
            for fingerprint in group.orderedFingerprints {
                guard let alert = group.members[fingerprint]?.alert, isShown(alert, filter, at: now) else { continue }
                var status = status(alert.labels, fingerprint, at: now)
                if !filter.shows(status) { continue }
                receivers[fingerprint, default: []].append(receiver)
                status.mutedBy = group.mutedBy
                alerts.append(AlertView(alert: alert, fingerprint: fingerprint, receivers: [], status: status))
            }
            if alerts.isEmpty || !filter.showsMuted && !group.mutedBy.isEmpty { continue }
            views.append(
                GroupView(
                    labels: group.labels, receiver: receiver, groupKey: group.key, alerts: alerts, nextFlush: group.nextTick))
        }
        for view in views.indices {
            for alert in views[view].alerts.indices {
                let fingerprint = views[view].alerts[alert].fingerprint
                views[view].alerts[alert].receivers = (receivers[fingerprint] ?? []).sorted {
                    $0.utf8.lexicographicallyPrecedes($1.utf8)
                }
            }
        }
        let keys = views.map { NotificationOrder.key($0.labels, byJob: false) }
        let ranks = Self.ranks(keys)
        return views.indices.sorted { a, b in
            if views[a].labels != views[b].labels { return ranks[a] < ranks[b] }
            if views[a].receiver != views[b].receiver {
                return views[a].receiver.utf8.lexicographicallyPrecedes(views[b].receiver.utf8)
            }
            return a < b
        }.map { views[$0] }
    }

    private static func ranks(_ keys: [Labels]) -> [Int] {
        var ranks = [Int](repeating: 0, count: keys.count)
        for (rank, index) in LabelOrder.sorted(keys).enumerated() { ranks[index] = rank }
        return ranks
    }

    private func isShown(_ alert: Alert, _ filter: AlertFilter, at now: Timestamp) -> Bool {
        if let end = alert.endsAt, end < now { return false }
        return filter.matchers.allSatisfy { $0.matches(alert.labels) }
    }

    mutating func status(_ labels: Labels, _ fingerprint: Fingerprint, at now: Timestamp) -> AlertStatus {
        let inhibitor = inhibitor.inhibitor(of: labels, at: now)
        let silences = silences.silencing(labels, fingerprint, at: now)
        return AlertStatus(
            state: inhibitor == nil && silences.isEmpty ? .active : .suppressed, silencedBy: silences,
            inhibitedBy: inhibitor.map { [$0.source] } ?? [])
    }

    /// Counts since the start, and how things stand now.
    mutating func currentStatistics(at now: Timestamp) -> AlertmanagerStatistics {
        var result = statistics
        result.groups = groups.count
        result.notificationLogEntries = log.count
        result.attemptsInFlight = inFlight.count
        result.activeSilences = silences.count(in: .active, at: now)
        result.pendingSilences = silences.count(in: .pending, at: now)
        result.expiredSilences = silences.count(in: .expired, at: now)
        for (fingerprint, alert) in store.alerts where !alert.isResolved(at: now) {
            switch status(alert.labels, fingerprint, at: now).state {
            case .suppressed: result.suppressedAlerts += 1
            case .active, .unprocessed: result.activeAlerts += 1
            }
        }
        return result
    }
}
