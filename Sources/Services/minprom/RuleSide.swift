import Alerter
import ConfigurationFile
import HTTPServer
import Logging
import PromQL
import Rules
import Scraper
import SelfMetrics
import TSDB
import WebAPI

/// Rules and the sending of their alerts, wired to the rest of this server.
struct RuleSide: Sendable {
    struct Options: Sendable {
        var sending = AlertSender.Options()
        /// Without a slash at the end.
        var externalURL = ""
        /// Groups evaluated at once.
        var concurrency = 4
        var resendDelay = TSDB.Duration.minutes(1)
        var outageTolerance = TSDB.Duration.hours(1)
        var gracePeriod = TSDB.Duration.minutes(10)
    }

    let manager: RuleManager
    let sender: AlertSender
    private let options: Options
    private let clock: any WallClock

    private let alertmanager: AlertmanagerHalf?

    /// `alertmanager`: the one in this process, if there is one.
    init(_ options: Options, alertmanager: AlertmanagerHalf?, clock: any WallClock, logger: Logger) {
        self.options = options
        self.alertmanager = alertmanager
        self.clock = clock
        let names = ThreadPool("names", threads: 1)
        let sender = AlertSender(options: options.sending, logger: logger) { url, set in
            let outside = HTTPAlertSink(url, set)
            guard let alertmanager else { return outside }
            return OwnAlertmanager(url, alertmanager, else: outside, pool: names)
        }
        self.sender = sender
        manager = RuleManager(threads: options.concurrency, clock: clock, logger: logger) { sender.send($0) }
    }

    func apply(_ configuration: Configuration, on database: Database, _ engine: Engine) async {
        sender.apply(alerting(configuration), externalLabels: configuration.global.externalLabels)
        // Groups are evaluated side by side, so each stays on its thread.
        var alone = engine.options
        alone.runner = SerialRunner()
        var environment = RuleEnvironment(
            storage: database, engine: Engine(alone), clock: clock, stopwatch: SystemClock.monotonic)
        environment.externalLabels = configuration.global.externalLabels
        environment.externalURL = options.externalURL
        environment.resendDelay = options.resendDelay
        environment.outageTolerance = options.outageTolerance
        environment.gracePeriod = options.gracePeriod
        await manager.apply(configuration.ruleGroups, environment)
    }

    /// As configured; where nobody is named, the Alertmanager in this process.
    private func alerting(_ configuration: Configuration) -> AlertingConfig {
        var alerting = configuration.alerting
        guard alerting.alertmanagers.isEmpty, let alertmanager, let address = alertmanager.settings.addresses.first else {
            return alerting
        }
        var own = AlertingConfig.Alertmanagers()
        own.pathPrefix = alertmanager.settings.routePrefix
        own.staticConfigs = [TargetGroup(source: "own", addresses: ["127.0.0.1:\(address.port)"], labels: [:])]
        alerting.alertmanagers = [own]
        return alerting
    }

    /// Rules first: what their last evaluations found is still sent.
    func stop() async {
        await manager.stop()
        await sender.stop()
    }

    var view: RulesView {
        let manager = manager, sender = sender
        return RulesView(groups: { manager.groups }, alertmanagers: { sender.alertmanagers })
    }

    func writeMetrics(to page: inout MetricsPage) {
        manager.metrics.write(to: &page)
        sender.writeMetrics(to: &page)
    }
}
