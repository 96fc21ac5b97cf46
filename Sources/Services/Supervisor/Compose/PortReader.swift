import ConfigurationFile

/// `ports:` in its forms.
///
///     "8000"   "8000:8000"   "127.0.0.1:9090:9090"   "6060:6060/tcp"   {target: 80, published: "8080", host_ip: 127.0.0.1}
enum PortReader {
    static func published(_ node: YAMLNode) throws(ConfigError) -> ComposeService.PublishedPort {
        if case .mapping = node.content {
            guard let target = node.entry("target") else {
                throw ConfigError("a port needs a target", at: node.position)
            }
            let published = node.entry("published")
            return .init(
                host: try node.entry("host_ip")?.scalar("host_ip") ?? "",
                published: try published.map { node throws(ConfigError) in try number(node.scalar("published"), node) },
                target: try number(target.scalar("target"), target))
        }
        var text = Substring(try node.scalar("ports"))
        if let slash = text.lastIndex(of: "/") {
            guard text[slash...] == "/tcp" else {
                throw ConfigError("only TCP ports are supported, not \"\(text)\"", at: node.position)
            }
            text = text[..<slash]
        }
        guard let colon = text.lastIndex(of: ":") else {
            return .init(host: "", published: nil, target: try number(String(text), node))
        }
        let target = try number(String(text[text.index(after: colon)...]), node)
        var rest = text[..<colon], host = ""
        if let colon = rest.lastIndex(of: ":") {
            host = rest[..<colon].filter { $0 != "[" && $0 != "]" }
            rest = rest[rest.index(after: colon)...]
        }
        return .init(host: host, published: rest.isEmpty ? nil : try number(String(rest), node), target: target)
    }

    static func number(_ text: String, _ node: YAMLNode) throws(ConfigError) -> Int {
        guard let number = Int(text), (1...65535).contains(number) else {
            throw ConfigError("\"\(text)\" is not a port from 1 to 65535; ranges are not supported", at: node.position)
        }
        return number
    }
}
