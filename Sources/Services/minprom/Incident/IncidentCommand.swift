import ArgumentParser
import Incidents
import Numbers
import ServiceNames

/// `minprom incident NAME`: breaks one thing of the stack, says what to watch, and takes it back.
///
///     minprom incident list
///     minprom incident latency --for 3m          until the bot has healed it, or three minutes, or Ctrl-C
///     minprom incident latency --watch           follows alert and bot; exit code 0 only if it healed by itself
///     minprom incident latency --revert          takes back what an earlier run has left
struct IncidentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "incident", abstract: "Break something on purpose, and watch it heal.")

    @Argument(help: "latency, errors, status, db-slow, kill, cpu, memory, partition, backlog; or list.")
    var name: String

    @Option(name: .customLong("for"), help: "How long the fault stays unless it is healed or taken back before.")
    var length: String?

    @Flag(help: "Only take the fault back.")
    var revert = false

    @Flag(help: "Follow the alert and the bot; exit code 0 only if the incident healed, and looked as it must.")
    var watch = false

    @Option(help: "With --watch: how long healing may take.")
    var within = "5m"

    @Option(help: "With --watch: how long to wait before, until the incident's alerts are quiet and the bot may act on its target again.")
    var wait: String?

    @Flag(help: "With --watch: say yes to what the bot asks for, as a person would.")
    var approve = false

    @Option(name: .customLong("incident-log"), help: "With --watch: the bot's log file, if it can be read from here; else the bot is asked.")
    var incidentLog: String?

    @Option(
        name: .customLong("load-rps"),
        help: "Requests per second sent meanwhile, so that there is something to see; 0: none. (default: 20; db-slow: 5)")
    var loadRPS: Double?

    @OptionGroup(title: "Where the stack is") var places: IncidentPlaces
    @OptionGroup(title: "How it is broken") var shape: IncidentShape

    func run() async throws {
        if name == "list" {
            let width = Incident.allCases.map(\.rawValue.count).max() ?? 0
            for incident in Incident.allCases {
                print(incident.rawValue + String(repeating: " ", count: width - incident.rawValue.count + 2) + incident.summary)
            }
            return
        }
        let isGood: Bool
        do throws(StartError) { isGood = try await start() } catch { throw ExitCode(Console.complain(error.message)) }
        if !isGood { throw ExitCode(1) }
    }

    private func start() async throws(StartError) -> Bool {
        guard let incident = Incident(rawValue: name) else {
            throw StartError("no incident \"\(name)\"; there are \(Incident.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        let patience = try IncidentFlags.span(within, flag: "within")
        var options = try shape.options()
        // Where healing is watched, the fault must not go away by itself before the bot has had its time.
        options.length =
            try length.map { text throws(StartError) in try IncidentFlags.span(text, flag: "for") }
            ?? (watch ? incident.naturalLength ?? patience + .seconds(30) : .seconds(180))
        // Less would show on the graph, and nobody would be told.
        if watch, shape.mb == nil { options.megabytes = 0 }
        let waiting = try wait.map { text throws(StartError) in try IncidentFlags.span(text, flag: "wait") }
        let plan = IncidentPlan(incident, options)
        let addresses = places.addresses()
        let tokens = try places.tokens()
        let client = StackClient()
        var watching = Watcher.Options(botToken: tokens.bot)
        watching.approves = approve
        if let incidentLog { watching.log = { IncidentFlags.tail(of: incidentLog) } }
        let session = IncidentSession(
            plan: plan, addresses: addresses, client: client, watching: watching,
            run: IncidentRun(plan, addresses, client, token: tokens.admin))
        let result: Result<Bool, StartError>
        do throws(StartError) {
            if revert {
                result = .success(await session.revert())
            } else {
                let rate = plan.loadPath == nil ? 0 : loadRPS ?? plan.loadRate
                for line in plan.announcement(addresses) { print(line) }
                result = .success(
                    watch
                        ? try await session.watch(within: patience, afterAtMost: waiting, rps: rate)
                        : try await session.show(for: options.length, rps: rate))
            }
        } catch { result = .failure(error) }
        await client.shutdown()
        return try result.get()
    }
}

/// Addresses and tokens.
struct IncidentPlaces: ParsableArguments {
    @Option(help: "The api.")
    var url: String?
    @Option(name: .customLong("worker-url"), help: "The worker.")
    var workerURL: String?
    @Option(name: .customLong("proxy-url"), help: "Control port of the proxy between api and database.")
    var proxyURL: String?
    @Option(name: .customLong("prometheus-url"), help: "Who evaluates the rules: minprom or Prometheus.")
    var prometheusURL: String?
    @Option(name: .customLong("bot-url"), help: "The alert bot.")
    var botURL: String?
    @Option(name: .customLong("supervisor-socket"), help: "The socket of minprom up.")
    var socket: String?
    @Option(
        name: .customLong("token-file"),
        help: "File with ADMIN_TOKEN (else the environment's ADMIN_TOKEN or ADMIN_TOKEN_FILE, else secrets/admin/token).")
    var tokenFile: String?
    @Option(name: .customLong("bot-token-file"), help: "File with BOT_TOKEN (else the environment's, else secrets/bot/token).")
    var botTokenFile: String?

    /// Inside the stack services have their names, outside they are published on this machine.
    func addresses() -> StackAddresses {
        var addresses = StackAddresses()
        if !ServiceNames.current.isEmpty {
            addresses.api = "http://api:8000"
            addresses.worker = "http://worker:8001"
            addresses.proxy = "http://db_proxy:5434"
            addresses.prometheus = "http://minprom:9090"
            addresses.bot = "http://alert_bot:5001"
        }
        if let url { addresses.api = url }
        if let workerURL { addresses.worker = workerURL }
        if let proxyURL { addresses.proxy = proxyURL }
        if let prometheusURL { addresses.prometheus = prometheusURL }
        if let botURL { addresses.bot = botURL }
        if let path = socket ?? IncidentFlags.environment("SUPERVISOR_SOCKET") { addresses.supervisor = "unix:" + path }
        return addresses
    }

    func tokens() throws(StartError) -> IncidentSession.Tokens {
        IncidentSession.Tokens(
            admin: try IncidentFlags.token("ADMIN_TOKEN", file: tokenFile, or: "secrets/admin/token"),
            bot: try IncidentFlags.token("BOT_TOKEN", file: botTokenFile, or: "secrets/bot/token"))
    }
}

/// What an incident can be told about its fault.
struct IncidentShape: ParsableArguments {
    @Option(name: .customLong("latency-ms"), help: "latency: how much longer.")
    var latency = 1000
    @Option(help: "latency, errors, status, db-slow: the path that is hurt, and loaded.")
    var path: String?
    @Option(name: .customLong("status-code"), help: "status: what is answered.")
    var statusCode = 503
    @Option(name: .customLong("db-delay-ms"), help: "db-slow: how long each query sleeps.")
    var databaseDelay = 2000
    @Option(help: "Chaos of the api: part of the requests that are hurt, 0 to 1.")
    var probability: Double?
    @Flag(name: .customLong("sigkill"), help: "kill: SIGKILL to the process; its restart policy brings it back.")
    var signal = false
    @Flag(help: "kill: docker stop.")
    var docker = false
    @Option(help: "kill --docker: the container.")
    var container = "flask_api"
    @Option(help: "cpu: processors to keep busy.")
    var cores = 2
    @Option(help: "memory: megabytes to hold; 0: enough for HostLowMemory. (default: 500; with --watch: 0)")
    var mb: Int?
    @Option(help: "partition: drop, delay, reset or refuse.")
    var mode = "reset"
    @Option(name: .customLong("delay-ms"), help: "partition --mode delay: by how much, in each direction.")
    var delay = 500
    @Option(help: "backlog: jobs to put into the queue.")
    var jobs = 6000

    func options() throws(StartError) -> IncidentOptions {
        func inside(_ value: Int, _ range: ClosedRange<Int>, _ flag: String) throws(StartError) -> Int {
            guard range.contains(value) else { throw StartError("--\(flag): \(range.lowerBound) to \(range.upperBound)") }
            return value
        }
        var options = IncidentOptions()
        options.latency = .milliseconds(try inside(latency, 1...60_000, "latency-ms"))
        options.databaseDelay = .milliseconds(try inside(databaseDelay, 1...60_000, "db-delay-ms"))
        options.statusCode = try inside(statusCode, 400...599, "status-code")
        options.cores = try inside(cores, 1...Pressure.maximumCores, "cores")
        options.megabytes = try inside(mb ?? options.megabytes, 0...Pressure.maximumMegabytes, "mb")
        options.jobs = try inside(jobs, 1...100_000, "jobs")
        options.probability = probability
        if let probability, !(probability > 0 && probability <= 1) { throw StartError("--probability: above 0, up to 1") }
        options.path = path
        if let path, !path.hasPrefix("/") { throw StartError("--path: begins with a slash") }
        guard let mode = Fault.Mode(rawValue: mode) else {
            throw StartError("--mode: one of \(Fault.Mode.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        options.fault = Fault(mode, delay: mode == .delay ? .milliseconds(try inside(delay, 1...600_000, "delay-ms")) : .zero)
        guard !(signal && docker) else { throw StartError("--sigkill and --docker exclude each other") }
        options.kill = signal ? .signal : docker ? .docker(container) : .stop
        guard !container.isEmpty, container.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), !container.hasPrefix("-") else {
            throw StartError("--container: not a name")
        }
        return options
    }
}
