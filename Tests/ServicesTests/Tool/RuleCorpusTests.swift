import Alerter
import ConfigurationFile
import JSON
import PromQL
import Support
import TSDB
import Testing

/// The alert rules of Tests/rules over their data, held against what Prometheus 3.5.3 made of them (`Tests/system/rule_corpus.py`).
@Suite("A corpus of rules")
struct RuleCorpusTests {
    static let folder = String(#filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()) + "/rules/"
    static let start: Int64 = 1_700_000_000_000
    static let step: Int64 = 30_000
    /// Two and a half hours after the start; between two samples, as anyone would ask.
    static let now = Timestamp(milliseconds: start + 300 * step + 12_345)

    struct Expected {
        var labels: [String: String]
        var annotations: [String: String]
        var value: Double
    }

    static func text(_ name: String) throws -> [UInt8] {
        try #require(SharedData.read(folder + name), "\(folder)\(name)")
    }

    static func storage(_ families: [String]) throws -> MemorySeries {
        let storage = MemorySeries()
        for family in families {
            for line in String(decoding: try text(family + ".series"), as: UTF8.self).split(separator: "\n") {
                let series = try SeriesNotation.series(String(line))
                for (index, item) in series.values.enumerated() {
                    if case .value(let value) = item {
                        storage.append(series.labels, start + Int64(index) * step, value)
                    }
                }
            }
        }
        return storage
    }

    static func strings(_ value: JSONValue?) -> [String: String] {
        guard case .object(let members)? = value else { return [:] }
        return Dictionary(members.map { ($0.name, string($0.value)) }) { $1 }
    }

    static func string(_ value: JSONValue?) -> String {
        if case .string(let text)? = value { text } else { "" }
    }

    static func list(_ value: JSONValue?) -> [JSONValue] {
        if case .array(let elements)? = value { elements } else { [] }
    }

    static func member(_ name: String, of value: JSONValue) -> JSONValue? {
        guard case .object(let members) = value else { return nil }
        return members.first { $0.name == name }?.value
    }

    @Test("labels and annotations come out as Prometheus writes them")
    func corpus() throws {
        let groups = Self.list(try JSONValue(parsing: String(decoding: try Self.text("expected.json"), as: UTF8.self)))
        let families = groups.map { Self.string(Self.member("group", of: $0)) }
        let storage = try Self.storage(families)
        var ruleCount = 0, textCount = 0
        for (family, recorded) in zip(families, groups) {
            let parsed = try RuleFile.parse(try Self.text(family + ".yml"), file: family, global: .minutes(1))
            let rules = try #require(parsed.first).rules
            let expected = Self.list(Self.member("rules", of: recorded))
            #expect(rules.count == expected.count)
            let template = RuleTemplate(
                externalLabels: ["cluster": "blue", "region": "eu-west-1"],
                externalURL: "http://prometheus.example.com/metrics", at: Self.now
            ) { (query: String) throws(QueryError) in try Engine().instant(query, on: storage, at: Self.now).value }
            for (rule, expected) in zip(rules, expected) {
                guard case .alerting(let alerting) = rule.kind else { continue }
                ruleCount += 1
                let found = try alerts(rule, alerting, template, storage)
                let wanted = Self.list(Self.member("alerts", of: expected)).map { alert in
                    Expected(
                        labels: Self.strings(Self.member("labels", of: alert)),
                        annotations: Self.strings(Self.member("annotations", of: alert)),
                        value: Double(Self.string(Self.member("value", of: alert))) ?? .nan)
                }
                #expect(found.count == wanted.count && !wanted.isEmpty, "\(alerting.name)")
                for alert in wanted {
                    guard let ours = found.first(where: { $0.labels == alert.labels }) else {
                        Issue.record("\(alerting.name): no alert \(alert.labels), but \(found.map(\.labels))")
                        continue
                    }
                    for (name, text) in alert.annotations {
                        textCount += 1
                        #expect(ours.annotations[name] == text, "\(alerting.name) \(name)")
                    }
                    #expect(abs(ours.value - alert.value) <= 1e-9 * abs(alert.value), "\(alerting.name)")
                }
            }
        }
        #expect(ruleCount >= 300)
        #expect(textCount >= 1000)
    }

    private func alerts(
        _ rule: Rule, _ alerting: Rule.Alerting, _ template: RuleTemplate, _ storage: MemorySeries
    ) throws -> [Expected] {
        let answer = try Engine().instant(rule.expr, rule.query, on: storage, at: Self.now).value
        guard case .vector(let vector) = answer else { return [] }
        return zip(vector.labels, vector.values).map { source, value in
            func filled(_ text: String) -> String {
                switch template.expand(text, name: "__alert_\(alerting.name)", labels: source, value: value) {
                case .success(let text): text
                case .failure(let error): "<error expanding template: \(error.message)>"
                }
            }
            var labels = LabelsBuilder(source)
            labels.remove(MetricName.label)
            for label in rule.labels.pairs { labels.set(label.name, to: filled(label.value)) }
            labels.set("alertname", to: alerting.name)
            return Expected(
                labels: Dictionary(labels.labels().pairs.map { ($0.name, $0.value) }) { $1 },
                annotations: Dictionary(alerting.annotations.map { ($0.name, filled($0.template)) }) { $1 },
                value: value)
        }
    }
}
