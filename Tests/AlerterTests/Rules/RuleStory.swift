import PromQL
import Support
import Synchronization
import TSDB

@testable import Alerter

/// PromQL has notes on queries of this name.
typealias Annotations = Alerter.Annotations

/// A group of rules over a database in memory, minute by minute.
///
///     var story = try RuleStory([.alert("Down", "up == 0", hold: .minutes(2))])
///     story.play("up", "11000.1")       one character per minute: a value, or . for no sample
final class RuleStory {
    static let start = Timestamp(milliseconds: 1_700_000_000_000)

    let clock = ManualClock(start)
    let database: Database
    var environment: RuleEnvironment
    var evaluation: GroupEvaluation
    private(set) var report = GroupReport()

    init(
        _ rules: [Rule], limit: Int = 0, labels: Annotations = Annotations(), queryOffset: Duration = .zero,
        isRestored: Bool = true, database: Database? = nil, name: String = "g"
    ) {
        self.database = database ?? Database.inMemory(clock: clock)
        environment = RuleEnvironment(storage: self.database, engine: Engine(), clock: clock)
        environment.externalURL = "http://prometheus.example:9090"
        evaluation = GroupEvaluation(
            Self.group(rules, limit: limit, labels: labels, queryOffset: queryOffset, name: name), isRestored: isRestored)
    }

    static func group(
        _ rules: [Rule], limit: Int = 0, labels: Annotations = Annotations(), queryOffset: Duration = .zero,
        name: String = "g"
    ) -> RuleGroup {
        RuleGroup(
            name: name, file: "rules.yml", interval: .minutes(1), limit: limit, queryOffset: queryOffset, labels: labels,
            rules: rules)
    }

    var now: Timestamp { clock.now() }

    func store(_ labels: Labels, _ value: Double, at time: Timestamp? = nil) {
        var batch = SampleBatch()
        guard let reference = try? database.reference(for: labels) else { return }
        batch.append(reference, at: time ?? now, value: value)
        _ = try? database.append(batch)
    }

    /// Evaluates at the clock's time, then moves it by a minute.
    @discardableResult
    func tick() -> GroupReport {
        report = evaluation.evaluate(at: now, in: environment)
        clock.advance(by: .minutes(1))
        return report
    }

    /// One character of `values` per minute: the digit is stored as the sample of `labels`, a dot ends the series. Returns one
    /// character per minute: what has become of the only alert.
    func play(_ values: String, of labels: Labels = ["__name__": "x"]) -> String {
        var shown = ""
        for character in values {
            if let value = character.wholeNumberValue {
                store(labels, Double(value))
            } else {
                store(labels, StaleMarker.value)
            }
            tick()
            shown.append(letter)
        }
        return shown
    }

    /// `P` pending, `F` firing, `K` firing because it is kept, `R` resolved, `-` none.
    private var letter: Character {
        guard let alert = evaluation.rules.lazy.flatMap({ $0.alerts.all }).first else { return "-" }
        switch alert.phase {
        case .pending: return "P"
        case .firing(_, let keptSince): return keptSince == nil ? "F" : "K"
        case .resolved: return "R"
        }
    }

    /// The answer to an instant query at the time of the last evaluation, as `{labels} value` lines, sorted.
    func query(_ text: String, at time: Timestamp? = nil) throws -> [String] {
        let time = time ?? (now - .minutes(1))
        guard case .vector(let vector) = try environment.engine.instant(text, on: database, at: time).value else { return [] }
        return zip(vector.labels, vector.values).map { "\($0) \(Int($1))" }.sorted()
    }
}

extension Rule {
    static func alert(
        _ name: String, _ query: String, hold: Duration = .zero, keep: Duration = .zero, labels: Annotations = [:],
        annotations: [(name: String, template: String)] = []
    ) throws -> Rule {
        Rule(
            .alerting(.init(name: name, hold: hold, keepFiring: keep, annotations: annotations)), query: query,
            expr: try Parser.parse(query), labels: labels)
    }

    static func record(_ metric: String, _ query: String, labels: Annotations = [:]) throws -> Rule {
        Rule(.recording(metric: metric), query: query, expr: try Parser.parse(query), labels: labels)
    }
}
