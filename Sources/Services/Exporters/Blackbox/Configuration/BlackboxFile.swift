import ConfigurationFile
import Numbers
import TSDB

/// `blackbox.yml`, as the original's, read strictly: a field nobody knows stops the load, and so does one that is known there and not here.
///
///     modules:
///       http_2xx: { prober: http, timeout: 5s, http: { … } }
public struct BlackboxConfiguration: Sendable {
    public var modules: [String: ProbeModule]
    /// As YAML again, secrets hidden: what `/config` shows.
    public var text: String
    public var warnings: [String]

    static let maximumModules = 10_000

    /// `path` is where it stands, for messages and for paths in it.
    public init(_ bytes: [UInt8], path: String) throws(ConfigError) {
        do throws(ConfigError) {
            var reader = ModuleReader(directory: ConfigurationDirectory(of: path))
            var fields = try ShownFields(try YAMLReader.read(bytes), "configuration")
            var modules: [String: ProbeModule] = [:]
            var shown: [YAMLNode.Entry] = []
            if let node = fields.take("modules") {
                guard case .mapping(let entries) = node.content else { throw ConfigError("modules must be a mapping", at: node.position) }
                guard entries.count <= Self.maximumModules else {
                    throw ConfigError("more than \(Self.maximumModules) modules", at: node.position)
                }
                for entry in entries.sorted(by: { $0.key < $1.key }) {
                    let (module, tree) = try reader.module(entry.value, name: entry.key)
                    modules[entry.key] = module
                    shown.append(YAMLNode.Entry(key: entry.key, position: entry.position, value: tree))
                }
            }
            try fields.finish()
            var text = YAMLText()
            text.tree(YAMLNode(.mapping([YAMLNode.Entry(key: "modules", position: YAMLPosition(), value: YAMLNode(.mapping(shown)))])))
            (self.modules, self.text, self.warnings) = (modules, text.text, reader.warnings)
        } catch {
            throw error.inside(path)
        }
    }

    /// Without modules.
    public init() { (modules, text, warnings) = ([:], "modules: {}\n", []) }
}

/// Reads modules.
struct ModuleReader {
    let directory: ConfigurationDirectory
    var warnings: [String] = []

    init(directory: ConfigurationDirectory) { self.directory = directory }

    private static let unsupported = ["grpc", "unix", "websocket"]

    mutating func module(_ node: YAMLNode, name: String) throws(ConfigError) -> (ProbeModule, YAMLNode) {
        var fields = try ShownFields(node, "module \(name)")
        let prober = try fields.text("prober")
        guard !Self.unsupported.contains(prober) else {
            throw ConfigError("prober '\(prober)' is not supported yet", at: node.position)
        }
        let timeout = try self.timeout(&fields)
        // All sections are checked, whichever of them counts.
        var kinds: [String: ProbeModule.Kind] = [:]
        for section in ["http", "tcp", "icmp", "dns"] {
            let content = fields.take(section)
            guard content != nil || section == prober else { continue }
            let (kind, shown) = try self.section(section, content ?? YAMLNode(.mapping([])), isWritten: content != nil, of: name)
            kinds[section] = kind
            fields.show(section, shown)
        }
        try fields.refuse(Self.unsupported)
        try fields.finish()
        guard let kind = kinds[prober] else { throw ConfigError("prober '\(prober)' is not valid", at: node.position) }
        var text = YAMLText()
        text.tree(fields.node)
        return (ProbeModule(kind: kind, timeout: timeout, text: text.text), fields.node)
    }

    /// Seconds.
    private func timeout(_ fields: inout ShownFields) throws(ConfigError) -> Double {
        guard let node = fields.take("timeout") else { return 0 }
        let text = try node.text("timeout")
        var nanoseconds: Int64
        if let number = Int64(text) {
            nanoseconds = number
        } else {
            do throws(DurationError) { nanoseconds = try Numbers.DurationText.parseGo(text) } catch {
                throw ConfigError("timeout: \(error.message)", at: node.position)
            }
        }
        nanoseconds = max(0, nanoseconds)
        if nanoseconds > 0 { fields.show("timeout", Numbers.DurationText.goString(nanoseconds: nanoseconds)) }
        return Double(nanoseconds) / 1e9
    }

    private mutating func section(
        _ prober: String, _ node: YAMLNode, isWritten: Bool, of name: String
    ) throws(ConfigError) -> (ProbeModule.Kind, YAMLNode) {
        switch prober {
        case "http":
            let (settings, shown) = try http(node, of: name)
            return (.http(settings), shown)
        case "tcp":
            let (settings, shown) = try tcp(node)
            return (.tcp(settings), shown)
        case "dns":
            let (settings, shown) = try dns(node, isWritten: isWritten)
            return (.dns(settings), shown)
        default:
            let (settings, shown) = try icmp(node)
            return (.icmp(settings), shown)
        }
    }

    // MARK: Parts of several sections

    func preference(_ fields: inout ShownFields) throws(ConfigError) -> IPPreference {
        let version = try fields.text("preferred_ip_protocol")
        let fallsBack = try fields.flag("ip_protocol_fallback", default: true)
        return IPPreference(prefersVersion6: version.isEmpty || version == "ip6", fallsBack: fallsBack)
    }

    func patterns(_ name: String, _ fields: inout ShownFields) throws(ConfigError) -> [SearchPattern] {
        let nodes = try fields.items(name)
        var result: [SearchPattern] = []
        for node in nodes { result.append(try pattern(try node.text(name), at: node.position)) }
        fields.show(name, list: result.map { .text($0.source) })
        return result
    }

    func pattern(_ text: String, at position: YAMLPosition) throws(ConfigError) -> SearchPattern {
        do { return try SearchPattern(text) } catch {
            throw ConfigError("\"Could not compile regular expression\" regexp=\"\(text)\"", at: position)
        }
    }

    /// An address of ours to come from.
    func source(_ fields: inout ShownFields) throws(ConfigError) -> String { try fields.text("source_ip_address") }

    func icmp(_ node: YAMLNode) throws(ConfigError) -> (ICMPSettings, YAMLNode) {
        var fields = try ShownFields(node, "icmp"), settings = ICMPSettings()
        settings.ip = try preference(&fields)
        settings.source = try source(&fields)
        // What one datagram can carry behind its headers.
        settings.payloadSize = try number("payload_size", 0, 65_507, default: 0, &fields)
        settings.forbidsFragments = try fields.flag("dont_fragment")
        settings.hopLimit = try number("ttl", 0, 255, default: 64, &fields)
        try fields.finish()
        return (settings, fields.node)
    }

    private func number(
        _ name: String, _ least: Int, _ most: Int, default value: Int, _ fields: inout ShownFields
    ) throws(ConfigError) -> Int {
        guard let node = fields.take(name) else {
            if value != 0 { fields.show(name, .number(value)) }
            return value
        }
        guard let number = Int(try node.text(name)) else { throw ConfigError("\(name) must be a number", at: node.position) }
        guard number >= least else { throw ConfigError("\"\(name)\" cannot be negative", at: node.position) }
        guard number <= most else { throw ConfigError("\"\(name)\" cannot exceed \(most)", at: node.position) }
        fields.show(name, .number(number))
        return number
    }
}
