import ComposeFile
import ConfigurationFile
import ServiceNames
import TSDB

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
        executable: String, demoExecutable: String, state: String, socket: String, postgresPrograms: String, clusters: String,
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

/// `--postgres postgres://user:password@host:5432/database`: a server that is there already.
public struct ExternalPostgres: Equatable, Sendable {
    public var host: String
    public var port: Int
    public var user: String
    public var password: String
    public var database: String

    public init?(_ url: String) {
        guard let scheme = ["postgres://", "postgresql://"].first(where: url.hasPrefix) else { return nil }
        var rest = url.dropFirst(scheme.count)
        rest = rest.prefix { $0 != "?" }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        database = String(rest[slash...].dropFirst())
        var authority = rest[..<slash]
        user = ""
        password = ""
        if let at = authority.lastIndex(of: "@") {
            let parts = authority[..<at].split(separator: ":", maxSplits: 1).map(String.init)
            user = parts.first ?? ""
            password = parts.count > 1 ? parts[1] : ""
            authority = authority[authority.index(after: at)...]
        }
        port = 5432
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            guard let number = Int(authority[authority.index(after: colon)...]), (1...65535).contains(number) else { return nil }
            port = number
            authority = authority[..<colon]
        }
        host = authority.filter { $0 != "[" && $0 != "]" }
        guard !host.isEmpty else { return nil }
        if user.isEmpty { user = "postgres" }
        if database.isEmpty { database = user }
    }
}

/// How one process is started.
public struct Launch: Equatable, Sendable {
    public var program: String
    public var arguments: [String]
    public var environment: [String]
    public var directory: String
    public var stopSignal: String
    /// What it gets when the supervisor dies.
    public var deathSignal: String
    public var probe: Probe?
    public var probeTimeout: Duration

    public init(
        program: String, arguments: [String], environment: [String], directory: String, stopSignal: String, deathSignal: String,
        probe: Probe?, probeTimeout: Duration
    ) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
        self.stopSignal = stopSignal
        self.deathSignal = deathSignal
        self.probe = probe
        self.probeTimeout = probeTimeout
    }
}

/// How health is asked for.
public enum Probe: Equatable, Sendable {
    /// Without a process: 2xx of every one is healthy.
    case http([Page])
    /// Exit 0 is healthy.
    case command([String])

    public struct Page: Equatable, Sendable {
        /// Where to connect; `hostHeader` keeps the name.
        public var host: String
        public var port: Int
        public var hostHeader: String
        public var path: String

        public init(host: String, port: Int, hostHeader: String, path: String) {
            self.host = host
            self.port = port
            self.hostHeader = hostHeader
            self.path = path
        }

        /// `http://host:port/path`; nothing else is asked.
        public init?(_ url: String) {
            guard url.hasPrefix("http://") else { return nil }
            let rest = url.dropFirst("http://".count)
            let slash = rest.firstIndex { "/?".contains($0) } ?? rest.endIndex
            let authority = rest[..<slash]
            port = 80
            host = String(authority)
            if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
                guard let number = Int(authority[authority.index(after: colon)...]), (1...65535).contains(number) else { return nil }
                port = number
                host = String(authority[..<colon])
            }
            host = host.filter { $0 != "[" && $0 != "]" }
            hostHeader = String(authority)
            path = slash == rest.endIndex ? "/" : (rest[slash] == "?" ? "/" : "") + rest[slash...]
            guard !host.isEmpty, url.utf8.allSatisfy({ $0 > 32 && $0 != 127 }) else { return nil }
        }

        /// The same page where the name really leads.
        public func resolved(_ names: ServiceNames) -> Page {
            let place = names.connecting(to: host, port)
            return Page(host: place.host, port: place.port, hostHeader: hostHeader, path: path)
        }
    }
}

/// From services to processes: programs, arguments, environment, names, ports, paths.
///
///     image: minprom            ─▶ this executable         command: --config.file=/etc/prometheus/prometheus.yml ─▶ … ./prometheus/…
///     build.target: minprom-demo ─▶ minprom-demo           environment: PGHOST=postgres_db, MINPROM_SERVICE_NAMES="postgres_db:5432=…"
///     image: postgres:17        ─▶ minprom postgres-cluster ─▶ postgres
public struct LaunchPlan: Sendable {
    public let project: ComposeProject
    public let places: StackPlaces
    public let ports: PortPlan
    public let external: ExternalPostgres?
    private let programs: [String: ProgramKind]
    private let secretFiles: [String: String]

    /// `secretFiles`: where the value of each secret stands. Services that are not to run are not in `project`.
    public init(
        _ project: ComposeProject, _ places: StackPlaces, secretFiles: [String: String], offset: Int = 0, external: ExternalPostgres? = nil,
        isFree: (Int) -> Bool, anyFree: () -> Int?
    ) throws(ConfigError) {
        self.project = project
        self.places = places
        self.external = external
        self.secretFiles = secretFiles
        var programs: [String: ProgramKind] = [:], listening: [(service: ComposeService, ports: [Int])] = []
        for service in project.services {
            let program = try Self.program(of: service)
            programs[service.name] = program
            if program == .postgres && external != nil { continue }
            var own = ListenPorts.of(program, Self.arguments(of: service, program))
            own = service.ports.map(\.target) + service.exposed + own
            let names = Self.allNames(of: service) + ["localhost", "127.0.0.1", "::1"]
            for page in service.health.map({ Self.pages(in: $0.test) }) ?? [] where names.contains(page.host) { own.append(page.port) }
            var unique: [Int] = []
            for port in own where !unique.contains(port) { unique.append(port) }
            listening.append((service, unique))
        }
        self.programs = programs
        ports = try PortPlan(listening, offset: offset, isFree: isFree, anyFree: anyFree)
    }

    public func program(of name: String) -> ProgramKind? { programs[name] }

    public var specs: [ServiceSpec] {
        project.services.map { service in
            let health = service.health.map {
                HealthTiming(interval: $0.interval, retries: $0.retries, startPeriod: $0.startPeriod, startInterval: $0.startInterval)
            }
            return ServiceSpec(
                service.name, dependsOn: service.dependsOn, restart: service.restart, health: health, stopGrace: service.stopGrace,
                replicas: service.replicas, isExternal: isExternal(service.name))
        }
    }

    public func isExternal(_ name: String) -> Bool { external != nil && programs[name] == .postgres }

    /// Where our images have what lies beside the compose file here.
    static let workingDirectory = "/minprom"

    /// A volume that one of our images has below `/minprom` lies at the same place below the project; any other in the state directory.
    public func volume(_ name: String) -> String {
        for service in project.services {
            for mount in service.mounts where mount.source == .volume(name) && mount.target.hasPrefix(Self.workingDirectory + "/") {
                return project.directory + mount.target.dropFirst(Self.workingDirectory.count)
            }
        }
        return places.state + "/volumes/" + name
    }

    /// Paths of the container's world that have their place here.
    public func paths(_ service: ComposeService) -> PathMapping {
        var mounts = [PathMapping.Mount(Self.workingDirectory, project.directory)]
        for mount in service.mounts {
            switch mount.source {
            case .path(let path): mounts.append(.init(mount.target, path))
            case .volume(let name): mounts.append(.init(mount.target, volume(name)))
            case .temporary: mounts.append(.init(mount.target, places.state + "/tmp/" + service.name + mount.target))
            }
        }
        for secret in service.secrets {
            if let file = secretFiles[secret.source] { mounts.append(.init(secret.target, file)) }
        }
        if wantsSocket(service) { mounts.append(.init("/var/run/minprom/supervisor.sock", places.socket)) }
        return PathMapping(mounts)
    }

    /// Directories that must be there before it starts.
    public func directories(_ service: ComposeService) -> [String] {
        service.mounts.compactMap { mount in
            switch mount.source {
            case .path: return nil
            case .volume(let name): return programs[service.name] == .postgres && mount.target.hasPrefix("/var/lib/postgresql") ? nil : volume(name)
            case .temporary: return places.state + "/tmp/" + service.name + mount.target
            }
        }
    }

    // MARK: One process

    /// `freePort` is asked by every replica but the first.
    public func launch(_ id: InstanceID, freePort: () -> Int?) -> Launch? {
        guard let service = project.service(id.service), let program = programs[id.service] else { return nil }
        var own: [(container: Int, host: Int)] = (ports.ports[service.name] ?? []).map { ($0.container, $0.host) }
        if id.number > 1 { own = own.map { ($0.container, freePort() ?? $0.host) } }
        let paths = paths(service)
        var environment = places.environment.map { (name: $0.name, value: $0.value) }
        func set(_ name: String, _ value: String) {
            environment.removeAll { $0.name == name }
            environment.append((name, value))
        }
        for variable in service.environment {
            if let value = variable.value ?? places.environment.first(where: { $0.name == variable.name })?.value {
                set(variable.name, paths.rewrite(value))
            }
        }
        let names = names(for: service, own: own)
        set(ServiceNames.variable, names)
        if wantsSocket(service) { set("SUPERVISOR_SOCKET", places.socket) }
        if let external, let host = service.environment.first(where: { $0.name == "PGHOST" })?.value,
            project.services.contains(where: { isExternal($0.name) && Self.allNames(of: $0).contains(host) })
        {
            set("PGUSER", external.user)
            set("PGDATABASE", external.database)
            environment.removeAll { $0.name == "PGPASSWORD_FILE" }
            set("PGPASSWORD", external.password)
        }
        var arguments = Self.arguments(of: service, program).map(paths.rewrite)
        let path: String
        switch program {
        case .own: path = places.executable
        case .demo: path = places.demoExecutable
        case .host(let name): path = name
        case .postgres:
            path = places.executable
            let port = own.first { $0.container == 5432 }?.host ?? 5432
            arguments = clusterArguments(service, port: port, paths) + ["--"] + arguments
            set("PGHOST", clusterSocketDirectory(service))
            set("PGPORT", String(port))
            let old = environment.first { $0.name == "PATH" }?.value ?? "/usr/bin:/bin"
            set("PATH", places.postgresPrograms.isEmpty ? old : places.postgresPrograms + ":" + old)
        }
        return Launch(
            program: path, arguments: arguments, environment: environment.map { $0.name + "=" + $0.value }, directory: project.directory,
            // A fast shutdown: PostgreSQL's default waits for its clients.
            stopSignal: program == .postgres ? "SIGINT" : service.stopSignal, deathSignal: program == .postgres ? "SIGQUIT" : "SIGKILL",
            probe: service.health.map { probe($0.test, ServiceNames(names), paths) }, probeTimeout: service.health?.timeout ?? .seconds(30))
    }

    private func wantsSocket(_ service: ComposeService) -> Bool {
        service.environment.contains { $0.name == "SUPERVISOR_SOCKET" }
            || service.labels.contains { $0.name == "minprom.supervisor" && $0.value == "true" }
    }

    // MARK: Names

    private static func allNames(of service: ComposeService) -> [String] {
        var names = [service.name]
        names += [service.containerName, service.hostname].compactMap { $0 }
        names += service.networks.flatMap(\.aliases)
        var unique: [String] = []
        for name in names where !unique.contains(name) { unique.append(name) }
        return unique
    }

    /// What `ServiceNames` reads: others on a network of the same name, and where to listen.
    private func names(for service: ComposeService, own: [(container: Int, host: Int)]) -> String {
        let networks = Set(service.networks.map(\.name))
        var entries: [String] = []
        for other in project.services where other.name == service.name || !networks.isDisjoint(with: other.networks.map(\.name)) {
            if let external, isExternal(other.name) {
                for name in Self.allNames(of: other) { entries.append("\(name):5432=\(external.host):\(external.port)") }
                continue
            }
            let places = other.name == service.name ? own : (ports.ports[other.name] ?? []).map { ($0.container, $0.host) }
            for name in Self.allNames(of: other) {
                for (container, host) in places { entries.append("\(name):\(container)=127.0.0.1:\(host)") }
            }
        }
        for (container, host) in own {
            for name in ["localhost", "127.0.0.1"] where container != host { entries.append("\(name):\(container)=127.0.0.1:\(host)") }
            entries.append(":\(container)=127.0.0.1:\(host)")
        }
        return entries.joined(separator: " ")
    }

    // MARK: Programs

    private static func program(of service: ComposeService) throws(ConfigError) -> ProgramKind {
        if let program = service.program { return .host(program) }
        let image = service.image.prefix { $0 != "@" }
        let base = FilePath.lastComponent(String(image)).prefix { $0 != ":" }
        if base == "postgres" { return .postgres }
        let named = [service.entrypoint?.first, service.command?.first].compactMap { $0 }.map(FilePath.lastComponent)
        let isOurs = base.hasPrefix("minprom") || service.buildTarget.hasPrefix("minprom")
        guard isOurs || !named.isEmpty && named.contains(where: { $0 == "minprom" || $0 == "minprom-demo" }) else {
            throw service.error(
                "has image \"\(service.image)\", for which there is no program here: images minprom, minprom-demo and postgres have one, "
                    + "or give x-minprom-program")
        }
        if named.contains("minprom-demo") { return .demo }
        if named.contains("minprom") { return .own }
        return base.hasPrefix("minprom-demo") || service.buildTarget.hasPrefix("minprom-demo") ? .demo : .own
    }

    /// Entry point and command, without the program's own name.
    static func arguments(of service: ComposeService, _ program: ProgramKind) -> [String] {
        var words = (service.entrypoint ?? []) + (service.command ?? [])
        let names: [String]
        switch program {
        case .own: names = ["minprom"]
        case .demo: names = ["minprom-demo"]
        case .postgres: names = ["postgres", "docker-entrypoint.sh"]
        case .host: names = []
        }
        while let first = words.first, names.contains(FilePath.lastComponent(first)) { words.removeFirst() }
        return words
    }

    // MARK: Health

    private static let webClients: Set<String> = ["minprom", "minprom-demo", "curl", "wget"]

    /// The pages that a check asks for, where that is all it does.
    static func pages(in test: ComposeService.HealthCheck.Test) -> [Probe.Page] {
        guard case .command(let words) = test, let first = words.first, webClients.contains(FilePath.lastComponent(first)) else { return [] }
        let urls = words.filter { $0.hasPrefix("http://") }
        let pages = urls.compactMap { Probe.Page($0) }
        return pages.count == urls.count ? pages : []
    }

    private func probe(_ test: ComposeService.HealthCheck.Test, _ names: ServiceNames, _ paths: PathMapping) -> Probe {
        let pages = Self.pages(in: test)
        if !pages.isEmpty { return .http(pages.map { $0.resolved(names) }) }
        switch test {
        case .command(let words): return .command(words.map(paths.rewrite))
        case .shell(let line): return .command(["/bin/sh", "-c", paths.rewrite(line)])
        }
    }

    // MARK: PostgreSQL

    public func clusterDirectory(_ service: ComposeService) -> String { places.clusters + "/" + service.name }

    public func clusterSocketDirectory(_ service: ComposeService) -> String { places.clusters + "/run" }

    private func clusterArguments(_ service: ComposeService, port: Int, _ paths: PathMapping) -> [String] {
        func value(_ name: String) -> String? { service.environment.first { $0.name == name }?.value }
        let user = value("POSTGRES_USER") ?? "postgres"
        var arguments = [
            "postgres-cluster", "--programs", places.postgresPrograms, "--data", clusterDirectory(service), "--sockets",
            clusterSocketDirectory(service), "--port", String(port), "--user", user, "--database", value("POSTGRES_DB") ?? user,
        ]
        if let file = value("POSTGRES_PASSWORD_FILE") { arguments += ["--password-file", paths.rewrite(file)] }
        if value("POSTGRES_HOST_AUTH_METHOD") == "trust" { arguments.append("--trust") }
        for mount in service.mounts where mount.target.hasPrefix("/docker-entrypoint-initdb.d") {
            if case .path(let path) = mount.source { arguments += ["--init", path] }
        }
        return arguments
    }
}
