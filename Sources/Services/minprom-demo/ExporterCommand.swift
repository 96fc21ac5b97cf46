import ArgumentParser
import Numbers
import Postgres
import PostgresExporter
import ServiceProcess

/// `minprom-demo exporter postgres`.
struct ExporterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exporter", abstract: "Metrics of a database server.", subcommands: [PostgresExporterCommand.self])
}

/// Flags as the original has them.
struct PostgresExporterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postgres", abstract: "Metrics of a PostgreSQL server, as postgres_exporter gives them.",
        discussion: """
            The server is where DATA_SOURCE_NAME, or DATA_SOURCE_URI with DATA_SOURCE_USER and DATA_SOURCE_PASS (or
            DATA_SOURCE_PASS_FILE), or PGHOST and its like say. Each statement is bounded by PG_STATEMENT_TIMEOUT_MS (1000 here).
            """)

    @Option(name: .customLong("web.listen-address"), help: "Address to listen on; may be given several times.")
    var listenAddresses = [":9187"]

    @Option(name: .customLong("collection-timeout"), help: "The longest that all collectors together may take.")
    var collectionTimeout = "1m"

    @Flag(name: .customLong("disable-settings-metrics"), help: "Leave pg_settings out.")
    var disableSettings = false

    @Option(name: .customLong("enable-collector"), help: "A collector to switch on; --collector.NAME does the same.")
    var enabled: [String] = []

    @Option(name: .customLong("disable-collector"), help: "A collector to switch off; --no-collector.NAME does the same.")
    var disabled: [String] = []

    @OptionGroup var flags: ServiceFlags

    func run() async throws {
        try await Program.run {
            let logger = try LogLines.logger("postgres_exporter", level: flags.logLevel, format: flags.logFormat)
            var options = PostgresExporter.Options()
            for name in enabled + disabled where !PostgresExporter.collectorNames.contains(name) {
                throw StartError("unknown collector \"\(name)\": \(PostgresExporter.collectorNames.joined(separator: ", ")) are known")
            }
            options.collectors.formUnion(enabled)
            options.collectors.subtract(disabled)
            options.settings = !disableSettings
            do throws(DurationError) {
                options.timeout = .milliseconds(try DurationText.parseGo(collectionTimeout) / 1_000_000)
            } catch { throw StartError("--collection-timeout: \(error)") }
            let settings = try Self.settings()
            let exporter = PostgresExporter(
                ConnectionPool(settings, size: 2), server: "\(settings.host):\(settings.port)", options: options, logger: logger)
            try await ServiceRun(addresses: listenAddresses, stop: StopRequest(), logger: logger).run(exporter)
        }
    }

    private static func settings() throws(StartError) -> PostgresSettings {
        var settings = try Program.database("postgres_exporter")
        if EnvironmentValue.text("PG_STATEMENT_TIMEOUT_MS") == nil { settings.statementTimeout = .seconds(1) }
        do throws(PostgresError) {
            if let text = EnvironmentValue.text("DATA_SOURCE_NAME") {
                try DataSource.apply(text, to: &settings)
            } else if let text = EnvironmentValue.text("DATA_SOURCE_URI") {
                try DataSource.apply(text, to: &settings)
                if let user = EnvironmentValue.secret("DATA_SOURCE_USER") { settings.user = user }
                if let password = EnvironmentValue.secret("DATA_SOURCE_PASS") { settings.password = password }
            }
        } catch { throw StartError(error.message) }
        return settings
    }
}

/// The original has a flag per collector; here they are one option each way, and its spelling is understood.
///
///     --collector.wal  ─▶ --enable-collector=wal          --no-collector.wal  ─▶ --disable-collector=wal
enum CollectorFlags {
    static func plain(_ arguments: [String]) -> [String] {
        arguments.map { argument in
            for (prefix, option) in [("--collector.", "--enable-collector="), ("--no-collector.", "--disable-collector=")]
            where argument.hasPrefix(prefix) && !argument.contains("=") { return option + argument.dropFirst(prefix.count) }
            return argument
        }
    }
}
