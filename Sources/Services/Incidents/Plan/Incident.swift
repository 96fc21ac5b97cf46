/// The things that can be broken on command, and what breaking them is for.
public enum Incident: String, CaseIterable, Sendable {
    case latency, errors, status
    case dbSlow = "db-slow"
    case kill, cpu, memory, partition, backlog

    /// One line for `minprom incident list`.
    public var summary: String {
        switch self {
        case .latency: "every request to /health takes a second longer"
        case .errors: "handlers raise exceptions: the exceptions counter, not only 5xx"
        case .status: "the api answers 503 without raising anything: 5xx, no exceptions"
        case .dbSlow: "every query sleeps in the database (pg_sleep)"
        case .kill: "the api is gone: stopped, killed or docker-stopped"
        case .cpu: "processors are kept busy by a child process"
        case .memory: "memory is held by a child process"
        case .partition: "the network between api and database is cut (or slow, or resets)"
        case .backlog: "more jobs than one worker can do; the bot scales 1 → 3 → 1"
        }
    }

    /// Where nothing the bot can do mends it, the fault ends by itself: after its alert has fired, and before the bot's patience
    /// (`verify.within`, 3 m) is over. HostHighCPU looks back one minute and waits half of one.
    public var naturalLength: Duration? {
        switch self {
        case .partition: .seconds(90)
        case .cpu: .seconds(150)
        // A machine whose own memory comes page by page, from its host, takes two minutes to give 20 GB away.
        case .memory: .seconds(180)
        case .latency, .errors, .status, .dbSlow, .kill, .backlog: nil
        }
    }

    /// The load that makes it visible: a path of the api, or none.
    var loadPath: String? {
        switch self {
        case .latency: "/health"
        case .errors, .status, .dbSlow, .partition: "/transactions"
        case .kill, .cpu, .memory, .backlog: nil
        }
    }
}

/// How an incident is to be made; the flags of the command.
public struct IncidentOptions: Equatable, Sendable {
    public enum KillMethod: Equatable, Sendable {
        /// Stopped as `docker stop` does it: it stays down until somebody starts it.
        case stop
        /// SIGKILL to the process; its restart policy brings it back.
        case signal
        /// `docker stop CONTAINER`.
        case docker(String)
    }

    /// After that long the fault is over, whoever has died meanwhile.
    public var length = Duration.seconds(180)
    public var latency = Duration.seconds(1)
    public var databaseDelay = Duration.seconds(2)
    public var path: String?
    public var statusCode = 503
    public var probability: Double?
    public var kill = KillMethod.stop
    public var cores = 2
    /// 0: so many that HostLowMemory fires.
    public var megabytes = 500
    public var jobs = 6000
    /// Resets: 5xx at once. A cut cable (`drop`) shows as slowness first, because requests wait for their timeouts.
    public var fault = Fault(.reset)

    public init() {}
}

/// Where the stack is; the defaults are those of `minprom up` and of docker's published ports.
public struct StackAddresses: Equatable, Sendable {
    public var api = "http://localhost:8000"
    public var worker = "http://localhost:8001"
    /// The control port of the proxy between api and database.
    public var proxy = "http://localhost:5434"
    /// Whoever has alerts and PromQL: minprom or Prometheus.
    public var prometheus = "http://localhost:9090"
    public var bot = "http://localhost:5001"
    public var supervisor = "unix:.minprom/supervisor.sock"

    public init() {}
}
