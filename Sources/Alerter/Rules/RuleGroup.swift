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
    /// Added to every rule's labels.
    public var labels: Labels
    public var rules: [Rule]

    public init(
        name: String, file: String, interval: Duration, limit: Int = 0, queryOffset: Duration = .zero,
        labels: Labels = Labels(), rules: [Rule] = []
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
    /// Values are templates in alerting rules.
    public var labels: Labels

    public init(_ kind: Kind, query: String, expr: Expr, labels: Labels = Labels()) {
        self.kind = kind
        self.query = query
        self.expr = expr
        self.labels = labels
    }
}
