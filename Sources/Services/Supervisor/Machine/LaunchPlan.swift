import ComposeFile
import ConfigurationFile
import ServiceNames
import TSDB

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
    let programs: [String: ProgramKind]
    private let secretFiles: [String: String]

    /// `secretFiles`: where the value of each secret stands. Services that are not to run are not in `project`.
    public init(
        _ project: ComposeProject, _ places: StackPlaces, secretFiles: [String: String], offset: Int = 0,
        external: ExternalPostgres? = nil,
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
            for page in service.health.map({ Self.pages(in: $0.test) }) ?? [] where names.contains(page.host) {
                own.append(page.port)
            }
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
                HealthTiming(
                    interval: $0.interval, retries: $0.retries, startPeriod: $0.startPeriod,
                    startInterval: $0.startInterval)
            }
            return ServiceSpec(
                service.name, dependsOn: service.dependsOn, restart: service.restart, health: health,
                stopGrace: service.stopGrace,
                replicas: service.replicas, isExternal: isExternal(service.name))
        }
    }

    public func isExternal(_ name: String) -> Bool { external != nil && programs[name] == .postgres }

    /// Where our images have what lies beside the compose file here.
    static let workingDirectory = "/minprom"

    /// A volume that one of our images has below `/minprom` lies at the same place below the project; any other in the state directory.
    public func volume(_ name: String) -> String {
        for service in project.services {
            for mount in service.mounts
            where mount.source == .volume(name) && mount.target.hasPrefix(Self.workingDirectory + "/") {
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
            case .volume(let name):
                return programs[service.name] == .postgres && mount.target.hasPrefix("/var/lib/postgresql")
                    ? nil : volume(name)
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
            program: path, arguments: arguments, environment: environment.map { $0.name + "=" + $0.value },
            directory: project.directory,
            // A fast shutdown: PostgreSQL's default waits for its clients.
            stopSignal: program == .postgres ? "SIGINT" : service.stopSignal,
            deathSignal: program == .postgres ? "SIGQUIT" : "SIGKILL",
            probe: service.health.map { probe($0.test, ServiceNames(names), paths) },
            probeTimeout: service.health?.timeout ?? .seconds(30))
    }

    private func wantsSocket(_ service: ComposeService) -> Bool {
        service.environment.contains { $0.name == "SUPERVISOR_SOCKET" }
            || service.labels.contains { $0.name == "minprom.supervisor" && $0.value == "true" }
    }
}
