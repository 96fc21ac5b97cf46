import ComposeFile
import TSDB

/// Starts, watches, restarts and stops the services of a stack, without a process: events and the time come in, actions go out.
///
///     launched, exited, checked, advance ─▶ StackMachine ─▶ launch, terminate, kill, check
///     start, stop, restart, scale        ─▶
///
/// What is started waits for what it depends on; what is stopped waits for what depends on it.
///
/// Invariant: between two calls nothing is due that was not handed out; `nextWake` says when something will be.
public struct StackMachine: Sendable {
    public enum Action: Equatable, Sendable {
        case launch(InstanceID)
        case terminate(InstanceID)
        case kill(InstanceID)
        /// Ask whether it is healthy; the answer comes back with the same number.
        case check(InstanceID, number: Int)
    }

    /// Replicas that a service may have.
    public static let maximumReplicas = 64

    public let specs: [ServiceSpec]
    public private(set) var instances: [InstanceID: Instance] = [:]
    private let index: [String: Int]

    public init(_ specs: [ServiceSpec]) {
        self.specs = specs
        index = Dictionary(specs.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    public func spec(_ name: String) -> ServiceSpec? { index[name].map { specs[$0] } }

    /// Of one service, by number.
    public func instances(of name: String) -> [(id: InstanceID, instance: Instance)] {
        instances.filter { $0.key.service == name }.sorted { $0.key.number < $1.key.number }.map { ($0.key, $0.value) }
    }

    private var order: [InstanceID] {
        specs.flatMap { spec in instances(of: spec.name).map(\.id) }
    }

    // MARK: Wishes

    /// Brings services up, and what they depend on; `nil` means all.
    public mutating func start(_ names: [String]? = nil, at now: Timestamp) -> [Action] {
        var wanted = Set<String>(), open = names ?? specs.map(\.name)
        while let name = open.popLast() {
            guard let spec = spec(name), wanted.insert(name).inserted else { continue }
            open += spec.dependsOn.map(\.service)
        }
        for spec in specs where wanted.contains(spec.name) && !spec.isExternal {
            if !instances.keys.contains(where: { $0.service == spec.name }) {
                for number in 0..<spec.replicas { instances[InstanceID(spec.name, number + 1)] = Instance() }
            }
            for (id, instance) in instances(of: spec.name) where !instance.isRetired {
                // One that ended well, once, has done what others wait for.
                if case .exited(0) = instance.phase, names?.contains(spec.name) != true { continue }
                if case .stopping = instance.phase {
                    instances[id]?.wish = .restart
                } else {
                    instances[id]?.wish = .up
                    if !instance.isAlive, instance.phase != .waiting { renew(id) }
                }
            }
        }
        return settle(now)
    }

    /// Stops services; `nil` means all, those that depend on others first.
    public mutating func stop(_ names: [String]? = nil, at now: Timestamp) -> [Action] {
        for id in order where names?.contains(id.service) ?? true { instances[id]?.wish = .down }
        return settle(now)
    }

    /// Stops and starts again; what is down comes up.
    public mutating func restart(_ name: String, at now: Timestamp) -> [Action] {
        for (id, instance) in instances(of: name) where !instance.isRetired { instances[id]?.wish = .restart }
        return settle(now)
    }

    /// So many processes of one service: new ones are launched, the last ones go.
    public mutating func scale(_ name: String, to replicas: Int, at now: Timestamp) -> [Action] {
        guard let spec = spec(name), !spec.isExternal else { return [] }
        let replicas = max(0, min(replicas, Self.maximumReplicas))
        for (id, _) in instances(of: name) where id.number > replicas {
            instances[id]?.wish = .down
            instances[id]?.isRetired = true
        }
        for number in 1...max(1, replicas) where number <= replicas {
            let id = InstanceID(name, number)
            guard let known = instances[id] else {
                instances[id] = Instance()
                continue
            }
            if known.isRetired {
                instances[id]?.isRetired = false
                instances[id]?.wish = known.isAlive ? .restart : .up
            }
        }
        return settle(now)
    }

    // MARK: Events

    public mutating func launched(_ id: InstanceID, pid: Int32, at now: Timestamp) -> [Action] {
        guard var instance = instances[id], instance.phase == .launching else { return [] }
        instance.phase = .running(since: now)
        instance.startedAt = now
        instance.pid = pid
        instance.failures = 0
        if let health = spec(id.service)?.health {
            instance.health = .starting
            instance.nextCheck = now + min(health.startInterval, .milliseconds(250))
        } else {
            instance.health = .none
        }
        instances[id] = instance
        return settle(now)
    }

    /// The process is gone; `code` is 128 + the signal where one ended it. Also what a launch in vain comes to, with code 127.
    public mutating func exited(_ id: InstanceID, code: Int, at now: Timestamp) -> [Action] {
        guard var instance = instances[id], instance.isAlive, let spec = spec(id.service) else { return [] }
        instance.pid = nil
        instance.nextCheck = nil
        instance.health = .none
        instance.checks += 1
        switch (instance.phase, instance.wish) {
        case (.stopping, .down), (.launching, .down), (.running, .down): instance.phase = .stopped
        case (.stopping, .restart), (.stopping, .up), (.launching, .restart), (.running, .restart):
            instance.phase = .waiting
            instance.wish = .up
            instance.delay = RestartDelay.first
        case (.running(let since), .up):
            if now - since >= RestartDelay.enough { instance.delay = RestartDelay.first }
            Self.end(&instance, code, spec.restart, now)
        case (.launching, .up): Self.end(&instance, code, spec.restart, now)
        case (.waiting, _), (.backingOff, _), (.exited, _), (.stopped, _): return []
        }
        instances[id] = instance
        return settle(now)
    }

    private static func end(_ instance: inout Instance, _ code: Int, _ policy: RestartPolicy, _ now: Timestamp) {
        let again: Bool
        switch policy {
        case .never: again = false
        case .always, .unlessStopped: again = true
        case .onFailure(let limit): again = code != 0 && instance.restarts < limit ?? .max
        }
        guard again else {
            instance.phase = .exited(code: code)
            return
        }
        instance.phase = .backingOff(until: now + instance.delay)
        instance.delay = RestartDelay.after(instance.delay)
        instance.restarts += 1
    }

    /// The answer to a `check`.
    public mutating func checked(_ id: InstanceID, number: Int, isHealthy: Bool, at now: Timestamp) -> [Action] {
        guard var instance = instances[id], case .running(let since) = instance.phase, instance.checks == number,
            let timing = spec(id.service)?.health
        else { return [] }
        if isHealthy {
            instance.failures = 0
            instance.health = .healthy
        } else if instance.health != .starting || now >= since + timing.startPeriod {
            instance.failures += 1
            if instance.failures >= timing.retries { instance.health = .unhealthy }
        }
        instance.nextCheck = now + (instance.health == .starting ? timing.startInterval : timing.interval)
        instances[id] = instance
        return settle(now)
    }

    public mutating func advance(to now: Timestamp) -> [Action] { settle(now) }

    /// When something is due; `nil`: not before the next event.
    public var nextWake: Timestamp? {
        instances.values.lazy.compactMap { instance -> Timestamp? in
            switch instance.phase {
            // Who is to go, and waits for others to go first, is not asked any more.
            case .running: return instance.wish == .up ? instance.nextCheck : nil
            case .backingOff(let until): return until
            case .stopping(let killAt, let isKilled): return isKilled ? nil : killAt
            case .waiting, .launching, .exited, .stopped: return nil
            }
        }.min()
    }

    // MARK: What is due

    private mutating func settle(_ now: Timestamp) -> [Action] {
        var actions: [Action] = []
        // A launch here may let another follow only when its event has come: one round is enough, but for the retired and renewed.
        for id in order {
            guard let instance = instances[id], let spec = spec(id.service) else { continue }
            switch (instance.phase, instance.wish) {
            case (.waiting, .up) where isReady(spec), (.waiting, .restart) where isReady(spec): launch(id, &actions)
            case (.waiting, .up), (.waiting, .restart): break
            case (.backingOff(let until), .up): if now >= until { launch(id, &actions) }
            case (.exited, .up): break
            case (.exited, .restart), (.backingOff, .restart), (.stopped, .restart), (.stopped, .up):
                renew(id)
                if isReady(spec) { launch(id, &actions) }
            case (.waiting, .down), (.backingOff, .down), (.exited, .down), (.stopped, .down):
                instances[id]?.phase = .stopped
                if instance.isRetired { instances[id] = nil }
            case (.running, .down), (.running, .restart):
                if instance.wish == .down && dependentsAreAlive(id.service) { break }
                instances[id]?.phase = .stopping(killAt: now + spec.stopGrace, isKilled: false)
                instances[id]?.nextCheck = nil
                instances[id]?.checks += 1
                actions.append(.terminate(id))
            case (.running, .up):
                guard let check = instance.nextCheck, now >= check else { break }
                instances[id]?.nextCheck = nil
                instances[id]?.checks += 1
                actions.append(.check(id, number: instance.checks + 1))
            case (.stopping(let killAt, false), _):
                guard now >= killAt else { break }
                instances[id]?.phase = .stopping(killAt: killAt, isKilled: true)
                actions.append(.kill(id))
            case (.stopping(_, true), _), (.launching, _): break
            }
        }
        return actions
    }

    private mutating func launch(_ id: InstanceID, _ actions: inout [Action]) {
        instances[id]?.phase = .launching
        instances[id]?.wish = .up
        actions.append(.launch(id))
    }

    /// Down, and asked to come up: as if it had never run.
    private mutating func renew(_ id: InstanceID) {
        instances[id]?.phase = .waiting
        instances[id]?.wish = .up
        instances[id]?.delay = RestartDelay.first
    }

    private func isReady(_ spec: ServiceSpec) -> Bool { obstacle(of: spec) == nil }

    /// What a service waits for, in words; `nil`: nothing.
    public func obstacle(of spec: ServiceSpec) -> String? {
        for dependency in spec.dependsOn {
            guard let other = self.spec(dependency.service), !other.isExternal else { continue }
            let all = instances(of: other.name).map(\.instance)
            if all.isEmpty && !dependency.isRequired { continue }
            switch dependency.condition {
            case .started:
                if all.isEmpty || !all.allSatisfy({ $0.startedAt != nil }) { return "\(other.name) to be started" }
            case .healthy:
                if all.isEmpty || !all.allSatisfy({ $0.health == .healthy }) { return "\(other.name) to be healthy" }
            case .completed:
                if all.isEmpty || !all.allSatisfy({ $0.phase == .exited(code: 0) }) {
                    return "\(other.name) to end well"
                }
            }
        }
        return nil
    }

    /// Whether something that depends on the service goes down, too, and is not gone yet.
    private func dependentsAreAlive(_ name: String) -> Bool {
        specs.contains { spec in
            spec.dependsOn.contains { $0.service == name }
                && instances(of: spec.name).contains { $0.instance.isAlive && $0.instance.wish == .down }
        }
    }

    // MARK: How it is

    /// Nothing runs, and nothing will.
    public var isDown: Bool {
        instances.values.allSatisfy { instance in
            switch instance.phase {
            case .exited, .stopped: return true
            case .waiting, .launching, .running, .backingOff, .stopping: return false
            }
        }
    }

    /// Everything runs, is healthy where it can tell, or has ended well.
    public var isHealthy: Bool {
        instances.values.allSatisfy { instance in
            switch instance.phase {
            case .running: return instance.health == .healthy || instance.health == .none
            case .exited(let code): return code == 0
            case .stopped: return instance.wish == .down
            case .waiting, .launching, .backingOff, .stopping: return false
            }
        }
    }
}
