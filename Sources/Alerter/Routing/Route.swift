import TSDB

/// A node of the routing tree, with everything it inherits filled in.
///
///     route:                           {}
///       receiver: ops                  ├─ {severity="page"}      → pager
///       routes:                        │    └─ {team="db"}       → db-pager
///       - matchers: [severity="page"]  └─ {team="web"}           → web      (continue)
///
/// Source: Alertmanager, `dispatch/route.go`.
public struct Route: Sendable, Equatable {
    public var receiver: String
    /// Label names that make a group; empty: one group for all.
    public var groupBy: [String]
    /// `group_by: ['...']`: every label set is a group of its own.
    public var groupsByAll: Bool
    public var groupWait: Duration
    public var groupInterval: Duration
    public var repeatInterval: Duration
    /// Names of time intervals. Not inherited.
    public var muteTimeIntervals: [String]
    public var activeTimeIntervals: [String]
    /// All must match. Old `match` and `match_re` are here as well.
    public var matchers: [Matcher]
    /// Go on with the next sibling after a match.
    public var continues: Bool
    public var routes: [Route]

    public init(
        receiver: String, groupBy: [String] = [], groupsByAll: Bool = false, groupWait: Duration = .seconds(30),
        groupInterval: Duration = .minutes(5), repeatInterval: Duration = .hours(4), muteTimeIntervals: [String] = [],
        activeTimeIntervals: [String] = [], matchers: [Matcher] = [], continues: Bool = false, routes: [Route] = []
    ) {
        self.receiver = receiver
        self.groupBy = groupBy
        self.groupsByAll = groupsByAll
        self.groupWait = groupWait
        self.groupInterval = groupInterval
        self.repeatInterval = repeatInterval
        self.muteTimeIntervals = muteTimeIntervals
        self.activeTimeIntervals = activeTimeIntervals
        self.matchers = matchers
        self.continues = continues
        self.routes = routes
    }
}
