import ServiceNames
import TSDB

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
        program: String, arguments: [String], environment: [String], directory: String, stopSignal: String,
        deathSignal: String,
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
                guard let number = Int(authority[authority.index(after: colon)...]), (1...65535).contains(number) else {
                    return nil
                }
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
