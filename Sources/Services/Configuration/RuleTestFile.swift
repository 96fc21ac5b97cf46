import Alerter
import Numbers
import TSDB

/// A file of unit tests for rules, in promtool's format.
///
///     rule_files: [alerts.yml]
///     tests:
///     - input_series: [{series: 'up{job="api"}', values: '1x5 0x5'}]
///       alert_rule_test: [{eval_time: 8m, alertname: Down, exp_alerts: [{exp_labels: {job: api}}]}]
///       promql_expr_test: [{expr: sum(up), eval_time: 1m, exp_samples: [{labels: '{}', value: 1}]}]
public struct RuleTestFile: Sendable {
    public var ruleFiles: [String] = []
    public var evaluationInterval = TSDB.Duration.minutes(1)
    /// Names of groups, in the order in which they are evaluated.
    public var groupOrder: [String] = []
    /// Values may be one unit in the last place apart.
    public var isFuzzy = false
    public var tests: [Test] = []

    public struct Test: Sendable {
        public var name = ""
        /// Between two values of a series.
        public var interval: TSDB.Duration
        public var start = Timestamp(milliseconds: 0)
        public var series: [(series: String, values: String)] = []
        public var externalLabels = Labels()
        public var externalURL = ""
        public var alerts: [AlertTest] = []
        public var expressions: [ExpressionTest] = []
    }

    public struct AlertTest: Sendable {
        public var time: TSDB.Duration
        public var name: String
        public var expected: [(labels: Alerter.Annotations, annotations: Alerter.Annotations)] = []
    }

    public struct ExpressionTest: Sendable {
        public var time: TSDB.Duration
        public var expression: String
        public var expected: [(labels: String, value: Double, histogram: String)] = []
    }

    public init(_ text: [UInt8]) throws(ConfigError) {
        var fields = try Fields(try YAMLReader.read(text), "the test file")
        ruleFiles = try fields.strings("rule_files") ?? []
        if let interval = try fields.duration("evaluation_interval"), interval > .zero { evaluationInterval = interval }
        groupOrder = try fields.strings("group_eval_order") ?? []
        isFuzzy = try fields.bool("fuzzy_compare") ?? false
        for node in try fields.items("tests") { tests.append(try Self.test(node, every: evaluationInterval)) }
        try fields.finish()
    }

    private static func test(_ node: YAMLNode, every interval: TSDB.Duration) throws(ConfigError) -> Test {
        var fields = try Fields(node, "test")
        var test = Test(interval: interval)
        test.name = try fields.string("name") ?? ""
        if let own = try fields.duration("interval"), own > .zero { test.interval = own }
        if let node = fields.take("start_timestamp") { test.start = try time(node) }
        for node in try fields.items("input_series") {
            var fields = try Fields(node, "input_series entry")
            test.series.append((try fields.string("series") ?? "", try fields.string("values") ?? ""))
            try fields.finish()
        }
        test.externalLabels = Labels(try fields.labels("external_labels").map { (name: $0.name, value: $0.value) })
        test.externalURL = try fields.string("external_url") ?? ""
        for node in try fields.items("alert_rule_test") { test.alerts.append(try alert(node)) }
        for node in try fields.items("promql_expr_test") { test.expressions.append(try expression(node)) }
        try fields.finish()
        return test
    }

    private static func alert(_ node: YAMLNode) throws(ConfigError) -> AlertTest {
        var fields = try Fields(node, "alert_rule_test entry")
        var test = AlertTest(
            time: try fields.duration("eval_time") ?? .zero, name: try fields.string("alertname") ?? "")
        for node in try fields.items("exp_alerts") {
            var fields = try Fields(node, "exp_alerts entry")
            let labels = try fields.labels("exp_labels"), annotations = try fields.labels("exp_annotations")
            try fields.finish()
            test.expected.append((pairs(labels), pairs(annotations)))
        }
        try fields.finish()
        return test
    }

    private static func pairs(_ fields: [(name: String, value: String, position: YAMLPosition)]) -> Alerter.Annotations {
        Alerter.Annotations(fields.map { (name: $0.name, value: $0.value) })
    }

    private static func expression(_ node: YAMLNode) throws(ConfigError) -> ExpressionTest {
        var fields = try Fields(node, "promql_expr_test entry")
        var test = ExpressionTest(
            time: try fields.duration("eval_time") ?? .zero, expression: try fields.string("expr") ?? "")
        for node in try fields.items("exp_samples") {
            var fields = try Fields(node, "exp_samples entry")
            let labels = try fields.string("labels") ?? ""
            var value = 0.0
            if let node = fields.take("value") { value = try number(node) }
            let histogram = try fields.string("histogram") ?? ""
            try fields.finish()
            test.expected.append((labels, value, histogram))
        }
        try fields.finish()
        return test
    }

    /// YAML writes what is no number with a point: `.inf`, `.NaN`.
    private static func number(_ node: YAMLNode) throws(ConfigError) -> Double {
        let text = try node.text("value")
        switch text.lowercased() {
        case ".nan": return .nan
        case ".inf", "+.inf": return .infinity
        case "-.inf": return -.infinity
        default:
            guard let number = NumberText.parse(text, allowing: .go) else {
                throw ConfigError("value must be a number", at: node.position)
            }
            return number
        }
    }

    private static func time(_ node: YAMLNode) throws(ConfigError) -> Timestamp {
        let text = try node.text("start_timestamp")
        if let milliseconds = TimeText.parse(text) { return Timestamp(milliseconds: milliseconds) }
        guard let seconds = NumberText.parse(text), let milliseconds = Int64(exactly: (seconds * 1000).rounded()),
            milliseconds.magnitude < 1 << 53
        else { throw ConfigError("start_timestamp must be seconds since the epoch or RFC 3339", at: node.position) }
        return Timestamp(milliseconds: milliseconds)
    }
}
