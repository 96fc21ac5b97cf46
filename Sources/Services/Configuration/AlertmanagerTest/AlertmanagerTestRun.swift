import Alerter
import Numbers
import TSDB
import TextTemplate

/// Plays a test in virtual time, on the machine that the server runs, and says what is not as expected.
///
///     alerts, silences ─▶ Alertmanager ─▶ notifications ─┐
///                             └─ states at each check ───┴─▶ compared ─▶ problems, each with its line
///
/// Receivers always answer at once that they got it.
public struct AlertmanagerTestRun {
    /// Looks at the machine in one test.
    static let maximumSteps = 200_000

    let test: AlertmanagerTest
    let file: AlertmanagerTestFile
    let templates: NotificationTemplates
    let tree: RouteTree
    var problems: [Problem] = []
    var told: [Told] = []

    public struct Problem: Sendable, Equatable {
        public var line: Int
        public var message: String
    }

    /// A group of which a receiver was told, by one or more integrations alike.
    struct Told {
        var at: TSDB.Duration
        var integrations: [String]
        var notification: Notification
    }

    public init(_ test: AlertmanagerTest, of file: AlertmanagerTestFile, templates: NotificationTemplates) {
        self.test = test
        self.file = file
        self.templates = templates
        tree = RouteTree(file.config.route)
    }

    /// What is not as expected; nothing where the test passes.
    public static func problems(
        of test: AlertmanagerTest, in file: AlertmanagerTestFile, templates: NotificationTemplates
    ) -> [Problem] {
        var run = AlertmanagerTestRun(test, of: file, templates: templates)
        return run.run()
    }

    private mutating func run() -> [Problem] {
        for line in test.routes {
            let taken = tree.matches(line.labels)
            compare(line.position, "receivers of \(line.labels)", line.receivers, taken.map(\.route.receiver))
            compare(line.position, "routes of \(line.labels)", line.keys, taken.map(\.key))
        }
        for line in test.intervals { check(line) }
        if !(test.alerts.isEmpty && test.silences.isEmpty && test.checks.isEmpty && test.notifications == nil) {
            play()
        }
        return problems
    }

    mutating func note(_ position: YAMLPosition, _ message: String) {
        problems.append(Problem(line: position.line, message: message))
    }

    mutating func compare<Value: Equatable>(
        _ position: YAMLPosition, _ what: String, _ expected: Value?, _ actual: Value
    ) {
        if let expected, expected != actual { note(position, "\(what): expected \(expected), got \(actual)") }
    }

    private mutating func check(_ line: AlertmanagerTest.IntervalLine) {
        guard let interval = file.config.timeIntervals.first(where: { $0.name == line.name }) else {
            note(line.position, "there is no time interval \(QuotedText.go(line.name))")
            return
        }
        for (times, isWithin) in [(line.within, true), (line.outside, false)] {
            for time in times where interval.contains(time, zones: file.config.zones) != isWithin {
                let text = TimeText.string(milliseconds: time.milliseconds)
                note(line.position, "\(text) is \(isWithin ? "not within" : "within") \(QuotedText.go(line.name))")
            }
        }
    }

    // MARK: Playing

    private enum Event {
        case fire(AlertmanagerTest.AlertLine), resolve(AlertmanagerTest.AlertLine), silence(
            AlertmanagerTest.SilenceLine)
        case expectations
        case check(AlertmanagerTest.Check)
    }

    private mutating func play() {
        var options = AlertmanagerOptions()
        options.retention = AlertmanagerTestReader.maximumDuration
        let manager: Alertmanager
        do throws(TSDBError) {
            // Without a directory it keeps everything in memory.
            manager = try Alertmanager(
                file.config, options: options, files: DiskFileStore(), random: Dice(), at: test.start)
        } catch {
            note(test.position, "\(error)")
            return
        }
        var steps = 0
        for (span, event) in timeline() {
            let moment = test.start + span
            while let wake = manager.nextWake, wake <= moment {
                steps += 1
                guard steps <= Self.maximumSteps else {
                    note(test.position, "more than \(Self.maximumSteps) steps")
                    return
                }
                advance(manager, to: max(wake, test.start))
            }
            happen(event, manager, at: moment)
            advance(manager, to: moment)
        }
        if let expected = test.notifications { compare(expected) }
    }

    /// What happens, in order of time; at one time alerts come first and looks last.
    private func timeline() -> [(TSDB.Duration, Event)] {
        var events: [(span: TSDB.Duration, rank: Int, event: Event)] = []
        for silence in test.silences { events.append((silence.from, 0, .silence(silence))) }
        for alert in test.alerts {
            events.append((alert.from, 1, .fire(alert)))
            if let until = alert.until { events.append((until, 1, .resolve(alert))) }
        }
        for check in test.checks { events.append((check.at, 3, .check(check))) }
        events.append((test.alerts.map(\.from).max() ?? .zero, 2, .expectations))
        events = events.filter { $0.span <= test.duration }
        // The end: what is due until then is told.
        var ordered = events.enumerated().sorted {
            ($0.element.span, $0.element.rank, $0.offset) < ($1.element.span, $1.element.rank, $1.offset)
        }
        .map { ($0.element.span, $0.element.event) }
        ordered.append((test.duration, .silence(AlertmanagerTest.SilenceLine(matchers: [], from: .zero, until: .zero))))
        return ordered
    }

    private mutating func happen(_ event: Event, _ manager: Alertmanager, at now: Timestamp) {
        switch event {
        case .fire(let line):
            report(line, manager, endsAt: now + AlertmanagerTestReader.maximumDuration + .hours(24), at: now)
        case .resolve(let line): report(line, manager, endsAt: now, at: now)
        case .silence(let line):
            if line.matchers.isEmpty { return }
            do throws(SilenceError) {
                _ = try manager.setSilence(
                    SilenceDraft(line.matchers, to: test.start + line.until, createdBy: "test"), at: now)
            } catch { note(test.position, "the silence is refused: \(error)") }
        case .expectations: for line in test.alerts { check(line, manager, at: now) }
        case .check(let check): self.check(check, manager, at: now)
        }
    }

    private mutating func report(
        _ line: AlertmanagerTest.AlertLine, _ manager: Alertmanager, endsAt: Timestamp, at now: Timestamp
    ) {
        let report = AlertReport(
            labels: Annotations(line.labels.pairs), annotations: line.annotations, startsAt: test.start + line.from,
            endsAt: endsAt)
        for refusal in manager.receive([report], at: now) {
            note(line.position, "the alert is refused: \(refusal.message)")
        }
    }

    private mutating func advance(_ manager: Alertmanager, to now: Timestamp) {
        for delivery in manager.advance(to: now) {
            let name = "\(delivery.notification.integration.kind)[\(delivery.notification.integration.index)]"
            let alike = told.firstIndex { earlier in
                earlier.at == now - test.start && earlier.notification.receiver == delivery.notification.receiver
                    && earlier.notification.groupKey == delivery.notification.groupKey
                    && earlier.notification.reason == delivery.notification.reason
                    && earlier.notification.alerts == delivery.notification.alerts
            }
            if let alike {
                told[alike].integrations.append(name)
            } else {
                told.append(Told(at: now - test.start, integrations: [name], notification: delivery.notification))
            }
            manager.finish(delivery.id, .sent, at: now)
        }
    }

    // MARK: States

    private mutating func check(_ line: AlertmanagerTest.AlertLine, _ manager: Alertmanager, at now: Timestamp) {
        let taken = tree.matches(line.labels)
        compare(line.position, "receivers of \(line.labels)", line.receivers, taken.map(\.route.receiver))
        compare(
            line.position, "groups of \(line.labels)", line.groupKeys,
            taken.map { $0.groupKey($0.groupLabels(of: line.labels)) })
        if line.isInhibited == nil && line.isSilenced == nil { return }
        guard let status = manager.alerts(at: now).first(where: { $0.alert.labels == line.labels })?.status else {
            note(line.position, "\(line.labels) is over when all alerts have begun")
            return
        }
        compare(line.position, "inhibited \(line.labels)", line.isInhibited, !status.inhibitedBy.isEmpty)
        compare(line.position, "silenced \(line.labels)", line.isSilenced, !status.silencedBy.isEmpty)
    }

    private mutating func check(_ check: AlertmanagerTest.Check, _ manager: Alertmanager, at now: Timestamp) {
        let all = manager.alerts(at: now), groups = check.mutedBy == nil ? [] : manager.groups(at: now)
        let chosen = all.filter { $0.alert.labels.contains(check.labels) }
        if chosen.isEmpty { note(check.position, "there is no alert \(check.labels)") }
        for view in chosen {
            let labels = view.alert.labels
            compare(check.position, "state of \(labels)", check.state, view.status.state.rawValue)
            compare(check.position, "inhibited \(labels)", check.isInhibited, !view.status.inhibitedBy.isEmpty)
            compare(check.position, "silenced \(labels)", check.isSilenced, !view.status.silencedBy.isEmpty)
            if let wanted = check.inhibitedBy {
                let sources = all.filter { view.status.inhibitedBy.contains($0.fingerprint) }.map(\.alert.labels)
                if !sources.contains(where: { $0.contains(wanted) }) {
                    note(
                        check.position,
                        "\(labels) is not inhibited by \(wanted)" + (sources.first.map { ", but by \($0)" } ?? ""))
                }
            }
            if let wanted = check.mutedBy {
                let names = groups.flatMap(\.alerts).filter { $0.alert.labels == labels }.flatMap(\.status.mutedBy)
                if Set(names) != Set(wanted) {
                    note(check.position, "\(labels) is muted by \(names), expected \(wanted)")
                }
            }
        }
    }
}

/// The same numbers in every run.
private struct Dice: RandomNumberGenerator, Sendable {
    private var state: UInt64 = 1

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}
