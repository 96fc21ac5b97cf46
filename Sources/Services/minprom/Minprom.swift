import ArgumentParser
import Bench
import SupervisorHost

/// `minprom`: Prometheus and Alertmanager in one small program. `serve` is what it does when nothing else is asked.
@main
struct Minprom: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "minprom",
        abstract: "Scrapes, stores, queries and alerts: compatible with Prometheus at the edges.",
        version: "minprom 0.1.0, compatible with Prometheus 3.14.0",
        subcommands: [
            Serve.self, QueryCommand.self, CompareCommand.self, BenchCommand.self,
            AlertmanagerCommand.self, AmtoolCommand.self, ToolCommand.self,
            TokensCommand.self,
            ExporterCommand.self,
            UpCommand.self, DemoCommand.self, ProcessesCommand.self, LogsCommand.self, StartCommand.self, StopCommand.self,
            RestartCommand.self, ScaleCommand.self, DownCommand.self, HealthCommand.self, PostgresClusterCommand.self,
            BotCommand.self,
            IncidentCommand.self, SmokeCommand.self, LoadCommand.self, ProxyCommand.self, PressCommand.self,
        ],
        defaultSubcommand: Serve.self)
}
