import ConfigurationFile

/// Reads a compose file and what it leads to: `.env`, `include`, `extends`, env files.
///
///     bytes ─▶ YAML (anchors, merge keys) ─▶ variables ─▶ include ─▶ extends ─▶ ServiceReader ─▶ ComposeProject
///
/// Files come through a function, so that it can be tested without a disk. Any error names its file and line.
public struct ComposeReader {
    /// Files that `include` may lead to, and links of `extends`.
    static let maximumFiles = 50

    /// The content of a file, `nil` where there is none.
    private let content: (String) -> [UInt8]?
    private let environment: [String: String]

    /// `environment` is the process' own; `.env` beside the file stands behind it.
    public init(environment: [String: String], content: @escaping (String) -> [UInt8]?) {
        self.environment = environment
        self.content = content
    }

    /// `paths` are absolute; a later file is laid over the earlier ones.
    public func read(_ paths: [String]) throws(ConfigError) -> ComposeProject {
        guard let first = paths.first else { throw ConfigError("no compose file") }
        let directory = FilePath.directory(of: first)
        let variables = try self.variables(directory)
        var root = YAMLNode(.mapping([])), count = 0
        var places: [String: String] = [:]
        for path in paths {
            root = ComposeMerge.merge(root, with: try document(path, variables, &count, &places))
        }
        return try project(root, file: FilePath.lastComponent(first), directory, variables, places)
    }

    private func variables(_ directory: String) throws(ConfigError) -> [String: String] {
        var variables: [String: String] = [:]
        let file = directory + "/.env"
        if let bytes = content(file) {
            for variable in try VariableFile.read(String(decoding: bytes, as: UTF8.self), file: file) {
                variables[variable.name] = variable.value ?? ""
            }
        }
        return variables.merging(environment) { _, own in own }
    }

    /// One file with its variables put in, its paths made absolute, its services extended and its inclusions below it.
    private func document(
        _ path: String, _ variables: [String: String], _ count: inout Int, _ places: inout [String: String]
    ) throws(ConfigError) -> YAMLNode {
        var root = try tree(path, variables, &count)
        let file = FilePath.lastComponent(path), directory = FilePath.directory(of: path)
        do throws(ConfigError) {
            var included = YAMLNode(.mapping([]))
            for item in try root.entry("include")?.listed("include") ?? [] {
                for other in try item.entry("path")?.listed("path") ?? [item] {
                    let path = FilePath.absolute(try other.scalar("include"), from: directory)
                    included = ComposeMerge.merge(included, with: try document(path, variables, &count, &places))
                }
            }
            var services: [YAMLNode.Entry] = []
            for entry in try root.entry("services")?.mapped("services") ?? [] {
                places[entry.key] = "\(file):\(entry.position.line)"
                var entry = entry
                entry.value = try extended(entry.value, services: root, path, variables, &count, depth: 0)
                services.append(entry)
            }
            root = root.replacing("services", YAMLNode(.mapping(services), at: root.position)).without("include")
            return ComposeMerge.merge(included, with: root)
        } catch {
            throw error.file.isEmpty ? ConfigError(error.message, at: error.position, file: file) : error
        }
    }

    private func tree(_ path: String, _ variables: [String: String], _ count: inout Int) throws(ConfigError) -> YAMLNode {
        let file = FilePath.lastComponent(path)
        count += 1
        guard count <= Self.maximumFiles else { throw ConfigError("more than \(Self.maximumFiles) files", file: file) }
        guard let bytes = content(path) else { throw ConfigError("\(path): there is no such file") }
        do throws(ConfigError) {
            let node = try Interpolation(variables: variables).expand(YAMLReader.read(bytes))
            return ComposePaths.absolute(node, from: FilePath.directory(of: path))
        } catch {
            throw ConfigError(error.message, at: error.position, file: file)
        }
    }

    /// The service with those below it that it extends: of the same file, or of another.
    private func extended(
        _ service: YAMLNode, services root: YAMLNode, _ path: String, _ variables: [String: String], _ count: inout Int,
        depth: Int
    ) throws(ConfigError) -> YAMLNode {
        guard let extends = service.entry("extends") else { return service }
        guard depth < Self.maximumFiles else { throw ConfigError("extends runs in a circle", at: extends.position) }
        var name = "", other = root, otherPath = path
        if case .scalar(let text, _) = extends.content {
            name = text
        } else {
            name = try extends.entry("service")?.scalar("service") ?? ""
        }
        if let file = extends.entry("file") {
            otherPath = FilePath.absolute(try file.scalar("file"), from: FilePath.directory(of: path))
            other = try tree(otherPath, variables, &count)
        }
        guard let base = other.entry("services")?.entry(name) else {
            throw ConfigError(
                "extends: there is no service \"\(name)\" in \(FilePath.lastComponent(otherPath))", at: extends.position
            )
        }
        let below = try extended(base, services: other, otherPath, variables, &count, depth: depth + 1)
        return ComposeMerge.merge(below, with: service.without("extends"))
    }

    private func project(
        _ root: YAMLNode, file: String, _ directory: String, _ variables: [String: String], _ places: [String: String]
    ) throws(ConfigError) -> ComposeProject {
        var project = ComposeProject(
            name: FilePath.lastComponent(directory), directory: directory, services: [], secrets: [], volumes: [],
            networks: [],
            ignored: [])
        do throws(ConfigError) {
            for entry in try root.mapped("the file") where !entry.key.hasPrefix("x-") {
                switch entry.key {
                case "name": project.name = try entry.value.scalar("name")
                case "version": continue
                case "services", "include": continue
                case "volumes": project.volumes = try entry.value.mapped("volumes").map(\.key)
                case "networks": project.networks = try entry.value.mapped("networks").map(\.key)
                case "secrets":
                    for secret in try entry.value.mapped("secrets") { project.secrets.append(try Self.secret(secret)) }
                default: throw ConfigError("field \(entry.key) is not supported", at: entry.position)
                }
            }
            for entry in try root.entry("services")?.mapped("services") ?? [] {
                var reader = ServiceReader(
                    name: entry.key, place: places[entry.key] ?? file, variables: variables, content: content)
                project.services.append(try reader.read(entry.value))
                project.ignored += reader.ignored
            }
            try Self.check(project)
        } catch {
            throw error.file.isEmpty ? ConfigError(error.message, at: error.position, file: file) : error
        }
        return project
    }

    private static func secret(_ entry: YAMLNode.Entry) throws(ConfigError) -> ComposeSecret {
        if let file = entry.value.entry("file") {
            return ComposeSecret(name: entry.key, source: .file(try file.scalar("file")))
        }
        if let variable = entry.value.entry("environment") {
            return ComposeSecret(name: entry.key, source: .environment(try variable.scalar("environment")))
        }
        throw ConfigError(
            "secret \(entry.key) needs file or environment; others cannot be had without Docker", at: entry.position)
    }

    /// Names that lead nowhere, and circles.
    private static func check(_ project: ComposeProject) throws(ConfigError) {
        guard !project.services.isEmpty else { throw ConfigError("there are no services") }
        for service in project.services {
            func failure(_ message: String) -> ConfigError { service.error(message) }
            for dependency in service.dependsOn {
                guard let other = project.service(dependency.service) else {
                    if !dependency.isRequired { continue }
                    throw failure("depends on \"\(dependency.service)\", which is no service")
                }
                if dependency.condition == .healthy && other.health == nil {
                    throw failure("waits for \(other.name) to be healthy, which has no healthcheck")
                }
            }
            for mount in service.mounts {
                if case .volume(let name) = mount.source, !project.volumes.contains(name) {
                    throw failure("uses volume \"\(name)\", which is not declared")
                }
            }
            for network in service.networks where network.name != "default" && !project.networks.contains(network.name) {
                throw failure("is on network \"\(network.name)\", which is not declared")
            }
            for secret in service.secrets where !project.secrets.contains(where: { $0.name == secret.source }) {
                throw failure("uses secret \"\(secret.source)\", which is not declared")
            }
        }
        var done: Set<String> = []
        while done.count < project.services.count {
            let ready = project.services.filter { service in
                !done.contains(service.name)
                    && service.dependsOn.allSatisfy { done.contains($0.service) || project.service($0.service) == nil }
            }
            guard !ready.isEmpty else {
                let names = project.services.map(\.name).filter { !done.contains($0) }
                throw ConfigError("depends_on runs in a circle: \(names.joined(separator: ", "))")
            }
            done.formUnion(ready.map(\.name))
        }
    }
}

extension ComposeService {
    /// An error that begins with the service's file, line and name.
    public func error(_ message: String) -> ConfigError {
        let parts = place.split(separator: ":")
        let line = parts.count > 1 ? parts.last.flatMap { Int($0) } : nil
        return ConfigError(
            "\(name) \(message)", at: line.map { YAMLPosition(line: $0) }, file: parts.first.map { String($0) } ?? place
        )
    }
}
