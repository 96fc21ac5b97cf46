import TSDB

/// Alerts on their way into groups, and groups under a new configuration.
extension AlertmanagerState {
    mutating func receive(_ reports: [AlertReport], at now: Timestamp) -> [AlertRefusal] {
        var refusals: [AlertRefusal] = []
        for (index, report) in reports.enumerated() {
            switch report.alert(resolveTimeout: config.resolveTimeout, at: now) {
            case .failure(let problem):
                statistics.invalid += 1
                refusals.append(AlertRefusal(index: index, message: problem.message))
            case .success(let alert):
                if alert.isResolved(at: now) { statistics.receivedResolved += 1 } else { statistics.receivedFiring += 1 }
                take(alert, at: now)
            }
        }
        return refusals
    }

    private mutating func take(_ alert: Alert, at now: Timestamp) {
        let fingerprint = alert.fingerprint
        guard let alert = store.put(alert, fingerprint, at: now) else {
            statistics.limited += 1
            return
        }
        if alert.isResolved(at: now) {
            history.ends(alert.labels, fingerprint, at: alert.endsAt ?? now)
        } else {
            history.fires(alert.labels, fingerprint, at: now)
        }
        saved.save(alert, fingerprint, isOver: alert.isResolved(at: now))
        inhibitor.update(alert, fingerprint)
        dispatch(alert, fingerprint, at: now)
    }

    /// Puts an alert into its groups. `isRemembered`: nobody has reported it since the start.
    mutating func dispatch(_ alert: Alert, _ fingerprint: Fingerprint, isRemembered: Bool = false, at now: Timestamp) {
        for match in tree.matches(alert.labels) {
            let labels = match.groupLabels(of: alert.labels)
            let id = AggregationGroup.ID(route: match.index, labels: labels)
            if let number = groupNumbers[id] {
                groups[number]?.insert(alert, fingerprint)
                if !isRemembered { wakeRemembered(number, alert, at: now) }
                continue
            }
            var group = AggregationGroup(
                match, labels: labels, integrations: receivers[match.route.receiver]?.integrations.count ?? 0, at: now)
            // It has waited long enough elsewhere: before a restart, or in the sender.
            if alert.startsAt + match.route.groupWait < now { group.nextTick = now }
            if isRemembered {
                group.isRemembered = true
                group.nextTick = now + match.route.groupInterval
            }
            group.insert(alert, fingerprint)
            let number = nextGroup
            nextGroup += 1
            wakes.add(.tick(group: number), at: group.nextTick)
            groups[number] = group
            groupNumbers[id] = number
        }
    }

    /// A group of which only memories were known looks at itself now, as one that has waited long enough elsewhere.
    private mutating func wakeRemembered(_ number: Int, _ alert: Alert, at now: Timestamp) {
        guard let group = groups[number], group.isRemembered else { return }
        groups[number]?.isRemembered = false
        let wait = alert.startsAt + group.match.route.groupWait
        let tick = max(now, min(wait, group.nextTick))
        groups[number]?.nextTick = tick
        wakes.add(.tick(group: number), at: tick)
    }

    /// Groups anew, from what is in the old ones and from what fires.
    ///
    /// Upstream takes all stored alerts and none that are only in a group: ends that were told come again, ends that could not be told
    /// yet are lost. Ours takes ends from groups only.
    mutating func apply(_ config: AlertmanagerConfig, at now: Timestamp) {
        var pending = store.alerts.filter { !$0.value.isResolved(at: now) }
        for group in groups.values {
            for (fingerprint, member) in group.members where pending[fingerprint] == nil {
                pending[fingerprint] = store.alerts[fingerprint] ?? member.alert
            }
        }
        for number in tellings.keys.sorted() { orphan(number) }
        groups = [:]
        groupNumbers = [:]
        waitingForOrphans = [:]

        self.config = config
        tree = RouteTree(config.route)
        index(config)
        inhibitor = Inhibitor(config.inhibitRules)
        for (fingerprint, alert) in store.alerts { inhibitor.update(alert, fingerprint) }
        for (fingerprint, alert) in pending.sorted(by: { $0.key < $1.key }) { dispatch(alert, fingerprint, at: now) }
    }
}
