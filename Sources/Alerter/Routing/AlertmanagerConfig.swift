import TSDB

/// What an Alertmanager's configuration file says, as plain values with all defaults and inheritance filled in.
public struct AlertmanagerConfig: Sendable {
    public var resolveTimeout: Duration
    public var route: Route
    public var receivers: [Receiver]
    public var inhibitRules: [InhibitRule]
    public var timeIntervals: [TimeInterval]
    /// The time zones that the intervals name.
    public var zones: TimeZones
    /// Templates by the paths they were read from, in order.
    public var templates: [(path: String, text: String)]
    /// The file as it is shown: YAML, secrets hidden.
    public var shown: String
    /// What the operator should know.
    public var warnings: [String]

    public init(
        resolveTimeout: Duration = .minutes(5), route: Route, receivers: [Receiver], inhibitRules: [InhibitRule] = [],
        timeIntervals: [TimeInterval] = [], zones: TimeZones = TimeZones(), templates: [(path: String, text: String)] = [], shown: String = "",
        warnings: [String] = []
    ) {
        self.resolveTimeout = resolveTimeout
        self.route = route
        self.receivers = receivers
        self.inhibitRules = inhibitRules
        self.timeIntervals = timeIntervals
        self.zones = zones
        self.templates = templates
        self.shown = shown
        self.warnings = warnings
    }
}
