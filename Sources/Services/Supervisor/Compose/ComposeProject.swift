import ConfigurationFile
import TSDB

/// What a compose file says, as far as we act on it: services, and what they stand on.
///
///     services: api { image, command, environment, ports, volumes, depends_on, healthcheck, restart … }
///     secrets:  bot_token { file: ./secrets/bot_token }
///     volumes:  pg_data
///
/// Everything is resolved: variables put in, anchors and `extends` followed, paths made absolute.
/// Source: the Compose Specification (compose-spec/spec.md).
public struct ComposeProject: Sendable {
    public var name: String
    /// Absolute, without a slash at the end: where relative paths begin, and the state directory lies.
    public var directory: String
    /// In the file's order.
    public var services: [ComposeService]
    public var secrets: [ComposeSecret]
    public var volumes: [String]
    public var networks: [String]
    /// Fields that are known and mean nothing without containers: `compose.yml:12: read_only of api`.
    public var ignored: [String]

    public func service(_ name: String) -> ComposeService? { services.first { $0.name == name } }
}

public struct ComposeService: Sendable {
    public var name: String
    /// `compose.yml:12`, for messages.
    public var place: String
    public var image = ""
    public var buildTarget = ""
    /// `x-minprom-program`: a program of this machine in place of the image.
    public var program: String?
    public var entrypoint: [String]?
    public var command: [String]?
    /// In the order of appearance, a name once; `nil`: taken from our own environment.
    public var environment: [Variable] = []
    public var ports: [PublishedPort] = []
    public var exposed: [Int] = []
    public var mounts: [Mount] = []
    public var dependsOn: [Dependency] = []
    public var health: HealthCheck?
    public var restart = RestartPolicy.never
    public var containerName: String?
    public var hostname: String?
    /// Names of networks, and the names this service has there besides its own.
    public var networks: [NetworkMembership] = []
    public var profiles: [String] = []
    public var secrets: [SecretUse] = []
    public var labels: [Variable] = []
    public var replicas = 1
    public var stopGrace = Duration.seconds(10)
    public var stopSignal = "SIGTERM"

    public struct Variable: Equatable, Sendable {
        public var name: String
        public var value: String?
    }

    /// `127.0.0.1:9090:9090`; no published number: any that is free.
    public struct PublishedPort: Equatable, Sendable {
        public var host: String
        public var published: Int?
        public var target: Int
    }

    public struct Mount: Equatable, Sendable {
        public enum Source: Equatable, Sendable {
            /// A file or directory of this machine.
            case path(String)
            case volume(String)
            /// Forgotten with the container.
            case temporary
        }
        public var source: Source
        public var target: String
    }

    public struct Dependency: Equatable, Sendable {
        public enum Condition: String, Sendable {
            case started = "service_started"
            case healthy = "service_healthy"
            case completed = "service_completed_successfully"
        }
        public var service: String
        public var condition: Condition
        /// `false`: only the order, where the other is there at all.
        public var isRequired = true
    }

    public struct HealthCheck: Equatable, Sendable {
        public enum Test: Equatable, Sendable {
            case command([String])
            case shell(String)
        }
        public var test: Test
        public var interval = Duration.seconds(30)
        public var timeout = Duration.seconds(30)
        public var retries = 3
        public var startPeriod = Duration.zero
        public var startInterval: Duration?
    }

    public struct NetworkMembership: Equatable, Sendable {
        public var name: String
        public var aliases: [String]
    }

    public struct SecretUse: Equatable, Sendable {
        public var source: String
        /// Where the container sees it: `/run/secrets/bot_token`.
        public var target: String
    }
}

/// `restart:`, and how often at most (`on-failure:3`).
public enum RestartPolicy: Equatable, Sendable {
    case never, always, unlessStopped
    case onFailure(limit: Int?)
}

public struct ComposeSecret: Equatable, Sendable {
    public enum Source: Equatable, Sendable {
        case file(String)
        case environment(String)
    }
    public var name: String
    public var source: Source
}
