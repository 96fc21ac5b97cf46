import PromQL
import TSDB

/// A group of rules as its file defines it: evaluated in order, at one pace.
///
///     groups:
///     - name: api
///       rules:
///       - record: job:requests:rate5m
///         expr: sum by (job) (rate(http_requests_total[5m]))
///       - alert: Down
///         expr: up == 0
///         for: 1m
public struct RuleGroup: Sendable {
    public var name: String
    public var file: String
    /// The global evaluation interval where the group has none.
    public var interval: Duration
    /// Alerts or series that one rule may make; 0: any number.
    public var limit: Int
    /// Evaluates this far in the past.
    public var queryOffset: Duration
    /// Added to every rule's labels, where the rule has none of that name.
    public var labels: Annotations
    public var rules: [Rule]

    public init(
        name: String, file: String, interval: Duration, limit: Int = 0, queryOffset: Duration = .zero,
        labels: Annotations = Annotations(), rules: [Rule] = []
    ) {
        self.name = name
        self.file = file
        self.interval = interval
        self.limit = limit
        self.queryOffset = queryOffset
        self.labels = labels
        self.rules = rules
    }
}

/// One recording or alerting rule, parsed.
public struct Rule: Sendable {
    public enum Kind: Sendable {
        /// Stores the result under this metric name.
        case recording(metric: String)
        case alerting(Alerting)
    }

    /// What an alerting rule has besides its expression.
    public struct Alerting: Sendable {
        public var name: String
        /// How long the condition holds before the alert fires.
        public var hold: Duration
        /// How long it goes on firing after the condition has ended.
        public var keepFiring: Duration
        /// Templates, by name in ascending order.
        public var annotations: [(name: String, template: String)]

        public init(
            name: String, hold: Duration = .zero, keepFiring: Duration = .zero,
            annotations: [(name: String, template: String)] = []
        ) {
            self.name = name
            self.hold = hold
            self.keepFiring = keepFiring
            self.annotations = annotations
        }
    }

    public var kind: Kind
    /// As written.
    public var query: String
    public var expr: Expr
    /// Values are templates in alerting rules. An empty value takes the label away.
    public var labels: Annotations

    public init(_ kind: Kind, query: String, expr: Expr, labels: Annotations = Annotations()) {
        self.kind = kind
        self.query = query
        self.expr = expr
        self.labels = labels
    }
}

extension Rule {
    /// The metric of a recording rule, the alert's name of an alerting rule.
    public var name: String {
        switch kind {
        case .recording(let metric): metric
        case .alerting(let alerting): alerting.name
        }
    }
}

extension RuleGroup {
    /// Labels of a rule with those of the group.
    func labels(of rule: Rule) -> Annotations {
        var all = labels
        for pair in rule.labels.pairs { all[pair.name] = pair.value }
        return all
    }

    /// Whether a reload can leave the running group as it is.
    public func isSame(as other: RuleGroup) -> Bool {
        name == other.name && file == other.file && interval == other.interval && limit == other.limit
            && queryOffset == other.queryOffset && rules.count == other.rules.count
            && zip(rules, other.rules).allSatisfy { old, new in
                labels(of: old) == other.labels(of: new) && old.isSame(as: new)
            }
    }
}

extension Rule {
    /// Equal but for labels; expressions by meaning, not by spelling.
    fileprivate func isSame(as other: Rule) -> Bool {
        switch (kind, other.kind) {
        case (.recording(let a), .recording(let b)):
            guard a == b else { return false }
        case (.alerting(let a), .alerting(let b)):
            guard a.name == b.name, a.hold == b.hold, a.keepFiring == b.keepFiring,
                a.annotations.elementsEqual(b.annotations, by: ==)
            else { return false }
        case (.recording, .alerting), (.alerting, .recording): return false
        }
        return query == other.query || expr.description == other.expr.description
    }
}
