import Alerter
import ConfigurationFile
import Support
import TSDB

/// Plays a story against the machine itself: time jumps from event to event, receivers are words.
///
///     next of: a step of the timeline · the machine's own wake · a hanging attempt that is given up
///
/// The order at one moment: attempts that end, then steps, then the machine.
struct StoryPlayer {
    /// What one accepted (or for good refused) notification said.
    struct Told {
        var at: Duration
        var to: String
        var answered: String?
        var attempts: Int
        var fields: [String: String]
        var groupKey: String
        var alerts: [[String: String]]
    }

    private let story: Story
    private let began = Timestamp(milliseconds: 1_780_000_000_000)
    private let files = MemoryFileStore()
    private var config: AlertmanagerConfig
    /// `nil` while it is stopped.
    private var machine: Alertmanager?
    private var starts: UInt64 = 0
    private var behaviours: [String: String] = [:]
    private var hanging: [(end: Timestamp, delivery: Delivery)] = []
    private var silences: [String: String] = [:]
    private var failures: [String: Int] = [:]

    private(set) var told: [Told] = []
    /// What steps were answered otherwise than they should have been.
    private(set) var problems: [String] = []

    init(_ story: Story) throws {
        self.story = story
        config = try Self.parse(story.config)
        try start(at: began)
    }

    mutating func play() throws {
        var steps = story.steps[...]
        let end = began + story.until
        while true {
            let next = [
                steps.first.map { began + $0.at }, machine?.nextWake, hanging.map(\.end).min(),
            ].compactMap { $0 }.min()
            guard let now = next, now <= end else { return }
            for attempt in hanging where attempt.end <= now { give(up: attempt.delivery, at: now) }
            hanging.removeAll { $0.end <= now }
            while let step = steps.first, began + step.at <= now {
                steps.removeFirst()
                try perform(step, at: now)
            }
            guard let machine else { continue }
            for delivery in machine.advance(to: now) { attempt(delivery, at: now) }
        }
    }

    // MARK: The Alertmanager

    private static func parse(_ text: String) throws(ConfigError) -> AlertmanagerConfig {
        try AlertmanagerFile(path: "/alertmanager.yml") { (path: String) throws(TSDBError) in
            throw TSDBError(.io, "\(path): no such file")
        }.parse(Array(text.utf8))
    }

    private mutating func start(at now: Timestamp) throws {
        starts += 1
        var options = Alertmanager.Options()
        options.directory = "/data"
        machine = try Alertmanager(
            config, options: options, files: files, isWithin: { interval, time in interval.contains(time) },
            random: SeededRandom(seed: starts), at: now)
    }

    // MARK: The timeline

    private mutating func perform(_ step: Story.Step, at now: Timestamp) throws {
        var answer = "200"
        switch step.action {
        case .fire(let labels):
            answer = receive(labels.map { AlertReport(labels: $0) }, at: now)
        case .resolve(let labels):
            answer = receive(labels.map { AlertReport(labels: $0, endsAt: now) }, at: now)
        case .post(let posts):
            answer = receive(posts.map(report), at: now)
        case .silence(let silence):
            answer = set(silence, at: now)
        case .expire(let name):
            try machine?.expireSilence(silences[name] ?? "", at: now)
        case .reload(let text):
            do throws(ConfigError) {
                config = try Self.parse(text)
                machine?.apply(config, at: now)
            } catch {
                answer = "500"
            }
        case .receiver(let name, let behaviour):
            behaviours[name] = behaviour
        case .alertmanager(let verb):
            if verb == "restart" || verb == "stop" { machine?.close(at: now) }
            if verb != "start" {
                machine = nil
                hanging = []
            }
            if verb != "stop" { try start(at: now) }
        case .alerts(let expected):
            check(expected, at: now)
        }
        let expected = step.answer ?? (answer.hasSuffix(" id") ? answer : "200")
        // What is no request at all for an HTTP server is simply refused here.
        if answer != expected && !(answer == "400" && expected == "422") {
            problems.append("at \(step.at.seconds) s: answered \(answer), not \(expected)")
        }
    }

    private func receive(_ reports: [AlertReport], at now: Timestamp) -> String {
        guard let machine else { return "down" }
        return machine.receive(reports, at: now).isEmpty ? "200" : "400"
    }

    private func report(_ post: Story.Post) -> AlertReport {
        AlertReport(
            labels: post.labels, annotations: post.annotations, generatorURL: post.generatorURL,
            startsAt: post.startsAt.map { began + $0 }, endsAt: post.endsAt.map { began + $0 })
    }

    private mutating func set(_ silence: Story.Quiet, at now: Timestamp) -> String {
        let before = silences[silence.name]
        let draft = SilenceDraft(
            id: before ?? "", matcherSets: [silence.matchers], startsAt: began + silence.startsAt,
            endsAt: began + silence.endsAt,
            createdBy: "story", comment: silence.name)
        do throws(SilenceError) {
            let id = try machine?.setSilence(draft, at: now) ?? ""
            silences[silence.name] = id
            return id == before ? "same id" : "new id"
        } catch {
            return "400"
        }
    }

    private mutating func check(_ expected: [Story.Listed], at now: Timestamp) {
        let names = Dictionary(silences.map { ($0.value, $0.key) }, uniquingKeysWith: { a, _ in a })
        let found = (machine?.alerts(at: now) ?? []).map { view in
            let silenced = view.status.silencedBy.map { names[$0] ?? $0 }.sorted()
            let inhibited = view.status.inhibitedBy.map(\.description).sorted()
            return "\(view.alert.labels) \(view.status.state) \(silenced) \(inhibited)"
        }.sorted()
        let wanted = expected.map { alert in
            let inhibited = alert.inhibitedBy.map { Fingerprint($0).description }.sorted()
            return "\(alert.labels) \(alert.state) \(alert.silencedBy.sorted()) \(inhibited)"
        }.sorted()
        if found != wanted { problems.append("at \((now - began).seconds) s: alerts are \(found), not \(wanted)") }
    }

    // MARK: Receivers

    private mutating func attempt(_ delivery: Delivery, at now: Timestamp) {
        let place = Self.place(of: delivery)
        switch behaviours[place.to] ?? "work" {
        case "hang":
            let end =
                place.settings.timeout > .zero
                ? min(now + place.settings.timeout, delivery.deadline) : delivery.deadline
            hanging.append((end, delivery))
        case "down":
            let outcome = NotificationOutcome.failed(reason: "other", message: "connection refused", isRetryable: true)
            machine?.finish(delivery.id, outcome, at: now)
        case "answer 500":
            failures[thread(delivery), default: 0] += 1
            let outcome = NotificationOutcome.failed(
                reason: "serverError", message: "unexpected status code 500", isRetryable: true)
            machine?.finish(delivery.id, outcome, at: now)
        case "answer 400":
            note(delivery, answered: "400", at: now)
            let outcome = NotificationOutcome.failed(
                reason: "clientError", message: "unexpected status code 400", isRetryable: false)
            machine?.finish(delivery.id, outcome, at: now)
        default:
            note(delivery, answered: nil, at: now)
            machine?.finish(delivery.id, .sent, at: now)
        }
    }

    private mutating func give(up delivery: Delivery, at now: Timestamp) {
        failures[thread(delivery), default: 0] += 1
        machine?.finish(
            delivery.id,
            .failed(reason: "contextDeadlineExceeded", message: "context deadline exceeded", isRetryable: true), at: now
        )
    }

    private func thread(_ delivery: Delivery) -> String { Self.place(of: delivery).to + delivery.notification.groupKey }

    /// `http://pager/` is the receiver “pager”.
    private static func place(of delivery: Delivery) -> (to: String, settings: WebhookSettings) {
        guard case .webhook(let settings) = delivery.notification.integration.settings,
            case .text(let url) = settings.url
        else {
            return ("", WebhookSettings(url: .text("")))
        }
        return (String(url.dropFirst("http://".count).prefix { $0 != "/" }), settings)
    }

    private mutating func note(_ delivery: Delivery, answered: String?, at now: Timestamp) {
        let notification = delivery.notification
        let place = Self.place(of: delivery)
        let limit = place.settings.maxAlerts == 0 ? notification.alerts.count : place.settings.maxAlerts
        let shown = notification.alerts.prefix(limit)
        let isFiring = shown.contains { !$0.isResolved(at: notification.now) }
        told.append(
            Told(
                at: now - began, to: place.to, answered: answered,
                attempts: (failures.removeValue(forKey: thread(delivery)) ?? 0) + 1,
                fields: [
                    "receiver": notification.receiver, "status": isFiring ? "firing" : "resolved",
                    "reason": Self.words(notification.reason), "groupLabels": notification.groupLabels.description,
                    "commonLabels": Self.common(shown.map(\.labels)).description,
                    "truncatedAlerts": "\(notification.alerts.count - shown.count)",
                ], groupKey: notification.groupKey, alerts: shown.map { fields(of: $0, now: notification.now) }))
    }

    private func fields(of alert: Alert, now: Timestamp) -> [String: String] {
        let isResolved = alert.isResolved(at: now)
        var fields = ["status": isResolved ? "resolved" : "firing", "labels": alert.labels.description]
        for name in story.shows {
            switch name {
            case "annotations":
                fields[name] = Labels(alert.annotations.pairs.map { (name: $0.name, value: $0.value) }).description
            case "startsAt": fields[name] = "\((alert.startsAt - began).milliseconds)ms"
            case "endsAt": fields[name] = isResolved ? "\(((alert.endsAt ?? now) - began).milliseconds)ms" : "never"
            default: fields[name] = alert.generatorURL
            }
        }
        return fields
    }

    private static func common(_ sets: [Labels]) -> Labels {
        Labels((sets.first?.pairs ?? []).filter { pair in sets.allSatisfy { $0[pair.name] == pair.value } })
    }

    /// As webhooks say it.
    private static func words(_ reason: Notification.Reason) -> String {
        switch reason {
        case .firstNotification: "first notification"
        case .newAlerts: "new alerts added"
        case .newlyResolved: "some alerts resolved"
        case .repeatInterval: "repeat interval elapsed"
        case .allResolved: "all alerts resolved"
        }
    }
}
