import Alerter
import ConfigurationFile
import Logging
import PromQL
import Rules
import Scraper
import TSDB
import WebAPI

/// Where the configuration comes from: a file, or our own defaults where none is named.
struct ConfigurationLoader: Sendable {
    private let path: String?
    private let options: ParserOptions
    private let defaults: GlobalConfig
    private let pages: Set<String>

    init(_ path: String?, options: ParserOptions, defaults: GlobalConfig, pages: Set<String>) {
        self.path = path
        self.options = options
        self.defaults = defaults
        self.pages = pages
    }

    func load() throws(ConfigError) -> Configuration {
        guard let path else { return .standard(pages: pages) }
        let files = DiskFileStore()
        return try ConfigurationFile(path: path, options: options, defaults: defaults) { (path: String) throws(TSDBError) in
            try files.readAll(path, limit: YAMLReader.maximumBytes)
        }.load()
    }
}

/// Brings a configuration into force, at the start and again on SIGHUP or `/-/reload`.
///
/// A configuration that does not load changes nothing: the old one stays in force, and
/// `prometheus_config_last_reload_successful` says so.
actor Reloader {
    private let loader: ConfigurationLoader
    private let status: ServerStatus
    private let database: Database
    private let engine: EngineOptions
    private let scraper: Scraper
    private let retention: TSDB.Duration
    private let storesExemplars: Bool
    private let clock: any WallClock
    private let logger: Logger
    private let activeQueries: ActiveQueries?
    private let rules: RuleSide
    private var queryLog: QueryLog?

    init(
        loader: ConfigurationLoader, status: ServerStatus, database: Database, engine: EngineOptions,
        scraper: Scraper, retention: TSDB.Duration, storesExemplars: Bool, clock: any WallClock, logger: Logger,
        rules: RuleSide, activeQueries: ActiveQueries? = nil
    ) {
        self.rules = rules
        self.activeQueries = activeQueries
        self.loader = loader
        self.status = status
        self.database = database
        self.engine = engine
        self.scraper = scraper
        self.retention = retention
        self.storesExemplars = storesExemplars
        self.clock = clock
        self.logger = logger
    }

    /// Puts the first configuration into force.
    func start(_ configuration: Configuration) async { await apply(configuration) }

    /// Loads again; the text of what is wrong, or `nil`.
    func reload() async -> String? {
        logger.info("Loading configuration file")
        do throws(ConfigError) {
            await apply(try loader.load())
            return nil
        } catch {
            status.reloaded(at: clock.now(), successfully: false)
            logger.error("Error reloading config", metadata: ["err": "\(error)"])
            return error.description
        }
    }

    private func apply(_ configuration: Configuration) async {
        for warning in configuration.warnings { logger.warning("\(warning)") }
        database.apply(Self.options(configuration, retention, storesExemplars: storesExemplars))
        openQueryLog(configuration.global.queryLogFile)
        var options = engine
        options.defaultSubqueryStep = configuration.global.evaluationInterval
        status.use(
            ServerParts(
                database: database, engine: Engine(options), scraper: scraper, configuration: configuration.yaml,
                queryLog: queryLog, activeQueries: activeQueries, rules: rules.view,
                externalLabels: configuration.global.externalLabels))
        await scraper.apply(configuration.scrapeConfigs)
        await rules.apply(configuration, on: database, Engine(options))
        status.reloaded(at: clock.now(), successfully: true)
        logger.info("Completed loading of configuration file", metadata: ["jobs": "\(configuration.scrapeConfigs.count)"])
    }

    /// Opened again at each reload: a tool that rotates logs moves the file and asks for one.
    private func openQueryLog(_ path: String) {
        queryLog = nil
        guard !path.isEmpty else { return }
        do throws(TSDBError) { queryLog = try QueryLog(path: path, clock: clock) } catch { logger.error("\(error)") }
    }

    /// The file's settings over those of the flags.
    static func options(
        _ configuration: Configuration, _ retention: TSDB.Duration, storesExemplars: Bool
    ) -> DatabaseOptions {
        var options = DatabaseOptions()
        options.retention = configuration.storage.retentionTime ?? retention
        options.outOfOrderWindow = configuration.storage.outOfOrderWindow
        options.maxExemplars = storesExemplars ? configuration.storage.maxExemplars : 0
        return options
    }
}
