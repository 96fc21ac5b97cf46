import TSDB

/// After a restart: alerts go on from where `ALERTS_FOR_STATE` says they were.
///
///     active ───────────────── down ░░░░░░░░░░░░ restored        for: 2h
///        │◀─ 80m of pending ──▶│     20m outage     │
///     time left: 40m, more than the grace period ─▶ active since is moved by the outage; it fires 40m from now
///     time left: 5m ─▶ fires after the grace period (10m), so that it is not the restart that fires it
///     time left: 0 ─▶ it was firing: fires again with the next evaluation
///
/// Rules whose `for` is shorter than the grace period begin anew, which takes no longer. An alert that fired, as `ALERTS` says, goes on
/// firing whatever its `for` is, so that nobody holds it for over meanwhile; upstream lets it begin anew. One that fired and is no
/// longer active is over, and that is reported (`LostAlerts`).
/// Source: Prometheus 3.14, `Group.RestoreForState`.
extension GroupEvaluation {
    /// To be called after the second evaluation: the first may lack samples that were not scraped yet. Returns what went wrong.
    public mutating func restoreForState(at now: Timestamp, in environment: RuleEnvironment) -> [String] {
        var problems: [String] = []
        restoredAt = firstEvaluation ?? now
        for index in rules.indices {
            guard let alerting = rules[index].alerting else { continue }
            defer { rules[index].alerts.isRestored = true }
            do throws(TSDBError) {
                let fired = try firedBefore(rules[index], alerting.name, at: now, environment)
                guard alerting.hold >= environment.gracePeriod || !fired.isEmpty else { continue }
                let stored = try stored(AlertSeries.forState, of: rules[index], alerting.name, at: now, environment)
                rules[index].alerts.updateEach { alert in
                    guard let last = stored[alert.labels], !StaleMarker.isStale(last.value) else { return }
                    if alerting.hold >= environment.gracePeriod {
                        alert.activeAt = Self.activeSince(
                            last, seenAgain: alert.activeAt, hold: alerting.hold, at: now, grace: environment.gracePeriod)
                    } else if fired[alert.labels] != nil {
                        alert.activeAt = min(alert.activeAt, Self.seconds(last.value))
                    }
                }
                findLost(
                    index, fired: fired, since: stored.compactMapValues { StaleMarker.isStale($0.value) ? nil : Self.seconds($0.value) },
                    in: environment)
            } catch {
                problems.append("\(alerting.name): \(error.message)")
            }
        }
        return problems
    }

    struct Stored {
        /// When the alert was last active.
        var time: Timestamp
        /// Since when, in seconds.
        var value: Double
    }

    /// The last samples of one of the rule's series, by the alert's labels.
    func stored(
        _ metric: String, and others: [Matcher] = [], of state: RuleState, _ name: String, at now: Timestamp, _ environment: RuleEnvironment
    ) throws(TSDBError) -> [Labels: Stored] {
        var wanted = LabelsBuilder()
        // Values of templates differ from alert to alert.
        for pair in state.labels.pairs where !RuleTemplate.isTemplate(pair.value) { wanted.set(pair.name, to: pair.value) }
        wanted.set(MetricName.label, to: metric)
        wanted.set(AlertSeries.nameLabel, to: name)
        let from = now - environment.outageTolerance
        let set = try environment.storage.select(
            wanted.pairs.map { .equal($0.name, $0.value) } + others, from: from, through: now)
        var result: [Labels: Stored] = [:]
        var columns = SampleColumns()
        for index in 0..<set.count {
            columns.removeAll()
            try set.decode(index, from: from.milliseconds, through: now.milliseconds, into: &columns)
            guard columns.count > 0 else { continue }
            let last = columns.count - 1
            result[set.labels(at: index).dropping([MetricName.label, AlertSeries.stateLabel])] = Stored(
                time: Timestamp(milliseconds: columns.timestamps[last]), value: columns.values[last])
        }
        return result
    }

    /// The outage is the time in which nobody saw the alert. Upstream counts from the whole second before to the restore, and so lets
    /// alerts fire up to a second and two evaluations later.
    private static func activeSince(
        _ last: Stored, seenAgain: Timestamp, hold: Duration, at now: Timestamp, grace: Duration
    ) -> Timestamp {
        let downAt = last.time
        let since = seconds(last.value)
        let remaining = hold - (downAt - since)
        if remaining <= .zero { return since }
        if remaining < grace { return now + grace - hold }
        return since + max(.zero, seenAgain - downAt)
    }

    private static func seconds(_ value: Double) -> Timestamp {
        let (milliseconds, overflow) = (Int64(exactly: value.rounded(.towardZero)) ?? 0).multipliedReportingOverflow(by: 1000)
        return Timestamp(milliseconds: overflow ? 0 : milliseconds)
    }
}
