import Numbers
import TSDB

/// An alert as somebody reports it, before anyone has looked at it: times may be missing, labels may be wrong.
///
///     startsAt missing    it began when it ended, if that is said, else now
///     endsAt missing      a guess: now + `resolve_timeout`, unless it is reported again
///     label with no value dropped
///
/// Source: Alertmanager's API v2, `postAlertsHandler`, `alert/alert.go`; error texts are upstream's.
public struct AlertReport: Sendable, Equatable {
    /// May hold empty values, which mean no label.
    public var labels: Annotations
    public var annotations: Annotations
    public var generatorURL: String
    public var startsAt: Timestamp?
    public var endsAt: Timestamp?

    public init(
        labels: Annotations, annotations: Annotations = Annotations(), generatorURL: String = "", startsAt: Timestamp? = nil,
        endsAt: Timestamp? = nil
    ) {
        self.labels = labels
        self.annotations = annotations
        self.generatorURL = generatorURL
        self.startsAt = startsAt
        self.endsAt = endsAt
    }

    /// What a rule sends.
    public init(_ alert: Alert) {
        self.init(
            labels: Annotations(alert.labels.pairs), annotations: alert.annotations, generatorURL: alert.generatorURL,
            startsAt: alert.startsAt, endsAt: alert.endsAt)
    }

    /// The alert this report makes, or why it makes none.
    func alert(resolveTimeout: Duration, at now: Timestamp) -> Result<Alert, AlertProblem> {
        let begin = startsAt ?? endsAt ?? now
        let end = endsAt ?? now + resolveTimeout
        if end < begin { return .failure(AlertProblem("start time must be before end time")) }
        let kept = labels.pairs.filter { !$0.value.isEmpty }
        if kept.isEmpty { return .failure(AlertProblem("at least one label pair required")) }
        if let wrong = kept.first(where: { $0.name.isEmpty }) {
            return .failure(AlertProblem("invalid label set: invalid name \(QuotedText.go(wrong.name))"))
        }
        if let wrong = annotations.pairs.first(where: { $0.name.isEmpty }) {
            return .failure(AlertProblem("invalid annotations: invalid name \(QuotedText.go(wrong.name))"))
        }
        return .success(
            Alert(
                labels: Labels(kept.map { (name: $0.name, value: $0.value) }), annotations: annotations,
                generatorURL: generatorURL, startsAt: begin, endsAt: end, updatedAt: now, endsByTimeout: endsAt == nil))
    }
}

struct AlertProblem: Error {
    var message: String
    init(_ message: String) { self.message = message }
}

/// A report that was not taken in. The others of its batch were.
public struct AlertRefusal: Error, Equatable, Sendable {
    /// Position in the batch.
    public var index: Int
    /// `at least one label pair required`
    public var message: String

    public init(index: Int, message: String) {
        self.index = index
        self.message = message
    }
}
