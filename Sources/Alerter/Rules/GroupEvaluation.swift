import PromQL
import TSDB

/// A group at work: evaluates its rules in order, writes what they give, and says which alerts are to be reported.
///
///     evaluate(at: t) ─▶ rule 1: Engine.instant ─▶ samples ─▶ storage
///                        rule 2: sees what rule 1 wrote … ─▶ alerts
///                        ─▶ GroupReport
///
/// Source: Prometheus 3.14, `rules/group.go`.
public struct GroupEvaluation: Sendable {
    public let group: RuleGroup
    var rules: [RuleState]
    /// Series of rules that a reload has removed; ended with the next evaluation.
    var staleSeries: [Labels] = []
    var evaluationSeconds = 0.0
    /// When the last evaluation began, by the wall clock.
    var lastEvaluation: Timestamp?
    /// What it was first evaluated for, and where the state of before a restart was looked for: the same.
    var firstEvaluation: Timestamp?
    var restoredAt: Timestamp?

    /// `isRestored`: there is no state of before a restart to look for.
    public init(_ group: RuleGroup, isRestored: Bool = true) {
        self.group = group
        rules = group.rules.map { RuleState($0, in: group) }
        for index in rules.indices { rules[index].alerts.isRestored = isRestored }
    }

    /// Evaluates all rules for `time`.
    public mutating func evaluate(at time: Timestamp, in environment: RuleEnvironment) -> GroupReport {
        let began = environment.stopwatch()
        let start = environment.clock.now()
        var report = GroupReport()
        if firstEvaluation == nil { firstEvaluation = time }
        let cycle = Cycle(time: time, reads: CycleReads(environment.storage), environment: environment)
        for index in rules.indices {
            guard !environment.shouldStop() else { return report }
            evaluate(rule: index, cycle, &report)
        }
        endStaleSeries(at: time - group.queryOffset, in: environment.storage, &report)
        report.seconds = Double(environment.stopwatch() &- began) * 1e-9
        report.ruleSeconds = rules.reduce(0) { $0 + $1.evaluationSeconds }
        evaluationSeconds = report.seconds
        lastEvaluation = start
        return report
    }

    /// Ends all series of the group, which is no longer: at `time`, when it was removed. Those that another group has written since go on.
    public mutating func retire(at time: Timestamp, in storage: any RuleStorage) throws(TSDBError) {
        let end = time - group.queryOffset
        var ended: [Labels] = []
        for labels in staleSeries + rules.flatMap({ $0.series.present })
        where try !StaleSeries.goesOn(labels, after: end, in: storage) { ended.append(labels) }
        try StaleSeries.end(ended, at: end, in: storage)
    }

    private mutating func endStaleSeries(
        at time: Timestamp, in storage: any RuleStorage, _ report: inout GroupReport
    ) {
        do throws(TSDBError) {
            try StaleSeries.end(staleSeries, at: time, in: storage)
            staleSeries = []
        } catch {
            report.problems.append(.init(rule: "", message: error.message))
        }
    }
}

/// What one evaluation of a group came to.
public struct GroupReport: Sendable {
    public struct Problem: Sendable, Equatable {
        /// Empty for the group's own.
        public var rule: String
        public var message: String
    }

    /// To be reported now, rule by rule.
    public var alerts: [Alert] = []
    public var evaluationCount = 0
    public var failureCount = 0
    public var sampleCount = 0
    public var seconds = 0.0
    /// Of all rules together.
    public var ruleSeconds = 0.0
    public var problems: [Problem] = []
    /// How long each rule took.
    public var durations: [Double] = []
}

// MARK: One rule

extension GroupEvaluation {
    /// What the rules of one cycle share.
    private struct Cycle {
        let time: Timestamp
        let reads: CycleReads
        let environment: RuleEnvironment
    }

    private mutating func evaluate(rule index: Int, _ cycle: Cycle, _ report: inout GroupReport) {
        let environment = cycle.environment
        let began = environment.stopwatch()
        rules[index].lastEvaluation = environment.clock.now()
        report.evaluationCount += 1
        do throws(RuleError) {
            let samples = try samples(of: index, cycle)
            rules[index].health = .ok
            rules[index].lastError = nil
            report.sampleCount += samples.count
            if rules[index].alerting != nil {
                settleLost(index, at: cycle.time, in: environment)
                report.alerts += alerts(of: index, cycle)
            }
            try write(samples, of: index, cycle, &report)
        } catch {
            fail(index, error.message, &report)
            report.failureCount += 1
        }
        rules[index].evaluationSeconds = Double(environment.stopwatch() &- began) * 1e-9
        report.durations.append(rules[index].evaluationSeconds)
    }

    private mutating func fail(_ index: Int, _ message: String, _ report: inout GroupReport) {
        rules[index].health = .failing
        rules[index].lastError = message
        report.problems.append(.init(rule: rules[index].rule.name, message: message))
    }

    private mutating func samples(of index: Int, _ cycle: Cycle) throws(RuleError) -> [RuleSample] {
        let rule = rules[index].rule
        let result: RuleResult
        do throws(QueryError) {
            let answer = try cycle.environment.engine.instant(
                rule.expr, rule.query, on: cycle.reads, at: cycle.time - group.queryOffset)
            result = try Self.result(answer)
        } catch {
            throw RuleError(error.message)
        }
        switch rule.kind {
        case .recording(let metric): return try rules[index].record(result, as: metric, limit: group.limit)
        case .alerting(let alerting):
            return try rules[index].alert(
                result, alerting, limit: group.limit, at: cycle.time,
                expand: expansion(alerting, on: cycle.reads, at: cycle.time, in: cycle.environment))
        }
    }

    private static func result(_ answer: QueryResult) throws(QueryError) -> RuleResult {
        do throws(RuleError) { return try RuleResult(answer.value) } catch {
            throw QueryError(.evaluation, error.message)
        }
    }

    /// Fills in templates of a rule. They may ask queries of their own, at the time of the evaluation.
    func expansion(
        _ alerting: Rule.Alerting, on storage: any Queryable, at time: Timestamp, in environment: RuleEnvironment
    ) -> (String, Labels, RuleValue) -> String {
        let template = RuleTemplate(
            externalLabels: environment.externalLabels, externalURL: environment.externalURL, at: time
        ) { (text: String) throws(QueryError) -> QueryResult.Value in
            try environment.engine.instant(text, on: storage, at: time).value
        }
        return { text, labels, value in
            switch template.expand(text, name: "__alert_\(alerting.name)", labels: labels, value: value) {
            case .success(let text): text
            case .failure(let error): "<error expanding template: \(error.message)>"
            }
        }
    }

    private mutating func alerts(of index: Int, _ cycle: Cycle) -> [Alert] {
        let environment = cycle.environment
        return rules[index].alerts.send(
            at: cycle.time, resendDelay: environment.resendDelay, every: max(group.interval, environment.resendDelay),
            generatorURL: AlertLink.url(rules[index].query, external: environment.externalURL))
    }

    private mutating func write(
        _ samples: [RuleSample], of index: Int, _ cycle: Cycle, _ report: inout GroupReport
    ) throws(RuleError) {
        let problem: String?
        do throws(TSDBError) {
            problem = try rules[index].write(samples, at: cycle.time - group.queryOffset, to: cycle.environment.storage)
        } catch {
            throw RuleError(error.message)
        }
        // The sample is not stored, but the rule was evaluated: unhealthy, and no failed evaluation.
        if let problem { fail(index, problem, &report) }
        for metric in rules[index].writtenMetrics { cycle.reads.forget(metric: metric) }
    }
}
