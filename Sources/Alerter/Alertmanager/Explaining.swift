import TSDB

/// Why is, or is not, somebody told about an alert: the same questions as in a flush, asked without consequences.
extension AlertmanagerState {
    mutating func explain(_ labels: Labels, at now: Timestamp) -> NotificationExplanation {
        let fingerprint = Fingerprint(labels)
        let matches = tree.matches(labels)
        let alert = store.alerts[fingerprint] ?? member(fingerprint, labels, matches)?.alert
        var result = NotificationExplanation(
            labels: labels, fingerprint: fingerprint, alert: alert, isFiring: alert.map { !$0.isResolved(at: now) } ?? false,
            inhibition: nil, silences: silences.matching(labels, at: now), routes: [])
        if let (source, rule) = inhibitor.inhibitor(of: labels, at: now) {
            result.inhibition = NotificationExplanation.Inhibition(
                rule: inhibitor.ruleName(rule), source: source, sourceLabels: store.alerts[source]?.labels ?? Labels())
        }
        result.routes = matches.map { route($0, result, at: now) }
        return result
    }

    /// The alert as a group has it, where the store has forgotten it.
    private func member(
        _ fingerprint: Fingerprint, _ labels: Labels, _ matches: [RouteMatch]
    ) -> AggregationGroup.Member? {
        for match in matches {
            let id = AggregationGroup.ID(route: match.index, labels: match.groupLabels(of: labels))
            if let number = groupNumbers[id], let member = groups[number]?.members[fingerprint] { return member }
        }
        return nil
    }

    private func route(
        _ match: RouteMatch, _ alert: NotificationExplanation, at now: Timestamp
    ) -> NotificationExplanation.RouteExplanation {
        let labels = match.groupLabels(of: alert.labels)
        let number = groupNumbers[AggregationGroup.ID(route: match.index, labels: labels)]
        let group = number.flatMap { groups[$0] }
        let (mutedBy, muteReason) = muting(match.route, at: now)
        let groupKey = match.groupKey(labels)

        var integrations: [NotificationExplanation.IntegrationExplanation] = []
        for (position, integration) in (receivers[match.route.receiver]?.integrations ?? []).enumerated() {
            let key = NotificationRecord.Key(
                groupKey: groupKey, receiver: match.route.receiver, integration: integration.kind, index: integration.index)
            let trace = group.flatMap { position < $0.traces.count ? $0.traces[position] : nil } ?? AggregationGroup.Trace()
            let telling = tellings.values.first { $0.group != nil && $0.group == number && $0.position == position }
            integrations.append(
                NotificationExplanation.IntegrationExplanation(
                    integration: "\(integration.kind)[\(integration.index)]",
                    cause: cause(alert, match.route, group, integration, key, trace, telling, at: now),
                    lastDecision: trace.decision, decidedAt: trace.decidedAt, notifiedAt: log[key]?.timestamp,
                    attempts: trace.attempts))
        }
        let silencing = alert.silences.filter { $0.state(at: now) == .active }.map(\.id)
        let cause: NotificationExplanation.Cause =
            if alert.alert == nil {
                .unknownAlert
            } else if integrations.isEmpty {
                .emptyReceiver
            } else if let inhibition = alert.inhibition {
                .inhibited(by: inhibition.source, rule: inhibition.rule)
            } else if muteReason == "active_time_interval" {
                .outsideActiveIntervals(mutedBy)
            } else if muteReason != nil {
                .insideMuteIntervals(mutedBy)
            } else if !silencing.isEmpty {
                .silenced(by: silencing)
            } else {
                (integrations.first { $0.cause.isTrouble } ?? integrations[0]).cause
            }
        return NotificationExplanation.RouteExplanation(
            route: match.key, receiver: match.route.receiver, groupKey: groupKey, groupLabels: labels,
            nextFlush: group?.nextTick, lastFlush: group?.lastFlush, mutedBy: mutedBy, integrations: integrations, cause: cause)
    }

    private func cause(
        _ alert: NotificationExplanation, _ route: Route, _ group: AggregationGroup?, _ integration: Integration,
        _ key: NotificationRecord.Key, _ trace: AggregationGroup.Trace, _ telling: Telling?, at now: Timestamp
    ) -> NotificationExplanation.Cause {
        guard alert.alert != nil else { return .unknownAlert }
        switch telling?.state {
        case .inFlight(_, let since): return .sending(since: since)
        case .waiting(let until): return .retrying(at: until, error: telling?.lastError?.message ?? "")
        case nil: break
        }
        let entry = log[key]
        let nextFlush = group?.nextTick ?? now
        if let last = trace.attempts.last, case .failed(_, let message, _) = last.outcome,
            entry.map({ $0.timestamp <= last.time }) ?? true
        {
            return .failed(at: last.time, error: message, nextFlush: nextFlush)
        }
        let hash = NotificationHash.hash(alert.labels)
        let isMember = group?.members[alert.fingerprint] != nil
        if alert.isFiring {
            guard let entry, entry.firing.contains(hash) else { return .waiting(until: nextFlush) }
            return .notified(at: entry.timestamp, repeatsAt: entry.timestamp + route.repeatInterval)
        }
        guard let entry else { return isMember ? .waiting(until: nextFlush) : .resolvedBeforeNotified }
        if entry.resolved.contains(hash) {
            return integration.sendsResolved ? .resolvedNotified(at: entry.timestamp) : .resolvedNotWanted
        }
        if entry.firing.contains(hash) {
            return integration.sendsResolved || isMember ? .waiting(until: nextFlush) : .resolvedNotWanted
        }
        return isMember ? .waiting(until: nextFlush) : .resolvedBeforeNotified
    }
}

extension NotificationExplanation.Cause {
    /// Something is still to come or has gone wrong.
    fileprivate var isTrouble: Bool {
        switch self {
        case .sending, .retrying, .failed, .waiting: true
        case .unknownAlert, .noRoute, .emptyReceiver, .inhibited, .outsideActiveIntervals, .insideMuteIntervals, .silenced,
            .notified, .resolvedNotified, .resolvedNotWanted, .resolvedBeforeNotified:
            false
        }
    }
}
