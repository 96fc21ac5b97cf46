import ArgumentParser
import Numbers
import SupervisorHost

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Runs a command's body; what is wrong is one line, and exit code 1.
private func reporting(_ body: () throws(StartError) -> Void) throws {
    do throws(StartError) { try body() } catch { throw ExitCode(Console.complain(error.message)) }
}

/// `minprom ps`: the services of the stack, and how they are.
struct ProcessesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ps", abstract: "List the services of the running stack.")

    @OptionGroup var stack: StackOptions

    func run() throws {
        try reporting { () throws(StartError) in
            var table = TextTable()
            table.row(["NAME", "STATE", "HEALTH", "PID", "RESTARTS", "REPLICAS", "PORTS", "NOTE"])
            for service in try stack.client().services() {
                let state = service.exitCode.map { "\(service.state) (\($0))" } ?? service.state
                table.row([
                    service.name, state, service.health, service.pid.map(String.init) ?? "-", "\(service.restarts)",
                    "\(service.replicas)",
                    service.ports.joined(separator: ","), service.message,
                ])
            }
            print(table.text, terminator: "")
        }
    }
}

/// `minprom logs`: what services wrote, with or without a supervisor.
struct LogsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "logs", abstract: "Show what services wrote.")

    // Without its short form, which is `--follow` here, as everywhere.
    @Option(help: "Compose file.") var file: [String] = []
    @Flag(name: [.customShort("f"), .long], help: "Go on showing what comes.") var follow = false
    @Option(name: [.customShort("n"), .customLong("tail")], help: "Lines of each service to begin with.") var lines =
        100
    @Argument(help: "Services; all where left out.") var services: [String] = []

    func run() throws {
        try reporting { () throws(StartError) in
            let state = try StackOptions.state(file)
            var names = services
            for name in names { _ = try SupervisorClient.escaped(name) }
            if names.isEmpty {
                names = StateDirectory.entries(of: state.path + "/logs").filter { $0.hasSuffix(".log") }.map {
                    String($0.dropLast(4))
                }
            }
            let shows = Foreground(names)
            var offsets: [String: Int] = [:]
            for name in names {
                let path = state.log(name)
                // What comes between the two is shown twice rather than not at all.
                var offset = 0
                if follow { offset = LogFile.size(path) }
                offsets[name] = offset
                shows.show([UInt8](LogFile.tail(path, lines: lines).utf8), of: name)
            }
            while follow {
                usleep(200_000)
                for name in names {
                    shows.show(LogFile.more(state.log(name), after: &offsets[name, default: 0]), of: name)
                }
            }
        }
    }
}

struct StartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "start", abstract: "Start services that were stopped.")
    @OptionGroup var stack: StackOptions
    @Argument var services: [String]
    func run() throws { try reporting { () throws(StartError) in try stack.change(services, "start") } }
}

struct StopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop services; they stay down until they are started.")
    @OptionGroup var stack: StackOptions
    @Argument var services: [String]
    func run() throws { try reporting { () throws(StartError) in try stack.change(services, "stop") } }
}

struct RestartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Stop services and start them again.")
    @OptionGroup var stack: StackOptions
    @Argument var services: [String]
    func run() throws { try reporting { () throws(StartError) in try stack.change(services, "restart") } }
}

/// `minprom scale worker=3`
struct ScaleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale", abstract: "Run so many processes of a service.")
    @OptionGroup var stack: StackOptions
    @Argument(help: "SERVICE=NUMBER") var wishes: [String]

    func run() throws {
        try reporting { () throws(StartError) in
            let client = try stack.client()
            for wish in wishes {
                let sides = wish.split(separator: "=").map(String.init)
                guard sides.count == 2, let number = Int(sides[1]) else {
                    throw StartError("\"\(wish)\" is not SERVICE=NUMBER")
                }
                try client.ask("POST", "/services/\(SupervisorClient.escaped(sides[0]))/scale?replicas=\(number)")
            }
        }
    }
}

/// `minprom down`: the stack and its supervisor end; data stays.
struct DownCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down", abstract: "Stop the whole stack and its supervisor. Data stays.")
    @OptionGroup var stack: StackOptions

    func run() throws {
        try reporting { () throws(StartError) in
            let client = try stack.client()
            try client.ask("POST", "/down")
            // The socket is gone when everything is.
            for _ in 0..<1200 where (try? client.ask("GET", "/services")) != nil { usleep(100_000) }
            if (try? client.ask("GET", "/services")) != nil {
                throw StartError("the stack did not stop within two minutes")
            }
        }
    }
}

extension StackOptions {
    fileprivate func change(_ services: [String], _ verb: String) throws(StartError) {
        let client = try client()
        for service in services { try client.ask("POST", "/services/\(SupervisorClient.escaped(service))/\(verb)") }
    }
}
