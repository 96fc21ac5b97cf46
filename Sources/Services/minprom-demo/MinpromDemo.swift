import ArgumentParser
import SupervisorHost

/// `minprom-demo`: the services of the demo that talk to PostgreSQL. They are a program of their own because libpq brings some twenty
/// shared libraries, and the server shall stay light.
@main
struct MinpromDemo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "minprom-demo",
        abstract: "Services to be watched: an api, a worker, and an exporter for their database.",
        version: "minprom-demo 0.1.0",
        subcommands: [APICommand.self, WorkerCommand.self, ExporterCommand.self, HealthCommand.self])

    static func main() async { await main(CollectorFlags.plain(Array(CommandLine.arguments.dropFirst()))) }
}

/// Flags that every service has.
struct ServiceFlags: ParsableArguments {
    @Option(name: .customLong("log.level"), help: "debug, info, warn or error.")
    var logLevel = "info"

    @Option(name: .customLong("log.format"), help: "logfmt or json.")
    var logFormat = "logfmt"
}
