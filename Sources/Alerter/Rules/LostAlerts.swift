import PromQL
import TSDB

/// Alerts that fired before a restart and whose expression is not true after it: their end has still to be reported.
///
///     before    ALERTS{alertname="Down",alertstate="firing",instance="a"}      ──── killed
///     after     up{instance="a"} 1                    nobody was there to see it become 1
///               ─▶ reported as over, and the old series are ended
///
/// A restart proves nothing: the expression may be false because nothing was scraped yet. An alert is over when
///
///     its data has come     each selector of the expression finds series that agree with the alert's labels, and all of them that
///                           were there before have a sample of after the start;
///     or `validity` intervals (or resend delays) have passed, when any Alertmanager ends it too.
///
/// Which rule an old series belongs to is known by evaluating the expression for the time of its last sample; what does not come out is
/// not this rule's. `keep_firing_for` is given its whole length.
/// Ours alone: upstream forgets these alerts.
struct LostAlerts: Sendable {
    struct Lost: Sendable {
        var finding: RuleAlerts.Finding
        var firedAt: Timestamp
        /// Its last sample in `ALERTS`.
        var lastSeen: Timestamp
    }

    private(set) var all: [Labels: Lost] = [:]

    var isEmpty: Bool { all.isEmpty }

    mutating func add(_ lost: Lost) { all[lost.finding.labels] = lost }

    mutating func remove(_ labels: Labels) { all[labels] = nil }
}

extension GroupEvaluation {
    /// Alerts of one rule that were reported once and are not kept over a restart; more are left to end by themselves.
    static let maximumLostAlerts = 100_000
    /// Old evaluations of one rule that are looked into.
    static let maximumReplays = 4

    /// What `ALERTS` says fired: when it was seen last.
    func firedBefore(
        _ state: RuleState, _ name: String, at now: Timestamp, _ environment: RuleEnvironment
    ) throws(TSDBError) -> [Labels: Timestamp] {
        try stored(
            AlertSeries.alerts, and: [.equal(AlertSeries.stateLabel, "firing")], of: state, name, at: now, environment
        ).compactMapValues { StaleMarker.isStale($0.value) ? nil : $0.time }
    }

    /// Finds out which alerts the rule has lost: those of `fired` that its expression gave then and does not give now.
    mutating func findLost(
        _ index: Int, fired: [Labels: Timestamp], since: [Labels: Timestamp], in environment: RuleEnvironment
    ) {
        guard let alerting = rules[index].alerting else { return }
        let active = Set(rules[index].alerts.all.map(\.labels))
        var missing: [Timestamp: Set<Labels>] = [:]
        for (labels, time) in fired where !active.contains(labels) { missing[time, default: []].insert(labels) }
        for (time, labels) in missing.sorted(by: { $0.key > $1.key }).prefix(Self.maximumReplays) {
            for finding in findings(of: index, at: time, in: environment)
            where labels.contains(finding.labels) && rules[index].lost.all.count < Self.maximumLostAlerts {
                let began = since[finding.labels].map { min($0 + alerting.hold, time) } ?? time
                rules[index].lost.add(.init(finding: finding, firedAt: began, lastSeen: time))
            }
        }
    }

    /// What the rule's expression gave at `time`; nothing where it fails.
    private mutating func findings(of index: Int, at time: Timestamp, in environment: RuleEnvironment) -> [RuleAlerts.Finding] {
        guard let alerting = rules[index].alerting,
            let answer = try? environment.engine.instant(rules[index].rule.expr, rules[index].query, on: environment.storage, at: time),
            let result = try? RuleResult(answer.value)
        else { return [] }
        let expand = expansion(alerting, on: environment.storage, at: time + group.queryOffset, in: environment)
        return (try? rules[index].findings(result, alerting, expand)) ?? []
    }

    /// Ends lost alerts whose time has come, behind the evaluation of their rule at `time`.
    mutating func settleLost(_ index: Int, at time: Timestamp, in environment: RuleEnvironment) {
        guard !rules[index].lost.isEmpty, let alerting = rules[index].alerting, let began = restoredAt else { return }
        let deadline = began + AlertState.validity(every: max(group.interval, environment.resendDelay))
        for (labels, lost) in rules[index].lost.all {
            // It fires again, and has fired all the time: no new `for`.
            if rules[index].alerts.goOn(labels, since: lost.firedAt - alerting.hold) {
                rules[index].lost.remove(labels)
                continue
            }
            guard time - began >= alerting.keepFiring else { continue }
            let isKnown = (try? hasFreshData(rules[index].rule.expr, lost, began: began, at: time, in: environment)) ?? false
            guard isKnown || time > deadline else { continue }
            rules[index].lost.remove(labels)
            var names = AlertSeriesLabels()
            let ended = names.labels(of: labels, isFiring: true, named: alerting.name, base: rules[index].labels)
            // Another rule's alert of the same labels goes on.
            if (try? StaleSeries.goesOn(ended.alerts, after: began, in: environment.storage)) ?? true { continue }
            rules[index].alerts.end(lost, at: time)
            staleSeries += [ended.alerts, ended.forState]
        }
    }

    private func hasFreshData(
        _ expr: Expr, _ lost: LostAlerts.Lost, began: Timestamp, at time: Timestamp, in environment: RuleEnvironment
    ) throws(TSDBError) -> Bool {
        let from = lost.lastSeen - environment.engine.options.lookback
        let source = lost.finding.source.pairs.filter { $0.name != MetricName.label }
        var columns = SampleColumns()
        for selector in expr.selectors {
            let set = try environment.storage.select(selector.matchers, from: from, through: time)
            var isFound = false
            for index in 0..<set.count {
                let labels = set.labels(at: index)
                if source.contains(where: { pair in labels[pair.name].map { $0 != pair.value } ?? false }) { continue }
                columns.removeAll()
                try set.decode(index, from: from.milliseconds, through: time.milliseconds, into: &columns)
                guard columns.count > 0, columns.timestamps[columns.count - 1] > began.milliseconds else { return false }
                isFound = true
            }
            if !isFound { return false }
        }
        return true
    }
}
