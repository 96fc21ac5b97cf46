/// Container paths in commands and variables, as this machine has them.
///
///     /etc/prometheus ─▶ /home/me/minprom/prometheus      --config.file=/etc/prometheus/prometheus.yml
///     /prometheus     ─▶ …/.minprom/volumes/data      ─▶  --config.file=/home/me/minprom/prometheus/prometheus.yml
///
/// A path begins at the start of a text or behind `=`, `:`, `,`, a blank or a quote, and the longest mount that covers it counts.
/// The two slashes of a URL begin no path.
public struct PathMapping: Sendable {
    public struct Mount: Equatable, Sendable {
        public var container: String
        public var host: String

        public init(_ container: String, _ host: String) {
            self.container = container
            self.host = host
        }
    }

    /// The longest first.
    public private(set) var mounts: [Mount] = []

    public init(_ mounts: [Mount]) {
        for mount in mounts {
            var container = mount.container
            while container.hasSuffix("/") { container.removeLast() }
            if !container.isEmpty { self.mounts.append(Mount(container, mount.host)) }
        }
        self.mounts.sort { $0.container.utf8.count > $1.container.utf8.count }
    }

    /// Where a path of the container lies here; `nil` outside of all mounts.
    public func host(of path: String) -> String? {
        for mount in mounts where path == mount.container || path.hasPrefix(mount.container + "/") {
            return mount.host + path.dropFirst(mount.container.count)
        }
        return nil
    }

    public func rewrite(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "/")), !mounts.isEmpty else { return text }
        var result = "", rest = Substring(text), begins = true
        while let character = rest.first {
            if character == "/", begins, !rest.hasPrefix("//") {
                let path = rest.prefix { !Self.ends($0) }
                result += host(of: String(path)) ?? String(path)
                rest = rest[path.endIndex...]
                begins = false
                continue
            }
            result.append(character)
            rest.removeFirst()
            // `//host`: what follows the first slash of a URL is not a path of ours.
            begins = Self.ends(character)
            if character == ":" && rest.hasPrefix("//") {
                let authority = rest.prefix { !" \t\n,;\"'".contains($0) }
                result += authority
                rest = rest[authority.endIndex...]
                begins = false
            }
        }
        return result
    }

    private static func ends(_ character: Character) -> Bool { " \t\n=:,;\"'".contains(character) }
}
