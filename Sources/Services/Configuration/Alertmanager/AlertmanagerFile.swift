import Alerter
import Numbers
import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Reads an Alertmanager's configuration file, as the original reads it.
///
///     bytes ─▶ YAMLReader ─▶ global ▶ receivers ▶ route ▶ inhibit_rules, time_intervals ▶ templates ─▶ AlertmanagerConfig
///                                                                                              └─▶ the text that is shown
///
/// Whatever is written is used, refused as unknown, or refused as not supported yet, with file and line. Texts of errors that people
/// know from Alertmanager are Alertmanager's.
public struct AlertmanagerFile {
    /// Bytes of one template file.
    public static let maximumTemplateBytes = 4 << 20
    /// Files that the patterns of `templates` name.
    public static let maximumTemplates = 1000

    public var path: String
    /// Reads a file, whole.
    public var read: (_ path: String) throws(TSDBError) -> [UInt8]

    public init(path: String, read: @escaping (_ path: String) throws(TSDBError) -> [UInt8]) {
        self.path = path
        self.read = read
    }

    public func load() throws(ConfigError) -> AlertmanagerConfig {
        let text: [UInt8]
        do throws(TSDBError) { text = try read(path) } catch { throw ConfigError(error.description) }
        return try parse(text)
    }

    /// As `load`, with the file's content at hand.
    public func parse(_ text: [UInt8]) throws(ConfigError) -> AlertmanagerConfig {
        do throws(ConfigError) { return try config(try YAMLReader.read(text)) } catch { throw error.inside(path) }
    }

    private var directory: ConfigurationDirectory { ConfigurationDirectory(of: path) }

    private func config(_ root: YAMLNode) throws(ConfigError) -> AlertmanagerConfig {
        if root.isNull || root.isEmptyMapping { throw ConfigError("no route provided in config") }
        var fields = try ShownFields(root, "the configuration")
        var warnings: [String] = []
        let global = try AlertmanagerGlobal(
            fields.take("global") ?? YAMLNode(.mapping([]), at: root.position), directory: directory,
            warnings: &warnings)
        fields.show("global", global.node)
        guard let routeNode = fields.take("route") else { throw ConfigError("no routes provided", at: root.position) }
        var routes = RouteReader()
        let (route, shownRoute) = try routes.root(routeNode)
        fields.show("route", shownRoute)
        let inhibitRules = try self.inhibitRules(&fields, &warnings)
        let receivers = try self.receivers(&fields, global)
        try check(route, at: routeNode.position, receivers: Set(receivers.map(\.name)))
        let patterns = try fields.items("templates").map { (node) throws(ConfigError) in
            directory.absolute(node.isNull ? "" : try node.text("templates"))
        }
        fields.show("templates", list: patterns.map { .text($0) })
        if patterns.isEmpty { fields.show("templates", YAMLNode(.sequence([]))) }
        let (intervals, zones) = try timeIntervals(&fields)
        try checkIntervals(route, at: routeNode.position, names: Set(intervals.map(\.name)))
        if route.continues { throw ConfigError("cannot have continue in root route", at: routeNode.position) }
        try fields.refuse(["tracing", "event_recorder"])
        try fields.finish()
        var out = YAMLText()
        out.tree(fields.node)
        return AlertmanagerConfig(
            resolveTimeout: global.resolveTimeout, route: route, receivers: receivers, inhibitRules: inhibitRules,
            timeIntervals: intervals, zones: zones, templatePatterns: patterns, templates: try templates(patterns),
            shown: out.text,
            warnings: warnings + routes.warnings)
    }

    // MARK: Sections

    private func receivers(_ fields: inout ShownFields, _ global: AlertmanagerGlobal) throws(ConfigError) -> [Receiver] {
        let reader = ReceiverReader(global: global, directory: directory)
        var receivers: [Receiver] = [], shown: [YAMLNode] = [], names: Set<String> = []
        for item in try fields.items("receivers") {
            let (receiver, node) = try reader.read(item)
            guard names.insert(receiver.name).inserted else {
                throw ConfigError(
                    "notification config name \(QuotedText.go(receiver.name)) is not unique", at: item.position)
            }
            receivers.append(receiver)
            shown.append(node)
        }
        fields.show("receivers", list: shown)
        return receivers
    }

    private func inhibitRules(_ fields: inout ShownFields, _ warnings: inout [String]) throws(ConfigError)
        -> [InhibitRule]
    {
        var reader = InhibitRuleReader(), rules: [InhibitRule] = [], shown: [YAMLNode] = []
        for item in try fields.items("inhibit_rules") {
            let (rule, node) = try reader.read(item)
            rules.append(rule)
            shown.append(node)
        }
        fields.show("inhibit_rules", list: shown)
        warnings += reader.warnings
        return rules
    }

    private func timeIntervals(_ fields: inout ShownFields) throws(ConfigError) -> ([TimeInterval], TimeZones) {
        var reader = TimeIntervalReader(read: read), intervals: [TimeInterval] = [], names: Set<String> = []
        // The old section and the new one share their names.
        for (section, kind) in [("mute_time_intervals", "mute time interval"), ("time_intervals", "time interval")] {
            var shown: [YAMLNode] = []
            for item in try fields.items(section) {
                let (interval, node) = try reader.read(item, kind: kind)
                guard names.insert(interval.name).inserted else {
                    throw ConfigError("\(kind) \(QuotedText.go(interval.name)) is not unique", at: item.position)
                }
                intervals.append(interval)
                shown.append(node)
            }
            fields.show(section, list: shown)
        }
        return (intervals, reader.zones)
    }

    /// Files that patterns name are read; a pattern that names none is no error.
    private func templates(_ patterns: [String]) throws(ConfigError) -> [(path: String, text: String)] {
        var templates: [(path: String, text: String)] = []
        for pattern in patterns {
            for path in PathPattern.files(pattern) {
                if templates.count >= Self.maximumTemplates {
                    throw ConfigError("templates name more than \(Self.maximumTemplates) files")
                }
                let bytes: [UInt8]
                do throws(TSDBError) { bytes = try read(path) } catch { throw ConfigError(error.description) }
                guard bytes.count <= Self.maximumTemplateBytes else {
                    throw ConfigError("\(path): \(bytes.count) bytes, the limit is \(Self.maximumTemplateBytes)")
                }
                templates.append((path, String(decoding: bytes, as: UTF8.self)))
            }
        }
        return templates
    }

    // MARK: Rules about the whole

    private func check(_ root: Route, at position: YAMLPosition, receivers: Set<String>) throws(ConfigError) {
        func fail(_ message: String) -> ConfigError { ConfigError(message, at: position) }
        if root.receiver.isEmpty { throw fail("root route must specify a default receiver") }
        if !root.matchers.isEmpty { throw fail("root route must not have any matchers") }
        if !root.muteTimeIntervals.isEmpty { throw fail("root route must not have any mute time intervals") }
        if !root.activeTimeIntervals.isEmpty { throw fail("root route must not have any active time intervals") }
        func visit(_ route: Route) throws(ConfigError) {
            for child in route.routes { try visit(child) }
            guard receivers.contains(route.receiver) else {
                throw fail("undefined receiver \(QuotedText.go(route.receiver)) used in route")
            }
        }
        try visit(root)
    }

    private func checkIntervals(_ root: Route, at position: YAMLPosition, names: Set<String>) throws(ConfigError) {
        func visit(_ route: Route) throws(ConfigError) {
            for child in route.routes { try visit(child) }
            for name in route.activeTimeIntervals + route.muteTimeIntervals where !names.contains(name) {
                throw ConfigError("undefined time interval \(QuotedText.go(name)) used in route", at: position)
            }
        }
        try visit(root)
    }
}

/// Files that a pattern such as `templates/*.tmpl` names, sorted.
enum PathPattern {
    static func files(_ pattern: String) -> [String] {
        var files: [String] = []
        var found = glob_t()
        defer { globfree(&found) }
        if glob(pattern, 0, nil, &found) == 0 {
            for index in 0..<Int(found.gl_pathc) {
                if let path = found.gl_pathv[index] { files.append(String(cString: path)) }
            }
        }
        return files
    }
}

extension YAMLNode {
    fileprivate var isEmptyMapping: Bool {
        if case .mapping(let entries) = content { entries.isEmpty } else { false }
    }
}
