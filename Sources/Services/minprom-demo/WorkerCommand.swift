import ArgumentParser
import DemoStore
import Postgres
import ServiceProcess
import Worker

/// `minprom-demo worker`.
struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Takes jobs from a queue in the database and inserts transactions.",
        discussion: """
            The database is where PGHOST, PGPORT, PGUSER, PGDATABASE and PGPASSWORD (or PGPASSWORD_FILE) say; while it is away the worker
            waits. Every WORKER_PERIOD_MS some jobs (WORKER_PRODUCED) are made; one worker does about WORKER_RATE of them a second, in
            batches of WORKER_BATCH. ADMIN_TOKEN (or ADMIN_TOKEN_FILE) guards /-/scale, /-/enqueue and /-/quit.
            """)

    @Option(name: .customLong("web.listen-address"), help: "Address to listen on; may be given several times.")
    var listenAddresses = [":8001"]

    @Option(help: "Workers to begin with; 0 to 16.")
    var workers = 1

    @OptionGroup var flags: ServiceFlags

    func run() async throws {
        try await Program.run {
            let logger = try LogLines.logger("worker", level: flags.logLevel, format: flags.logFormat)
            guard (0...16).contains(workers) else { throw StartError("--workers must be in 0…16") }
            let stop = StopRequest(), count = workers
            let worker = WorkerService(
                ConnectionPool(try Program.database("worker"), size: 4, prepare: DemoSchema.prepare),
                pace: try WorkerService.Pace(EnvironmentValue.text), token: AccessToken(variable: "ADMIN_TOKEN"), stop: stop, logger: logger,
                now: Program.now)
            try await ServiceRun(addresses: listenAddresses, stop: stop, logger: logger).run(worker) { await worker.work(workers: count) }
        }
    }
}
