import ComposeFile
import ConfigurationFile
import HTTPServer
import Logging
import NIOPosix
import Programs
import Supervisor
import SupervisorHost
import Synchronization
import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A supervisor from its start to its end.
///
///     compose file ─▶ plan ─▶ StackHost ─┬─ foreground: what services write, a table of addresses when all are healthy
///                                        └─ control socket: ps, stop, restart, scale, down
struct StackRun {
    let files: [String]
    let options: RunOptions
    let services: [String]

    /// Services stop in this time or are killed; the supervisor itself waits no longer than this for all of them together.
    private static let longestStop = Duration.seconds(90)

    func run() async throws(StartError) {
        // Nothing of ours is for others: logs, secrets, the socket. Children have their own.
        umask(0o077)
        let project = try self.project()
        let state = StateDirectory(besides: project.directory)
        let foreground = Foreground(project.services.map(\.name), isQuiet: options.background)
        let plan: LaunchPlan
        do throws(HostError) {
            try state.make()
            try state.lock()
            for name in state.endLeftovers() { foreground.say("ended \(name), which an earlier supervisor left") }
            plan = try self.plan(project, state, foreground)
        } catch { throw StartError(error.message) }
        if options.verbose {
            for line in project.ignored { foreground.say("without effect here: \(line)") }
        } else if !project.ignored.isEmpty {
            foreground.say(
                "\(project.ignored.count) fields of the file mean nothing without containers (--verbose lists them)")
        }
        let host: StackHost
        do throws(HostError) { host = try StackHost(plan, state, foreground) } catch { throw StartError(error.message) }
        try await supervise(host, state, foreground)
    }

    // MARK: What is to run

    private func project() throws(StartError) -> ComposeProject {
        do throws(ConfigError) {
            var project = try ComposeReader(environment: LocalMachine.environment) { StateDirectory.read($0) }.read(
                files)
            for name in services where project.service(name) == nil {
                throw ConfigError("there is no service \"\(name)\"")
            }
            var wanted = Set<String>()
            var open = services.isEmpty ? project.services.filter(isActive).map(\.name) : services
            while let name = open.popLast() {
                guard let service = project.service(name), wanted.insert(name).inserted else { continue }
                for dependency in service.dependsOn {
                    guard let other = project.service(dependency.service) else { continue }
                    if isActive(other) {
                        open.append(other.name)
                    } else if dependency.isRequired {
                        throw service.error(
                            "depends on \(other.name), which is only in profile \(other.profiles.joined(separator: ", "))"
                        )
                    }
                }
            }
            project.services.removeAll { !wanted.contains($0.name) }
            project.ignored.removeAll { line in !wanted.contains { line.hasSuffix(" of \($0)") } }
            return project
        } catch { throw StartError(error.description) }
    }

    private func isActive(_ service: ComposeService) -> Bool {
        service.profiles.isEmpty || service.profiles.contains { options.profile.contains($0) }
            || options.profile.contains("*")
            || services.contains(service.name)
    }

    private func plan(_ project: ComposeProject, _ state: StateDirectory, _ foreground: Foreground) throws(HostError)
        -> LaunchPlan
    {
        let environment = LocalMachine.environment
        let secrets = GeneratedSecrets(
            project, state: state.path, environment: environment, exists: StateDirectory.exists)
        if let refused = secrets.refused.first {
            throw HostError("secret \(refused.name): there is no file \(refused.file)")
        }
        try LocalMachine.write(secrets)
        for secret in secrets.missing where secret.content == .random {
            foreground.say("made a secret: \(secret.file)")
        }
        var external: ExternalPostgres?
        if let url = options.postgres {
            guard let parsed = ExternalPostgres(url) else {
                throw HostError("--postgres: not postgres://user:password@host:5432/database")
            }
            external = parsed
        }
        let executable = ProgramFile.own
        let kept = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER", "LD_LIBRARY_PATH"]
        let programs = LocalMachine.postgresPrograms(path: environment["PATH"] ?? "") ?? ""
        var clusters = state.path + "/data"
        let needsCluster =
            external == nil
            && project.services.contains {
                FilePath.lastComponent($0.image).hasPrefix("postgres:") || $0.image == "postgres"
            }
        if needsCluster {
            guard !programs.isEmpty else { throw HostError(LocalMachine.howToInstallPostgres) }
            // The user `postgres` must be able to get there, and socket paths are short.
            let isHidden = getuid() == 0 && !LocalMachine.isPassable(state.path)
            if isHidden {
                clusters = "/var/lib/minprom/" + FilePath.lastComponent(state.shortDirectory)
                foreground.say("the user postgres cannot enter \(state.path): its data is in \(clusters)")
            }
        }
        let places = StackPlaces(
            executable: executable, demoExecutable: FilePath.directory(of: executable) + "/minprom-demo",
            state: state.path,
            socket: state.socket, postgresPrograms: programs, clusters: clusters,
            environment: kept.compactMap { name in environment[name].map { (name, $0) } })
        do throws(ConfigError) {
            return try LaunchPlan(
                project, places, secretFiles: secrets.files, offset: options.portOffset, external: external,
                isFree: LocalMachine.isFree(port:), anyFree: LocalMachine.anyFreePort)
        } catch { throw HostError(error.description) }
    }

    // MARK: While it runs

    private final class Progress: Sendable {
        struct State {
            var hasStarted = false
            var isStopping = false
            var wasHealthy = false
        }
        let state = Mutex(State())
    }

    private func supervise(_ host: StackHost, _ state: StateDirectory, _ foreground: Foreground)
        async throws(StartError)
    {
        let progress = Progress(), ended = StopRequest()
        let down: @Sendable () -> Void = {
            guard
                !progress.state.withLock({ state in
                    defer { state.isStopping = true }
                    return state.isStopping
                })
            else { return }
            foreground.say("stopping")
            host.perform { machine, now in machine.stop(at: now) }
            Task {
                try? await Task.sleep(for: .milliseconds(Self.longestStop.milliseconds))
                ended.ask()
            }
        }
        let signals = Signals.stream()
        // A terminal that goes away takes the stack with it.
        let hasTerminal = isatty(STDIN_FILENO) == 1
        let wishes = Task { for await wish in signals where wish == .stop || hasTerminal { down() } }
        defer { wishes.cancel() }
        let began = SystemClock().now(), plan = host.plan
        do throws(HostError) {
            try host.run { machine in
                let (isFirst, isOver) = progress.state.withLock { state in
                    let isFirst = state.hasStarted && !state.wasHealthy && !state.isStopping && machine.isHealthy
                    if isFirst { state.wasHealthy = true }
                    return (isFirst, state.hasStarted && machine.isDown)
                }
                if isFirst { Self.announce(plan, after: SystemClock().now() - began, foreground) }
                if isOver && progress.state.withLock({ $0.isStopping }) { ended.ask() }
            }
        } catch { throw StartError(error.message) }
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var logger = Logger(label: "supervisor")
        logger.logLevel = .error
        let api = ControlAPI(host, state, whenDown: down), socket = state.socket
        let server = WebServer(api, on: [.init(socketPath: socket)], eventLoops: loops, logger: logger) { _, _ in
            chmod(socket, 0o600)
        }
        let failure = Mutex<String?>(nil)
        let serving = Task {
            do { try await server.run() } catch {
                failure.withLock { $0 = WebServer.describe(error, addresses: [socket]) }
                down()
            }
        }
        host.perform { machine, now in
            progress.state.withLock { $0.hasStarted = true }
            return machine.start(at: now)
        }
        await ended.wait()
        await server.stop()
        await serving.value
        unlink(socket)
        if let message = failure.withLock({ $0 }) { throw StartError(message) }
    }

    /// Where to look.
    private static func announce(_ plan: LaunchPlan, after time: Duration, _ foreground: Foreground) {
        var table = TextTable()
        for service in plan.project.services {
            for port in plan.ports.ports[service.name] ?? [] where port.isPublished {
                let isPage = plan.program(of: service.name) != .postgres
                table.row([service.name, (isPage ? "http://localhost:" : "localhost:") + "\(port.host)"])
            }
        }
        foreground.say("everything is healthy, after \((time.milliseconds + 50) / 100 * 100) ms")
        for line in table.text.split(separator: "\n") { foreground.say("  " + line) }
        foreground.say("`minprom ps` shows the services, Ctrl-C ends them")
    }
}
