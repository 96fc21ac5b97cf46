import NIOCore
import NIOPosix
import Programs
import PrometheusClient
import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Two servers started for the occasion, fed with the same pages, compared, and taken away again.
///
///     pages ─▶ PageServer ──┬─▶ prometheus (PATH) ──┐
///                           └─▶ minprom (ourselves) ─┴─▶ Comparison
///
/// Samples carry explicit timestamps, so both servers store the same, whenever they scrape; what they add of
/// themselves (`up` and its kin) lies behind the last of these times and is not looked at.
public struct Replay: Sendable {
    public var pages: [RecordedPage]
    public var stepsPerPage = 20
    public var step = TSDB.Duration.seconds(15)
    /// Program that is the reference; a name is looked for on PATH.
    public var prometheus = "prometheus"
    /// Flags added to those of the tested server.
    public var testFlags: [String] = []
    /// Between scrapes. Short, and long enough that no scrape is late on a busy machine.
    public var scrapeInterval = TSDB.Duration.milliseconds(500)

    public init(_ pages: [RecordedPage]) { self.pages = pages }

    /// Calls `body` with a client for each server once both have everything, and the span of the samples. Both servers
    /// are stopped and their directory is removed, whatever happens.
    public func run<R: Sendable>(
        log: @Sendable (String) -> Void,
        _ body:
            @Sendable (_ reference: PrometheusClient, _ test: PrometheusClient, _ from: Timestamp, _ to: Timestamp)
            async throws -> R
    ) async throws -> R {
        guard let program = ProgramFile.find(prometheus) else {
            throw ReplayError("\(prometheus) is not on PATH: name it with --prometheus")
        }
        guard !pages.isEmpty else { throw ReplayError("no pages to replay") }
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let stepMilliseconds = max(1000, step.milliseconds)
        let end = (Int64(time.tv_sec) * 1000 - 30_000) / stepMilliseconds * stepMilliseconds
        let script = ReplayScript(pages, stepsPerPage: stepsPerPage, step: stepMilliseconds, end: end)
        let directory = try TemporaryDirectory()
        let server = PageServer(script.bodies)
        var children: [ChildProcess] = []
        var clients: [PrometheusClient] = []
        let outcome: Result<R, any Error>
        do {
            let port = try await server.start()
            for (name, path) in [("reference", program), ("test", ProgramFile.own)] {
                try directory.write(configuration(port: port, path: "/\(name)"), to: "\(name).yml")
                let own = try await Self.freePort()
                var flags = [
                    "--config.file=\(directory.path)/\(name).yml", "--storage.tsdb.path=\(directory.path)/\(name)",
                    "--web.listen-address=127.0.0.1:\(own)",
                ]
                if name == "test" { flags = ["serve"] + flags + testFlags }
                children.append(try ChildProcess(name, path: path, flags, log: "\(directory.path)/\(name).log"))
                clients.append(try PrometheusClient("http://127.0.0.1:\(own)"))
                log("\(name): \(path), port \(own)")
            }
            let reference = clients[0], test = clients[1], running = children
            log("replaying \(script.bodies.count) scrapes of \(pages.count) pages")
            outcome = await Self.catching {
                try await wait(server, running, steps: script.bodies.count)
                try await Self.requireAllScrapes(reference, "the reference")
                try await Self.requireAllScrapes(test, "the tested server")
                return try await body(
                    reference, test, Timestamp(milliseconds: script.start), Timestamp(milliseconds: script.end))
            }
        } catch {
            outcome = .failure(error)
        }
        for client in clients { await client.shutdown() }
        for child in children { await child.stop() }
        await server.stop()
        directory.remove()
        return try outcome.get()
    }

    private static func catching<R>(_ body: () async throws -> R) async -> Result<R, any Error> {
        do { return .success(try await body()) } catch { return .failure(error) }
    }

    private func configuration(port: Int, path: String) -> String {
        """
        global:
          scrape_interval: \(scrapeInterval.milliseconds)ms
          scrape_timeout: \(scrapeInterval.milliseconds)ms
        scrape_configs:
        - job_name: replay
          metrics_path: \(path)
          static_configs:
          - targets: ['127.0.0.1:\(port)']

        """
    }

    /// Until both have got the last page and asked again.
    private func wait(_ server: PageServer, _ children: [ChildProcess], steps: Int) async throws {
        let bound = 60_000 + Int64(steps + 5) * scrapeInterval.milliseconds * 2
        for _ in 0..<(bound / 50) {
            if let ended = children.first(where: \.hasEnded) { throw ReplayError("\(ended.name) has ended by itself") }
            if server.isDone("/reference") && server.isDone("/test") { return }
            try await Task.sleep(nanoseconds: 50_000_000)
        }
        throw ReplayError("the servers have not scraped all pages within \(bound / 1000) s")
    }

    /// A lost scrape would be a difference that nobody planted.
    private static func requireAllScrapes(_ client: PrometheusClient, _ name: String) async throws {
        let answer = try await client.query("min(min_over_time(up{job=\"replay\"}[1h]))")
        guard case .success(.vector(let elements)) = answer.outcome, elements.first?.value == .float(1) else {
            throw ReplayError("\(name) has lost a scrape: the machine is too busy")
        }
    }

    private static func freePort() async throws -> Int {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = channel.localAddress?.port ?? 0
        try await channel.close()
        return port
    }
}
