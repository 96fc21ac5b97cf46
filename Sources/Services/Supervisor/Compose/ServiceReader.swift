import ConfigurationFile
import Numbers
import TSDB

/// One service of a compose file.
///
/// No field is passed over in silence: it is read, or listed as meaning nothing without containers, or refused.
struct ServiceReader {
    /// Known, and without effect on a process: limits of containers, building, the look of logs.
    private static let withoutEffect: Set<String> = [
        "annotations", "attach", "build", "cap_add", "cap_drop", "cgroup", "cgroup_parent", "cpus", "cpu_shares",
        "cpuset", "develop",
        "dns", "domainname", "extra_hosts", "group_add", "init", "isolation", "logging", "mac_address", "mem_limit",
        "mem_reservation", "memswap_limit", "oom_kill_disable", "oom_score_adj", "pids_limit", "platform", "privileged",
        "pull_policy",
        "read_only", "runtime", "security_opt", "shm_size", "stdin_open", "storage_opt", "sysctls", "tty", "ulimits",
        "user",
        "userns_mode", "working_dir",
    ]
    /// Known, and a stack that counts on them would be another one without.
    private static let impossible: Set<String> = [
        "configs", "credential_spec", "devices", "external_links", "gpus", "ipc", "links", "models", "pid", "provider",
        "use_api_socket", "uts", "volumes_from",
    ]

    let name: String
    let place: String
    let variables: [String: String]
    let content: (String) -> [UInt8]?
    var ignored: [String] = []

    private var file: String { String(place.prefix { $0 != ":" }) }

    init(name: String, place: String, variables: [String: String], content: @escaping (String) -> [UInt8]?) {
        self.name = name
        self.place = place
        self.variables = variables
        self.content = content
    }

    mutating func read(_ node: YAMLNode) throws(ConfigError) -> ComposeService {
        do throws(ConfigError) { return try service(node) } catch {
            throw error.file.isEmpty ? ConfigError(error.message, at: error.position, file: file) : error
        }
    }

    private mutating func service(_ node: YAMLNode) throws(ConfigError) -> ComposeService {
        var service = ComposeService(name: name, place: place)
        var fromFiles: [ComposeService.Variable] = []
        for entry in try node.mapped("service \(name)") where !entry.value.isNull || entry.key == "networks" {
            let value = ComposeMerge.normalized(entry.value, entry.key)
            switch entry.key {
            case "image": service.image = try value.scalar("image")
            case "build":
                service.buildTarget = try value.entry("target")?.scalar("target") ?? ""
                note(entry)
            case "x-minprom-program": service.program = try value.scalar(entry.key)
            case "command": service.command = try words(value, entry.key)
            case "entrypoint": service.entrypoint = try words(value, entry.key)
            case "environment": service.environment = try variables(value, entry.key)
            case "env_file": fromFiles = try variableFiles(value)
            case "ports":
                for item in try value.listed("ports") {
                    let port = try PortReader.published(item)
                    if !service.ports.contains(port) { service.ports.append(port) }
                }
            case "expose":
                for item in try value.listed("expose") {
                    service.exposed.append(try PortReader.number(item.scalar("expose"), item))
                }
            case "volumes":
                for item in try value.listed("volumes") {
                    let mount = try self.mount(item)
                    service.mounts.removeAll { $0.target == mount.target }
                    service.mounts.append(mount)
                }
            case "tmpfs":
                for item in try value.listed("tmpfs") {
                    service.mounts.append(
                        .init(source: .temporary, target: String(try item.scalar("tmpfs").prefix { $0 != ":" })))
                }
            case "depends_on": service.dependsOn = try dependencies(value)
            case "healthcheck": service.health = try healthCheck(value)
            case "restart": service.restart = try restart(value)
            case "container_name": service.containerName = try value.scalar(entry.key)
            case "hostname": service.hostname = try value.scalar(entry.key)
            case "networks":
                for network in try value.mapped("networks") {
                    var aliases: [String] = []
                    for alias in try network.value.entry("aliases")?.listed("aliases") ?? [] {
                        aliases.append(try alias.scalar("aliases"))
                    }
                    service.networks.append(.init(name: network.key, aliases: aliases))
                }
            case "profiles":
                for profile in try value.listed("profiles") { service.profiles.append(try profile.scalar("profiles")) }
            case "secrets":
                for item in try value.listed("secrets") { service.secrets.append(try secret(item)) }
            case "labels": service.labels = try variables(value, entry.key)
            case "deploy": try deploy(value, &service)
            case "scale": service.replicas = try count(value, "scale")
            case "stop_grace_period": service.stopGrace = try duration(value, entry.key)
            case "stop_signal": service.stopSignal = try value.scalar(entry.key)
            case "network_mode" where ["none", "bridge", "host"].contains(where: value.isScalar): note(entry)
            case "network_mode":
                throw ConfigError("network_mode of \(name) cannot be had without containers", at: entry.position)
            case _ where entry.key.hasPrefix("x-"): continue
            case _ where Self.withoutEffect.contains(entry.key): note(entry)
            case _ where Self.impossible.contains(entry.key):
                throw ConfigError("\(entry.key) of \(name) cannot be had without containers", at: entry.position)
            default: throw ConfigError("field \(entry.key) not found in service \(name)", at: entry.position)
            }
        }
        let own = Set(service.environment.map(\.name))
        service.environment = fromFiles.filter { !own.contains($0.name) } + service.environment
        if service.networks.isEmpty { service.networks = [.init(name: "default", aliases: [])] }
        return service
    }

    private mutating func note(_ entry: YAMLNode.Entry) {
        ignored.append("\(file):\(entry.position.line): \(entry.key) of \(name)")
    }

    // MARK: Fields

    private func words(_ node: YAMLNode, _ key: String) throws(ConfigError) -> [String] {
        if case .scalar(let text, _) = node.content {
            guard let words = ShellWords.split(text) else {
                throw ConfigError("\(key): a quote is not closed", at: node.position)
            }
            return words
        }
        var words: [String] = []
        for item in try node.listed(key) { words.append(try item.scalar(key)) }
        return words
    }

    private func variables(_ node: YAMLNode, _ key: String) throws(ConfigError) -> [ComposeService.Variable] {
        var result: [ComposeService.Variable] = []
        for entry in try node.mapped(key) {
            result.append(.init(name: entry.key, value: entry.value.isNull ? nil : try entry.value.scalar(entry.key)))
        }
        return result
    }

    private func variableFiles(_ node: YAMLNode) throws(ConfigError) -> [ComposeService.Variable] {
        var result: [ComposeService.Variable] = []
        for item in try node.listed("env_file") {
            let path = try (item.entry("path") ?? item).scalar("env_file")
            guard let bytes = content(path) else {
                if item.entry("required")?.isScalar("false") == true { continue }
                throw ConfigError("env_file \(path): there is no such file", at: item.position)
            }
            for variable in try VariableFile.read(String(decoding: bytes, as: UTF8.self), file: path) {
                result.removeAll { $0.name == variable.name }
                result.append(variable)
            }
        }
        return result
    }

    private func mount(_ node: YAMLNode) throws(ConfigError) -> ComposeService.Mount {
        if case .mapping = node.content {
            let target = try node.entry("target")?.scalar("target") ?? ""
            let source = try node.entry("source")?.scalar("source") ?? ""
            guard target.hasPrefix("/") else {
                throw ConfigError("a volume's target begins with a slash", at: node.position)
            }
            switch try node.entry("type")?.scalar("type") ?? "volume" {
            case "bind": return .init(source: .path(source), target: target)
            case "volume": return .init(source: source.isEmpty ? .temporary : .volume(source), target: target)
            case "tmpfs": return .init(source: .temporary, target: target)
            case let type: throw ConfigError("volumes of type \(type) are not supported", at: node.position)
            }
        }
        let parts = try node.scalar("volumes").split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard let target = parts.count > 1 ? parts[1] : parts.first, target.hasPrefix("/"), parts.count <= 3 else {
            throw ConfigError("a volume is source:/target, not \"\(try node.scalar("volumes"))\"", at: node.position)
        }
        if parts.count == 1 { return .init(source: .temporary, target: target) }
        return .init(source: parts[0].hasPrefix("/") ? .path(parts[0]) : .volume(parts[0]), target: target)
    }

    private func dependencies(_ node: YAMLNode) throws(ConfigError) -> [ComposeService.Dependency] {
        var result: [ComposeService.Dependency] = []
        for entry in try node.mapped("depends_on") {
            let text =
                try entry.value.entry("condition")?.scalar("condition")
                ?? ComposeService.Dependency.Condition.started.rawValue
            guard let condition = ComposeService.Dependency.Condition(rawValue: text) else {
                throw ConfigError("depends_on: there is no condition \"\(text)\"", at: entry.position)
            }
            let isRequired = !(entry.value.entry("required")?.isScalar("false") ?? false)
            result.append(.init(service: entry.key, condition: condition, isRequired: isRequired))
        }
        return result
    }

    private func healthCheck(_ node: YAMLNode) throws(ConfigError) -> ComposeService.HealthCheck? {
        if node.entry("disable")?.isScalar("true") == true { return nil }
        guard let test = node.entry("test") else {
            throw ConfigError("healthcheck of \(name) has no test", at: node.position)
        }
        var check: ComposeService.HealthCheck
        if case .scalar(let text, _) = test.content {
            check = .init(test: .shell(text))
        } else {
            let words = try self.words(test, "test")
            switch words.first {
            case "NONE": return nil
            case "CMD" where words.count > 1: check = .init(test: .command(Array(words.dropFirst())))
            case "CMD-SHELL" where words.count == 2: check = .init(test: .shell(words[1]))
            default: throw ConfigError("a test begins with CMD, CMD-SHELL or NONE", at: test.position)
            }
        }
        for entry in try node.mapped("healthcheck") where !entry.value.isNull {
            switch entry.key {
            case "test", "disable": continue
            case "interval": check.interval = try duration(entry.value, entry.key)
            case "timeout": check.timeout = try duration(entry.value, entry.key)
            case "start_period": check.startPeriod = try duration(entry.value, entry.key)
            case "start_interval": check.startInterval = try duration(entry.value, entry.key)
            case "retries": check.retries = max(1, try count(entry.value, entry.key))
            default: throw ConfigError("field \(entry.key) not found in healthcheck", at: entry.position)
            }
        }
        return check
    }

    private func restart(_ node: YAMLNode) throws(ConfigError) -> RestartPolicy {
        let text = try node.scalar("restart")
        switch text {
        case "no", "false", "": return .never
        case "always": return .always
        case "unless-stopped": return .unlessStopped
        case "on-failure": return .onFailure(limit: nil)
        default:
            guard text.hasPrefix("on-failure:"), let limit = Int(text.dropFirst(11)), limit >= 0 else {
                throw ConfigError("restart: there is no policy \"\(text)\"", at: node.position)
            }
            return .onFailure(limit: limit)
        }
    }

    private mutating func deploy(_ node: YAMLNode, _ service: inout ComposeService) throws(ConfigError) {
        for entry in try node.mapped("deploy") {
            if entry.key == "replicas" {
                service.replicas = try count(entry.value, "replicas")
            } else {
                ignored.append("\(file):\(entry.position.line): deploy.\(entry.key) of \(name)")
            }
        }
    }

    private func secret(_ node: YAMLNode) throws(ConfigError) -> ComposeService.SecretUse {
        if case .scalar(let text, _) = node.content { return .init(source: text, target: "/run/secrets/" + text) }
        let source = try node.entry("source")?.scalar("source") ?? ""
        let target = try node.entry("target")?.scalar("target") ?? source
        return .init(source: source, target: target.hasPrefix("/") ? target : "/run/secrets/" + target)
    }

    private func count(_ node: YAMLNode, _ key: String) throws(ConfigError) -> Int {
        guard let number = Int(try node.scalar(key)), (0...1000).contains(number) else {
            throw ConfigError("\(key) must be a number from 0 to 1000", at: node.position)
        }
        return number
    }

    private func duration(_ node: YAMLNode, _ key: String) throws(ConfigError) -> Duration {
        let text = try node.scalar(key)
        do throws(DurationError) {
            let nanoseconds = try DurationText.parseGo(text)
            guard nanoseconds >= 0 else { throw DurationError("negative") }
            return .milliseconds(nanoseconds / 1_000_000)
        } catch {
            throw ConfigError("\(key): \"\(text)\" is not a duration such as 1m30s", at: node.position)
        }
    }
}
