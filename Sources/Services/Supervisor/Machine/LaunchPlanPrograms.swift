import ComposeFile
import ConfigurationFile

/// Which program a service is, by its image, build target or entry point, and what it is given.
extension LaunchPlan {
    static func program(of service: ComposeService) throws(ConfigError) -> ProgramKind {
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
}
