import Alerter
import Numbers
import TSDB

/// Reads the routing tree, children inheriting what they do not say.
///
///     route:                      inherited    receiver, group_by, group_wait, group_interval, repeat_interval
///       receiver: ops             not          mute_time_intervals, active_time_intervals, matchers, continue
///       routes: […]
///
/// No deeper than YAML is: `YAMLReader.maximumDepth`.
struct RouteReader {
    private(set) var warnings: [String] = []

    /// Reads the root. Upstream's rules for it are checked by the caller, after the receivers.
    mutating func root(_ node: YAMLNode) throws(ConfigError) -> (route: Route, node: YAMLNode) {
        try route(node, parent: Route(receiver: ""))
    }

    private mutating func route(_ node: YAMLNode, parent: Route) throws(ConfigError) -> (route: Route, node: YAMLNode) {
        var fields = try ShownFields(node, "route")
        var route = parent
        route.routes = []
        let receiver = try fields.text("receiver")
        if !receiver.isEmpty { route.receiver = receiver }
        try groupBy(&fields, &route)
        var reader = MatcherReader()
        try reader.takeEqual("match", from: &fields)
        try reader.takeRegex("match_re", from: &fields)
        try reader.takeTexts("matchers", from: &fields)
        route.matchers = MatcherText.sorted(reader.matchers)
        warnings += reader.warnings
        route.muteTimeIntervals = try fields.strings("mute_time_intervals") ?? []
        route.activeTimeIntervals = try fields.strings("active_time_intervals") ?? []
        route.continues = try fields.flag("continue")
        let written = try intervals(&fields, &route)
        var shown: [YAMLNode] = []
        for child in try fields.items("routes") {
            if child.isNull { throw ConfigError("a route must be a mapping", at: child.position) }
            let (childRoute, childNode) = try self.route(child, parent: route)
            route.routes.append(childRoute)
            shown.append(childNode)
        }
        fields.show("routes", list: shown)
        for (name, interval) in written { fields.show(name, Numbers.DurationText.string(milliseconds: interval.milliseconds)) }
        try fields.refuse(["labels"])
        try fields.finish()
        return (route, fields.node)
    }

    private func groupBy(_ fields: inout ShownFields, _ route: inout Route) throws(ConfigError) {
        let position = fields.position
        guard let names = try fields.strings("group_by") else { return }
        var labels: [String] = [], groupsByAll = false
        for name in names {
            if name == "..." {
                groupsByAll = true
            } else if name.isEmpty {
                throw ConfigError("invalid label name \(QuotedText.go(name)) in group_by list", at: position)
            } else {
                labels.append(name)
            }
        }
        if groupsByAll && !labels.isEmpty {
            throw ConfigError("cannot have wildcard group_by (`...`) and other labels at the same time", at: position)
        }
        var seen: Set<String> = []
        for name in labels where !seen.insert(name).inserted {
            throw ConfigError("duplicated label \(QuotedText.go(name)) in group_by", at: position)
        }
        if groupsByAll {
            route.groupsByAll = true
        } else {
            route.groupsByAll = false
            route.groupBy = labels
        }
    }

    /// The intervals that are written, for showing them behind the children as upstream does.
    private func intervals(
        _ fields: inout ShownFields, _ route: inout Route
    ) throws(ConfigError) -> [(name: String, interval: TSDB.Duration)] {
        var written: [(name: String, interval: TSDB.Duration)] = []
        for name in ["group_wait", "group_interval", "repeat_interval"] {
            guard let interval = try fields.hiddenDuration(name) else { continue }
            if interval == .zero && name != "group_wait" { throw ConfigError("\(name) cannot be zero", at: fields.position) }
            written.append((name, interval))
            switch name {
            case "group_wait": route.groupWait = interval
            case "group_interval": route.groupInterval = interval
            default: route.repeatInterval = interval
            }
        }
        return written
    }
}
