import Alerter
import Numbers
import TSDB

/// Reads a file of tests and the configuration it names.
public struct AlertmanagerTestReader {
    /// Alerts of one test.
    public static let maximumAlerts = 10_000
    /// A test's time.
    public static let maximumDuration = TSDB.Duration.hours(366 * 24)
    /// Monday, noon.
    static let start = "2026-01-05T12:00:00Z"

    public var path: String
    public var read: (_ path: String) throws(TSDBError) -> [UInt8]

    public init(path: String, read: @escaping (_ path: String) throws(TSDBError) -> [UInt8]) {
        self.path = path
        self.read = read
    }

    public func load() throws(ConfigError) -> AlertmanagerTestFile {
        let text: [UInt8]
        do throws(TSDBError) { text = try read(path) } catch { throw ConfigError(error.description) }
        do throws(ConfigError) { return try file(try YAMLReader.read(text)) } catch { throw error.inside(path) }
    }

    private func file(_ root: YAMLNode) throws(ConfigError) -> AlertmanagerTestFile {
        var fields = try Fields(root, "the tests")
        let config = ConfigurationDirectory(of: path).absolute(try fields.required("config"))
        let start = try time(&fields, "start") ?? Timestamp(milliseconds: TimeText.parse(Self.start) ?? 0)
        let externalURL = try fields.string("external_url") ?? "http://localhost:9093"
        var tests: [AlertmanagerTest] = []
        for (index, node) in try fields.items("tests").enumerated() { tests.append(try test(node, index, start)) }
        try fields.finish()
        return AlertmanagerTestFile(
            path: path, config: try AlertmanagerFile(path: config, read: read).load(), externalURL: externalURL,
            tests: tests)
    }

    private func test(_ node: YAMLNode, _ index: Int, _ start: Timestamp) throws(ConfigError) -> AlertmanagerTest {
        var fields = try Fields(node, "tests entry")
        var test = AlertmanagerTest(
            name: try fields.string("name") ?? "test \(index + 1)", position: node.position,
            start: try time(&fields, "start") ?? start,
            duration: try fields.duration("duration") ?? .zero)
        for item in try fields.items("alerts") { test.alerts.append(try alert(item)) }
        guard test.alerts.count <= Self.maximumAlerts else {
            throw ConfigError("more than \(Self.maximumAlerts) alerts", at: node.position)
        }
        for item in try fields.items("silences") { test.silences.append(try silence(item)) }
        for item in try fields.items("checks") { test.checks.append(try check(item)) }
        if let node = fields.take("notifications") {
            var tellings: [AlertmanagerTest.Telling] = []
            for item in try node.items("notifications") { tellings.append(try telling(item)) }
            test.notifications = tellings
        }
        for item in try fields.items("routes") { test.routes.append(try route(item)) }
        for item in try fields.items("time_intervals") { test.intervals.append(try interval(item)) }
        try fields.finish()
        let spans = test.alerts.map(\.from) + test.checks.map(\.at) + (test.notifications ?? []).map(\.at)
        test.duration = max(test.duration, spans.max() ?? .zero)
        guard test.duration <= Self.maximumDuration else {
            throw ConfigError("a test of more than a year", at: node.position)
        }
        return test
    }

    // MARK: Lines

    private func alert(_ node: YAMLNode) throws(ConfigError) -> AlertmanagerTest.AlertLine {
        var fields = try Fields(node, "alerts entry")
        let line = AlertmanagerTest.AlertLine(
            labels: try labels(&fields, "labels") ?? Labels(),
            annotations: Annotations(try fields.pairs("annotations").map { ($0.name, $0.value) }),
            from: try fields.duration("from") ?? .zero, until: try fields.duration("until"), position: node.position,
            receivers: try fields.strings("receivers"), groupKeys: try fields.strings("group_keys"),
            isInhibited: try fields.bool("inhibited"),
            isSilenced: try fields.bool("silenced"))
        try fields.finish()
        if line.labels.isEmpty { throw ConfigError("an alert without labels", at: node.position) }
        if let until = line.until, until < line.from {
            throw ConfigError("an alert that ends before it begins", at: node.position)
        }
        return line
    }

    private func silence(_ node: YAMLNode) throws(ConfigError) -> AlertmanagerTest.SilenceLine {
        var fields = try Fields(node, "silences entry")
        var matchers: [Matcher] = []
        for item in try fields.items("matchers") {
            let text = try item.text("matchers")
            do throws(MatcherError) { matchers += try MatcherText.matchers(text).matchers } catch {
                throw ConfigError(error.message, at: item.position)
            }
        }
        let from = try fields.duration("from") ?? .zero
        let line = AlertmanagerTest.SilenceLine(
            matchers: matchers, from: from, until: try fields.duration("until") ?? Self.maximumDuration)
        try fields.finish()
        if line.until <= from { throw ConfigError("a silence that ends before it begins", at: node.position) }
        return line
    }

    private func check(_ node: YAMLNode) throws(ConfigError) -> AlertmanagerTest.Check {
        var fields = try Fields(node, "checks entry")
        let check = AlertmanagerTest.Check(
            at: try fields.duration("at") ?? .zero, labels: try labels(&fields, "labels") ?? Labels(),
            position: node.position,
            state: try fields.string("state"), isInhibited: try fields.bool("inhibited"),
            inhibitedBy: try labels(&fields, "inhibited_by"),
            isSilenced: try fields.bool("silenced"), mutedBy: try fields.strings("muted_by"))
        try fields.finish()
        if let state = check.state, AlertStatus.State(rawValue: state) == nil {
            throw ConfigError("state must be active, suppressed or unprocessed", at: node.position)
        }
        return check
    }

    private func telling(_ node: YAMLNode) throws(ConfigError) -> AlertmanagerTest.Telling {
        var fields = try Fields(node, "notifications entry")
        var telling = AlertmanagerTest.Telling(
            at: try fields.duration("at") ?? .zero, receiver: try fields.required("receiver"), position: node.position,
            integrations: try fields.strings("integrations"), reason: try fields.string("reason"),
            groupLabels: try labels(&fields, "group_labels"),
            groupKey: try fields.string("group_key"), firing: try labelSets(&fields, "firing"),
            resolved: try labelSets(&fields, "resolved"))
        for (template, text, _) in try fields.pairs("texts") { telling.texts.append((template, text)) }
        try fields.finish()
        if let reason = telling.reason, Notification.Reason(rawValue: reason) == nil {
            throw ConfigError("\(reason) is no reason for a notification", at: node.position)
        }
        return telling
    }

    private func route(_ node: YAMLNode) throws(ConfigError) -> AlertmanagerTest.RouteLine {
        var fields = try Fields(node, "routes entry")
        let line = AlertmanagerTest.RouteLine(
            labels: try labels(&fields, "labels") ?? Labels(), position: node.position,
            receivers: try fields.strings("receivers"),
            keys: try fields.strings("keys"))
        try fields.finish()
        return line
    }

    private func interval(_ node: YAMLNode) throws(ConfigError) -> AlertmanagerTest.IntervalLine {
        var fields = try Fields(node, "time_intervals entry")
        let line = AlertmanagerTest.IntervalLine(
            name: try fields.required("name"), position: node.position, within: try times(&fields, "within"),
            outside: try times(&fields, "outside"))
        try fields.finish()
        return line
    }

    // MARK: Values

    private func labels(_ fields: inout Fields, _ name: String) throws(ConfigError) -> Labels? {
        guard let node = fields.take(name) else { return nil }
        return try labels(node, name)
    }

    private func labels(_ node: YAMLNode, _ name: String) throws(ConfigError) -> Labels {
        var wrapper = try Fields(
            YAMLNode(.mapping([YAMLNode.Entry(key: name, position: node.position, value: node)])), name)
        return Labels(try wrapper.labels(name).filter { !$0.value.isEmpty }.map { (name: $0.name, value: $0.value) })
    }

    private func labelSets(_ fields: inout Fields, _ name: String) throws(ConfigError) -> [Labels]? {
        guard let node = fields.take(name) else { return nil }
        var sets: [Labels] = []
        for item in try node.items(name) { sets.append(try labels(item, name)) }
        return sets
    }

    private func time(_ fields: inout Fields, _ name: String) throws(ConfigError) -> Timestamp? {
        guard let node = fields.take(name) else { return nil }
        return try time(node)
    }

    private func times(_ fields: inout Fields, _ name: String) throws(ConfigError) -> [Timestamp] {
        var times: [Timestamp] = []
        for item in try fields.items(name) { times.append(try time(item)) }
        return times
    }

    private func time(_ node: YAMLNode) throws(ConfigError) -> Timestamp {
        let text = try node.text("a time")
        guard let milliseconds = TimeText.parse(text) else {
            throw ConfigError("\"\(text)\" is not a time such as 2026-01-05T12:00:00+01:00", at: node.position)
        }
        return Timestamp(milliseconds: milliseconds)
    }
}
