import TSDB

/// A group's look at itself: what is to be told, and to whom.
///
///     all alerts ─▶ not inhibited ─▶ in active hours ─▶ out of mute hours ─▶ not silenced ─▶ each integration:
///                                                                     something to tell? ─▶ attempt ─▶ notification log
///
/// When nothing is left on the way, all counts as told.
/// Source: Alertmanager, `notify.PipelineBuilder`.
extension AlertmanagerState {
    /// The shortest time a flush is given.
    static let minimumTimeout = Duration.seconds(10)

    mutating func tick(_ number: Int, at now: Timestamp, _ deliveries: inout [Delivery]) {
        guard let group = groups[number] else { return }
        let orphanKey = OrphanKey(groupKey: group.key, receiver: group.match.route.receiver)
        if group.flush != nil {
            groups[number]?.isTickWaiting = true
        } else if orphans[orphanKey] != nil {
            groups[number]?.isTickWaiting = true
            waitingForOrphans[orphanKey, default: []].append(number)
        } else {
            flush(number, group, at: now, &deliveries)
        }
    }

    /// Looks again as soon as somebody advances.
    mutating func wakeIfWaiting(_ number: Int) {
        guard let group = groups[number], group.isTickWaiting else { return }
        groups[number]?.isTickWaiting = false
        wakes.add(.tick(group: number), at: group.nextTick)
    }

    private mutating func flush(_ number: Int, _ group: AggregationGroup, at now: Timestamp, _ deliveries: inout [Delivery]) {
        // The tick, not the clock, decides about hours and repetition: a late look decides as one in time.
        let tick = group.nextTick
        let route = group.match.route
        let next = now + max(route.groupInterval, .milliseconds(1))
        groups[number]?.nextTick = next
        groups[number]?.lastFlush = now
        groups[number]?.isRemembered = false
        wakes.add(.tick(group: number), at: next)

        var members = group.snapshot(at: now)
        var flush = AggregationGroup.Flush()
        for member in members {
            guard let end = member.alert.endsAt else { continue }
            flush.resolved.append((member.fingerprint, member.revision))
            history.ends(member.alert.labels, member.fingerprint, at: end)
            saved.save(member.alert, member.fingerprint, isOver: true)
        }
        groups[number]?.flush = flush

        members = remaining(members, number, route, tick: tick, at: now)
        if !members.isEmpty { tell(members, number, group, tick: tick, at: now, &deliveries) }
        concludeIfDone(number)
    }

    /// Without those that are inhibited, out of hours or silenced.
    private mutating func remaining(
        _ members: [AggregationGroup.Member], _ number: Int, _ route: Route, tick: Timestamp, at now: Timestamp
    ) -> [AggregationGroup.Member] {
        let free = members.filter { inhibitor.inhibitor(of: $0.alert.labels, at: now) == nil }
        suppressed("inhibition", members.count - free.count)
        if free.isEmpty { return [] }

        let (mutedBy, reason) = muting(route, at: tick)
        groups[number]?.mutedBy = mutedBy
        if let reason {
            suppressed(reason, free.count)
            return []
        }
        let heard = free.filter { silences.silencing($0.alert.labels, $0.fingerprint, at: now).isEmpty }
        suppressed("silence", free.count - heard.count)
        return heard
    }

    /// Names of the time intervals that keep a route quiet, and how.
    func muting(_ route: Route, at time: Timestamp) -> (names: [String], reason: String?) {
        func holds(_ name: String) -> Bool { intervals[name].map { $0.contains(time, zones: config.zones) } ?? false }
        if !route.activeTimeIntervals.isEmpty && !route.activeTimeIntervals.contains(where: holds) {
            return (route.activeTimeIntervals, "active_time_interval")
        }
        let muting = route.muteTimeIntervals.filter(holds)
        return (muting, muting.isEmpty ? nil : "mute_time_interval")
    }

    private mutating func suppressed(_ reason: String, _ count: Int) {
        if count > 0 { statistics.suppressed[reason, default: 0] += count }
    }

    /// Asks the log for each integration, and begins to tell those that have something to hear.
    private mutating func tell(
        _ members: [AggregationGroup.Member], _ number: Int, _ group: AggregationGroup, tick: Timestamp, at now: Timestamp,
        _ deliveries: inout [Delivery]
    ) {
        let route = group.match.route
        let firing = members.filter { $0.alert.endsAt == nil }
        let firingHashes = firing.map(\.hash)
        let resolvedHashes = members.filter { $0.alert.endsAt != nil }.map(\.hash)
        for (position, integration) in (receivers[route.receiver]?.integrations ?? []).enumerated() {
            let key = NotificationRecord.Key(
                groupKey: group.key, receiver: route.receiver, integration: integration.kind, index: integration.index)
            let decision = log.decision(
                key, firing: firingHashes, resolved: resolvedHashes, sendsResolved: integration.sendsResolved,
                repeatInterval: route.repeatInterval, tick: tick)
            statistics.notificationLogQueries += 1
            groups[number]?.traces[position].decision = decision
            groups[number]?.traces[position].decidedAt = now
            guard case .notify(let reason) = decision else { continue }

            statistics.integrations[integration.kind, default: .init()].notifications += 1
            let sent = integration.sendsResolved ? members : firing
            let telling = Telling(
                group: number, position: position, key: key,
                notification: Notification(
                    receiver: route.receiver, integration: integration, groupKey: group.key, groupLabels: group.labels,
                    alerts: sent.map(\.alert), now: now, reason: reason),
                firing: firingHashes, resolved: resolvedHashes, repeatInterval: route.repeatInterval,
                deadline: now + max(route.groupInterval, Self.minimumTimeout))
            if sent.isEmpty {
                // It does not want to know, but the log has to know that nothing fires any more.
                enter(telling, at: now)
                continue
            }
            let id = nextTelling
            nextTelling += 1
            tellings[id] = telling
            groups[number]?.flush?.open += 1
            if let delivery = attempt(id, at: now) { deliveries.append(delivery) }
        }
    }

    /// Ends a flush that has nobody left to tell.
    mutating func concludeIfDone(_ number: Int) {
        guard let flush = groups[number]?.flush, flush.open == 0 else { return }
        groups[number]?.flush = nil
        if !flush.hasFailed {
            let gone = groups[number]?.remove(flush.resolved) ?? []
            for (fingerprint, labels) in gone where !isHeld(fingerprint, labels) { saved.leave(fingerprint) }
        }
        guard let group = groups[number] else { return }
        if group.members.isEmpty {
            groups[number] = nil
            groupNumbers[group.id] = nil
        } else {
            wakeIfWaiting(number)
        }
    }
}
