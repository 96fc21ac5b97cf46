import PromQL
import TSDB

/// The alerts of one rule, and the series that tell of them.
///
///     result  {instance="a"} 3      ALERTS{alertname="Down",alertstate="firing",instance="a"}        1
///                                   ALERTS_FOR_STATE{alertname="Down",instance="a"}      1.7e9   active since
///
/// Invariant: `places[all[i].labels] == i`.
struct RuleAlerts: Sendable {
    private(set) var all: [AlertState] = []
    private var places: [Labels: Int] = [:]
    /// The state of before the restart has been looked for. Until then nothing is written that would cover it.
    var isRestored = true

    mutating func inherit(_ old: RuleAlerts) {
        all = old.all
        places = old.places
    }

    mutating func removeAll() {
        all = []
        places = [:]
    }

    /// Visits each alert for a change; labels stay.
    mutating func updateEach(_ body: (inout AlertState) -> Void) {
        for index in all.indices { body(&all[index]) }
    }

    /// What an expression that is true says of one alert.
    struct Finding: Sendable {
        /// Of the series in the expression's result.
        var source: Labels
        /// Of the alert.
        var labels: Labels
        var annotations: Annotations
        var value: Double
    }

    /// One evaluation. Returns the number of alerts that are pending or firing.
    mutating func evaluate(
        _ findings: [Finding], hold: Duration, keepFiring: Duration, at now: Timestamp
    ) -> Int {
        var isTrue = Array(repeating: false, count: all.count)
        for finding in findings {
            if let place = places[finding.labels], !all[place].isResolved {
                all[place].value = finding.value
                all[place].annotations = finding.annotations
                isTrue[place] = true
                continue
            }
            let alert = AlertState(
                labels: finding.labels, annotations: finding.annotations, value: finding.value, activeAt: now)
            if let place = places[finding.labels] {
                all[place] = alert
                isTrue[place] = true
            } else {
                places[finding.labels] = all.count
                all.append(alert)
                isTrue.append(true)
            }
        }
        var activeCount = 0
        var forgotten: Set<Int> = []
        for index in all.indices {
            switch all[index].evaluate(isTrue: isTrue[index], hold: hold, keepFiring: keepFiring, at: now) {
            case .active: activeCount += 1
            case .resolved: break
            case .forgotten: forgotten.insert(index)
            }
        }
        if !forgotten.isEmpty { forget(forgotten) }
        return activeCount
    }

    /// An alert that fired before a restart: it goes on, active since `since`. `false` where it is not active.
    mutating func goOn(_ labels: Labels, since: Timestamp) -> Bool {
        guard let place = places[labels], !all[place].isResolved else { return false }
        all[place].activeAt = min(all[place].activeAt, since)
        return true
    }

    /// An alert that fired before a restart is over.
    mutating func end(_ lost: LostAlerts.Lost, at now: Timestamp) {
        guard places[lost.finding.labels] == nil else { return }
        places[lost.finding.labels] = all.count
        all.append(AlertState(ended: lost, at: now))
    }

    private mutating func forget(_ indices: Set<Int>) {
        all = all.indices.filter { !indices.contains($0) }.map { all[$0] }
        places.removeAll(keepingCapacity: true)
        for (index, alert) in all.enumerated() { places[alert.labels] = index }
    }

    /// The alerts that are to be reported now.
    mutating func send(at now: Timestamp, resendDelay: Duration, every pace: Duration, generatorURL: String) -> [Alert] {
        var sent: [Alert] = []
        for index in all.indices where all[index].needsSending(at: now, resendDelay: resendDelay) {
            sent.append(all[index].send(at: now, every: pace, generatorURL: generatorURL))
        }
        return sent
    }
}

/// Labels of an alert's own series, made once.
struct AlertSeriesLabels: Sendable {
    private var pending: Labels?
    private var firing: Labels?
    private var forState: Labels?

    /// `ALERTS` and `ALERTS_FOR_STATE`. `base` are the rule's labels as written, which the alert's own replace.
    mutating func labels(
        of alert: Labels, isFiring: Bool, named name: String, base: Annotations
    ) -> (alerts: Labels, forState: Labels) {
        func make(_ metric: String, state: String?) -> Labels {
            var builder = LabelsBuilder()
            for pair in base.pairs { builder.set(pair.name, to: pair.value) }
            for (name, value) in alert.pairs { builder.set(name, to: value) }
            builder.set(MetricName.label, to: metric)
            builder.set(AlertSeries.nameLabel, to: name)
            if let state { builder.set(AlertSeries.stateLabel, to: state) }
            return builder.labels()
        }
        let forState = self.forState ?? make(AlertSeries.forState, state: nil)
        self.forState = forState
        if isFiring {
            let made = firing ?? make(AlertSeries.alerts, state: "firing")
            firing = made
            return (made, forState)
        }
        let made = pending ?? make(AlertSeries.alerts, state: "pending")
        pending = made
        return (made, forState)
    }
}
