/// Where things are on this machine.
public struct StackPlaces: Sendable {
    public var executable: String
    public var demoExecutable: String
    /// `.minprom`, absolute.
    public var state: String
    public var socket: String
    /// Directory of PostgreSQL's programs; empty where there is none.
    public var postgresPrograms: String
    /// Where clusters and their sockets lie.
    public var clusters: String
    /// Of our own environment, what children get: PATH, HOME …
    public var environment: [(name: String, value: String)]

    public init(
        executable: String, demoExecutable: String, state: String, socket: String, postgresPrograms: String,
        clusters: String,
        environment: [(name: String, value: String)]
    ) {
        self.executable = executable
        self.demoExecutable = demoExecutable
        self.state = state
        self.socket = socket
        self.postgresPrograms = postgresPrograms
        self.clusters = clusters
        self.environment = environment
    }
}

/// What stands in for an image.
public enum ProgramKind: Equatable, Sendable {
    /// This executable.
    case own
    /// `minprom-demo` beside it.
    case demo
    /// Another program of this machine (`x-minprom-program`).
    case host(String)
    /// A private PostgreSQL cluster.
    case postgres
}
