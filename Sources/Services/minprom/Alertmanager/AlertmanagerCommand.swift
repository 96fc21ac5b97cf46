import Alerter
import ArgumentParser
import ConfigurationFile
import Logging
import NIOPosix
import TSDB
import WebAPI

/// `minprom alertmanager`: the Alertmanager half alone, with the original's own flags, for a real Prometheus or any other sender.
struct AlertmanagerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alertmanager", abstract: "Run Alertmanager alone: routing, grouping, silences, notifications.")

    @Option(name: .customLong("config.file"), help: "Configuration file, as Alertmanager's.")
    var configFile = "alertmanager.yml"

    @Option(name: .customLong("storage.path"), help: "Directory of silences and the notification log, or :memory: for none.")
    var storagePath = "data/"

    @Option(name: .customLong("data.retention"), help: "How long to keep what is over.")
    var retention = "120h"

    @Option(name: .customLong("data.maintenance-interval"), help: "Between snapshots of the state files.")
    var maintenanceInterval = "15m"

    @Option(name: .customLong("alerts.gc-interval"), help: "Between clearings of alerts that are over.")
    var alertCollectionInterval = "30m"

    @Option(name: .customLong("alerts.per-alertname-limit"), help: "Alerts of one name; 0: any number.")
    var alertsPerName = 0

    @Option(name: .customLong("silences.max-silences"), help: "Silences there may be, expired ones included; 0: any number.")
    var maximumSilences = 10_000

    @Option(name: .customLong("silences.max-silence-size-bytes"), help: "Size of one silence; 0: any size.")
    var maximumSilenceBytes = 4096

    @Option(name: .customLong("web.listen-address"), help: "Address to listen on; may be given several times.")
    var listenAddresses = ["0.0.0.0:9093"]

    @Option(name: .customLong("web.external-url"), help: "The URL under which it is reached from outside; links begin with it.")
    var externalURL = ""

    @Option(name: .customLong("web.route-prefix"), help: "Prefix of all paths; the path of the external URL where left out.")
    var routePrefix: String?

    @Option(name: .customLong("cluster.listen-address"), help: "Accepted for compatibility; there is no cluster.")
    var clusterAddress = ""

    @Option(name: .customLong("cluster.peer"), help: "Refused: there is no cluster.")
    var clusterPeers: [String] = []

    @OptionGroup var logging: LogFlags

    func run() async throws {
        do throws(StartError) { try await start() } catch { throw ExitCode(Console.complain(error.message)) }
    }

    private func start() async throws(StartError) {
        guard clusterPeers.isEmpty else { throw StartError("--cluster.peer: there is no cluster; run one instance") }
        let logger = try logging.logger()
        let signals = Signals.stream()
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let half = try AlertmanagerHalf(try settings(), eventLoops: loops, clock: SystemClock(), logger: logger)
        let wishes = Task {
            for await wish in signals {
                switch wish {
                case .stop: await half.stop()
                case .reload: _ = await half.reload()
                }
            }
        }
        defer { wishes.cancel() }
        try await half.run()
        logger.info("See you next time!")
    }

    private func settings() throws(StartError) -> AlertmanagerSettings {
        let addresses = try AlertmanagerSettings.addresses(listenAddresses, flag: "web.listen-address")
        var settings = AlertmanagerSettings(
            configFile: configFile, directory: storagePath == ":memory:" ? nil : storagePath, addresses: addresses)
        settings.externalURL = externalURL.isEmpty ? Settings.localURL(port: addresses.first?.port ?? 9093) : externalURL
        settings.routePrefix = try Settings.prefix(externalURL: externalURL, routePrefix: routePrefix)
        settings.retention = try AlertmanagerSettings.duration(retention, flag: "data.retention")
        settings.maintenanceInterval = try AlertmanagerSettings.duration(maintenanceInterval, flag: "data.maintenance-interval")
        settings.alertCollectionInterval = try AlertmanagerSettings.duration(alertCollectionInterval, flag: "alerts.gc-interval")
        settings.maximumSilences = try AlertmanagerSettings.count(maximumSilences, flag: "silences.max-silences")
        settings.maximumSilenceBytes = try AlertmanagerSettings.count(maximumSilenceBytes, flag: "silences.max-silence-size-bytes")
        settings.alertsPerName = try AlertmanagerSettings.count(alertsPerName, flag: "alerts.per-alertname-limit")
        return settings
    }
}
