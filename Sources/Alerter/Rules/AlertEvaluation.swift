import PromQL
import TSDB

/// From the result of an alerting rule's expression to its alerts.
extension RuleState {
    /// Evaluates the rule's alerts for `time` and returns what is written of them. On an error nothing has changed, unless it is the
    /// limit: then there are no alerts any more.
    mutating func alert(
        _ result: RuleResult, _ alerting: Rule.Alerting, limit: Int, at time: Timestamp,
        expand: (String, Labels, RuleValue) -> String
    ) throws(RuleError) -> [RuleSample] {
        let findings = try findings(result, alerting, expand)
        let activeCount = alerts.evaluate(
            findings, hold: alerting.hold, keepFiring: alerting.keepFiring, at: time)
        if limit > 0, activeCount > limit {
            alerts.removeAll()
            throw RuleError("exceeded limit of \(limit) with \(activeCount) alerts")
        }
        series.beginCycle()
        var samples: [RuleSample] = []
        guard alerts.isRestored else { return samples }
        var series = self.series
        alerts.updateEach { alert in
            guard !alert.isResolved else { return }
            let names = alert.series.labels(
                of: alert.labels, isFiring: alert.isFiring, named: alerting.name, base: labels)
            // Upstream stores whole seconds.
            let since = (Double(alert.activeAt.milliseconds) / 1000).rounded(.down)
            for (name, value) in [(names.alerts, 1), (names.forState, since)] {
                let (slot, isNew) = series.claim(name)
                if isNew { samples.append(RuleSample(slot: slot, value: value)) }
            }
        }
        self.series = series
        return samples
    }

    mutating func findings(
        _ result: RuleResult, _ alerting: Rule.Alerting, _ expand: (String, Labels, RuleValue) -> String
    ) throws(RuleError) -> [RuleAlerts.Finding] {
        // What depends on the value is made anew each time.
        let isTemplated = labels.pairs.contains { RuleTemplate.isTemplate($0.value) }
        let ruleLabels = labels
        var findings: [RuleAlerts.Finding] = []
        var seen: Set<Labels> = []
        memo.beginCycle()
        for (index, source) in result.labels.enumerated() {
            let value = result.value(index)
            func made(_ source: Labels) -> Labels {
                var builder = LabelsBuilder(source)
                builder.remove(MetricName.label)
                for pair in ruleLabels.pairs {
                    builder.set(pair.name, to: RuleTemplate.isTemplate(pair.value) ? expand(pair.value, source, value) : pair.value)
                }
                builder.set(AlertSeries.nameLabel, to: alerting.name)
                return builder.labels()
            }
            let labels = isTemplated ? made(source) : memo.labels(for: source, make: made)
            guard seen.insert(labels).inserted else { throw .duplicateAlerts }
            let annotations = Annotations(
                alerting.annotations.map { pair in
                    (name: pair.name, value: RuleTemplate.isTemplate(pair.template) ? expand(pair.template, source, value) : pair.template)
                })
            findings.append(.init(source: source, labels: labels, annotations: annotations, value: result.values[index]))
        }
        memo.endCycle(resultCount: result.labels.count)
        return findings
    }
}
