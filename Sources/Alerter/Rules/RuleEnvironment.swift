import PromQL
import TSDB

/// Where rules read and write.
public typealias RuleStorage = Appendable & Queryable

/// What the evaluation of rules needs from outside.
public struct RuleEnvironment: Sendable {
    public var storage: any RuleStorage
    public var engine: Engine
    /// When an evaluation began, as pages show it; evaluations themselves are for times that are handed in.
    public var clock: any WallClock
    /// Nanoseconds on a clock that never turns back: how long evaluations take.
    public var stopwatch: @Sendable () -> Int64
    /// For templates.
    public var externalLabels = Labels()
    /// `--web.external-url`, without a slash at the end.
    public var externalURL = ""
    /// `--rules.alert.resend-delay`: a firing alert is reported this often.
    public var resendDelay = Duration.minutes(1)
    /// `--rules.alert.for-outage-tolerance`: `for` goes on over an outage of this length.
    public var outageTolerance = Duration.hours(1)
    /// `--rules.alert.for-grace-period`: an alert fires no sooner than this after its state was restored. Rules with a shorter `for`
    /// begin anew.
    public var gracePeriod = Duration.minutes(10)
    /// Asked between rules: `true` ends the group's evaluation there.
    public var shouldStop: @Sendable () -> Bool = { false }

    public init(
        storage: any RuleStorage, engine: Engine, clock: any WallClock,
        stopwatch: @escaping @Sendable () -> Int64 = { 0 }
    ) {
        self.storage = storage
        self.engine = engine
        self.clock = clock
        self.stopwatch = stopwatch
    }
}

/// Why a rule's evaluation failed; the texts are upstream's.
public struct RuleError: Error, Equatable, Sendable, CustomStringConvertible {
    public var message: String

    public init(_ message: String) { self.message = message }

    static let duplicateSeries = RuleError("vector contains metrics with the same labelset after applying rule labels")
    static let duplicateAlerts = RuleError("vector contains metrics with the same labelset after applying alert labels")

    public var description: String { message }
}

/// The words of alert series.
enum AlertSeries {
    static let alerts = "ALERTS"
    static let forState = "ALERTS_FOR_STATE"
    static let stateLabel = "alertstate"
    static let nameLabel = "alertname"
}
