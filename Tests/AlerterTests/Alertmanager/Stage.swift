import Support
import Synchronization
import TSDB

@testable import Alerter

/// An Alertmanager in virtual time, with receivers that answer as they are told to.
///
///     let stage = try Stage(route)
///     stage.fire(["alertname": "A"])
///     stage.run(for: .minutes(5))
///     stage.told      ["0:30 ops first_notification A"]
///
/// Files live in memory, so a stage can be killed and started again on what it left.
final class Stage {
    /// One attempt, as it went.
    struct Told: Equatable {
        var time: Timestamp
        var receiver: String
        var integration: String
        var reason: Notification.Reason
        /// Names of the alerts; with `!` those that are over.
        var alerts: [String]
        var outcome: NotificationOutcome
    }

    static let start = Timestamp(milliseconds: 1_700_000_000_000)

    private(set) var manager: Alertmanager
    private(set) var files: MemoryFileStore
    private(set) var config: AlertmanagerConfig
    private let options: AlertmanagerOptions
    private let seed: UInt64
    var now = Stage.start
    var attempts: [Told] = []
    /// How receivers answer; `nil`: the attempt hangs, and is found in `hanging`.
    var answer: (Delivery, Timestamp) -> NotificationOutcome? = { _, _ in .sent }
    var hanging: [Delivery] = []

    init(
        _ config: AlertmanagerConfig, options: AlertmanagerOptions = Stage.options, files: MemoryFileStore = MemoryFileStore(),
        seed: UInt64 = 1
    ) throws {
        self.config = config
        self.options = options
        self.files = files
        self.seed = seed
        manager = try Self.manager(config, options, files, seed, Stage.start)
    }

    static var options: AlertmanagerOptions {
        var options = AlertmanagerOptions()
        options.directory = "data"
        return options
    }

    private static func manager(
        _ config: AlertmanagerConfig, _ options: AlertmanagerOptions, _ files: MemoryFileStore, _ seed: UInt64, _ now: Timestamp
    ) throws -> Alertmanager {
        // A part's first hour range is enough for tests of what mutes; the intervals' own rules are tested elsewhere.
        try Alertmanager(
            config, options: options, files: files,
            isWithin: { interval, time in
                let minute = Int((time - Stage.start).milliseconds / 60_000)
                return interval.parts.contains { $0.times.contains { $0.contains(minute) } }
            }, random: SeededRandom(seed: seed), at: now)
    }

    // MARK: What happens

    func fire(_ labels: Labels, for span: Duration? = nil) { report(labels, endsAt: span.map { now + $0 }) }

    func resolve(_ labels: Labels) { report(labels, endsAt: now) }

    func report(_ labels: Labels, startsAt: Timestamp? = nil, endsAt: Timestamp?, annotations: Annotations = Annotations()) {
        _ = manager.receive(
            [
                AlertReport(
                    labels: Annotations(labels.pairs), annotations: annotations, startsAt: startsAt ?? now, endsAt: endsAt)
            ], at: now)
    }

    @discardableResult
    func silence(_ matchers: Matcher..., for span: Duration) throws -> String {
        try manager.setSilence(SilenceDraft(matchers, to: now + span, createdBy: "test"), at: now)
    }

    func reload(_ config: AlertmanagerConfig? = nil) {
        self.config = config ?? self.config
        manager.apply(self.config, at: now)
    }

    /// The process is killed and starts again; `powerCut` also forgets what was not synced.
    func restart(powerCut: UInt64? = nil) throws {
        files = files.crashClone(dropping: powerCut == nil ? 0 : 1, seed: powerCut ?? 0)
        hanging = []
        manager = try Self.manager(config, options, files, seed &+ 1, now)
    }

    // MARK: Time

    /// Everything that is due before `end`, which it then is.
    func run(until end: Timestamp) {
        while let wake = manager.nextWake, wake < end {
            now = max(now, wake)
            step()
        }
        now = end
    }

    func run(for span: Duration) { run(until: now + span) }

    /// Everything that is due now.
    func step() {
        for delivery in manager.advance(to: now) {
            if let outcome = answer(delivery, now) { finish(delivery, outcome) } else { hanging.append(delivery) }
        }
    }

    func finish(_ delivery: Delivery, _ outcome: NotificationOutcome) {
        let notification = delivery.notification
        attempts.append(
            Told(
                time: now, receiver: notification.receiver,
                integration: "\(notification.integration.kind)[\(notification.integration.index)]", reason: notification.reason,
                alerts: notification.alerts.map { $0.name + ($0.isResolved(at: notification.now) ? "!" : "") },
                outcome: outcome))
        manager.finish(delivery.id, outcome, at: now)
    }

    // MARK: What was seen

    /// Successes: `0:30 ops first_notification A,B!`
    var told: [String] { attempts.filter { $0.outcome == .sent }.map(Self.text) }

    static func text(_ told: Told) -> String {
        let seconds = (told.time - start).milliseconds / 1000
        let part = seconds % 60
        return "\(seconds / 60):\(part < 10 ? "0" : "")\(part) \(told.receiver) \(told.reason.rawValue) "
            + told.alerts.joined(separator: ",")
    }

    static let busy = NotificationOutcome.failed(reason: "serverError", message: "503", isRetryable: true)
    static let refused = NotificationOutcome.failed(reason: "clientError", message: "400", isRetryable: false)
}

extension Integration {
    static func webhook(_ index: Int = 0, sendsResolved: Bool = true) -> Integration {
        Integration(.webhook(WebhookSettings(url: .text("http://x"))), index: index, sendsResolved: sendsResolved)
    }
}

extension AlertmanagerConfig {
    /// One receiver `ops` with a webhook, and everything told in one group.
    static func simple(
        groupWait: Duration = .seconds(30), groupInterval: Duration = .minutes(1), repeatInterval: Duration = .hours(4),
        groupBy: [String] = [], integrations: [Integration] = [.webhook()], inhibitRules: [InhibitRule] = [],
        muting: [String] = [], active: [String] = [], intervals: [(String, Range<Int>)] = [], routes: [Route] = [],
        receivers: [Receiver] = []
    ) -> AlertmanagerConfig {
        AlertmanagerConfig(
            route: Route(
                receiver: "ops", groupBy: groupBy, groupWait: groupWait, groupInterval: groupInterval,
                repeatInterval: repeatInterval, muteTimeIntervals: muting, activeTimeIntervals: active, routes: routes),
            receivers: [Receiver(name: "ops", integrations: integrations)] + receivers, inhibitRules: inhibitRules,
            timeIntervals: intervals.map { name, minutes in
                var part = TimeInterval.Part()
                part.times = [minutes]
                return TimeInterval(name: name, parts: [part])
            })
    }
}

extension Matcher {
    static func name(_ value: String) -> Matcher { .equal("alertname", value) }
}

/// A story as it is drawn: a row for each thing, a column for each half minute.
///
///     A          xxxxx....        x reports it firing, r over; . says nothing
///     silence A  ..ss.....        s silenced, from the first to the last
///     down       .d.......        d the receiver is busy, e it refuses
///     reload     ...l.....
///     restart    ....k....
///
/// The answer is a row as well, what the receiver was told in each column:
/// `F` first, `N` new alerts, `R` some resolved, `A` all resolved, `P` repeated, `2` more than one, `-` nothing.
func play(_ drawing: String, _ config: AlertmanagerConfig = .simple(), seed: UInt64 = 1) throws -> String {
    let stage = try Stage(config, seed: seed)
    var rows: [(words: [Substring], marks: [Character])] = []
    for line in drawing.split(separator: "\n") {
        var words = line.split(separator: " ")
        guard let marks = words.popLast() else { continue }
        rows.append((words, Array(marks)))
    }
    let columns = rows.map(\.marks.count).max() ?? 0
    let step = Duration.seconds(30)
    var silences: [String: String] = [:]
    var result = ""
    for column in 0..<columns {
        let begin = Stage.start + .milliseconds(Int64(column) * step.milliseconds)
        stage.answer = { _, _ in .sent }
        for row in rows {
            let mark = column < row.marks.count ? row.marks[column] : "."
            switch (String(row.words[0]), mark) {
            case ("silence", "s"):
                let name = String(row.words[1])
                if silences[name] == nil { silences[name] = try stage.silence(.name(name), for: .hours(10)) }
            case ("silence", _):
                if let id = silences.removeValue(forKey: String(row.words[1])) {
                    try stage.manager.expireSilence(id, at: stage.now)
                }
            case ("down", "d"): stage.answer = { _, _ in Stage.busy }
            case ("down", "e"): stage.answer = { _, _ in Stage.refused }
            case ("reload", "l"): stage.reload()
            case ("restart", "k"): try stage.restart()
            case ("down", _), ("reload", _), ("restart", _): break
            case (let name, "x"): stage.fire(["alertname": name])
            case (let name, "r"): stage.resolve(["alertname": name])
            default: break
            }
        }
        let before = stage.attempts.count
        stage.run(until: begin + step)
        let sent = stage.attempts[before...].filter { $0.outcome == .sent }
        result += sent.count > 1 ? "2" : sent.first.map { letter($0.reason) } ?? "-"
    }
    return result
}

private func letter(_ reason: Notification.Reason) -> String {
    switch reason {
    case .firstNotification: "F"
    case .newAlerts: "N"
    case .newlyResolved: "R"
    case .allResolved: "A"
    case .repeatInterval: "P"
    }
}
