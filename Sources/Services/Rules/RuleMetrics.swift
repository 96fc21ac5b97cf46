import Alerter
import SelfMetrics
import Synchronization
import TSDB

/// The numbers behind `prometheus_rule_*`.
public final class RuleMetrics: Sendable {
    private struct Group {
        var interval: Double
        var rules: Int
        var iterations = 0
        var missed = 0
        var evaluations = 0
        var failures = 0
        var samples = 0
        var lastEvaluation = 0.0
        var lastSeconds = 0.0
        var lastRuleSeconds = 0.0
        var restoreSeconds = 0.0
    }

    private let groups = Mutex<[GroupKey: Group]>([:])
    private let ruleSeconds = Summary(), groupSeconds = Summary(quantiles: [0.01, 0.05, 0.5, 0.9, 0.99])
    /// Upstream's bounds.
    private let ruleHistogram = Histogram(bounds: [0.01, 0.1, 1, 10])
    private let groupHistogram = Histogram(bounds: [0.01, 0.1, 1, 10])

    init() {}

    func add(_ group: RuleGroup) {
        groups.withLock { groups in
            var known = groups[GroupKey(group)] ?? Group(interval: 0, rules: 0)
            known.interval = group.interval.seconds
            known.rules = group.rules.count
            groups[GroupKey(group)] = known
        }
    }

    func remove(_ key: GroupKey) { groups.withLock { $0[key] = nil } }

    private func update(_ key: GroupKey, _ change: (inout Group) -> Void) {
        groups.withLock { groups in
            guard var group = groups[key] else { return }
            change(&group)
            groups[key] = group
        }
    }

    func iterated(_ key: GroupKey, missed: Int) {
        update(key) { group in
            group.iterations += 1 + missed
            group.missed += missed
        }
    }

    func evaluated(_ key: GroupKey, _ report: GroupReport, at start: Timestamp) {
        for seconds in report.durations {
            ruleSeconds.observe(seconds)
            ruleHistogram.observe(seconds)
        }
        groupSeconds.observe(report.seconds)
        groupHistogram.observe(report.seconds)
        update(key) { group in
            group.evaluations += report.evaluationCount
            group.failures += report.failureCount
            group.samples = report.sampleCount
            group.lastEvaluation = start.seconds
            group.lastSeconds = report.seconds
            group.lastRuleSeconds = report.ruleSeconds
        }
    }

    func restored(_ key: GroupKey, seconds: Double) { update(key) { $0.restoreSeconds = seconds } }

    public func write(to page: inout MetricsPage) {
        let groups = groups.withLock { $0 }.sorted { $0.key < $1.key }
        func family(_ name: String, _ kind: MetricsPage.Kind, _ help: String, _ value: (Group) -> Double) {
            page.family(name, kind, help)
            for (key, group) in groups { page.sample(name, [("rule_group", key.text)], value(group)) }
        }
        page.family("prometheus_rule_evaluation_duration_seconds", .summary, "The duration for a rule to execute.")
        ruleSeconds.write("prometheus_rule_evaluation_duration_seconds", to: &page)
        page.family(
            "prometheus_rule_evaluation_duration_histogram_seconds", .histogram, "The duration for a rule to execute.")
        ruleHistogram.write("prometheus_rule_evaluation_duration_histogram_seconds", to: &page)
        page.family("prometheus_rule_group_duration_seconds", .summary, "The duration of rule group evaluations.")
        groupSeconds.write("prometheus_rule_group_duration_seconds", to: &page)
        page.family(
            "prometheus_rule_group_duration_histogram_seconds", .histogram, "The duration of rule group evaluations.")
        groupHistogram.write("prometheus_rule_group_duration_histogram_seconds", to: &page)
        family("prometheus_rule_evaluations_total", .counter, "The total number of rule evaluations.") { Double($0.evaluations) }
        family("prometheus_rule_evaluation_failures_total", .counter, "The total number of rule evaluation failures.") {
            Double($0.failures)
        }
        family(
            "prometheus_rule_group_iterations_total", .counter,
            "The total number of scheduled rule group evaluations, whether executed or missed."
        ) { Double($0.iterations) }
        family(
            "prometheus_rule_group_iterations_missed_total", .counter,
            "The total number of rule group evaluations missed due to slow rule group evaluation."
        ) { Double($0.missed) }
        family("prometheus_rule_group_interval_seconds", .gauge, "The interval of a rule group.") { $0.interval }
        family("prometheus_rule_group_rules", .gauge, "The number of rules.") { Double($0.rules) }
        family(
            "prometheus_rule_group_last_duration_seconds", .gauge, "The duration of the last rule group evaluation."
        ) { $0.lastSeconds }
        family(
            "prometheus_rule_group_last_rule_duration_sum_seconds", .gauge,
            "The sum of time in seconds it took to evaluate each rule in the group regardless of concurrency. This should be higher than the group duration if rules are evaluated concurrently."
        ) { $0.lastRuleSeconds }
        family(
            "prometheus_rule_group_last_restore_duration_seconds", .gauge,
            "The duration of the last alert rules alerts restoration using the `ALERTS_FOR_STATE` series."
        ) { $0.restoreSeconds }
        family(
            "prometheus_rule_group_last_evaluation_timestamp_seconds", .gauge,
            "The timestamp of the last rule group evaluation in seconds."
        ) { $0.lastEvaluation }
        family(
            "prometheus_rule_group_last_evaluation_samples", .gauge,
            "The number of samples returned during the last rule group evaluation."
        ) { Double($0.samples) }
    }
}
