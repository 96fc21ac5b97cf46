import Histograms
import PromQL
import TSDB

/// A rule at work: the rule, and what it keeps from one evaluation to the next.
struct RuleState: Sendable {
    let rule: Rule
    /// With the group's.
    let labels: Annotations
    /// The expression in its canonical form.
    let query: String

    var health = RuleHealth.unknown
    var lastError: String?
    var evaluationSeconds = 0.0
    /// When it was last evaluated, by the wall clock.
    var lastEvaluation: Timestamp?

    var memo = LabelMemo()
    var series = RuleSeries()
    /// Empty for a recording rule.
    var alerts = RuleAlerts()
    /// Of before a restart.
    var lost = LostAlerts()

    init(_ rule: Rule, in group: RuleGroup) {
        self.rule = rule
        labels = group.labels(of: rule)
        query = rule.expr.description
    }

    var alerting: Rule.Alerting? { if case .alerting(let alerting) = rule.kind { alerting } else { nil } }

    /// Takes over what a rule of the same name and labels has gathered (a reload).
    mutating func inherit(_ old: RuleState) {
        series = old.series
        if (alerting == nil) == (old.alerting == nil) { memo = old.memo }
        if alerting != nil { alerts.inherit(old.alerts) }
        if old.query == query { lost = old.lost }
    }
}

/// A result as rules see it: series with one value each.
struct RuleResult {
    var labels: [Labels]
    var values: [Double]
    /// Empty, or a place per series: those that are native histograms have one here, and 0 among `values`.
    var histograms: [FloatHistogram?] = []

    func histogram(_ index: Int) -> FloatHistogram? { histograms.isEmpty ? nil : histograms[index] }

    /// As templates see it.
    func value(_ index: Int) -> RuleValue { histogram(index).map { .histogram($0) } ?? .float(values[index]) }

    init(_ value: QueryResult.Value) throws(RuleError) {
        switch value {
        case .vector(let vector):
            labels = vector.labels
            values = vector.values
            guard !vector.histograms.isEmpty else { break }
            histograms = vector.histograms
            for index in histograms.indices where histograms[index] != nil { values[index] = 0 }
        case .scalar(let value, _):
            labels = [Labels()]
            values = [value]
        case .string, .matrix, .samples: throw RuleError("rule result is not a vector or scalar")
        }
    }
}

// MARK: Recording

extension RuleState {
    /// What a recording rule writes: a slot and a value per series of the result.
    mutating func record(_ result: RuleResult, as metric: String, limit: Int) throws(RuleError) -> [RuleSample] {
        var samples: [RuleSample] = []
        samples.reserveCapacity(result.labels.count)
        series.beginCycle()
        memo.beginCycle()
        let ruleLabels = labels
        for (index, source) in result.labels.enumerated() {
            let made = memo.labels(for: source) { source in
                var builder = LabelsBuilder(source)
                builder.set(MetricName.label, to: metric)
                for pair in ruleLabels.pairs { builder.set(pair.name, to: pair.value) }
                return builder.labels()
            }
            let (slot, isNew) = series.claim(made)
            guard isNew else { throw .duplicateSeries }
            samples.append(RuleSample(slot: slot, value: result.values[index], histogram: result.histogram(index)))
        }
        memo.endCycle(resultCount: result.labels.count)
        if limit > 0, samples.count > limit {
            throw RuleError("exceeded limit of \(limit) with \(samples.count) series")
        }
        return samples
    }
}

/// One value for one of a rule's series: a float, or a native histogram.
struct RuleSample {
    var slot: Int
    var value: Double
    var histogram: FloatHistogram?
}
