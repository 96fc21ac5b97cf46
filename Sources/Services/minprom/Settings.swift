import ConfigurationFile
import HTTPServer
import Logging
import NIOCore
import Numbers
import PromQL
import RegularExpression
import Scraper
import TSDB
import WebAPI

/// The flags as values; what is wrong with one is said in a line that names it.
struct Settings {
    var addresses: [WebServer.Address] = []
    var retention: TSDB.Duration
    var engine = EngineOptions()
    /// What holds where the configuration's `global` says nothing.
    var globalDefaults = GlobalConfig()
    /// The feature `exemplar-storage`.
    var storesExemplars = false
    /// The feature `st-storage`.
    var storesStarts = false
    var format: LogLines.Format
    var level: Logger.Level
    /// With a slash in front and none behind; empty for none.
    var routePrefix = ""
    var rules = RuleSide.Options()
    /// `nil`: this process is no Alertmanager.
    var alertmanager: AlertmanagerSettings?
    let allowedOrigins: Pattern
    var warnings: [String] = []

    init(_ flags: Serve) throws(StartError) {
        for text in flags.listenAddresses {
            guard let address = WebServer.Address(text) else {
                throw StartError("--web.listen-address: \"\(text)\" is not host:port")
            }
            addresses.append(address)
        }
        retention = try Self.duration("storage.tsdb.retention.time", flags.retentionTime)
        guard let size = ByteSize.parse(flags.retentionSize) else {
            throw StartError("--storage.tsdb.retention.size: \"\(flags.retentionSize)\" is not a size such as 512MB")
        }
        guard size == 0 else {
            throw StartError(
                "--storage.tsdb.retention.size: keeping within a size is not supported yet; use --storage.tsdb.retention.time")
        }
        guard ["lz4", "snappy", "none"].contains(flags.walCompression) else {
            throw StartError("--storage.tsdb.wal-compression-type must be lz4, snappy or none, not \"\(flags.walCompression)\"")
        }
        guard flags.queryMaxConcurrency > 0 else { throw StartError("--query.max-concurrency must be positive") }
        guard flags.queryMaxSamples > 0 else { throw StartError("--query.max-samples must be positive") }
        guard flags.maxConnections > 0 else { throw StartError("--web.max-connections must be positive") }
        engine.timeout = try Self.duration("query.timeout", flags.queryTimeout)
        engine.lookback = try Self.duration("query.lookback-delta", flags.queryLookback)
        guard engine.lookback > .zero else { throw StartError("--query.lookback-delta must be positive") }
        engine.maxSamples = flags.queryMaxSamples
        guard let memory = ByteSize.parse(flags.queryMaxMemory), (1 << 20...1 << 60).contains(memory) else {
            throw StartError("--query.max-memory: \"\(flags.queryMaxMemory)\" is not a size of 1MB or more, such as 512MB")
        }
        engine.maxBytes = memory
        engine.memory = QueryMemory(limit: memory * 2)
        engine.clock = SystemClock.monotonic
        engine.threadClock = SystemClock.thread
        // One thread less than cores: a query's own thread works, too. Only heavy queries are helped, at their priority.
        if System.coreCount > 1 {
            engine.runner = PoolRunner(ThreadPool("morsels", threads: System.coreCount - 1, niceness: 5))
        }
        if let name = flags.engineFault {
            guard let fault = EngineFault(rawValue: name) else {
                let names = EngineFault.allCases.map(\.rawValue).joined(separator: ", ")
                throw StartError("--test.engine-fault must be one of \(names), not \"\(name)\"")
            }
            engine.fault = fault
            warnings.append("--test.engine-fault: answers are wrong on purpose (\(name))")
        }
        format = try LogLines.format(flags.logging.format)
        do throws(PatternError) { allowedOrigins = try Pattern(flags.corsOrigin) } catch {
            throw StartError("--web.cors.origin: \(error)")
        }
        level = try LogLines.level(flags.logging.level)
        routePrefix = try Self.prefix(externalURL: flags.externalURL, routePrefix: flags.routePrefix)
        rules = try Self.rules(flags, host: addresses.first)
        alertmanager = try Self.alertmanager(flags)
        if flags.enableAdmin { warnings.append("--web.enable-admin-api has no effect yet") }
        for text in flags.features.flatMap({ $0.split(separator: ",") }) { use(feature: String(text)) }
    }

    private mutating func use(feature: String) {
        switch feature {
        case "promql-experimental-functions": engine.parser.experimentalFunctions = true
        case "promql-duration-expr": engine.parser.durationExpressions = true
        case "promql-delayed-name-removal": engine.delayedNameRemoval = true
        case "promql-per-step-stats": engine.perStepStatistics = true
        case "promql-binop-fill-modifiers": engine.parser.fillModifiers = true
        case "exemplar-storage": storesExemplars = true
        // Native histograms are always stored; whether they are scraped is for the configuration to say, and this says it for all of it.
        case "native-histograms":
            globalDefaults.histograms.scrapesNative = true
            globalDefaults.protocols = ScrapeProtocol.protobufFirst
        case "created-timestamp-zero-ingestion":
            globalDefaults.storesStartZeros = true
            globalDefaults.protocols = ScrapeProtocol.protobufFirst
        case "st-storage":
            storesStarts = true
            globalDefaults.storesStarts = true
            globalDefaults.protocols = ScrapeProtocol.protobufFirst
        case "use-start-timestamps": engine.usesStarts = true
        case "promql-extended-range-selectors": engine.parser.extendedRangeSelectors = true
        default: warnings.append("--enable-feature: \"\(feature)\" is not known or not supported yet")
        }
    }

    private static func rules(_ flags: Serve, host: WebServer.Address?) throws(StartError) -> RuleSide.Options {
        var options = RuleSide.Options()
        guard flags.notificationQueueCapacity > 0 else {
            throw StartError("--alertmanager.notification-queue-capacity must be positive")
        }
        guard flags.notificationBatchSize > 0 else { throw StartError("--alertmanager.notification-batch-size must be positive") }
        guard flags.ruleConcurrency > 0 else { throw StartError("--rules.max-concurrent-evals must be positive") }
        options.concurrency = flags.ruleConcurrency
        options.sending.queueCapacity = flags.notificationQueueCapacity
        options.sending.batchSize = flags.notificationBatchSize
        options.sending.drainsOnShutdown = flags.drainsNotificationQueue
        options.resendDelay = try duration("rules.alert.resend-delay", flags.ruleResendDelay)
        options.outageTolerance = try duration("rules.alert.for-outage-tolerance", flags.ruleOutageTolerance)
        options.gracePeriod = try duration("rules.alert.for-grace-period", flags.ruleGracePeriod)
        var url = flags.externalURL.isEmpty ? localURL(port: host?.port ?? 9090) : flags.externalURL
        while url.hasSuffix("/") { url.removeLast() }
        options.externalURL = url
        return options
    }

    private static func alertmanager(_ flags: Serve) throws(StartError) -> AlertmanagerSettings? {
        guard let file = flags.alertmanagerConfigFile else { return nil }
        let addresses = try AlertmanagerSettings.addresses(flags.alertmanagerAddresses, flag: "alertmanager.web.listen-address")
        var directory = flags.alertmanagerStoragePath
        if directory == nil, flags.storagePath != ":memory:" {
            directory = flags.storagePath + (flags.storagePath.hasSuffix("/") ? "" : "/") + "alertmanager"
        }
        var settings = AlertmanagerSettings(
            configFile: file, directory: directory == ":memory:" ? nil : directory, addresses: addresses)
        settings.flagPrefix = "alertmanager."
        let external = flags.alertmanagerExternalURL
        settings.externalURL = external.isEmpty ? localURL(port: addresses.first?.port ?? 9093) : external
        settings.routePrefix = try prefix(externalURL: external, routePrefix: nil)
        settings.retention = try AlertmanagerSettings.duration(flags.alertmanagerRetention, flag: "alertmanager.data.retention")
        return settings
    }

    /// How a server is reached where nobody says it: upstream names the machine.
    static func localURL(port: Int) -> String { "http://\(SystemClock.hostName):\(port)" }

    /// `--web.route-prefix`, or the path of `--web.external-url`.
    static func prefix(externalURL: String, routePrefix: String?) throws(StartError) -> String {
        var prefix = routePrefix ?? ""
        if routePrefix == nil, !externalURL.isEmpty {
            let parts = externalURL.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
            guard parts.count >= 3, ["http:", "https:"].contains(parts[0]), parts[1].isEmpty, !parts[2].isEmpty else {
                throw StartError("--web.external-url: \"\(externalURL)\" is not a URL such as http://host:9090/path")
            }
            prefix = parts.count > 3 ? String(parts[3]) : ""
        }
        let path = prefix.split(separator: "/").joined(separator: "/")
        return path.isEmpty ? "" : "/" + path
    }

    private static func duration(_ flag: String, _ text: String) throws(StartError) -> TSDB.Duration {
        do throws(DurationError) {
            return .milliseconds(try Numbers.DurationText.parse(text))
        } catch {
            throw StartError("--\(flag): \(error.message)")
        }
    }
}
