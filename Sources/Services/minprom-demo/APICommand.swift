import ArgumentParser
import DemoAPI
import DemoStore
import Postgres
import ServiceProcess

/// `minprom-demo api`.
struct APICommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "api", abstract: "An HTTP service that stores transactions, with the metrics of a Flask application.",
        discussion: """
            The database is where PGHOST, PGPORT, PGUSER, PGDATABASE and PGPASSWORD (or PGPASSWORD_FILE) say. ADMIN_TOKEN (or
            ADMIN_TOKEN_FILE) guards /-/chaos and /-/quit. CHAOS_LATENCY_MS, CHAOS_PATH, CHAOS_STATUS, CHAOS_THROW, CHAOS_DB_DELAY_MS and
            CHAOS_PROBABILITY are faults from the start. FLASK_PARITY=1: series as the original makes them, traps included.
            """)

    @Option(name: .customLong("web.listen-address"), help: "Address to listen on; may be given several times.")
    var listenAddresses = [":8000"]

    @OptionGroup var flags: ServiceFlags

    func run() async throws {
        try await Program.run {
            let logger = try LogLines.logger("api", level: flags.logLevel, format: flags.logFormat)
            let stop = StopRequest()
            let fault = try DemoAPI.environmentFault(EnvironmentValue.text)
            if !fault.isNone { logger.warning("Faults from the environment", metadata: ["fault": "\(fault)"]) }
            let api = DemoAPI(
                ConnectionPool(try Program.database("api"), size: 16, prepare: DemoSchema.prepare), fault: fault,
                strictParity: EnvironmentValue.text("FLASK_PARITY") == "1", token: AccessToken(variable: "ADMIN_TOKEN"), stop: stop,
                logger: logger, now: Program.now)
            try await ServiceRun(addresses: listenAddresses, stop: stop, logger: logger).run(api)
        }
    }
}
