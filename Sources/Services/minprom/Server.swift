import Logging
import NIOCore
import NIOPosix
import PromQL
import SelfMetrics
import TSDB
import WebAPI

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Wires everything: the only place that knows all parts. Starts them in order, stops them in the reverse order.
struct Server {
    private let options: Serve
    private let logger: Logger

    init(_ options: Serve) throws(StartError) {
        self.options = options
        logger = try Self.makeLogger(options)
    }

    func run() async throws(StartError) {
        let signals = Signals.stream()
        let clock = SystemClock()
        let addresses = try self.addresses()
        let status = ServerStatus(startTime: clock.now(), flags: options.flags, isLifecycleEnabled: options.enableLifecycle)
        let registry = MetricsRegistry()
        registry.add { ProcessMetrics.write(to: &$0) }
        let pool = ThreadPool("query", threads: options.queryMaxConcurrency)
        let stop = StopRequest()
        var doors = WebAPI.Options()
        doors.acceptsRemoteWrite = options.enableRemoteWrite
        let api = WebAPI(
            status: status, registry: registry, pool: pool, clock: clock, options: doors,
            hooks: .init(quit: { stop.ask() }))
        let database = Database.inMemory(clock: clock)
        var engineOptions = EngineOptions()
        engineOptions.clock = SystemClock.monotonic
        status.use(ServerParts(database: database, engine: Engine(engineOptions)))
        let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: min(2, System.coreCount))
        let logger = logger
        var limits = WebServer.Limits()
        limits.connections = options.maxConnections
        let web = WebServer(api, on: addresses, limits: limits, eventLoops: eventLoops, logger: logger) { host, port in
            logger.info("Listening on", metadata: ["address": "\(host):\(port)"])
        }
        status.setReady(true)
        logger.info("Server is ready to receive web requests.")
        let watch = Task {
            for await wish in signals {
                switch wish {
                case .stop: stop.ask()
                case .reload: logger.info("Loading configuration file")
                }
            }
        }
        let stopping = Task {
            await stop.wait()
            logger.info("Stopping")
            status.setReady(false)
            await web.stop()
        }
        defer {
            watch.cancel()
            stopping.cancel()
        }
        do {
            try await web.run()
        } catch {
            throw StartError(Self.describe(error, addresses: options.listenAddresses))
        }
        logger.info("See you next time!")
    }

    private func addresses() throws(StartError) -> [WebServer.Address] {
        var result: [WebServer.Address] = []
        for text in options.listenAddresses {
            guard let address = WebServer.Address(text) else {
                throw StartError("--web.listen-address: \"\(text)\" is not host:port")
            }
            result.append(address)
        }
        return result
    }

    private static func makeLogger(_ options: Serve) throws(StartError) -> Logger {
        guard let format = LogLines.Format(rawValue: options.logFormat) else {
            throw StartError("--log.format must be logfmt or json, not \"\(options.logFormat)\"")
        }
        let levels: [String: Logger.Level] = ["debug": .debug, "info": .info, "warn": .warning, "error": .error]
        guard let level = levels[options.logLevel] else {
            throw StartError("--log.level must be debug, info, warn or error, not \"\(options.logLevel)\"")
        }
        return Logger(label: "minprom") { LogLines(label: $0, format: format, logLevel: level) }
    }

    private static func describe(_ error: any Error, addresses: [String]) -> String {
        WebServer.describe(error, addresses: addresses)
    }
}
