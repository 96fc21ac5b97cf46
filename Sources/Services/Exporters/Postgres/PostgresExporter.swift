import HTTPServer
import HTTPTypes
import Logging
import NIOCore
import Numbers
import Postgres
import SelfMetrics
import Synchronization

/// `/metrics` of one PostgreSQL server, under the names of prometheus-community's postgres_exporter.
///
///     GET /metrics ─▶ a session ─▶ collector after collector ─▶ page
///     no session: pg_up 0, and only what the exporter knows of itself
///
/// Source: postgres_exporter 0.19.1, run beside this one on the same server (Tests/system/postgres_exporter.py).
public final class PostgresExporter: HTTPService {
    public struct Options: Sendable {
        /// Names of collectors that are on.
        public var collectors = PostgresExporter.defaultCollectors
        public var settings = true
        /// For all collectors together; a scraper that says how long it waits gets its page half a second earlier.
        public var timeout = Swift.Duration.seconds(60)

        public init() {}
    }

    static let all: [Collector] = [
        .database, .locks, .longRunningTransactions, .replication, .replicationSlots, .roles, .backgroundWriter, .statDatabase,
        .vacuumProgress, .statements, .userTables, .userTableBlocks, .writeAheadLog,
    ]
    /// What the original has no flag for.
    static let always: [Collector] = [.activity, .archiver, .conflicts]

    public static var collectorNames: [String] { all.map(\.name) }
    public static var defaultCollectors: Set<String> { Set(all.filter(\.isDefault).map(\.name)) }

    public let packing: ThreadPool
    public let answers: ThreadPool
    private let pool: ConnectionPool
    private let options: Options
    private let server: String
    private let logger: Logger
    private let scrapes = Counter()
    /// Names of collectors that failed in the last scrape: each is logged once.
    private let failing = Mutex<Set<String>>([])

    /// `server` is `host:port` as the label has it.
    public init(_ pool: ConnectionPool, server: String, options: Options = Options(), logger: Logger) {
        let threads = ThreadPool("exporter", threads: 1)
        packing = threads
        answers = threads
        self.pool = pool
        self.server = server
        self.options = options
        self.logger = logger
    }

    public func answer(_ request: APIRequest) async -> Reply {
        switch request.path {
        case "/metrics":
            let page = await page(timeout: timeout(request))
            return Reply(.ok, contentType: "text/plain; version=0.0.4; charset=utf-8", body: ByteBuffer(bytes: page))
        case "/-/healthy": return .text("postgres exporter is Healthy.\n")
        case "/-/ready": return .text("postgres exporter is Ready.\n")
        case "/": return .text("PostgreSQL exporter: see /metrics\n")
        default: return .notFound
        }
    }

    /// Half a second less than the scraper waits, as its header says, and never more than the flag.
    private func timeout(_ request: APIRequest) -> Swift.Duration {
        guard let name = HTTPField.Name("X-Prometheus-Scrape-Timeout-Seconds"), let text = request.headers[name],
            let seconds = NumberText.parse(text), seconds > 0, seconds < 86_400
        else { return options.timeout }
        return min(options.timeout, .milliseconds(Int64(max(seconds - 0.5, 0.1) * 1000)))
    }

    private func page(timeout: Swift.Duration) async -> [UInt8] {
        let begin = ContinuousClock.now
        scrapes.increment()
        let server = server, options = options
        do throws(PostgresError) {
            let (page, outcomes) = try await pool.use { connection throws(PostgresError) in
                var run = CollectorRun(connection, server: server, deadline: begin + timeout)
                try run.begin()
                for collector in Self.always { run.collect(collector) }
                if options.settings { run.settings() }
                for collector in Self.all where options.collectors.contains(collector.name) { run.collect(collector) }
                run.writeOutcomes()
                return (run.page.bytes, run.outcomes)
            }
            note(outcomes)
            return page + own(isUp: true, hasError: outcomes.contains { $0.error != nil }, since: begin)
        } catch {
            note([CollectorRun.Outcome(name: "connection", seconds: 0, error: error)])
            return own(isUp: false, hasError: true, since: begin)
        }
    }

    /// What the exporter knows of itself.
    private func own(isUp: Bool, hasError: Bool, since begin: ContinuousClock.Instant) -> [UInt8] {
        var page = MetricsPage()
        let (seconds, attoseconds) = begin.duration(to: .now).components
        page.single(
            "pg_exporter_last_scrape_duration_seconds", .gauge, "Duration of the last scrape of metrics from PostgreSQL.",
            Double(seconds) + Double(attoseconds) / 1e18)
        page.single(
            "pg_exporter_last_scrape_error", .gauge,
            "Whether the last scrape of metrics from PostgreSQL resulted in an error (1 for error, 0 for success).", hasError ? 1 : 0)
        page.single(
            "pg_exporter_scrapes_total", .counter, "Total number of times PostgreSQL was scraped for metrics.", scrapes.value)
        page.single(
            "pg_up", .gauge, "Whether the last scrape of metrics from PostgreSQL was able to connect to the server (1 for yes, 0 for no).",
            isUp ? 1 : 0)
        page.family("postgres_exporter_build_info", .gauge, "What this exporter is.")
        page.sample("postgres_exporter_build_info", [("branch", "minprom"), ("version", "0.19.1")], 1)
        ProcessMetrics.write(to: &page)
        return page.bytes
    }

    private func note(_ outcomes: [CollectorRun.Outcome]) {
        let failed = outcomes.filter { $0.error != nil }
        let known = failing.withLock { known in
            defer { known = Set(failed.map(\.name)) }
            return known
        }
        for outcome in failed where !known.contains(outcome.name) {
            logger.warning(
                "Collector failed", metadata: ["collector": "\(outcome.name)", "error": "\(outcome.error.map { "\($0)" } ?? "")"])
        }
    }
}
