import ArgumentParser
import BlackboxExporter
import ConfigurationFile
import Logging
import SelfMetrics
import TSDB

/// `minprom exporter blackbox`: blackbox_exporter's pages, file and flags, and where its probes may go.
struct BlackboxExporterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "blackbox", abstract: "Probe what is named in /probe?target=…, as blackbox_exporter does.")

    @Option(name: .customLong("config.file"), help: "Configuration file, as blackbox_exporter's.")
    var configFile = "blackbox.yml"

    @Flag(name: .customLong("config.check"), help: "Only check the configuration file.")
    var checksOnly = false

    @Option(name: .customLong("timeout-offset"), help: "Seconds taken off the scrape's timeout.")
    var timeoutOffset = 0.5

    @Option(name: .customLong("history.limit"), help: "Probes to remember.")
    var historyLimit = 100

    @Option(name: .customLong("log.prober"), help: "Level of the lines about probes: debug, info, warn or error.")
    var probeLogLevel = "info"

    @Option(
        name: .customLong("probe.allow"),
        help: "CIDR or CIDR:port that may be probed beside the default, or none to leave nothing but the list; may be given several times.")
    var allowed: [String] = []

    @Option(name: .customLong("web.listen-address"), help: "Address to listen on; may be given several times.")
    var listenAddresses = ["0.0.0.0:9115"]

    @Option(name: .customLong("web.route-prefix"), help: "Prefix of all paths.")
    var routePrefix = ""

    @OptionGroup var logging: LogFlags

    func run() async throws {
        do throws(StartError) {
            let logger = try logging.logger()
            guard timeoutOffset.isFinite else { throw StartError("--timeout-offset must be a number of seconds") }
            var options = BlackboxExporter.Options()
            options.configFile = configFile
            options.timeoutOffset = timeoutOffset
            options.historyLimit = try AlertmanagerSettings.count(historyLimit, flag: "history.limit")
            options.probeLogLevel = try LogLines.level(probeLogLevel)
            options.policy = try BlackboxFlags.policy(allowed, flag: "probe.allow")
            options.routePrefix = try Settings.prefix(externalURL: "", routePrefix: routePrefix)
            let exporter = try BlackboxFlags.exporter(options, logger: logger)
            if checksOnly { return logger.info("Config file is ok exiting...") }
            try await ExporterListener.run(exporter, on: listenAddresses, logger: logger, reload: { _ = exporter.reload() })
        } catch {
            throw ExitCode(Console.complain(error.message))
        }
    }
}

/// Flags of the server about a blackbox exporter beside it.
struct BlackboxFlags: ParsableArguments {
    @Option(
        name: .customLong("exporter.blackbox.web.listen-address"),
        help: "Be a blackbox_exporter, too, on this address; may be given several times.")
    var addresses: [String] = []

    @Option(name: .customLong("exporter.blackbox.config.file"), help: "Its configuration file.")
    var configFile = "blackbox.yml"

    @Option(
        name: .customLong("exporter.blackbox.probe.allow"),
        help: "CIDR or CIDR:port that may be probed beside the default, or none to leave nothing but the list; may be given several times.")
    var allowed: [String] = []

    /// `nil` where nobody asked for one.
    func listener(logger: Logger) throws(StartError) -> ExporterListener? {
        guard !addresses.isEmpty else { return nil }
        var options = BlackboxExporter.Options()
        options.configFile = configFile
        options.policy = try Self.policy(allowed, flag: "exporter.blackbox.probe.allow")
        let exporter = try Self.exporter(options, logger: logger)
        return try ExporterListener(
            exporter, on: addresses, flag: "exporter.blackbox.web.listen-address", name: "exporter blackbox", logger: logger,
            reload: { _ = exporter.reload() })
    }

    static func policy(_ allowed: [String], flag: String) throws(StartError) -> AddressPolicy {
        do throws(AddressPolicyError) { return try AddressPolicy(allowed) } catch { throw StartError("--\(flag): \(error)") }
    }

    static func exporter(_ options: BlackboxExporter.Options, logger: Logger) throws(StartError) -> BlackboxExporter {
        let path = options.configFile
        do throws(ConfigError) {
            let exporter = try BlackboxExporter(options, logger: logger) { () throws(ConfigError) in
                do throws(TSDBError) { return try DiskFileStore().readAll(path, limit: YAMLReader.maximumBytes) } catch {
                    throw ConfigError("error reading config file: \(error)")
                }
            }
            exporter.registry.add { ProcessMetrics.write(to: &$0) }
            return exporter
        } catch {
            throw StartError("error loading config from \"\(path)\": \(error)")
        }
    }

    /// As `/api/v1/status/flags` shows them.
    var shown: [(name: String, value: String)] {
        [
            ("exporter.blackbox.config.file", configFile), ("exporter.blackbox.probe.allow", allowed.joined(separator: ",")),
            ("exporter.blackbox.web.listen-address", addresses.joined(separator: ",")),
        ]
    }
}
