import ArgumentParser

/// `minprom exporter`: Prometheus' exporters, alone on a port, with the originals' flags.
///
///     minprom exporter host --web.listen-address=:9100 --no-collector.entropy
///     minprom exporter blackbox --web.listen-address=:9115 --config.file=blackbox.yml
struct ExporterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exporter", abstract: "Run an exporter alone.", subcommands: [HostExporterCommand.self, BlackboxExporterCommand.self])
}
