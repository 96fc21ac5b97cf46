import PromQL
import Support
import TSDB

@testable import Alerter

/// A case of the alert generator compliance tests: samples every 15 seconds, a group evaluated every 30, alerts received as an
/// Alertmanager does, and checks of what the tester checks, in virtual time.
///
///     samples   3 5 0x2 9 0x3 11 …     `0xN`: the value before, N times more
///     tick       0  1 …                 one per 15 s; every second one evaluates
///
/// Source: prometheus/compliance, `alert_generator`: its `specification.md` and the expectations of `cases/`.
final class ComplianceStory {
    static let step = Duration.seconds(15)
    static let metric = "alert_generator_test_suite"

    /// An alert that was sent, with the time of its coming as a number of steps.
    struct Received {
        let tick: Int64
        let alert: Alert
        let at: Timestamp

        var isResolved: Bool { alert.isResolved(at: at) }
    }

    let story: RuleStory
    private let group: String
    private(set) var received: [Received] = []
    private var series: [(labels: Labels, values: [Double])] = []
    private var tick: Int64 = 0

    init(_ group: String, _ rules: [Rule]) {
        self.group = group
        story = RuleStory([])
        story.evaluation = GroupEvaluation(
            RuleGroup(name: group, file: "rules.yaml", interval: .seconds(30), labels: Annotations(), rules: rules))
    }

    /// The selector of a rule's own series.
    static func selector(_ group: String, _ alert: String) -> String {
        "\(metric){alertname=\"\(alert)\", rulegroup=\"\(group)\"}"
    }

    func load(_ text: String, alert: String, variant: String = "") {
        load(text, ["__name__": Self.metric, "alertname": alert, "rulegroup": group, "variant": variant])
    }

    func load(_ text: String, _ labels: Labels) {
        var values: [Double] = []
        for part in text.split(separator: " ") {
            if part.hasPrefix("0x"), let count = Int(part.dropFirst(2)), let last = values.last {
                values += Array(repeating: last, count: count)
            } else if let value = Double(part) {
                values.append(value)
            }
        }
        series.append((labels, values))
    }

    static func time(_ tick: Int64) -> Timestamp { RuleStory.start + .milliseconds(tick * step.milliseconds) }

    /// Plays up to step `end`. `check` looks at each state after an evaluation.
    func play(until end: Int64, check: (Int64) throws -> Void = { _ in }) rethrows {
        while tick <= end {
            story.clock.set(Self.time(tick))
            for row in series where Int(tick) < row.values.count { story.store(row.labels, row.values[Int(tick)]) }
            if tick % 2 == 0 {
                let report = story.evaluation.evaluate(at: story.now, in: story.environment)
                received += report.alerts.map { Received(tick: tick, alert: $0, at: story.now) }
                try check(tick)
            }
            tick += 1
        }
    }

    /// Steps at which `alert` came firing, and resolved.
    func sent(_ alert: String, variant: String? = nil) -> (firing: [Int64], resolved: [Int64]) {
        let own = received.filter { $0.alert.name == alert && $0.alert.labels["variant"] == variant }
        return (own.filter { !$0.isResolved }.map(\.tick), own.filter(\.isResolved).map(\.tick))
    }

    /// States of all active alerts, as `/api/v1/alerts` lists them: `name/variant state value`.
    var active: [String] {
        story.evaluation.status.rules.flatMap { $0.alerting?.alerts ?? [] }.map { alert in
            let variant = alert.labels["variant"].map { "/" + $0 } ?? ""
            return "\(alert.labels["alertname"] ?? "")\(variant) \(alert.isFiring ? "firing" : "pending") \(Int(alert.value))"
        }
    }
}
