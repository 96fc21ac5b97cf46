import Alerter
import ConfigurationFile
import HTTPServer
import Logging
import NIOPosix
import Notify
import SelfMetrics
import Synchronization
import TSDB
import TextTemplate
import WebAPI

/// Alertmanager as a part of this process: the machine, its driver, its receivers, its API on a port of its own.
///
///     alerts ─▶ POST /api/v2/alerts, or straight from our own rules ─▶ machine ─▶ driver ─▶ receivers
///
/// The server has one with `--alertmanager.config.file`; `minprom alertmanager` is nothing else.
final class AlertmanagerHalf: Sendable {
    let parts: AlertmanagerParts
    let settings: AlertmanagerSettings
    private let driver: AlertmanagerDriver
    private let notifier: IntegrationNotifier
    private let config: Mutex<AlertmanagerConfig>
    private let web: WebServer
    private let pool: ThreadPool
    private let clock: any WallClock
    private let logger: Logger
    private let reloads: Mutex<ServerStatus.Reload>

    /// Reads the configuration and what an earlier run left; listens to nothing yet.
    init(
        _ settings: AlertmanagerSettings, eventLoops: MultiThreadedEventLoopGroup, clock: any WallClock, logger: Logger
    ) throws(StartError) {
        self.settings = settings
        self.clock = clock
        self.logger = logger
        let config = try Self.load(settings)
        self.config = Mutex(config)
        for warning in config.warnings { logger.warning("\(warning)") }
        var options = AlertmanagerOptions()
        options.retention = settings.retention
        options.maintenanceInterval = settings.maintenanceInterval
        options.alertCollectionInterval = settings.alertCollectionInterval
        options.maximumSilences = settings.maximumSilences
        options.maximumSilenceBytes = settings.maximumSilenceBytes
        options.alertsPerName = settings.alertsPerName
        options.directory = settings.directory
        let machine: Alertmanager
        do throws(TSDBError) {
            machine = try Alertmanager(
                config, options: options, files: DiskFileStore(), random: SystemRandomNumberGenerator(), at: clock.now())
        } catch { throw StartError("--\(settings.flagPrefix)storage.path: \(error)") }
        let statistics = machine.statistics(at: clock.now())
        for (name, file) in [("silences", statistics.silenceFile), ("nflog", statistics.notificationLogFile), ("alerts", statistics.alertFile)]
        where file.damagedRecords > 0 {
            logger.warning(
                "Damage in a state file", metadata: ["file": "\(name)", "records": "\(file.damagedRecords)", "bytes": "\(file.damagedBytes)"])
        }
        let pool = ThreadPool("alertmanager", threads: 2)
        self.pool = pool
        let notifier: IntegrationNotifier
        do throws(TemplateError) {
            notifier = try IntegrationNotifier(config, externalURL: settings.externalURL) { logger.info("\($0)") }
        } catch { throw StartError("error loading templates: \(error)") }
        self.notifier = notifier
        let driver = AlertmanagerDriver(machine, notifier: notifier, clock: clock, pool: pool)
        self.driver = driver
        let testing = Relay<(String, [Alert]), [AlertmanagerParts.TestResult]?>()
        let parts = AlertmanagerParts(
            machine, .init(config), build: .init(version: "0.34.0+minprom.0.1.0"), startTime: clock.now(),
            test: { await testing.call(($0, $1)) ?? nil }, changed: { driver.ring() })
        self.parts = parts
        reloads = Mutex(.init(succeeded: true, lastSuccess: clock.now()))

        let registry = MetricsRegistry()
        let reloading = Relay<Void, String?>()
        let api = AlertmanagerAPI(
            parts, registry: registry, pool: pool, clock: clock, routePrefix: settings.routePrefix,
            assets: .alertmanager(files: EmbeddedFiles.all()), hooks: .init(reload: { await reloading.call(()) ?? nil }))
        web = WebServer(api, on: settings.addresses, eventLoops: eventLoops, logger: logger) { host, port in
            logger.info("Alertmanager is listening on", metadata: ["address": "\(host):\(port)"])
        }
        reloading.lead { [weak self] in await self?.reload() }
        testing.lead { [weak self] receiver, alerts in await self?.test(receiver, alerts) }
        registry.add { ProcessMetrics.write(to: &$0) }
        registry.add { [weak self] page in self?.write(to: &page) }
    }

    /// What the API asks for before there is anybody to answer.
    private final class Relay<Question: Sendable, Answer: Sendable>: Sendable {
        private let target = Mutex<(@Sendable (Question) async -> Answer)?>(nil)
        func lead(_ target: @escaping @Sendable (Question) async -> Answer) { self.target.withLock { $0 = target } }
        func call(_ question: Question) async -> Answer? { await target.withLock { $0 }?(question) }
    }

    private static func load(_ settings: AlertmanagerSettings) throws(StartError) -> AlertmanagerConfig {
        do throws(ConfigError) { return try read(settings.configFile) } catch {
            throw StartError("error loading config from \"\(settings.configFile)\": \(error)")
        }
    }

    private static func read(_ path: String) throws(ConfigError) -> AlertmanagerConfig {
        let files = DiskFileStore()
        return try AlertmanagerFile(path: path) { (path: String) throws(TSDBError) in
            try files.readAll(path, limit: YAMLReader.maximumBytes)
        }.load()
    }

    /// Alerts of our own rules, without a socket.
    func receive(_ alerts: [Alert]) async {
        let reports = alerts.map { AlertReport($0) }, machine = parts.machine, clock = clock
        let refusals = (try? await pool.run { machine.receive(reports, at: clock.now()) }) ?? []
        for refusal in refusals { logger.warning("An alert of a rule was refused", metadata: ["err": "\(refusal.message)"]) }
        driver.ring()
    }

    // MARK: Life

    /// Serves until `stop` or cancellation; throws where an address cannot be listened on.
    func run() async throws(StartError) {
        let running = Task { await driver.run() }
        defer { running.cancel() }
        do { try await web.run() } catch {
            throw StartError(WebServer.describe(error, addresses: settings.addresses.map { "\($0.host):\($0.port)" }))
        }
        running.cancel()
        await running.value
        parts.machine.close(at: clock.now())
        await notifier.shutdown()
    }

    func stop() async { await web.stop() }

    /// Loads the file again; the text of what is wrong, or `nil`. A file that does not load changes nothing.
    func reload() async -> String? {
        do throws(ConfigError) {
            let config = try Self.read(settings.configFile)
            do throws(TemplateError) { try notifier.reload(config) } catch { throw ConfigError("\(error)") }
            self.config.withLock { $0 = config }
            let machine = parts.machine, clock = clock
            try? await pool.run { machine.apply(config, at: clock.now()) }
            parts.use(.init(config))
            driver.ring()
            reloads.withLock { $0 = .init(succeeded: true, lastSuccess: clock.now()) }
            logger.info("Completed loading of configuration file", metadata: ["file": "\(settings.configFile)"])
            return nil
        } catch {
            reloads.withLock { $0.succeeded = false }
            logger.error("Loading configuration file failed", metadata: ["file": "\(settings.configFile)", "err": "\(error)"])
            return error.description
        }
    }

    /// Sends `alerts` to all integrations of a receiver; `nil`: there is none of this name.
    private func test(_ name: String, _ alerts: [Alert]) async -> [AlertmanagerParts.TestResult]? {
        guard let receiver = config.withLock({ $0.receivers.first { $0.name == name } }) else { return nil }
        return await notifier.test(receiver: receiver, alerts: alerts, now: clock.now()).map {
            AlertmanagerParts.TestResult(integration: $0.integration, index: $0.index, outcome: $0.outcome, exchange: $0.exchange)
        }
    }

    private func write(to page: inout MetricsPage) {
        AlertmanagerMetrics.write(parts, at: clock.now(), to: &page)
        let reload = reloads.withLock { $0 }
        page.family(
            "alertmanager_config_last_reload_successful", .gauge, "Whether the last configuration reload attempt was successful.")
        page.sample("alertmanager_config_last_reload_successful", [], reload.succeeded ? 1 : 0)
        page.family(
            "alertmanager_config_last_reload_success_timestamp_seconds", .gauge,
            "Timestamp of the last successful configuration reload.")
        page.sample("alertmanager_config_last_reload_success_timestamp_seconds", [], reload.lastSuccess.seconds)
        page.family("alertmanager_config_hash", .gauge, "Hash of the currently loaded alertmanager configuration.")
        page.sample("alertmanager_config_hash", [], Double(Fingerprint(["config": parts.configured.text]).rawValue >> 16))
    }
}
