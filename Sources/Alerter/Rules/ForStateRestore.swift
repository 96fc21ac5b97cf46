import TSDB

/// After a restart: alerts go on from where `ALERTS_FOR_STATE` says they were.
///
///     active ───────────────── down ░░░░░░░░░░░░ restored        for: 2h
///        │◀─ 80m of pending ──▶│     20m outage     │
///     time left: 40m, more than the grace period ─▶ active since is moved by the outage; it fires 40m from now
///     time left: 5m ─▶ fires after the grace period (10m), so that it is not the restart that fires it
///     time left: 0 ─▶ it was firing: fires again with the next evaluation
///
/// Rules whose `for` is shorter than the grace period begin anew, which takes no longer.
/// Source: Prometheus 3.14, `Group.RestoreForState`.
extension GroupEvaluation {
    /// To be called after the second evaluation: the first may lack samples that were not scraped yet. Returns what went wrong.
    public mutating func restoreForState(at now: Timestamp, in environment: RuleEnvironment) -> [String] {
        var problems: [String] = []
        for index in rules.indices {
            guard let alerting = rules[index].alerting else { continue }
            defer { rules[index].alerts.isRestored = true }
            guard alerting.hold >= environment.gracePeriod else { continue }
            do throws(TSDBError) {
                let stored = try stored(forStateOf: rules[index], alerting.name, at: now, environment)
                rules[index].alerts.updateEach { alert in
                    guard let last = stored[alert.labels], !StaleMarker.isStale(last.value) else { return }
                    alert.activeAt = Self.activeSince(last, hold: alerting.hold, at: now, grace: environment.gracePeriod)
                }
            } catch {
                problems.append("\(alerting.name): \(error.message)")
            }
        }
        return problems
    }

    private struct Stored {
        /// When the alert was last active.
        var time: Timestamp
        /// Since when, in seconds.
        var value: Double
    }

    private func stored(
        forStateOf state: RuleState, _ name: String, at now: Timestamp, _ environment: RuleEnvironment
    ) throws(TSDBError) -> [Labels: Stored] {
        var wanted = LabelsBuilder()
        // Values of templates differ from alert to alert.
        for pair in state.labels.pairs where !RuleTemplate.isTemplate(pair.value) { wanted.set(pair.name, to: pair.value) }
        wanted.set(MetricName.label, to: AlertSeries.forState)
        wanted.set(AlertSeries.nameLabel, to: name)
        let from = now - environment.outageTolerance
        let set = try environment.storage.select(
            wanted.pairs.map { .equal($0.name, $0.value) }, from: from, through: now)
        var result: [Labels: Stored] = [:]
        var columns = SampleColumns()
        for index in 0..<set.count {
            columns.removeAll()
            try set.decode(index, from: from.milliseconds, through: now.milliseconds, into: &columns)
            guard columns.count > 0 else { continue }
            let last = columns.count - 1
            result[set.labels(at: index).dropping([MetricName.label])] = Stored(
                time: Timestamp(milliseconds: columns.timestamps[last]), value: columns.values[last])
        }
        return result
    }

    private static func activeSince(_ last: Stored, hold: Duration, at now: Timestamp, grace: Duration) -> Timestamp {
        // Whole seconds, as upstream keeps them.
        let downAt = Timestamp(milliseconds: last.time.milliseconds / 1000 * 1000)
        let seconds = Int64(exactly: last.value.rounded(.towardZero)) ?? 0
        let (milliseconds, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        let since = Timestamp(milliseconds: overflow ? 0 : milliseconds)
        let remaining = hold - (downAt - since)
        if remaining <= .zero { return since }
        if remaining < grace { return now + grace - hold }
        return since + (now - downAt)
    }
}
