import ArgumentParser
import ComposeFile
import Programs
import Supervisor
import SupervisorHost

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// `minprom up`: the services of a compose file as processes of this machine.
struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Run the services of a compose file as processes, without Docker.")

    @OptionGroup var stack: StackOptions
    @OptionGroup var options: RunOptions

    @Flag(name: [.customShort("d"), .long], help: "Return when everything is healthy; the stack runs on.")
    var detach = false

    @Option(name: .customLong("wait-timeout"), help: "Seconds that -d waits for everything to be healthy.")
    var waitTimeout = 120

    @Argument(help: "Services, with what they depend on; all where left out.")
    var services: [String] = []

    func run() async throws {
        do throws(StartError) {
            let files = try stack.files()
            if detach {
                try Detached(files: files, options: options, services: services).start(seconds: waitTimeout)
            } else {
                try await StackRun(files: files, options: options, services: services).run()
            }
        } catch { throw ExitCode(Console.complain(error.message)) }
    }
}

/// `minprom demo`: the minimal stack that comes with minprom.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Run the whole minimal stack here: api, database, worker, minprom, alert bot.")

    static let fileName = "compose-minimal.yml"

    @OptionGroup var options: RunOptions

    func run() async throws {
        do throws(StartError) {
            try await StackRun(files: [try Self.file()], options: options, services: []).run()
        } catch { throw ExitCode(Console.complain(error.message)) }
    }

    /// Here, or in the checkout that this executable was built in.
    static func file() throws(StartError) -> String {
        var folders = [LocalMachine.currentDirectory], folder = FilePath.directory(of: ProgramFile.own)
        while folder != "/" && folder != "." {
            folders.append(folder)
            folder = FilePath.directory(of: folder)
        }
        for folder in folders where StateDirectory.exists("\(folder)/\(fileName)") {
            return FilePath.absolute(fileName, from: folder)
        }
        throw StartError("\(fileName) is neither here nor above \(ProgramFile.own)")
    }
}

struct RunOptions: ParsableArguments {
    @Option(name: .customLong("port-offset"), help: "Added to every port, so that two stacks fit on one machine.")
    var portOffset = 0

    @Option(help: "A PostgreSQL server that runs already: postgres://user:password@host:5432/database.")
    var postgres: String?

    @Option(help: "Profiles whose services run, too.")
    var profile: [String] = []

    @Flag(help: "Say which fields of the file mean nothing without containers.")
    var verbose = false

    /// What `-d` starts: what services write is in their files only.
    @Flag(help: .hidden)
    var background = false

    /// As the command line again.
    var arguments: [String] {
        ["--port-offset=\(portOffset)"] + (postgres.map { ["--postgres=" + $0] } ?? [])
            + profile.map { "--profile=" + $0 }
            + (verbose ? ["--verbose"] : [])
    }
}

/// The same command again as a process that stays, and a look at how its services come up.
struct Detached {
    let files: [String]
    let options: RunOptions
    let services: [String]

    func start(seconds: Int) throws(StartError) {
        let state = StateDirectory(besides: FilePath.directory(of: files.first ?? "")), client = SupervisorClient(state)
        if (try? client.services()) != nil {
            throw StartError("a supervisor runs in \(state.path) already; `minprom down` ends it")
        }
        do throws(HostError) { try state.make() } catch { throw StartError(error.message) }
        let log = state.log("supervisor")
        let output = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard output >= 0 else { throw StartError("\(log): \(String(cString: strerror(errno)))") }
        let arguments = ["up"] + files.flatMap { ["-f", $0] } + options.arguments + ["--background"] + services
        let launch = Launch(
            program: ProgramFile.own, arguments: arguments,
            environment: LocalMachine.environment.map { $0.key + "=" + $0.value },
            directory: LocalMachine.currentDirectory, stopSignal: "SIGTERM", deathSignal: "SIGTERM", probe: nil,
            probeTimeout: .zero)
        let pid: Int32
        do throws(HostError) {
            pid = try ChildProcess.spawn(launch, output: output, deathSignal: 0, isSession: true)
        } catch {
            throw StartError(error.message)
        }
        close(output)
        for _ in 0..<max(1, min(seconds, 86_400)) * 5 {
            usleep(200_000)
            var status: Int32 = 0
            if waitpid(pid, &status, WNOHANG) == pid {
                throw StartError("the supervisor ended:\n" + LogFile.tail(log, lines: 20))
            }
            guard let all = try? client.services(), !all.isEmpty else { continue }
            if all.allSatisfy(\.isWell) { return }
        }
        let late = ((try? client.services()) ?? []).filter { !$0.isWell }.map {
            "\($0.name) (\($0.state), \($0.health)) \($0.message)"
        }
        throw StartError("not healthy after \(seconds) s: \(late.joined(separator: ", ")); `minprom logs` says more")
    }
}
