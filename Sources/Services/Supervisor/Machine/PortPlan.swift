import ComposeFile
import ConfigurationFile

/// Which port of this machine stands for which port of a service.
///
///     api 8000, published as 8000   ─▶ 127.0.0.1:8000 + offset       must be free
///     worker 8001, not published    ─▶ 127.0.0.1:8001 + offset       or any other that is
public struct PortPlan: Sendable {
    public struct Port: Equatable, Sendable {
        /// Inside the container.
        public var container: Int
        /// On 127.0.0.1.
        public var host: Int
        public var isPublished: Bool
    }

    public private(set) var ports: [String: [Port]] = [:]

    /// `isFree` asks the machine; `anyFree` gives a port nobody listens on.
    public init(
        _ services: [(service: ComposeService, ports: [Int])], offset: Int, isFree: (Int) -> Bool, anyFree: () -> Int?
    ) throws(ConfigError) {
        var taken: [Int: String] = [:]
        for (service, _) in services {
            for port in service.ports {
                guard let wanted = port.published else { continue }
                let host = wanted + offset
                guard (1...65535).contains(host) else {
                    throw service.error("would be at port \(host); take another --port-offset")
                }
                if let other = taken[host] { throw service.error("publishes port \(host), as \(other) does") }
                guard isFree(host) else {
                    throw service.error(
                        "publishes port \(host), where another process listens; --port-offset N moves all ports")
                }
                taken[host] = service.name
                ports[service.name, default: []].append(Port(container: port.target, host: host, isPublished: true))
            }
        }
        for (service, own) in services {
            for container in own where !(ports[service.name] ?? []).contains(where: { $0.container == container }) {
                var host = container + offset
                var tries = 0
                while !(1...65535).contains(host) || taken[host] != nil || !isFree(host) {
                    tries += 1
                    guard tries < 100, let other = anyFree() else {
                        throw service.error("finds no free port for its \(container)")
                    }
                    host = other
                }
                taken[host] = service.name
                let isPublished = service.ports.contains { $0.target == container }
                ports[service.name, default: []].append(
                    Port(container: container, host: host, isPublished: isPublished))
            }
        }
    }

    /// Where a container port is reached first.
    public func host(_ service: String, _ container: Int) -> Int? {
        ports[service]?.first { $0.container == container }?.host
    }
}

/// Ports that programs listen on when they are not told otherwise, and those they are told.
enum ListenPorts {
    static func of(_ program: ProgramKind, _ arguments: [String]) -> [Int] {
        var ports: [Int] = []
        func told(_ flag: String) -> [Int] {
            var result: [Int] = []
            for (index, argument) in arguments.enumerated() {
                if argument.hasPrefix("--\(flag)=") {
                    result += port(argument)
                } else if argument == "--\(flag)", index + 1 < arguments.count {
                    result += port(arguments[index + 1])
                }
            }
            return result
        }
        let words = arguments.prefix { !$0.hasPrefix("-") }
        let main: Int?
        switch (program, words.first, words.dropFirst().first) {
        case (.postgres, _, _): main = 5432
        case (.demo, "api", _): main = 8000
        case (.demo, "worker", _): main = 8001
        case (.demo, "exporter", _): main = 9187
        case (.own, "bot", "docker-proxy"): main = 2375
        case (.own, "bot", _): main = 5001
        case (.own, "alertmanager", _): main = 9093
        case (.own, "exporter", "blackbox"): main = 9115
        case (.own, "exporter", _): main = 9100
        case (.own, nil, _), (.own, "serve", _): main = 9090
        case (.own, _, _), (.demo, _, _), (.host, _, _): main = nil
        }
        let web = told("web.listen-address")
        if web.isEmpty { ports += main.map { [$0] } ?? [] } else { ports += web }
        let flags = Set(arguments.filter { $0.hasPrefix("--") }.map { String($0.dropFirst(2).prefix { $0 != "=" }) })
        if flags.contains("alertmanager.config.file") && !flags.contains("alertmanager.web.listen-address") {
            ports.append(9093)
        }
        for flag in flags.sorted()
        where flag != "web.listen-address"
            && (flag.hasSuffix("listen-address") || flag == "listen" || flag == "control")
        {
            ports += told(flag)
        }
        return ports
    }

    /// `:9090`, `127.0.0.1:9090`, `--flag=:9090`.
    private static func port(_ text: String) -> [Int] {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (1...65535).contains(port)
        else {
            return []
        }
        return [port]
    }
}
