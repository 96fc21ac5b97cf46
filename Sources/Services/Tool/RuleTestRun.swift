import Alerter
import ConfigurationFile
import Histograms
import Numbers
import PromQL
import Synchronization
import TSDB

/// One test of rules: series come in, rules are evaluated step by step, and what they make is held against what is expected.
///
///     t = 0, 1m, 2m …   series up to t ─▶ groups in order ─▶ alerts that fire at t
///     afterwards        expressions, each at its time
///
/// Everything happens in memory, on a clock of its own.
struct RuleTestRun {
    struct File {
        var path: String
        var content: Result<[UInt8], TSDBError>
    }

    /// Evaluations of one test. Minutes of a year are half a million.
    static let maximumEvaluations: Int64 = 1_000_000

    let test: RuleTestFile.Test
    let interval: Duration
    let order: [String: Int]
    let isFuzzy: Bool
    let showsDifference: Bool
    let options: ParserOptions

    private let clock = SetClock()
    private let database: Database

    init(
        _ test: RuleTestFile.Test, every interval: Duration, order: [String: Int], isFuzzy: Bool, showsDifference: Bool,
        options: ParserOptions
    ) {
        self.test = test
        self.interval = interval
        self.order = order
        self.isFuzzy = isFuzzy
        self.showsDifference = showsDifference
        self.options = options
        database = Database.inMemory(clock: clock)
    }

    /// What does not come out as expected; empty: all is well.
    func problems(_ files: [File]) -> [String] {
        var series: RuleTestSeries
        do throws(RuleTestError) { series = try RuleTestSeries(test) } catch { return [error.message] }
        let (groups, wrong) = groups(files)
        guard wrong.isEmpty else { return wrong }
        if let nameless = test.alerts.first(where: { $0.name.isEmpty }) {
            let place = test.name.isEmpty ? "" : " (in TestGroup \(test.name))"
            return [
                "an item under alert_rule_test misses required attribute alertname at eval_time \(text(nameless.time))\(place)"
            ]
        }
        let last = max(test.alerts.map(\.time).max() ?? .zero, test.expressions.map(\.time).max() ?? .zero)
        guard last.milliseconds / max(interval.milliseconds, 1) < Self.maximumEvaluations else {
            return ["takes more than \(Self.maximumEvaluations) evaluations"]
        }
        do throws(RuleTestError) {
            let problems = try evaluate(groups, &series, through: last)
            return problems + test.expressions.compactMap { problem($0, environment.engine) }
        } catch {
            return [error.message]
        }
    }

    private func text(_ duration: Duration) -> String { DurationText.string(milliseconds: duration.milliseconds) }

    // MARK: Rules

    private func groups(_ files: [File]) -> (groups: [GroupEvaluation], problems: [String]) {
        var groups: [RuleGroup] = []
        for file in files {
            let text: [UInt8]
            switch file.content {
            case .success(let bytes): text = bytes
            case .failure(let error): return ([], ["\(file.path): \(error.message)"])
            }
            let check = RuleFileCheck(text, options: options)
            guard check.problems.isEmpty else { return ([], check.problems.map { "\(file.path): \($0)" }) }
            do throws(ConfigError) {
                groups += try RuleFile.parse(text, file: file.path, global: test.interval, options: options)
            } catch {
                return ([], [error.description])
            }
        }
        let ordered = groups.indices.sorted { a, b in
            let (first, second) = (order[groups[a].name] ?? 0, order[groups[b].name] ?? 0)
            return first == second ? a < b : first < second
        }
        return (ordered.map { GroupEvaluation(groups[$0]) }, [])
    }

    private var environment: RuleEnvironment {
        var engine = EngineOptions()
        engine.defaultSubqueryStep = interval
        engine.parser = options
        var environment = RuleEnvironment(storage: database, engine: Engine(engine), clock: clock)
        environment.externalLabels = test.externalLabels
        environment.externalURL = test.externalURL
        return environment
    }

    private func evaluate(
        _ groups: [GroupEvaluation], _ series: inout RuleTestSeries, through last: Duration
    ) throws(RuleTestError) -> [String] {
        var groups = groups
        let environment = environment
        var waiting = test.alerts.sorted { $0.time < $1.time }[...]
        var problems: [String] = []
        var passed = Duration.zero
        while passed <= last {
            let now = test.start + passed
            clock.set(now)
            try series.append(through: passed, to: database)
            for index in groups.indices { _ = groups[index].evaluate(at: now, in: environment) }
            let failures = groups.flatMap { group in
                group.status.rules.compactMap { rule in
                    rule.lastError.map { error in
                        let time = DurationText.goString(milliseconds: passed.milliseconds)
                        return "    rule: \(rule.name), time: \(time), err: \(error)"
                    }
                }
            }
            // What comes after a rule that fails means nothing.
            if !failures.isEmpty { return problems + failures }
            while let next = waiting.first, next.time < passed + interval {
                if let problem = problem(next, groups) { problems.append(problem) }
                waiting.removeFirst()
            }
            passed = passed + interval
        }
        return problems
    }

    // MARK: What is expected

    private func problem(_ expected: RuleTestFile.AlertTest, _ groups: [GroupEvaluation]) -> String? {
        let firing = groups.flatMap { $0.status.rules }.filter { $0.name == expected.name }
            .flatMap { $0.alerting?.alerts ?? [] }.filter(\.isFiring)
        let found = ShownAlert.sorted(
            firing.map { alert in
                ShownAlert(labels: Annotations(alert.labels.pairs), annotations: alert.annotations)
            })
        let wanted = ShownAlert.sorted(
            expected.expected.map { alert in
                var labels = alert.labels
                labels["alertname"] = expected.name
                return ShownAlert(labels: labels.withoutEmpty, annotations: alert.annotations.withoutEmpty)
            })
        // Labels upstream cannot be empty, and annotations are labels there.
        guard wanted != found.map({ ShownAlert(labels: $0.labels, annotations: $0.annotations.withoutEmpty) }) else {
            return nil
        }
        let name = test.name.isEmpty ? "" : "    name: \(test.name),\n"
        let place = "\(name)    alertname: \(expected.name), time: \(text(expected.time)), \n"
        let (left, right) = (ShownAlert.list(wanted), ShownAlert.list(found))
        if showsDifference {
            return place + "        diff: " + ShownAlert.indented(LineDifference.text(left, right), "            ")
        }
        return place + "        exp:\(ShownAlert.indented(left, "            ")), \n"
            + "        got:\(ShownAlert.indented(right, "            "))"
    }

    private func problem(_ expected: RuleTestFile.ExpressionTest, _ engine: Engine) -> String? {
        let place = "    expr: \(QuotedText.go(expected.expression)), time: \(text(expected.time)),"
        let found: [ShownSample]
        do throws(QueryError) {
            let answer = try engine.instant(expected.expression, on: database, at: test.start + expected.time)
            guard let samples = ShownSample.samples(answer.value) else {
                return place + " err: rule result is not a vector or scalar"
            }
            found = samples.sorted { $0.labels < $1.labels }
        } catch {
            return place + " err: \(error.code == .syntax ? error.positioned(in: expected.expression) : error.message)"
        }
        var wanted: [ShownSample] = []
        for sample in expected.expected {
            do throws(SeriesNotation.Fault) {
                wanted.append(ShownSample(labels: try SeriesNotation.labels(sample.labels), value: sample.value))
            } catch {
                let reason = Self.complaint(sample.labels) ?? error.message
                return place + " err: labels \(QuotedText.go(sample.labels)): \(reason)"
            }
            if sample.histogram.isEmpty { continue }
            switch Self.histogram(sample.histogram) {
            case .success(let histogram): wanted[wanted.count - 1].histogram = histogram.testExpression
            case .failure(let error):
                return place + " err: labels \(QuotedText.go(sample.labels)): \(error.message)"
            }
        }
        wanted.sort { $0.labels < $1.labels }
        let isSame = wanted.count == found.count && zip(wanted, found).allSatisfy { $0.equals($1, isFuzzy: isFuzzy) }
        if isSame { return nil }
        return place + "\n        exp: \(ShownSample.list(wanted))\n        got: \(ShownSample.list(found))"
    }

    /// The one histogram that `text` gives.
    private static func histogram(_ text: String) -> Result<FloatHistogram, RuleTestError> {
        let values: [SeriesNotation.Item]
        do throws(SeriesNotation.Fault) { values = try SeriesNotation.values(text) } catch {
            return .failure(RuleTestError(message: error.message))
        }
        guard values.count == 1, let value = values.first else {
            return .failure(RuleTestError(message: "expected 1 value, got \(values.count)"))
        }
        guard case .histogram(let histogram, _) = value else {
            return .failure(RuleTestError(message: "expected histogram, got \(text)"))
        }
        return .success(histogram)
    }

    /// What the language itself says of a series that cannot be read.
    private static func complaint(_ series: String) -> String? {
        do throws(QueryError) {
            _ = try Parser.parse(series)
            return nil
        } catch {
            return error.positioned(in: series)
        }
    }
}

/// Why a test cannot run.
struct RuleTestError: Error {
    var message: String
}

/// A clock that shows what it was set to.
private final class SetClock: WallClock {
    private let time = Mutex(Timestamp(milliseconds: 0))
    func now() -> Timestamp { time.withLock { $0 } }
    func set(_ now: Timestamp) { time.withLock { $0 = now } }
}
