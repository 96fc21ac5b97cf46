import TSDB

/// What comes next for an incident: the machine of `Incident.Phase`.
extension Bot {
    /// Lets every incident go as far as it can now.
    mutating func settle(at now: Timestamp) throws(BotError) {
        for id in state.incidents.values.filter({ $0.phase != .closed }).sorted(by: Self.comesFirst).map(\.id) {
            try age(id, at: now)
            try advance(id, at: now)
        }
        try deliver(at: now)
    }

    private static func comesFirst(_ a: Incident, _ b: Incident) -> Bool { (a.openedAt, a.id) < (b.openedAt, b.id) }

    /// Replay only: what the machine decides from a line without writing another.
    mutating func replay(_ id: String) {
        guard let incident = state.incidents[id] else { return }
        // A verification begun before a crash begins again: its time counts from the first look at the clock.
        if case .done(let result) = incident.phase { followUp(id, result, at: .max) }
        // Nothing is left to undo: closed, so that its place in the memory is bounded.
        if state.incidents[id]?.phase == .finishing, !state.undo.contains(incident.policy) { state.close(id) }
    }

    private mutating func age(_ id: String, at now: Timestamp) throws(BotError) {
        guard let incident = state.incidents[id], incident.isOpen else { return }
        if now - incident.lastSeen > Bound.forgotten { return try resolve(id, "forgotten", at: now) }
        let policy = policy.policy(named: incident.policy)
        if let limit = policy?.escalateAfter, incident.escalatedAt == nil, incident.phase != .new, now - incident.openedAt > limit {
            try escalate(id, "unresolved for more than \(limit.milliseconds / 1000) s", at: now)
        }
    }

    /// One transition after another until something must be waited for.
    private mutating func advance(_ id: String, at now: Timestamp) throws(BotError) {
        // A policy has some tens of steps; each passes through a handful of phases.
        for _ in 0..<1000 {
            guard let incident = state.incidents[id] else { return }
            switch incident.phase {
            case .closed, .watching: return
            case .new: try decideFirst(id, at: now)
            case .ready: try step(id, at: now)
            case .waiting(let until, _):
                guard now >= until else { return }
                if try resume(id, at: now) { return }
            case .asking(let until):
                guard now >= until else { return }
                var record = record(.approval, id, at: now)
                record.step = incident.step
                record.result = "expired"
                try write(record)
                try escalate(id, "nobody approved in time", at: now)
            case .measuring(let ticket):
                guard case .before(_, let askedAt)? = tickets[ticket], now - askedAt > Bound.query else { return }
                tickets[ticket] = nil
                try measured(id, ticket, nil, at: now)
            case .acting(let ticket):
                // Found after a restart: it may or may not have happened.
                guard ticket == nil else { return }
                try finishAction(id, .unknown("the bot was not there to see its end"), duration: nil, at: now)
            case .done(let result): followUp(id, result, at: now)
            case .retrying(let at):
                guard now >= at else { return }
                try act(id, at: now)
            case .verifying(let since, let nextQuery, let ticket):
                if try !verifyLater(id, since, nextQuery, ticket, at: now) { return }
            case .finishing: try finish(id, at: now)
            }
        }
    }

    /// Nothing more of our own accord.
    mutating func rest(_ id: String) {
        guard let incident = state.incidents[id] else { return }
        state.incidents[id]?.phase = incident.isOpen ? .watching : .finishing
    }

    // MARK: Deciding

    private mutating func decideFirst(_ id: String, at now: Timestamp) throws(BotError) {
        guard let incident = state.incidents[id] else { return }
        guard let policy = policy.policy(for: incident.labels) else { return try decide(id, "no-policy", "", at: now) }
        if policy.escalatesAtOnce {
            try decide(id, "escalate", policy.name, at: now)
            return try escalate(id, "the policy asks for a human", at: now)
        }
        if policy.steps.isEmpty { return try decide(id, "none", policy.name, at: now) }
        state.incidents[id]?.policy = policy.name
        state.incidents[id]?.phase = .ready
        try step(id, at: now)
    }

    private mutating func decide(
        _ id: String, _ decision: String, _ policy: String, reason: String = "", until: Timestamp? = nil, _ step: BotPolicy.Step? = nil,
        target: String = "", at now: Timestamp
    ) throws(BotError) {
        var record = record(.decision, id, at: now)
        record.policy = policy
        record.decision = decision
        record.reason = reason
        record.until = until
        if let step, let incident = state.incidents[id] {
            record.step = incident.step
            record.isUndo = incident.isUndoing
            record.action = step.action.name
            record.target = target
            let mode = self.mode(step, policy)
            record.mode = mode.rawValue
            record.isDryRun = mode == .dryRun
        }
        try write(record)
    }

    private func mode(_ step: BotPolicy.Step, _ name: String) -> BotPolicy.Mode {
        if policy.isDryRun { return .dryRun }
        return step.mode ?? policy.policy(named: name)?.mode ?? .automatic
    }

    /// The step whose turn it is; `nil` behind the last.
    private func current(_ incident: Incident) -> (BotPolicy.Policy, BotPolicy.Step?)? {
        guard let policy = policy.policy(named: incident.policy) else { return nil }
        let steps = incident.isUndoing ? policy.onResolve : policy.steps
        return (policy, steps.indices.contains(incident.step) ? steps[incident.step] : nil)
    }

    private mutating func step(_ id: String, at now: Timestamp) throws(BotError) {
        guard let incident = state.incidents[id] else { return }
        guard let (policy, step) = current(incident) else {
            // The policy is gone from the file.
            return try decide(id, "no-policy", "", at: now)
        }
        guard let step else {
            if incident.isUndoing { return state.close(id) }
            rest(id)
            if incident.isOpen && incident.actions > 0 && !incident.isDryRun { try escalate(id, "no step helped", at: now) }
            return
        }
        let isDry = mode(step, policy.name) == .dryRun
        switch step.action {
        case .notify(let name), .ticket(let name):
            if incident.step == 0, !incident.isUndoing { try decide(id, "act", policy.name, step, target: name, at: now) }
            var record = record(.action, id, at: now)
            record.step = incident.step
            record.isUndo = incident.isUndoing
            record.action = step.action.name
            record.target = name
            record.isDryRun = isDry
            record.result = isDry ? "would" : "queued"
            if !isDry { record.notify = [name] }
            return try write(record)
        case .restart, .scale, .http, .run: break
        }
        let target: String
        do throws(BotError) {
            target = try self.target(step.action, incident.labels)
            _ = try work(step.action, target, incident.labels, actuator: 0)
        } catch {
            try decide(id, "refused", policy.name, reason: error.message, step, at: now)
            if incident.isUndoing { return state.close(id) }
            return try escalate(id, "refused: \(error.message)", at: now)
        }
        switch state.permit(
            target, policy.limits, perHour: self.policy.actionsPerHour, except: id, isUndo: incident.isUndoing, at: now)
        {
        case .wait(let until, let reason): try hold(id, policy, step, target, until, reason, at: now)
        case .trips(let until):
            var record = record(.circuit, id, at: now)
            record.target = target
            record.result = "open"
            record.until = until
            record.reason = "\(policy.limits.strikes) actions in a row"
            try write(record)
            try decide(id, "circuit-open", policy.name, reason: record.reason, until: until, step, target: target, at: now)
            try escalate(id, "the circuit of \(target) is open: \(record.reason)", at: now)
        case .free: try begin(id, policy, step, target, at: now)
        }
    }

    private mutating func hold(
        _ id: String, _ policy: BotPolicy.Policy, _ step: BotPolicy.Step, _ target: String, _ until: Timestamp, _ reason: String,
        at now: Timestamp
    ) throws(BotError) {
        let pages = reason == "budget" && now - state.budgetPagedAt >= .hours(1)
        // Told once: waiting on for the same reason is no news.
        if state.incidents[id]?.toldReason != reason {
            if state.incidents[id]?.isUndoing != true {
                try decide(id, reason, policy.name, until: until, step, target: target, at: now)
            }
            state.incidents[id]?.toldReason = reason
        }
        state.incidents[id]?.phase = .waiting(until: until, reason: reason)
        if pages { try escalate(id, "the budget of \(self.policy.actionsPerHour) actions an hour is spent", at: now) }
    }

    /// Asks again whether a waiting incident may go on; `true` while it may not.
    private mutating func resume(_ id: String, at now: Timestamp) throws(BotError) -> Bool {
        try step(id, at: now)
        if case .waiting = state.incidents[id]?.phase { return true }
        return false
    }

    private mutating func begin(
        _ id: String, _ policy: BotPolicy.Policy, _ step: BotPolicy.Step, _ target: String, at now: Timestamp
    ) throws(BotError) {
        guard let incident = state.incidents[id] else { return }
        let mode = incident.isUndoing ? (self.policy.isDryRun ? .dryRun : .automatic) : mode(step, policy.name)
        let isApproved = incident.approvedStep == incident.step
        if mode == .approval, !isApproved {
            try decide(id, "approval", policy.name, step, target: target, at: now)
            var record = record(.approval, id, at: now)
            record.step = incident.step
            record.action = step.action.name
            record.target = target
            record.result = "pending"
            record.until = now + policy.approvalExpiry
            record.notify = policy.escalate
            record.reason = "\(step.action.name) \(target)?"
            return try write(record)
        }
        if !isApproved, !incident.isUndoing { try decide(id, "act", policy.name, step, target: target, at: now) }
        state.incidents[id]?.isDryRun = mode == .dryRun
        state.busyTargets[id] = target
        if mode != .dryRun, !incident.isUndoing, let verify = policy.verify, let url = self.policy.prometheus(of: incident.source) {
            let ticket = want(.before(id, askedAt: now)) { .query(ticket: $0, prometheus: url, query: verify.query) }
            state.incidents[id]?.phase = .measuring(ticket: ticket)
        } else {
            try act(id, at: now)
        }
    }

    mutating func measured(_ id: String, _ ticket: Int, _ values: [Double]?, at now: Timestamp) throws(BotError) {
        guard let incident = state.incidents[id], incident.phase == .measuring(ticket: ticket), let (policy, _) = current(incident) else {
            return
        }
        state.incidents[id]?.before = policy.verify?.condition.verdict(values ?? [], emptyIsFine: false).shown
        try act(id, at: now)
    }

    // MARK: Acting

    /// Writes the intent, then asks for the effect.
    private mutating func act(_ id: String, at now: Timestamp) throws(BotError) {
        guard let incident = state.incidents[id], let step = current(incident)?.1 else {
            return rest(id)
        }
        let target: String, work: Work
        do throws(BotError) {
            target = try self.target(step.action, incident.labels)
            work = try self.work(step.action, target, incident.labels, actuator: incident.actuator)
        } catch {
            // The policy file has changed meanwhile.
            rest(id)
            return try escalate(id, "refused: \(error.message)", at: now)
        }
        var record = record(.intent, id, at: now)
        record.step = incident.step
        record.isUndo = incident.isUndoing
        record.action = step.action.name
        record.target = target
        record.via = via(step.action, incident.actuator)
        record.attempt = incident.attempt + 1
        record.mode = mode(step, incident.policy).rawValue
        try write(record)
        if incident.isDryRun {
            try finishAction(id, nil, duration: .zero, at: now)
        } else {
            let timeout = step.timeout
            let ticket = want(.action(id, startedAt: now)) { .act(ticket: $0, work: work, timeout: timeout) }
            state.incidents[id]?.phase = .acting(ticket: ticket)
        }
    }

    /// Writes what became of an action. `nil`: a dry run, nothing was done.
    mutating func finishAction(_ id: String, _ outcome: Outcome?, duration: Duration?, at now: Timestamp) throws(BotError) {
        guard let incident = state.incidents[id], case .acting = incident.phase else { return }
        let step = current(incident)?.1
        var record = record(.action, id, at: now)
        record.step = incident.step
        record.isUndo = incident.isUndoing
        record.action = step?.action.name ?? ""
        record.target = step.flatMap { try? target($0.action, incident.labels) } ?? ""
        record.via = step.map { via($0.action, incident.actuator) } ?? ""
        record.attempt = incident.attempt
        record.result = outcome?.result ?? "would"
        record.reason = String((outcome?.detail ?? "").prefix(500))
        record.duration = duration
        try write(record)
    }

    /// From the end of an action to what comes after it: verification, another try, another actuator, another step.
    mutating func followUp(_ id: String, _ result: String, at now: Timestamp) {
        guard let incident = state.incidents[id], let (policy, step) = current(incident) else { return rest(id) }
        switch result {
        case "ok", "unknown", "would":
            if incident.isUndoing {
                state.incidents[id].map { state.advanceStep($0) }
            } else if policy.verify != nil {
                state.incidents[id]?.phase = .verifying(since: now, nextQuery: now + (policy.verify?.delay ?? .zero), ticket: nil)
            } else {
                rest(id)
            }
        default:
            state.incidents[id]?.tries += 1
            if incident.tries < Bound.retries, result != "unavailable" {
                let wait = Bound.backOff.milliseconds << Int64(incident.tries)
                state.incidents[id]?.phase = .retrying(at: now == .max ? .min : now + .milliseconds(wait))
            } else if let step, incident.actuator + 1 < actuators(step.action).count {
                state.incidents[id]?.actuator += 1
                state.incidents[id]?.tries = 0
                state.incidents[id]?.phase = .retrying(at: .min)
            } else {
                state.incidents[id].map { state.advanceStep($0) }
                if !incident.isOpen, !incident.isUndoing { state.incidents[id]?.phase = .finishing }
            }
        }
    }
}
