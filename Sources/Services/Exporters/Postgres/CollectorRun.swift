import Numbers
import Postgres
import SelfMetrics

/// Runs collectors over one session and writes what they give.
///
/// A collector fails alone: its families are left out whole, `pg_scrape_collector_success` says 0, the others go on. Each statement is
/// bounded by the session's statement timeout, all together by `deadline`: a server that is stuck makes a short page, not a late one.
struct CollectorRun {
    struct Outcome {
        var name: String
        var seconds: Double
        var error: PostgresError?
    }

    let connection: any DatabaseConnection
    let server: String
    let deadline: ContinuousClock.Instant
    private(set) var outcomes: [Outcome] = []
    private(set) var page = MetricsPage()
    private var version = ServerVersion(0)

    init(_ connection: any DatabaseConnection, server: String, deadline: ContinuousClock.Instant) {
        self.connection = connection
        self.server = server
        self.deadline = deadline
    }

    /// Learns the version; throws where even that is not to be had.
    mutating func begin() throws(PostgresError) {
        let rows = try connection.query("SELECT current_setting('server_version_num') AS number, version() AS text")
        version = ServerVersion(rows[0, "number"].flatMap { Int($0) } ?? 0)
        page.family("pg_static", .untyped, "The server's version.")
        page.sample("pg_static", [("server", server), ("short_version", version.text), ("version", rows[0, "text"] ?? "")], 1)
    }

    mutating func settings() {
        run("") { run throws(PostgresError) in
            SettingMetrics.write(try run.connection.query(SettingMetrics.statement), server: run.server, to: &run.page)
        }
    }

    mutating func collect(_ collector: Collector) {
        if let name = collector.needsExtension, !hasExtension(name) { return }
        run(collector.name) { run throws(PostgresError) in
            var answers: [(part: Collector.Part, rows: Rows)] = []
            for part in collector.parts {
                guard let statement = part.statement(run.version) else { continue }
                answers.append((part, try run.connection.query(statement)))
            }
            for (part, rows) in answers { run.write(part, rows) }
        }
    }

    private mutating func run(_ name: String, _ body: (inout CollectorRun) throws(PostgresError) -> Void) {
        let begin = ContinuousClock.now
        var failure: PostgresError?
        do throws(PostgresError) {
            guard begin < deadline else { throw PostgresError(.timeout, "no time was left for this collector") }
            try body(&self)
        } catch { failure = error }
        let (seconds, attoseconds) = begin.duration(to: .now).components
        outcomes.append(Outcome(name: name, seconds: Double(seconds) + Double(attoseconds) / 1e18, error: failure))
    }

    private func hasExtension(_ name: String) -> Bool {
        let rows = try? connection.query("SELECT 1 AS there FROM pg_extension WHERE extname = $1", [.text(name)])
        return (rows?.count ?? 0) > 0
    }

    private mutating func write(_ part: Collector.Part, _ rows: Rows) {
        for family in part.families {
            var samples: [(labels: [(String, String)], value: Double)] = []
            for row in 0..<rows.count {
                guard let value = rows[row, family.column].flatMap({ NumberText.parse($0) }),
                    let labels = labels(part, rows, row)
                else { continue }
                samples.append((labels, value))
            }
            // A family without samples is not on the original's page either.
            if samples.isEmpty { continue }
            page.family(family.name, family.kind, family.help)
            for sample in samples { page.sample(family.name, sample.labels, sample.value) }
        }
    }

    private func labels(_ part: Collector.Part, _ rows: Rows, _ row: Int) -> [(String, String)]? {
        var labels: [(String, String)] = []
        for name in part.labels {
            guard let value = rows[row, name] else { return nil }
            labels.append((name, value))
        }
        if part.namesServer {
            labels.append(("server", server))
            labels.sort { $0.0 < $1.0 }
        }
        return labels
    }

    /// What the run itself says; its last word.
    mutating func writeOutcomes() {
        let named = outcomes.filter { !$0.name.isEmpty }
        guard !named.isEmpty else { return }
        page.family("pg_scrape_collector_duration_seconds", .gauge, "postgres_exporter: Duration of a collector scrape.")
        for outcome in named { page.sample("pg_scrape_collector_duration_seconds", [("collector", outcome.name)], outcome.seconds) }
        page.family("pg_scrape_collector_success", .gauge, "postgres_exporter: Whether a collector succeeded.")
        for outcome in named { page.sample("pg_scrape_collector_success", [("collector", outcome.name)], outcome.error == nil ? 1 : 0) }
    }
}
