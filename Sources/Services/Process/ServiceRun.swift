import HTTPServer
import Logging
import NIOPosix

/// A small service from its first request to its last: listens, works in the background, ends when asked to.
///
///     listen ─▶ “Listening” ─▶ background work …
///     SIGTERM, /-/quit ─▶ cancel the background ─▶ finish requests (8 s at most) ─▶ exit 0
package struct ServiceRun: Sendable {
    let addresses: [WebServer.Address]
    let texts: [String]
    let stop: StopRequest
    let logger: Logger

    /// `addresses` as `--web.listen-address` has them.
    package init(addresses texts: [String], stop: StopRequest, logger: Logger) throws(StartError) {
        var addresses: [WebServer.Address] = []
        for text in texts {
            guard let address = WebServer.Address(text) else { throw StartError("--web.listen-address: \"\(text)\" is no address") }
            addresses.append(address)
        }
        self.addresses = addresses
        self.texts = texts
        self.stop = stop
        self.logger = logger
    }

    /// Returns after a clean end.
    package func run(
        _ service: any HTTPService, background: @escaping @Sendable () async -> Void = {}
    ) async throws(StartError) {
        let signals = Signals.stream(), logger = logger, stop = stop
        let web = WebServer(
            service, on: addresses, eventLoops: MultiThreadedEventLoopGroup(numberOfThreads: 1), logger: logger
        ) { host, port in
            logger.info("Listening", metadata: ["address": "\(host):\(port)"])
        }
        let work = Task { await background() }
        let watch = Task {
            for await wish in signals {
                if case .stop = wish { stop.ask() }
            }
        }
        let ending = Task {
            await stop.wait()
            logger.info("Stopping")
            work.cancel()
            await web.stop()
        }
        let failure: (any Error)?
        do {
            try await web.run()
            failure = nil
        } catch { failure = error }
        work.cancel()
        watch.cancel()
        ending.cancel()
        if let failure { throw StartError(WebServer.describe(failure, addresses: texts)) }
        await work.value
        logger.info("Stopped")
    }
}
