import ArgumentParser
import WebAPI

/// The server, with upstream's flag names.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the server (the default).")

    @Option(name: .customLong("config.file"), help: "Configuration file. Without one, minprom scrapes itself and this host.")
    var configFile: String?

    @Option(name: .customLong("storage.tsdb.path"), help: "Directory of the database, or :memory: for none.")
    var storagePath = "data/"

    @Option(name: .customLong("storage.tsdb.retention.time"), help: "How long to keep samples.")
    var retentionTime = "24h"

    @Option(name: .customLong("storage.tsdb.retention.size"), help: "How many bytes to keep; only 0, no bound, is supported.")
    var retentionSize = "0"

    @Option(name: .customLong("storage.tsdb.wal-compression-type"), help: "lz4 (compact), snappy or none (as upstream).")
    var walCompression = "lz4"

    @Option(name: .customLong("web.listen-address"), help: "Address to listen on; may be given several times.")
    var listenAddresses = ["0.0.0.0:9090"]

    @Option(name: .customLong("web.max-connections"), help: "Connections that may be open at once.")
    var maxConnections = 512

    @Option(name: .customLong("web.external-url"), help: "The URL under which the server is reached from outside.")
    var externalURL = ""

    @Option(name: .customLong("web.route-prefix"), help: "Prefix of all paths; the path of the external URL where left out.")
    var routePrefix: String?

    @Option(name: .customLong("web.page-title"), help: "Title of the pages.")
    var pageTitle = "minprom"

    @Option(name: .customLong("web.cors.origin"), help: "Origins whose pages may read the API's answers: a regular expression.")
    var corsOrigin = ".*"

    @Flag(name: .customLong("web.enable-remote-write-receiver"), help: "Accept POST /api/v1/write.")
    var enableRemoteWrite = false

    @Flag(name: .customLong("web.enable-lifecycle"), help: "Accept POST /-/reload and /-/quit.")
    var enableLifecycle = false

    @Flag(name: .customLong("web.enable-admin-api"), help: "Accept the admin API.")
    var enableAdmin = false

    @Option(name: .customLong("enable-feature"), help: "Comma-separated feature names.")
    var features: [String] = []

    @Option(name: .customLong("query.timeout"), help: "The longest a query may take.")
    var queryTimeout = "2m"

    @Option(name: .customLong("query.max-samples"), help: "Samples one query may hold in memory.")
    var queryMaxSamples = 50_000_000

    @Option(
        name: .customLong("query.max-concurrency"), help: "Queries that run at once, beside light ones, which always may.")
    var queryMaxConcurrency = 20

    @Option(name: .customLong("query.max-memory"), help: "Bytes one query may hold; all together may hold twice as much.")
    var queryMaxMemory = "512MB"

    @Option(name: .customLong("query.lookback-delta"), help: "How long a sample stands for its series.")
    var queryLookback = "5m"

    @Option(name: .customLong("rules.alert.for-outage-tolerance"), help: "The longest outage over which the `for` of alerts goes on.")
    var ruleOutageTolerance = "1h"

    @Option(
        name: .customLong("rules.alert.for-grace-period"),
        help: "An alert with a `for` of at least this long fires no sooner after a restart.")
    var ruleGracePeriod = "10m"

    @Option(name: .customLong("rules.alert.resend-delay"), help: "How often a firing alert is reported again.")
    var ruleResendDelay = "1m"

    @Option(name: .customLong("rules.max-concurrent-evals"), help: "Rule groups that are evaluated at once.")
    var ruleConcurrency = 4

    @Option(name: .customLong("alertmanager.config.file"), help: "Be an Alertmanager, too, with this configuration file.")
    var alertmanagerConfigFile: String?

    @Option(name: .customLong("alertmanager.web.listen-address"), help: "Address of Alertmanager's API and pages.")
    var alertmanagerAddresses = ["0.0.0.0:9093"]

    @Option(name: .customLong("alertmanager.web.external-url"), help: "The URL under which it is reached; links begin with it.")
    var alertmanagerExternalURL = ""

    @Option(
        name: .customLong("alertmanager.storage.path"),
        help: "Directory of silences and the notification log; alertmanager/ in that of the database where left out.")
    var alertmanagerStoragePath: String?

    @Option(name: .customLong("alertmanager.data.retention"), help: "How long Alertmanager keeps what is over.")
    var alertmanagerRetention = "120h"

    @Option(name: .customLong("alertmanager.notification-queue-capacity"), help: "Alerts that may wait for one Alertmanager.")
    var notificationQueueCapacity = 10_000

    @Option(name: .customLong("alertmanager.notification-batch-size"), help: "Alerts sent to an Alertmanager at once.")
    var notificationBatchSize = 256

    @Flag(
        name: .customLong("alertmanager.drain-notification-queue-on-shutdown"), inversion: .prefixedNo,
        help: "Send what waits for Alertmanagers before the server ends.")
    var drainsNotificationQueue = true

    @OptionGroup var exporters: ExporterFlags

    @OptionGroup var logging: LogFlags

    @Option(name: .customLong("test.engine-fault"), help: .hidden)
    var engineFault: String?

    func run() async throws {
        do throws(StartError) {
            try await Server(self).run()
        } catch {
            throw ExitCode(Console.complain(error.message))
        }
    }

    /// Under upstream's names, as `/api/v1/status/flags` shows them.
    var flags: [(name: String, value: String)] {
        [
            ("alertmanager.config.file", alertmanagerConfigFile ?? ""),
            ("alertmanager.data.retention", alertmanagerRetention),
            ("alertmanager.storage.path", alertmanagerStoragePath ?? ""),
            ("alertmanager.web.external-url", alertmanagerExternalURL),
            ("alertmanager.web.listen-address", alertmanagerAddresses.joined(separator: ",")),
            ("alertmanager.drain-notification-queue-on-shutdown", "\(drainsNotificationQueue)"),
            ("alertmanager.notification-batch-size", "\(notificationBatchSize)"),
            ("alertmanager.notification-queue-capacity", "\(notificationQueueCapacity)"),
            ("config.file", configFile ?? ""),
            ("enable-feature", features.joined(separator: ",")),
        ] + exporters.shown + [
            ("log.format", logging.format),
            ("log.level", logging.level),
            ("query.lookback-delta", queryLookback),
            ("query.max-concurrency", "\(queryMaxConcurrency)"),
            ("query.max-memory", queryMaxMemory),
            ("query.max-samples", "\(queryMaxSamples)"),
            ("query.timeout", queryTimeout),
            ("rules.alert.for-grace-period", ruleGracePeriod),
            ("rules.alert.for-outage-tolerance", ruleOutageTolerance),
            ("rules.alert.resend-delay", ruleResendDelay),
            ("rules.max-concurrent-evals", "\(ruleConcurrency)"),
            ("storage.tsdb.path", storagePath),
            ("storage.tsdb.retention.size", retentionSize),
            ("storage.tsdb.retention.time", retentionTime),
            ("storage.tsdb.wal-compression-type", walCompression),
            ("web.cors.origin", corsOrigin),
            ("web.enable-admin-api", "\(enableAdmin)"),
            ("web.enable-lifecycle", "\(enableLifecycle)"),
            ("web.enable-remote-write-receiver", "\(enableRemoteWrite)"),
            ("web.external-url", externalURL),
            ("web.listen-address", listenAddresses.joined(separator: ",")),
            ("web.max-connections", "\(maxConnections)"),
            ("web.page-title", pageTitle),
            ("web.route-prefix", (try? Settings(self).routePrefix).flatMap { $0.isEmpty ? nil : $0 } ?? "/"),
        ]
    }
}
