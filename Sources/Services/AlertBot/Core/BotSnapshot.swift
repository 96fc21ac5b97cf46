import TSDB

/// What pages and metrics show of the machine at one moment.
public struct BotSnapshot: Sendable {
    public struct Approval: Equatable, Sendable {
        public var id: String
        public var incident: String
        public var until: Timestamp
        /// Path and query; whoever has it may decide.
        public var link: String
    }

    /// Newest first.
    public var incidents: [Incident]
    public var approvals: [Approval]
    /// Targets and when their cool-down or open circuit ends.
    public var cooldowns: [(target: String, until: Timestamp)]
    public var circuits: [(target: String, until: Timestamp)]
    /// All names of the policy's targets.
    public var targets: [String]
    public var actionsLastHour: Int
    public var actionsPerHour: Int
    public var isDryRun: Bool
    public var logLines: Int
    public var logHash: String
}

extension Bot {
    public func snapshot(at now: Timestamp) -> BotSnapshot {
        let all = state.incidents.values.sorted { ($0.openedAt, $0.id) > ($1.openedAt, $1.id) }
        let approvals = all.compactMap { incident -> BotSnapshot.Approval? in
            guard case .asking(let until) = incident.phase else { return nil }
            let id = Approvals.id(incident: incident.id, step: incident.step)
            return .init(id: id, incident: incident.id, until: until, link: self.approvals.link(id, until: until))
        }
        var cooldowns: [(target: String, until: Timestamp)] = []
        for (target, times) in state.actions.sorted(by: { $0.key < $1.key }) {
            guard let last = times.last, let limits = limits(of: target), last + limits.cooldown > now else { continue }
            cooldowns.append((target, last + limits.cooldown))
        }
        let circuits = state.circuits.filter { $0.value > now }.sorted { $0.key < $1.key }.map { (target: $0.key, until: $0.value) }
        return BotSnapshot(
            incidents: all, approvals: approvals, cooldowns: cooldowns, circuits: circuits, targets: policy.targets.keys.sorted(),
            actionsLastHour: state.allActions.filter { $0 + .hours(1) > now }.count, actionsPerHour: policy.actionsPerHour,
            isDryRun: policy.isDryRun, logLines: chain.count, logHash: chain.last)
    }

    /// Of the first policy that acts on a target; the longest cool-down where there are several.
    private func limits(of target: String) -> BotPolicy.Limits? {
        policy.policies.filter { policy in
            (policy.steps + policy.onResolve).contains { step in
                switch step.action {
                case .restart(target, _), .scale(target, _, _), .http(target), .run(target): return true
                case .restart(let name, _), .scale(let name, _, _): return name.contains("{")
                case .http, .run, .notify, .ticket: return false
                }
            }
        }.map(\.limits).max { $0.cooldown < $1.cooldown }
    }
}
