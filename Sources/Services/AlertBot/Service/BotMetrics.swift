import BotCore
import SelfMetrics
import Synchronization

/// The numbers of `/metrics`, from the lines of the incident log as they are written.
public final class BotMetrics: Sendable {
    private let webhooks = Labelled<Counter> { Counter() }
    private let actions = Labelled<Counter> { Counter() }
    private let durations = Labelled<Histogram> { Histogram(bounds: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]) }
    private let decisions = Labelled<Counter> { Counter() }
    private let incidents = Labelled<Counter> { Counter() }
    private let verifications = Labelled<Counter> { Counter() }
    private let approvals = Labelled<Counter> { Counter() }
    private let notices = Labelled<Counter> { Counter() }
    private let last = Mutex<BotSnapshot?>(nil)

    public init() {}

    /// `accepted`, `unauthorized`, `malformed`, `full`, `failed`, `too_large`.
    public func webhook(_ result: String) { webhooks[result].increment() }

    func observe(_ records: [IncidentRecord], _ snapshot: BotSnapshot) {
        for record in records {
            switch record.event {
            case .received: incidents["opened \(record.source)"].increment()
            case .resolved: incidents["\(record.result) \(record.source)"].increment()
            case .escalated: incidents["escalated \(record.source)"].increment()
            case .decision: decisions[record.decision].increment()
            case .action:
                actions["\(record.action) \(record.target) \(record.result)"].increment()
                if let duration = record.duration { durations[record.action].observe(duration.seconds) }
            case .verified: verifications[record.result].increment()
            case .approval: approvals[record.result].increment()
            case .notified: notices[record.result].increment()
            case .duplicate, .intent, .circuit: break
            }
        }
        last.withLock { $0 = snapshot }
    }

    public func write(to page: inout MetricsPage) {
        page.family("bot_webhooks_total", .counter, "Webhooks by what became of them.")
        for (result, counter) in webhooks.all { page.sample("bot_webhooks_total", [("result", result)], counter.value) }
        page.family("bot_actions_total", .counter, "Actions by result; would: a dry run.")
        for (key, counter) in actions.all {
            let parts = key.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 3 else { continue }
            page.sample("bot_actions_total", [("action", parts[0]), ("target", parts[1]), ("result", parts[2])], counter.value)
        }
        page.family("bot_action_duration_seconds", .histogram, "Time that actions took.")
        for (action, histogram) in durations.all { histogram.write("bot_action_duration_seconds", [("action", action)], to: &page) }
        one("bot_decisions_total", "decision", "Decisions by kind.", decisions, &page)
        page.family("bot_incidents_total", .counter, "Incidents opened, resolved and escalated, by source.")
        for (key, counter) in incidents.all {
            let parts = key.split(separator: " ", maxSplits: 1).map(String.init)
            page.sample("bot_incidents_total", [("event", parts.first ?? ""), ("source", parts.count > 1 ? parts[1] : "")], counter.value)
        }
        one("bot_verifications_total", "result", "Verifications by result.", verifications, &page)
        one("bot_approvals_total", "result", "Approvals asked for, given, denied, expired; and links refused.", approvals, &page)
        one("bot_notices_total", "result", "Notices delivered and given up.", notices, &page)
        guard let now = last.withLock({ $0 }) else { return }
        page.single("bot_open_incidents", .gauge, "Incidents that are not resolved.", now.incidents.filter(\.isOpen).count)
        page.single("bot_pending_approvals", .gauge, "Approvals that wait for a human.", now.approvals.count)
        page.family("bot_cooldown_active", .gauge, "1 while a target cools down.")
        for target in Set(now.targets + now.cooldowns.map(\.target)).sorted() {
            page.sample("bot_cooldown_active", [("target", target)], now.cooldowns.contains { $0.target == target } ? 1 : 0)
        }
        page.family("bot_circuit_open", .gauge, "1 while the circuit of a target is open.")
        for target in Set(now.targets + now.circuits.map(\.target)).sorted() {
            page.sample("bot_circuit_open", [("target", target)], now.circuits.contains { $0.target == target } ? 1 : 0)
        }
        page.single("bot_actions_last_hour", .gauge, "Actions counted against the budget of an hour.", now.actionsLastHour)
        page.single("bot_actions_per_hour_limit", .gauge, "The budget of an hour.", now.actionsPerHour)
        page.single("bot_dry_run", .gauge, "1 where nothing is done.", now.isDryRun ? 1 : 0)
        page.single("bot_incident_log_lines", .gauge, "Lines of the incident log.", now.logLines)
    }

    private func one(_ name: String, _ label: String, _ help: String, _ counters: Labelled<Counter>, _ page: inout MetricsPage) {
        page.family(name, .counter, help)
        for (value, counter) in counters.all { page.sample(name, [(label, value)], counter.value) }
    }
}
