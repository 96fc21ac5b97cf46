import Alerter
import ConfigurationFile
import Logging
import Scraper
import SelfMetrics
import Synchronization
import TSDB

/// Hands the alerts of rules to all Alertmanagers of `alerting:`, each through a queue and a loop of its own.
///
///     send(alerts) ─▶ external labels, alert_relabel_configs ─┬─▶ queue ─▶ loop ─▶ AlertSink        one that hangs
///                                                             └─▶ queue ─▶ loop ─▶ AlertSink        delays no other
///
/// Nothing is tried twice: rules report a firing alert again after a minute.
/// Source: Prometheus 3.14, `notifier/`.
public final class AlertSender: Sendable {
    public struct Options: Sendable {
        /// `--alertmanager.notification-queue-capacity`, per Alertmanager.
        public var queueCapacity = 10_000
        /// `--alertmanager.notification-batch-size`.
        public var batchSize = 256
        /// `--alertmanager.drain-notification-queue-on-shutdown`.
        public var drainsOnShutdown = true

        public init() {}
    }

    private struct Running {
        let config: AlertingConfig.Alertmanagers
        let url: String
        let loop: SendLoop
    }

    private struct State {
        var externalLabels = Labels()
        var config = AlertingConfig()
        var running: [Running] = []
        var dropped: [String] = []
        var isStopped = false
    }

    private let options: Options
    private let state = Mutex(State())
    private let logger: Logger
    private let connect: @Sendable (String, AlertingConfig.Alertmanagers) -> any AlertSink
    let metrics: AlertMetrics

    /// `connect` makes the way to the Alertmanager with this URL: over HTTP, or to the one in this process.
    public init(
        options: Options = Options(), logger: Logger,
        connect: @escaping @Sendable (_ url: String, AlertingConfig.Alertmanagers) -> any AlertSink
    ) {
        self.options = options
        self.logger = logger
        self.connect = connect
        metrics = AlertMetrics()
    }

    /// Makes the loops what the configuration wants. Those of equal Alertmanagers go on, with what waits in them.
    public func apply(_ config: AlertingConfig, externalLabels: Labels) {
        let gone = state.withLock { state -> [Running] in
            guard !state.isStopped else { return [] }
            state.externalLabels = externalLabels
            state.config = config
            var old = state.running
            state.running = []
            state.dropped = []
            for set in config.alertmanagers {
                let (active, dropped) = set.urls()
                state.dropped += dropped
                for url in active {
                    if let index = old.firstIndex(where: { $0.url == url && $0.config == set }) {
                        state.running.append(old.remove(at: index))
                    } else {
                        state.running.append(Running(config: set, url: url, loop: loop(url, set)))
                    }
                }
            }
            return old
        }
        for running in gone { running.loop.stop(draining: options.drainsOnShutdown) }
    }

    private func loop(_ url: String, _ config: AlertingConfig.Alertmanagers) -> SendLoop {
        SendLoop(
            url, to: connect(url, config),
            queue: AlertQueue(capacity: options.queueCapacity, batchSize: options.batchSize), metrics: metrics,
            logger: logger)
    }

    /// Queues alerts for all Alertmanagers. Does not wait.
    public func send(_ alerts: [Alert]) {
        let (running, config, external) = state.withLock { ($0.isStopped ? [] : $0.running, $0.config, $0.externalLabels) }
        guard !running.isEmpty else { return }
        let relabelled = Self.relabel(alerts, config.relabelConfigs, externalLabels: external)
        if relabelled.isEmpty { return }
        for one in running {
            let own = one.config.alertRelabelConfigs
            one.loop.add(own.isEmpty ? relabelled : Self.relabel(relabelled, own, externalLabels: Labels()))
        }
    }

    static func relabel(_ alerts: [Alert], _ configs: [RelabelConfig], externalLabels: Labels) -> [Alert] {
        if configs.isEmpty && externalLabels.isEmpty { return alerts }
        let external = externalLabels.pairs
        return alerts.compactMap { alert in
            var builder = LabelsBuilder(alert.labels)
            for (name, value) in external where builder[name].isEmpty { builder.set(name, to: value) }
            guard Relabeling.apply(configs, to: &builder) else { return nil }
            var copy = alert
            copy.labels = builder.labels()
            return copy
        }
    }

    /// Ends all loops; what waits is sent first where the options say so, as long as Alertmanagers take it.
    public func stop() async {
        let running = state.withLock { state -> [Running] in
            state.isStopped = true
            return state.running
        }
        for one in running { one.loop.stop(draining: options.drainsOnShutdown) }
        for one in running { await one.loop.finished() }
    }

    /// URLs of all Alertmanagers, and of those that relabeling has dropped.
    public var alertmanagers: (active: [String], dropped: [String]) {
        state.withLock { ($0.running.map(\.url), $0.dropped) }
    }

    public func writeMetrics(to page: inout MetricsPage) {
        let queues = state.withLock { $0.running.map { ($0.url, $0.loop) } }
        metrics.write(
            queues: queues.map { ($0.0, $0.1.queueLength) }, capacity: options.queueCapacity, to: &page)
    }
}
