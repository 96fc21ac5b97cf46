import ComposeFile

/// The names that one service is known by, and where they lead: the text of `MINPROM_SERVICE_NAMES`.
///
///     api on networks back, front ─▶ every service on one of them, each name × each port
///                                    own ports: as `localhost`, too, and as what to listen on
extension LaunchPlan {
    static func allNames(of service: ComposeService) -> [String] {
        var names = [service.name]
        names += [service.containerName, service.hostname].compactMap { $0 }
        names += service.networks.flatMap(\.aliases)
        var unique: [String] = []
        for name in names where !unique.contains(name) { unique.append(name) }
        return unique
    }

    /// What `ServiceNames` reads: others on a network of the same name, and where to listen.
    func names(for service: ComposeService, own: [(container: Int, host: Int)]) -> String {
        let networks = Set(service.networks.map(\.name))
        var entries: [String] = []
        for other in project.services
        where other.name == service.name || !networks.isDisjoint(with: other.networks.map(\.name)) {
            if let external, isExternal(other.name) {
                for name in Self.allNames(of: other) {
                    entries.append("\(name):5432=\(external.host):\(external.port)")
                }
                continue
            }
            let places =
                other.name == service.name ? own : (ports.ports[other.name] ?? []).map { ($0.container, $0.host) }
            for name in Self.allNames(of: other) {
                for (container, host) in places { entries.append("\(name):\(container)=127.0.0.1:\(host)") }
            }
        }
        for (container, host) in own {
            for name in ["localhost", "127.0.0.1"] where container != host {
                entries.append("\(name):\(container)=127.0.0.1:\(host)")
            }
            entries.append(":\(container)=127.0.0.1:\(host)")
        }
        return entries.joined(separator: " ")
    }
}
