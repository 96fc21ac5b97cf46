import TSDB

/// After an action: whether it helped, whom to tell, and the end.
extension Bot {
    // MARK: Verification

    /// `true` where the phase has changed.
    mutating func verifyLater(
        _ id: String, _ since: Timestamp, _ nextQuery: Timestamp, _ ticket: Int?, at now: Timestamp
    ) throws(BotError) -> Bool {
        guard let incident = state.incidents[id], let policy = policy.policy(named: incident.policy), let verify = policy.verify else {
            rest(id)
            return true
        }
        if since == .max {
            state.incidents[id]?.phase = .verifying(since: now, nextQuery: now, ticket: nil)
            return true
        }
        if incident.isDryRun {
            try conclude(id, verify, nil, isMet: false, "would", at: now)
            return true
        }
        if let ticket {
            // One that is not answered is given up; its late answer finds no ticket.
            guard case .after(_, let askedAt)? = tickets[ticket], now - askedAt <= Bound.query else {
                tickets[ticket] = nil
                state.incidents[id]?.phase = .verifying(since: since, nextQuery: now + verify.every, ticket: nil)
                return true
            }
            return false
        }
        if now - since >= verify.within {
            try conclude(id, verify, incident.after, isMet: false, "failed", at: now)
            return true
        }
        guard now >= nextQuery else { return false }
        guard let url = self.policy.prometheus(of: incident.source) else {
            try conclude(id, verify, nil, isMet: false, "no prometheus is configured", at: now)
            return true
        }
        let asked = want(.after(id, askedAt: now)) { .query(ticket: $0, prometheus: url, query: verify.query) }
        state.incidents[id]?.phase = .verifying(since: since, nextQuery: nextQuery, ticket: asked)
        return false
    }

    mutating func verify(_ id: String, _ ticket: Int, _ values: [Double]?, at now: Timestamp) throws(BotError) {
        guard let incident = state.incidents[id], case .verifying(let since, _, ticket) = incident.phase,
            let verify = policy.policy(named: incident.policy)?.verify
        else { return }
        let (isMet, shown) = values.map { verify.condition.verdict($0, emptyIsFine: verify.emptyIsFine) } ?? (false, nil)
        if isMet { return try conclude(id, verify, shown, isMet: true, "ok", at: now) }
        state.incidents[id]?.after = shown
        state.incidents[id]?.phase = .verifying(since: since, nextQuery: now + verify.every, ticket: nil)
    }

    private mutating func conclude(
        _ id: String, _ verify: BotPolicy.Verification, _ after: Double?, isMet: Bool, _ result: String, at now: Timestamp
    ) throws(BotError) {
        guard let incident = state.incidents[id] else { return }
        var record = record(.verified, id, at: now)
        record.step = incident.step
        record.result = result
        record.reason = "\(verify.query) \(verify.condition)"
        if result != "would" { record.verify = .init(query: verify.query, before: incident.before, after: after, ok: isMet) }
        record.duration = incident.actedAt.map { now - $0 }
        try write(record)
    }

    // MARK: People

    mutating func escalate(_ id: String, _ reason: String, at now: Timestamp) throws(BotError) {
        guard let incident = state.incidents[id], incident.escalatedAt == nil else { return stopIfStuck(id) }
        var record = record(.escalated, id, at: now)
        record.reason = reason
        // A dry run pages nobody.
        let isDry = policy.isDryRun || policy.policy(named: incident.policy)?.mode == .dryRun
        record.isDryRun = isDry
        if !isDry { record.notify = policy.policy(named: incident.policy)?.escalate ?? [] }
        try write(record)
        stopIfStuck(id)
    }

    /// Whoever is escalated does nothing by itself, but for one that waits: the circuit closes, the budget fills again.
    private mutating func stopIfStuck(_ id: String) {
        guard let phase = state.incidents[id]?.phase else { return }
        switch phase {
        case .ready, .retrying, .new: state.incidents[id]?.phase = .watching
        default: break
        }
    }

    /// Sends notices that are due, one at a time to each notifier.
    mutating func deliver(at now: Timestamp) throws(BotError) {
        var busy = Set(state.deliveries.filter { $0.ticket != nil }.map(\.notifier))
        for index in state.deliveries.indices where state.deliveries[index].ticket == nil && state.deliveries[index].notBefore <= now {
            let delivery = state.deliveries[index]
            guard busy.insert(delivery.notifier).inserted else { continue }
            guard let notifier = policy.notifiers[delivery.notifier], let incident = state.incidents[delivery.incident] else {
                state.deliveries[index].notBefore = .max
                continue
            }
            var notice = Notice(
                kind: delivery.notice, incident: incident.id, alert: incident.alert, labels: incident.labels,
                summary: incident.annotations["summary"] ?? incident.annotations["description"] ?? "", text: delivery.text, time: now)
            if delivery.notice == .approval, case .asking(let until) = incident.phase {
                notice.link = approvals.link(Approvals.id(incident: incident.id, step: incident.step), until: until)
            }
            state.deliveries[index].ticket = want(.delivery) { .notify(ticket: $0, notifier: notifier, notice: notice) }
        }
        state.deliveries.removeAll { $0.notBefore == .max }
    }

    // MARK: The end

    /// Undoes what the policy's steps did, unless another incident still needs it.
    mutating func finish(_ id: String, at now: Timestamp) throws(BotError) {
        guard let incident = state.incidents[id] else { return }
        state.busyTargets[id] = nil
        guard let policy = policy.policy(named: incident.policy), !policy.onResolve.isEmpty, state.undo.contains(policy.name),
            !state.incidents.values.contains(where: { $0.id != id && $0.isOpen && $0.policy == policy.name }),
            !state.incidents.values.contains(where: { $0.id != id && $0.isUndoing && $0.phase != .closed && $0.policy == policy.name })
        else { return state.close(id) }
        state.incidents[id]?.isUndoing = true
        state.incidents[id]?.step = 0
        state.incidents[id]?.actuator = 0
        state.incidents[id]?.tries = 0
        state.incidents[id]?.attempt = 0
        state.incidents[id]?.phase = .ready
    }
}
