import ComposeFile
import TSDB

/// What the machine has to know of a service: nothing of programs, paths or ports.
public struct ServiceSpec: Sendable {
    public var name: String
    public var dependsOn: [ComposeService.Dependency]
    public var restart: RestartPolicy
    public var health: HealthTiming?
    public var stopGrace: Duration
    public var replicas: Int
    /// Somebody else runs it: it is there, and healthy.
    public var isExternal: Bool

    public init(
        _ name: String, dependsOn: [ComposeService.Dependency] = [], restart: RestartPolicy = .never,
        health: HealthTiming? = nil,
        stopGrace: Duration = .seconds(10), replicas: Int = 1, isExternal: Bool = false
    ) {
        self.name = name
        self.dependsOn = dependsOn
        self.restart = restart
        self.health = health
        self.stopGrace = stopGrace
        self.replicas = replicas
        self.isExternal = isExternal
    }
}

/// When to ask, and how often in vain before a service counts as unhealthy.
public struct HealthTiming: Equatable, Sendable {
    public var interval: Duration
    public var retries: Int
    /// Failures within it do not count.
    public var startPeriod: Duration
    /// Between checks until the first success. One second at most where the file says nothing: others are waiting.
    public var startInterval: Duration

    public init(interval: Duration, retries: Int = 3, startPeriod: Duration = .zero, startInterval: Duration? = nil) {
        self.interval = interval
        self.retries = retries
        self.startPeriod = startPeriod
        self.startInterval = startInterval ?? min(interval, .seconds(1))
    }
}

/// One process of a service: `worker`, `worker-2`.
public struct InstanceID: Hashable, Sendable, CustomStringConvertible {
    public var service: String
    /// From 1.
    public var number: Int

    public init(_ service: String, _ number: Int = 1) {
        self.service = service
        self.number = number
    }

    public var description: String { number == 1 ? service : "\(service)-\(number)" }
}
