import Supervisor
import TSDB

/// One service as `GET /services` shows it.
public struct ServiceStatus: Equatable, Sendable {
    public enum State: String, Sendable { case running, starting, restarting, exited, stopped }

    public var name: String
    public var state: State
    public var health: Instance.Health
    public var pid: Int32?
    public var restarts: Int
    public var startedAt: Timestamp?
    public var ports: [Int]
    public var replicas: Int
    /// Of the last end.
    public var exitCode: Int?
    /// What it waits for, or why it does not run.
    public var message: String?

    /// Of all its processes, the state that needs attention most; the rest is the first one's. `now` is the machine's clock.
    init(
        _ name: String, _ machine: StackMachine, ports: [PortPlan.Port], now: Timestamp, wallClock: Timestamp,
        message: String?
    ) {
        self.name = name
        self.ports = ports.map(\.host)
        self.message = message
        let all = machine.instances(of: name).map(\.instance)
        let first = all.first
        pid = first?.pid
        restarts = all.reduce(0) { $0 + $1.restarts }
        startedAt = first?.startedAt.map { wallClock - (now - $0) }
        replicas = all.filter(\.isAlive).count
        health = .none
        if let spec = machine.spec(name), spec.isExternal {
            state = .running
            health = .healthy
            self.message = "runs elsewhere"
            return
        }
        let healths = all.map(\.health)
        for kind in [Instance.Health.unhealthy, .starting, .healthy] where healths.contains(kind) {
            health = kind
            break
        }
        state = .stopped
        for kind in [State.restarting, .starting, .exited, .running]
        where all.contains(where: { Self.state($0) == kind }) {
            state = kind
            break
        }
        for case .exited(let code) in all.map(\.phase) { exitCode = code }
        if self.message == nil, all.contains(where: { $0.phase == .waiting }), let spec = machine.spec(name) {
            self.message = machine.obstacle(of: spec).map { "waits for " + $0 }
        }
    }

    private static func state(_ instance: Instance) -> State {
        switch instance.phase {
        case .waiting, .launching: return .starting
        case .running: return .running
        case .backingOff: return .restarting
        case .stopping: return instance.wish == .down ? .running : .restarting
        case .exited: return .exited
        case .stopped: return .stopped
        }
    }
}
