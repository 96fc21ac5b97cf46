import Alerter
import ConfigurationFile
import Logging
import PromQL
import Rules
import SelfMetrics
import TSDB
import WebAPI

/// Rules and the sending of their alerts, wired to the rest of this server.
struct RuleSide: Sendable {
    struct Options: Sendable {
        var sending = AlertSender.Options()
        /// Without a slash at the end.
        var externalURL = ""
        var resendDelay = TSDB.Duration.minutes(1)
        var outageTolerance = TSDB.Duration.hours(1)
        var gracePeriod = TSDB.Duration.minutes(10)
    }

    let manager: RuleManager
    let sender: AlertSender
    private let options: Options
    private let clock: any WallClock

    init(_ options: Options, clock: any WallClock, logger: Logger) {
        self.options = options
        self.clock = clock
        let sender = AlertSender(options: options.sending, logger: logger) { HTTPAlertSink($0, $1) }
        self.sender = sender
        manager = RuleManager(clock: clock, logger: logger) { sender.send($0) }
    }

    func apply(_ configuration: Configuration, on database: Database, _ engine: Engine) async {
        sender.apply(configuration.alerting, externalLabels: configuration.global.externalLabels)
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
