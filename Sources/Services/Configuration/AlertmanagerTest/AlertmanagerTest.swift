import Alerter
import TSDB

/// A test of an Alertmanager's configuration, as its file says it: alerts and silences over time, and what is to come of them.
///
///     0s        5m        10m
///     ├─ alert ─────────┤                 alerts, silences
///     ├──┬──────┬───────────┬──
///        30s    checks      notifications
///
/// Times are spans since `start`. Documented in docs/learn/testing-alertmanager-configs.md.
public struct AlertmanagerTest: Sendable {
    /// An alert that fires from `from` until `until`, and what holds for it when all alerts have begun.
    public struct AlertLine: Sendable {
        public var labels: Labels
        public var annotations: Annotations
        public var from: TSDB.Duration
        /// `nil`: it does not end.
        public var until: TSDB.Duration?
        public var position: YAMLPosition
        /// Receivers of the routes it takes, in the tree's order; `nil`: not looked at, as with the others.
        public var receivers: [String]?
        public var groupKeys: [String]?
        public var isInhibited: Bool?
        public var isSilenced: Bool?
    }

    public struct SilenceLine: Sendable {
        public var matchers: [Matcher]
        public var from: TSDB.Duration
        public var until: TSDB.Duration
    }

    /// What alerts with certain labels are at a moment.
    public struct Check: Sendable {
        public var at: TSDB.Duration
        /// Alerts that have all of these.
        public var labels: Labels
        public var position: YAMLPosition
        /// `active`, `suppressed`, `unprocessed`.
        public var state: String?
        public var isInhibited: Bool?
        /// Labels that a source of the inhibition has.
        public var inhibitedBy: Labels?
        public var isSilenced: Bool?
        public var mutedBy: [String]?
    }

    /// A receiver is told about a group.
    public struct Telling: Sendable {
        public var at: TSDB.Duration
        public var receiver: String
        public var position: YAMLPosition
        public var integrations: [String]?
        /// `first_notification`, `new_alerts_in_group`, …
        public var reason: String?
        public var groupLabels: Labels?
        public var groupKey: String?
        /// Labels that the alerts have, one entry per alert.
        public var firing: [Labels]?
        public var resolved: [Labels]?
        /// Templates and what they come to.
        public var texts: [(template: String, text: String)] = []
    }

    /// Which way an alert would take, with nothing going on.
    public struct RouteLine: Sendable {
        public var labels: Labels
        public var position: YAMLPosition
        public var receivers: [String]?
        public var keys: [String]?
    }

    public struct IntervalLine: Sendable {
        public var name: String
        public var position: YAMLPosition
        public var within: [Timestamp]
        public var outside: [Timestamp]
    }

    public var name: String
    public var position: YAMLPosition
    public var start: Timestamp
    /// How long notifications are watched.
    public var duration: TSDB.Duration
    public var alerts: [AlertLine] = []
    public var silences: [SilenceLine] = []
    public var checks: [Check] = []
    /// All that are sent, in order of time; `nil`: not looked at.
    public var notifications: [Telling]?
    public var routes: [RouteLine] = []
    public var intervals: [IntervalLine] = []
}

/// A file of tests.
public struct AlertmanagerTestFile: Sendable {
    public var path: String
    public var config: AlertmanagerConfig
    public var externalURL: String
    public var tests: [AlertmanagerTest]
}
