import ArgumentParser
import HTTPServer
import Incidents
import Logging
import NIOCore
import NIOPosix
import ServiceNames
import WebAPI

/// `minprom proxy`: a TCP proxy that fails when it is told to; stands between api and database.
///
///     minprom proxy --listen :5433 --to postgres_db:5432 --web.listen-address :5434
///     curl -X POST -H "Authorization: Bearer $ADMIN_TOKEN" -d '{"mode":"drop","for_s":60}' http://localhost:5434/-/fault
struct ProxyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "proxy", abstract: "Run a TCP proxy that can drop, delay, reset or refuse on command.")

    @Option(help: "Where clients connect.")
    var listen = ":5433"

    @Option(help: "The server behind it: host:port.")
    var to: String

    @Option(name: .customLong("web.listen-address"), help: "Control and metrics.")
    var webAddress = ":5434"

    @Option(name: .customLong("max-connections"), help: "Connections at most; further ones are reset.")
    var maximumConnections = 1024

    @Option(name: .customLong("token-file"), help: "File with ADMIN_TOKEN (else the environment's ADMIN_TOKEN or ADMIN_TOKEN_FILE).")
    var tokenFile: String?

    @OptionGroup var logging: LogFlags

    func run() async throws {
        do throws(StartError) { try await start() } catch { throw ExitCode(Console.complain(error.message)) }
    }

    private func start() async throws(StartError) {
        guard let front = WebServer.Address(listen) else { throw StartError("--listen: \"\(listen)\" is not an address such as :5433") }
        guard let web = WebServer.Address(webAddress) else {
            throw StartError("--web.listen-address: \"\(webAddress)\" is not an address such as :5434")
        }
        guard let back = WebServer.Address(to), back.port > 0, !to.hasPrefix(":") else {
            throw StartError("--to: \"\(to)\" is not an address such as postgres_db:5432")
        }
        guard (1...60_000).contains(maximumConnections) else { throw StartError("--max-connections: 1 to 60000") }
        let token = try IncidentFlags.token("ADMIN_TOKEN", file: tokenFile)
        let logger = try logging.logger()
        let signals = Signals.stream()
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let place = ServiceNames.current.listening(on: front.host, front.port)
        var limits = FaultProxy.Limits()
        limits.connections = maximumConnections
        let proxy: FaultProxy
        do {
            proxy = FaultProxy(
                listen: try SocketAddress.makeAddressResolvingHost(place.host, port: place.port),
                target: ServiceNames.current.connecting(to: back.host, back.port), limits: limits, on: loops.next())
            let port = try await proxy.start()
            logger.info("Passing on", metadata: ["address": "\(place.host):\(port)", "to": "\(to)"])
        } catch {
            throw StartError(WebServer.describe(error, addresses: [listen]))
        }
        if token == nil { logger.warning("No ADMIN_TOKEN: faults cannot be set") }
        let stop = StopRequest()
        let server = WebServer(
            ProxyControl(proxy, token: token) { stop.ask() }, on: [web], eventLoops: loops, logger: logger
        ) { host, port in logger.info("Listening on", metadata: ["address": "\(host):\(port)"]) }
        let wishes = Task { for await wish in signals where wish == .stop { stop.ask() } }
        let ending = Task {
            await stop.wait()
            await server.stop()
        }
        defer {
            wishes.cancel()
            ending.cancel()
        }
        do { try await server.run() } catch {
            await proxy.stop()
            throw StartError(WebServer.describe(error, addresses: [webAddress]))
        }
        await proxy.stop()
        logger.info("See you next time!")
    }
}
