import TSDB

/// Attempts: begun, finished, tried again, given up.
extension AlertmanagerState {
    /// How long after its deadline an attempt that nobody reports on is held for lost.
    static let grace = Duration.seconds(30)

    /// Begins the next attempt.
    mutating func attempt(_ number: Int, at now: Timestamp) -> Delivery? {
        guard var telling = tellings[number] else { return nil }
        nextDelivery += 1
        let id = Delivery.ID(rawValue: nextDelivery)
        telling.attempts += 1
        telling.state = .inFlight(id, since: now)
        tellings[number] = telling
        inFlight[id] = number
        wakes.add(.abandon(id), at: telling.deadline + Self.grace)
        return Delivery(id: id, notification: telling.notification, attempt: telling.attempts, deadline: telling.deadline)
    }

    mutating func finish(_ id: Delivery.ID, _ outcome: NotificationOutcome, at now: Timestamp) {
        guard let number = inFlight.removeValue(forKey: id), var telling = tellings[number],
            case .inFlight(_, let since) = telling.state
        else { return }
        let kind = telling.key.integration
        statistics.integrations[kind, default: .init()].requests += 1
        if let group = telling.group {
            groups[group]?.traces[telling.position].add(.init(time: now, number: telling.attempts, outcome: outcome))
        }
        guard case .failed(let reason, let message, let isRetryable) = outcome else {
            enter(telling, at: now)
            return end(number, outcome, at: now)
        }
        statistics.integrations[kind, default: .init()].requestsFailed += 1
        if now < telling.deadline { telling.lastError = (reason, message) }
        tellings[number] = telling
        if !isRetryable || telling.group == nil { return end(number, outcome, at: now) }
        if now >= telling.deadline { return giveUp(number, at: now) }
        // Counted from the attempt's begin: a slow failure has waited already.
        let next = max(now, since + telling.backoff.next(using: &random))
        telling.state = .waiting(until: min(next, telling.deadline))
        tellings[number] = telling
        wakes.add(.attempt(telling: number), at: min(next, telling.deadline))
    }

    mutating func tryAgain(_ number: Int, at now: Timestamp, _ deliveries: inout [Delivery]) {
        guard let telling = tellings[number] else { return }
        if now >= telling.deadline { return giveUp(number, at: now) }
        if let delivery = attempt(number, at: now) { deliveries.append(delivery) }
    }

    mutating func abandon(_ id: Delivery.ID, at now: Timestamp) {
        let outcome = NotificationOutcome.failed(
            reason: "contextDeadlineExceeded", message: "nobody said how the attempt went", isRetryable: true)
        finish(id, outcome, at: now)
    }

    /// The end of a telling whose time is over; what failed last is why.
    private mutating func giveUp(_ number: Int, at now: Timestamp) {
        guard let telling = tellings[number] else { return }
        let error = telling.lastError ?? ("contextDeadlineExceeded", "context deadline exceeded")
        end(number, .failed(reason: error.reason, message: error.message, isRetryable: true), at: now)
    }

    /// Enters a success into the log.
    mutating func enter(_ telling: Telling, at now: Timestamp) {
        let record = log.enter(
            telling.key, firing: telling.firing, resolved: telling.resolved, repeatInterval: telling.repeatInterval,
            isFirst: telling.notification.reason == .firstNotification, at: now)
        if let record, options.directory != nil { unwrittenLog.appendDelimited(record.encoded()) }
    }

    private mutating func end(_ number: Int, _ outcome: NotificationOutcome, at now: Timestamp) {
        guard let telling = tellings.removeValue(forKey: number) else { return }
        if case .failed(let reason, _, _) = outcome {
            statistics.integrations[telling.key.integration, default: .init()].failed[reason, default: 0] += 1
        }
        let alerts = telling.notification.alerts
        history.add(
            .notification(
                AlertHistoryEntry.Told(
                    receiver: telling.key.receiver, integration: "\(telling.key.integration)[\(telling.key.index)]",
                    groupKey: telling.key.groupKey, reason: telling.notification.reason,
                    firing: alerts.filter { $0.endsAt == nil }.map(\.fingerprint),
                    resolved: alerts.filter { $0.endsAt != nil }.map(\.fingerprint), attempts: telling.attempts, outcome: outcome)),
            at: now)
        if let group = telling.group {
            if outcome != .sent { groups[group]?.flush?.hasFailed = true }
            groups[group]?.flush?.open -= 1
            concludeIfDone(group)
        } else {
            release(telling)
        }
    }

    // MARK: Without a group

    /// Parts a telling from its group. One that waits for another attempt ends; the new group begins its own.
    mutating func orphan(_ number: Int) {
        guard let telling = tellings[number] else { return }
        guard case .inFlight = telling.state else {
            tellings[number] = nil
            statistics.integrations[telling.key.integration, default: .init()].failed["contextCanceled", default: 0] += 1
            return
        }
        if telling.group == nil { return }
        tellings[number]?.group = nil
        orphans[orphanKey(telling), default: 0] += 1
    }

    private mutating func release(_ telling: Telling) {
        let key = orphanKey(telling)
        let left = (orphans[key] ?? 1) - 1
        orphans[key] = left > 0 ? left : nil
        if left > 0 { return }
        for group in waitingForOrphans.removeValue(forKey: key) ?? [] { wakeIfWaiting(group) }
    }

    private func orphanKey(_ telling: Telling) -> OrphanKey {
        OrphanKey(groupKey: telling.key.groupKey, receiver: telling.key.receiver)
    }
}
