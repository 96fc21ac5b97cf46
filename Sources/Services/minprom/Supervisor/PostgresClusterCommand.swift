import ArgumentParser
import SupervisorHost

/// What the supervisor starts in place of an image `postgres`: makes the cluster where there is none, and becomes the server.
struct PostgresClusterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postgres-cluster", abstract: "Run a private PostgreSQL cluster (used by `minprom up`).",
        shouldDisplay: false)

    @Option(help: "Directory of initdb and postgres.") var programs: String
    @Option(help: "Directory of the cluster.") var data: String
    @Option(help: "Directory of the unix socket.") var sockets: String
    @Option var port: Int
    @Option var user: String
    @Option var database: String
    @Option(name: .customLong("password-file")) var passwordFile: String?
    @Flag(help: "Connections need no password.") var trust = false
    @Option(name: .customLong("init"), help: "Script or directory of scripts, run once.") var scripts: [String] = []
    @Argument(parsing: .postTerminator, help: "For the server.") var arguments: [String] = []

    func run() throws {
        do throws(HostError) {
            try PostgresCluster(
                programs: programs, data: data, sockets: sockets, port: port, user: user, database: database,
                passwordFile: passwordFile,
                isTrusting: trust, scripts: scripts, arguments: arguments
            ).run()
        } catch { throw ExitCode(Console.complain(error.message)) }
    }
}
