import Alerter
import PromQL
import Scraper
import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Reads `prometheus.yml` and the rule files it names.
///
///     bytes ─▶ YAMLReader ─▶ sections ─▶ Configuration
///
/// Whatever is written is used, refused as unknown, or refused as not supported yet, with file and line: nothing is
/// ignored in silence. Paths in the file are relative to it.
public struct ConfigurationFile {
    public var path: String
    /// Reads a file, whole.
    public var read: (_ path: String) throws(TSDBError) -> [UInt8]
    /// Environment variables, for `external_labels`.
    public var environment: (_ name: String) -> String?
    /// What the language allows in rules.
    public var options: ParserOptions
    /// What holds where `global` says nothing; features change it.
    public var defaults: GlobalConfig

    public init(
        path: String, options: ParserOptions = ParserOptions(), defaults: GlobalConfig = GlobalConfig(),
        environment: @escaping (_ name: String) -> String? = { getenv($0).map { String(cString: $0) } },
        read: @escaping (_ path: String) throws(TSDBError) -> [UInt8]
    ) {
        self.path = path
        self.options = options
        self.defaults = defaults
        self.environment = environment
        self.read = read
    }

    public func load() throws(ConfigError) -> Configuration {
        let text: [UInt8]
        do throws(TSDBError) { text = try read(path) } catch { throw ConfigError(error.description) }
        return try parse(text)
    }

    /// As `load`, with the file's content at hand.
    public func parse(_ text: [UInt8]) throws(ConfigError) -> Configuration {
        do throws(ConfigError) {
            return try configuration(try YAMLReader.read(text))
        } catch {
            throw error.inside(path)
        }
    }

    private func configuration(_ root: YAMLNode) throws(ConfigError) -> Configuration {
        var result = Configuration()
        result.global = defaults
        var fields = try Fields(root, "the configuration")
        if let node = fields.take("global") { result.global = try global(node) }
        if let node = fields.take("runtime") {
            var runtime = try Fields(node, "runtime")
            // Tunes Go's garbage collector; there is none here.
            _ = try runtime.count("gogc")
            try runtime.finish()
        }
        for node in try fields.items("scrape_configs") {
            let scrape = try ScrapeConfigReader(global: result.global).read(node)
            if result.scrapeConfigs.contains(where: { $0.jobName == scrape.jobName }) {
                throw ConfigError("found multiple scrape configs with job name \"\(scrape.jobName)\"", at: node.position)
            }
            result.scrapeConfigs.append(scrape)
        }
        for node in try fields.items("rule_files") {
            try addRules(try node.text("rule_files"), at: node.position, to: &result)
        }
        if let node = fields.take("storage") { result.storage = try storage(node) }
        if let node = fields.take("alerting") { result.alerting = try AlertingReader(global: result.global).read(node) }
        try fields.refuse(["remote_write", "remote_read", "otlp", "tracing", "scrape_config_files"])
        try fields.finish()
        return result
    }

    // MARK: Sections

    private func global(_ node: YAMLNode) throws(ConfigError) -> GlobalConfig {
        var fields = try Fields(node, "global")
        var global = defaults
        let interval = try fields.duration("scrape_interval"), timeout = try fields.duration("scrape_timeout")
        if let interval, interval > .zero { global.scrapeInterval = interval }
        if let timeout, timeout > global.scrapeInterval {
            throw ConfigError("global scrape timeout greater than scrape interval", at: node.position)
        }
        global.scrapeTimeout = timeout.flatMap { $0 > .zero ? $0 : nil } ?? min(global.scrapeTimeout, global.scrapeInterval)
        if let evaluation = try fields.duration("evaluation_interval"), evaluation > .zero {
            global.evaluationInterval = evaluation
        }
        global.ruleQueryOffset = try fields.duration("rule_query_offset") ?? .zero
        global.externalLabels = Labels(
            try fields.labels("external_labels").map { (name: $0.name, value: expand($0.value)) })
        try CommonScrapeFields.read(
            &fields, protocols: &global.protocols, limits: &global.limits, histograms: &global.histograms,
            validation: &global.nameValidation, escaping: &global.nameEscaping, extra: &global.extraScrapeMetrics)
        global.queryLogFile = try fields.string("query_log_file").map { $0.isEmpty ? "" : absolute($0) } ?? ""
        try fields.refuse(["scrape_failure_log_file"])
        try fields.finish()
        return global
    }

    /// `${NAME}` and `$NAME` become the variable's value, `$$` a dollar sign; what is not set becomes nothing.
    private func expand(_ text: String) -> String {
        var result = ""
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "$" else {
                result.unicodeScalars.append(scalar)
                continue
            }
            if rest.first == "$" {
                rest.removeFirst()
                result += "$"
            } else if rest.first == "{", let close = rest.firstIndex(of: "}") {
                result += environment(String(rest[rest.index(after: rest.startIndex)..<close])) ?? ""
                rest = rest[rest.index(after: close)...]
            } else {
                let name = rest.prefix { $0 == "_" || ($0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil)) }
                result += name.isEmpty ? "$" : environment(String(name)) ?? ""
                rest = rest.dropFirst(name.count)
            }
        }
        return result
    }

    private func storage(_ node: YAMLNode) throws(ConfigError) -> Configuration.Storage {
        var result = Configuration.Storage()
        var fields = try Fields(node, "storage")
        if let node = fields.take("tsdb") {
            var tsdb = try Fields(node, "storage.tsdb")
            result.outOfOrderWindow = try tsdb.duration("out_of_order_time_window") ?? .zero
            if let node = tsdb.take("retention") {
                var retention = try Fields(node, "storage.tsdb.retention")
                result.retentionTime = try retention.duration("time")
                try retention.refuse(["size", "percentage"])
                try retention.finish()
            }
            try tsdb.refuse(["stale_series_compaction_threshold", "chunk_encoding"])
            try tsdb.finish()
        }
        if let node = fields.take("exemplars") {
            var exemplars = try Fields(node, "storage.exemplars")
            if let count = try exemplars.count("max_exemplars") { result.maxExemplars = count }
            try exemplars.finish()
        }
        try fields.finish()
        return result
    }

    // MARK: Rule files

    private func addRules(_ pattern: String, at position: YAMLPosition, to result: inout Configuration) throws(ConfigError) {
        let absolute = self.absolute(pattern)
        result.ruleFiles.append(absolute)
        var files: [String] = []
        var found = glob_t()
        defer { globfree(&found) }
        if glob(absolute, 0, nil, &found) == 0 {
            for index in 0..<Int(found.gl_pathc) {
                if let path = found.gl_pathv[index] { files.append(String(cString: path)) }
            }
        }
        for file in files {
            let text: [UInt8]
            do throws(TSDBError) { text = try read(file) } catch { throw ConfigError(error.description, at: position) }
            let groups = try RuleFile.parse(
                text, file: file, global: result.global.evaluationInterval, queryOffset: result.global.ruleQueryOffset,
                options: options)
            result.ruleGroups.append(contentsOf: groups)
        }
    }

    private func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        guard let slash = self.path.lastIndex(of: "/") else { return path }
        return self.path[...slash] + path
    }
}
