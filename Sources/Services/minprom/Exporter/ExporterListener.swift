import HTTPServer
import Logging
import NIOPosix

/// An exporter on a port of its own: as a process that does nothing else, or beside the server.
struct ExporterListener: Sendable {
    let name: String
    private let web: WebServer
    private let addresses: [String]
    /// Reads its configuration again, where it has one.
    let reload: @Sendable () async -> Void

    init(
        _ service: any HTTPService, on addresses: [String], flag: String = "web.listen-address", name: String = "exporter", logger: Logger,
        reload: @escaping @Sendable () async -> Void = {}
    ) throws(StartError) {
        self.name = name
        self.reload = reload
        self.addresses = addresses
        web = WebServer(
            service, on: try AlertmanagerSettings.addresses(addresses, flag: flag),
            eventLoops: MultiThreadedEventLoopGroup(numberOfThreads: 1), logger: logger
        ) { host, port in
            logger.info("Listening on", metadata: ["address": "\(host):\(port)", "service": "\(name)"])
        }
    }

    /// Serves until `stop`.
    func run() async throws(StartError) {
        do { try await web.run() } catch { throw StartError(WebServer.describe(error, addresses: addresses)) }
    }

    func stop() async { await web.stop() }

    /// The whole life of a process that is this exporter.
    static func run(
        _ service: any HTTPService, on addresses: [String], logger: Logger, reload: @escaping @Sendable () async -> Void = {}
    ) async throws(StartError) {
        let signals = Signals.stream()
        let listener = try ExporterListener(service, on: addresses, logger: logger, reload: reload)
        let wishes = Task {
            for await wish in signals {
                switch wish {
                case .stop: await listener.stop()
                case .reload: await listener.reload()
                }
            }
        }
        defer { wishes.cancel() }
        try await listener.run()
    }
}

extension [ExporterListener] {
    /// Serves until all have ended; asks for the end of the process where one cannot listen, and says why.
    func run(_ stop: StopRequest) async -> StartError? {
        await withTaskGroup(of: StartError?.self) { group in
            for listener in self {
                group.addTask {
                    do throws(StartError) { try await listener.run() } catch {
                        stop.ask()
                        return error
                    }
                    return nil
                }
            }
            var first: StartError?
            for await failure in group where first == nil { first = failure }
            return first
        }
    }

    func stop() async {
        for listener in self { await listener.stop() }
    }

    func reload() async {
        for listener in self { await listener.reload() }
    }
}
