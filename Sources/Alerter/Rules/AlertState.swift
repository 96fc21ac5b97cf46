import TSDB

/// The life of one alert of a rule: pending → firing → resolved. Time comes in, a verdict goes out.
///
///     condition     xx.xx.....        one character per evaluation
///     for: 1        -PF-PF----        P pending, F fires
///     keep: 2       --------R-        goes on firing for two evaluations, then resolves
///
/// A resolved alert is kept for fifteen minutes and reported again and again, so that neither a lost connection nor a restarted
/// Alertmanager leaves it firing there.
/// Source: Prometheus 3.14, `rules/alerting.go`.
public struct AlertState: Sendable {
    public enum Phase: Sendable, Equatable {
        case pending
        /// `keptSince`: the condition has ended, and `keep_firing_for` keeps it firing.
        case firing(since: Timestamp, keptSince: Timestamp?)
        case resolved(firedAt: Timestamp, at: Timestamp)
    }

    /// What becomes of an alert in one evaluation.
    enum Verdict { case active, resolved, forgotten }

    /// How long a resolved alert is kept and reported.
    static let resolvedRetention = Duration.minutes(15)
    /// An alert that nobody reports any more ends after so many times the interval (or the resend delay): two evaluations or sends
    /// may fail.
    static let validity: Int64 = 4

    static func validity(every pace: Duration) -> Duration {
        Duration(milliseconds: pace.milliseconds.multipliedReportingOverflow(by: validity).partialValue)
    }

    public let labels: Labels
    public internal(set) var annotations: Annotations
    /// Of the expression, when it was last true.
    public internal(set) var value: Double
    /// When the condition became true; moved by `restore`.
    public internal(set) var activeAt: Timestamp
    public private(set) var phase = Phase.pending
    public private(set) var lastSentAt: Timestamp?
    public private(set) var validUntil: Timestamp?
    /// Its series, made when first written.
    var series = AlertSeriesLabels()

    init(labels: Labels, annotations: Annotations, value: Double, activeAt: Timestamp) {
        self.labels = labels
        self.annotations = annotations
        self.value = value
        self.activeAt = activeAt
    }

    /// One that fired before a restart, and ended meanwhile.
    init(ended lost: LostAlerts.Lost, at now: Timestamp) {
        self.init(
            labels: lost.finding.labels, annotations: lost.finding.annotations, value: lost.finding.value, activeAt: lost.firedAt)
        phase = .resolved(firedAt: lost.firedAt, at: now)
    }

    public var isFiring: Bool { if case .firing = phase { true } else { false } }
    public var isResolved: Bool { if case .resolved = phase { true } else { false } }

    public var keepFiringSince: Timestamp? {
        if case .firing(_, let keptSince) = phase { keptSince } else { nil }
    }

    /// One evaluation. A resolved alert whose condition holds again is another alert: the caller puts a new one in its place.
    mutating func evaluate(
        isTrue: Bool, hold: Duration, keepFiring: Duration, at now: Timestamp
    ) -> Verdict {
        switch (phase, isTrue) {
        case (.pending, false): return .forgotten
        case (.resolved(_, let at), _): return now - at > Self.resolvedRetention ? .forgotten : .resolved
        case (.firing(let since, let keptSince), false):
            let kept = keptSince ?? now
            guard keepFiring > .zero, now - kept < keepFiring else {
                phase = .resolved(firedAt: since, at: now)
                return .resolved
            }
            phase = .firing(since: since, keptSince: kept)
        case (.firing(let since, _), true): phase = .firing(since: since, keptSince: nil)
        case (.pending, true): break
        }
        let hasHeld = now - activeAt >= hold
        if case .pending = phase, hasHeld { phase = .firing(since: now, keptSince: nil) }
        // A reload may have made `for` longer than the alert has been active.
        if isFiring, !hasHeld {
            phase = .pending
            lastSentAt = nil
        }
        return .active
    }

    /// Whether it is to be reported at `now`: new, just resolved, or last reported more than `resendDelay` ago.
    func needsSending(at now: Timestamp, resendDelay: Duration) -> Bool {
        if case .pending = phase { return false }
        guard let lastSentAt else { return true }
        if case .resolved(_, let at) = phase, at > lastSentAt { return true }
        return lastSentAt + resendDelay < now
    }

    /// Notes that it is reported now, and gives what is reported.
    mutating func send(at now: Timestamp, every pace: Duration, generatorURL: String) -> Alert {
        lastSentAt = now
        let validUntil = now + Self.validity(every: pace)
        self.validUntil = validUntil
        let (startsAt, endsAt) =
            switch phase {
            case .pending: (activeAt, validUntil)
            case .firing(let since, _): (since, validUntil)
            case .resolved(let firedAt, let at): (firedAt, at)
            }
        return Alert(
            labels: labels, annotations: annotations, generatorURL: generatorURL, startsAt: startsAt, endsAt: endsAt,
            updatedAt: now)
    }
}
