import TSDB

/// Whether a target may be acted upon now, and if not, when to ask again.
///
///     ├─ cool-down ─┤     after every action on the target
///     ├────── window: at most N ──────┤     per target
///     ├──────────── an hour: at most M, whatever the target ────────────┤
///     x   x   x ─ K in a row without quiet between them: the circuit opens, people take over
///
/// Source: M. Nygard, “Release It!”, 2nd edition 2018, §5 (circuit breaker).
extension BotState {
    enum Permit: Equatable {
        case free
        case wait(until: Timestamp, reason: String)
        /// The circuit opens with this action not done.
        case trips(until: Timestamp)
    }

    private static let hour = Duration.hours(1)

    func permit(
        _ target: String, _ limits: BotPolicy.Limits, perHour: Int, except id: String, isUndo: Bool, at now: Timestamp
    ) -> Permit {
        let isBusy = busyTargets.contains { $0.value == target && $0.key != id && incidents[$0.key]?.isBusy == true }
        if isBusy { return .wait(until: now + .seconds(1), reason: "busy") }
        let times = actions[target] ?? []
        if !isUndo {
            if let until = circuits[target], until > now { return .wait(until: until, reason: "circuit-open") }
            if strikes(times, stable: limits.stable, at: now) >= limits.strikes { return .trips(until: now + limits.reset) }
        }
        if let last = times.last, last + limits.cooldown > now { return .wait(until: last + limits.cooldown, reason: "cooldown") }
        let recent = times.filter { $0 + limits.window > now }
        if recent.count >= limits.maximum, let first = recent.dropFirst(recent.count - limits.maximum).first {
            return .wait(until: first + limits.window, reason: "limit")
        }
        if !isUndo {
            let all = allActions.filter { $0 + Self.hour > now }
            if all.count >= perHour {
                let first = all.dropFirst(max(0, all.count - max(1, perHour))).first ?? now
                return .wait(until: first + Self.hour, reason: "budget")
            }
        }
        return .free
    }

    /// Actions up to the last one that follow each other within `stable`; none once it has been quiet for that long.
    private func strikes(_ times: [Timestamp], stable: Duration, at now: Timestamp) -> Int {
        var next = now, count = 0
        for time in times.reversed() {
            guard next - time < stable else { break }
            next = time
            count += 1
        }
        return count
    }
}
