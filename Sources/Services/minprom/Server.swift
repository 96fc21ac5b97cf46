import ConfigurationFile
import HTTPServer
import HostMetrics
import Logging
import NIOCore
import NIOPosix
import Scraper
import SelfMetrics
import Synchronization
import TSDB
import WebAPI

/// Wires everything: the only place that knows all parts.
///
///     flags ▶ configuration ▶ listen (not ready) ▶ open the database, replay its log ▶ scrape ▶ ready
///     SIGTERM, /-/quit ▶ not ready ▶ stop scraping ▶ finish requests ▶ close the database
struct Server {
    private let flags: Serve
    private let settings: Settings
    private let logger: Logger
    private let clock = SystemClock()

    init(_ flags: Serve) throws(StartError) {
        self.flags = flags
        let settings = try Settings(flags)
        self.settings = settings
        logger = Logger(label: "minprom") { LogLines(label: $0, format: settings.format, logLevel: settings.level) }
    }

    func run() async throws(StartError) {
        FreeMemory.bound()
        let signals = Signals.stream()
        for warning in settings.warnings { logger.warning("\(warning)") }
        let registry = MetricsRegistry()
        let host = flags.exporters.host
        let pages: [String: InternalTransport.Page] = [
            "self": { accepted in
                let format = PageFormat(accepted: accepted)
                return (format.contentType, registry.page(format))
            },
            "host": { _ in (PageFormat.text.contentType, host.exposition()) },
        ]
        let loader = ConfigurationLoader(flags.configFile, options: settings.engine.parser, defaults: settings.globalDefaults, pages: Set(pages.keys))
        let configuration: Configuration
        do throws(ConfigError) { configuration = try loader.load() } catch {
            throw StartError("error loading config from \"\(flags.configFile ?? "")\": \(error)")
        }
        let status = ServerStatus(
            startTime: clock.now(), flags: flags.flags, isLifecycleEnabled: flags.enableLifecycle)
        registry.add { ProcessMetrics.write(to: &$0) }
        registry.add { ServerMetrics.write(status, to: &$0) }

        let stop = StopRequest(), storage = StorageSide()
        let alertmanager = try alertmanager()
        let exporters = try flags.exporters.listeners(host, logger: logger)
        var laneOptions = QueryLanes.Options()
        laneOptions.heavyQueries = flags.queryMaxConcurrency
        let lanes = QueryLanes(laneOptions)
        let web = webServer(status, registry, lanes, storage, stop, alertmanager)
        let alerting = Task { () -> StartError? in
            do throws(StartError) { try await alertmanager?.run() } catch {
                stop.ask()
                return error
            }
            return nil
        }
        let exporting = Task { await exporters.run(stop) }
        let background = Task {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    do throws(StartError) {
                        try await open(configuration, loader, pages, status, registry, lanes, storage, alertmanager)
                    } catch {
                        storage.fail(error)
                        stop.ask()
                    }
                }
                group.addTask {
                    for await wish in signals {
                        switch wish {
                        case .stop: stop.ask()
                        case .reload:
                            _ = await Self.reload(storage, alertmanager)
                            await exporters.reload()
                        }
                    }
                }
                group.addTask {
                    await stop.wait()
                    logger.info("Stopping")
                    status.setReady(false)
                    await storage.running?.rules.stop()
                    await storage.running?.scraper.stop()
                    await alertmanager?.stop()
                    await exporters.stop()
                    await web.stop()
                }
            }
        }
        var failure: StartError?
        do { try await web.run() } catch {
            failure = StartError(WebServer.describe(error, addresses: flags.listenAddresses))
            await alertmanager?.stop()
            await exporters.stop()
        }
        let alertmanagerFailure = await alerting.value
        let exporterFailure = await exporting.value
        background.cancel()
        if let running = storage.running {
            running.transport.close()
            running.activeQueries?.close()
            do throws(TSDBError) { try running.database.close() } catch { logger.error("Closing the database: \(error)") }
        }
        if let failure = failure ?? alertmanagerFailure ?? exporterFailure ?? storage.failure { throw failure }
        logger.info("See you next time!")
    }

    /// The Alertmanager half, where there is a configuration file for it.
    private func alertmanager() throws(StartError) -> AlertmanagerHalf? {
        guard let own = settings.alertmanager else { return nil }
        return try AlertmanagerHalf(
            own, eventLoops: MultiThreadedEventLoopGroup(numberOfThreads: 1), clock: clock, logger: logger)
    }

    /// Loads all files again; what is wrong with those that do not load, a line each. Each file is taken or left alone.
    private static func reload(_ storage: StorageSide, _ alertmanager: AlertmanagerHalf?) async -> String? {
        guard let running = storage.running else { return "the server is not ready" }
        let first = await running.reloader.reload()
        let second = await alertmanager?.reload()
        let problems = [first, second ?? nil].compactMap(\.self)
        return problems.isEmpty ? nil : problems.joined(separator: "\n")
    }

    private func webServer(
        _ status: ServerStatus, _ registry: MetricsRegistry, _ lanes: QueryLanes, _ storage: StorageSide,
        _ stop: StopRequest, _ alertmanager: AlertmanagerHalf?
    ) -> WebServer {
        var doors = WebAPI.Options()
        doors.acceptsRemoteWrite = flags.enableRemoteWrite
        doors.routePrefix = settings.routePrefix
        doors.allowedOrigins = settings.allowedOrigins
        let api = WebAPI(
            status: status, registry: registry, lanes: lanes, clock: clock, options: doors,
            assets: WebAssets(files: EmbeddedFiles.all()),
            hooks: .init(
                reload: { await Self.reload(storage, alertmanager) }, quit: { stop.ask() }))
        var limits = WebServer.Limits()
        limits.connections = flags.maxConnections
        let logger = logger
        return WebServer(
            api, on: settings.addresses, limits: limits,
            eventLoops: MultiThreadedEventLoopGroup(numberOfThreads: min(2, System.coreCount)), logger: logger
        ) { host, port in
            logger.info("Listening on", metadata: ["address": "\(host):\(port)"])
        }
    }
}

// MARK: The side of storage

/// The parts that exist once the log is replayed, or why they never will.
private final class StorageSide: Sendable {
    struct Running: Sendable {
        var database: Database
        var scraper: Scraper
        var reloader: Reloader
        var rules: RuleSide
        var transport: NIOScrapeTransport
        var activeQueries: ActiveQueries?
    }

    private enum State { case starting, running(Running), failed(StartError) }
    private let state = Mutex(State.starting)

    func run(_ parts: Running) { state.withLock { $0 = .running(parts) } }
    func fail(_ error: StartError) { state.withLock { $0 = .failed(error) } }

    var running: Running? {
        state.withLock { if case .running(let parts) = $0 { parts } else { nil } }
    }
    var failure: StartError? {
        state.withLock { if case .failed(let error) = $0 { error } else { nil } }
    }
}

extension Server {
    /// Opens the database, starts scraping and upkeep, and makes the server ready. Returns when upkeep is cancelled.
    private func open(
        _ configuration: Configuration, _ loader: ConfigurationLoader, _ pages: [String: InternalTransport.Page],
        _ status: ServerStatus, _ registry: MetricsRegistry, _ lanes: QueryLanes, _ storage: StorageSide,
        _ alertmanager: AlertmanagerHalf?
    ) async throws(StartError) {
        let upkeep = ThreadPool("upkeep", threads: 1)
        let opened: Result<Database, StartError>
        do throws(ThreadPool.Full) {
            opened = try await upkeep.run {
                do throws(StartError) { return .success(try openDatabase(configuration)) } catch { return .failure(error) }
            }
        } catch {
            throw StartError("no thread to open the database")
        }
        let database = try opened.get()
        // Scrapes have a loop of their own, and everything of a scrape happens on it.
        let scrapeLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let scrapeThread = scrapeLoop.next()
        let transport = NIOScrapeTransport(eventLoops: scrapeLoop)
        var scraping = Scraper.Options()
        scraping.executor = EventLoopExecutor(scrapeThread)
        let scraper = Scraper(
            storage: database, transport: InternalTransport(pages: pages, otherwise: transport), wallClock: clock,
            clock: EventLoopClock(scrapeThread), options: scraping)
        let activeQueries = activeQueries(lanes.options)
        let rules = RuleSide(settings.rules, alertmanager: alertmanager, clock: clock, logger: logger)
        let reloader = Reloader(
            loader: loader, status: status, database: database, engine: settings.engine, scraper: scraper,
            retention: settings.retention, storesExemplars: settings.storesExemplars, clock: clock, logger: logger,
            rules: rules, activeQueries: activeQueries)
        registry.add { rules.writeMetrics(to: &$0) }
        registry.add { ServerMetrics.write(database, scraper.statistics.current, to: &$0) }
        storage.run(
            .init(
                database: database, scraper: scraper, reloader: reloader, rules: rules, transport: transport,
                activeQueries: activeQueries))
        await reloader.start(configuration)
        guard !Task.isCancelled else { return }
        status.setReady(true)
        logger.info("Server is ready to receive web requests.")
        await keep(database, lanes, upkeep)
    }

    /// Room for all queries that can run at once. Says what was running when the process before this one ended.
    private func activeQueries(_ lanes: QueryLanes.Options) -> ActiveQueries? {
        guard flags.storagePath != ":memory:" else { return nil }
        do throws(TSDBError) {
            let queries = try ActiveQueries(
                directory: flags.storagePath, places: lanes.heavyQueries + lanes.lightThreads, clock: clock)
            if !queries.unfinished.isEmpty {
                logger.info(
                    "These queries didn't finish in the last run:",
                    metadata: ["queries": "[\(queries.unfinished.joined(separator: ","))]"])
            }
            return queries
        } catch {
            logger.error("No record of running queries: \(error)")
            return nil
        }
    }

    private func openDatabase(_ configuration: Configuration) throws(StartError) -> Database {
        var options = Reloader.options(
            configuration, settings.retention, storesExemplars: settings.storesExemplars)
        options.storesStarts = settings.storesStarts
        options.wal.compression = WALCompression(rawValue: flags.walCompression) ?? .lz4
        guard flags.storagePath != ":memory:" else { return Database.inMemory(options: options, clock: clock) }
        var directory = flags.storagePath
        while directory.count > 1 && directory.hasSuffix("/") { directory.removeLast() }
        let began = SystemClock.monotonic()
        let database: Database
        do throws(TSDBError) {
            database = try Database.open(directory, options: options, files: DiskFileStore(), clock: clock)
        } catch { throw StartError("--storage.tsdb.path: \(error)") }
        let replay = database.replay
        for damage in replay.damages { logger.warning("Damage in the log", metadata: ["place": "\(damage)"]) }
        if replay.lostSampleCount > 0 {
            logger.warning("Samples behind the damage could not be read", metadata: ["samples": "\(replay.lostSampleCount)"])
        }
        if replay.deletionCount > 0 {
            logger.warning(
                "The log holds deletions, which are not carried out yet: the deleted samples can be queried",
                metadata: ["deletions": "\(replay.deletionCount)"])
        }
        logger.info(
            "Log replayed",
            metadata: [
                "series": "\(database.statistics.seriesCount)", "samples": "\(database.statistics.sampleCount)",
                "milliseconds": "\((SystemClock.monotonic() - began) / 1_000_000)",
            ])
        return database
    }

    /// Once a second: what the database has to do in the background.
    private func keep(_ database: Database, _ lanes: QueryLanes, _ pool: ThreadPool) async {
        var lastFailure = ""
        while !Task.isCancelled {
            do { try await Task.sleep(for: .seconds(1)) } catch { return }
            let failure =
                (try? await pool.run { () -> String in
                    lanes.tick()
                    do throws(TSDBError) { try database.tick() } catch { return error.description }
                    return ""
                }) ?? ""
            if !failure.isEmpty && failure != lastFailure { logger.error("Storage: \(failure)") }
            lastFailure = failure
        }
    }
}
