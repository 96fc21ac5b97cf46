#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where services of one stack find each other when there is no network with names: what Docker's DNS and port mapping do for
/// containers, for processes of one machine.
///
///     MINPROM_SERVICE_NAMES="api:8000=127.0.0.1:18000 postgres_db=127.0.0.1 :8000=127.0.0.1:18000"
///                            │                        │                     └ who would listen on port 8000 listens there
///                            │                        └ every port of that name
///                            └ who would connect to api:8000 connects there
///
/// Only the connection goes elsewhere: labels, `Host` headers and messages keep the names, so one configuration file works in
/// containers and without. `minprom up` sets the variable for its children; nobody else has to know it.
public struct ServiceNames: Equatable, Sendable {
    public struct Place: Hashable, Sendable {
        public var host: String
        public var port: Int

        public init(_ host: String, _ port: Int) {
            self.host = host
            self.port = port
        }
    }

    private var names: [Place: Place] = [:]
    private var hosts: [String: String] = [:]
    private var listeners: [Int: Place] = [:]

    public static let variable = "MINPROM_SERVICE_NAMES"

    /// Of this process; read once. What cannot be read of it is passed over.
    public static let current = ServiceNames(getenv(variable).map { String(cString: $0) } ?? "")

    /// Entries apart by blanks; one that is none of the three forms is passed over.
    public init(_ text: String) {
        for entry in text.split(separator: " ") {
            let sides = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2 else { continue }
            let (left, right) = (Self.place(sides[0]), Self.place(sides[1]))
            switch (left.host, left.port, right.port) {
            case ("", let port?, let to?): listeners[port] = Place(right.host, to)
            case (let host, let port?, let to?) where !right.host.isEmpty:
                names[Place(host, port)] = Place(right.host, to)
            case (let host, nil, nil) where !host.isEmpty && !host.contains(":") && !right.host.isEmpty:
                hosts[host] = right.host
            default: continue
            }
        }
    }

    public var isEmpty: Bool { names.isEmpty && hosts.isEmpty && listeners.isEmpty }

    /// Where a connection to `host:port` really goes.
    public func connecting(to host: String, _ port: Int) -> Place {
        if let place = names[Place(host, port)] { return place }
        return Place(hosts[host] ?? host, port)
    }

    /// Where a server really listens that was told `host:port`.
    public func listening(on host: String, _ port: Int) -> Place { listeners[port] ?? Place(host, port) }

    /// `[::1]:80` and `name:80` have a port, `name` and `::1` have none.
    private static func place(_ text: Substring) -> (host: String, port: Int?) {
        if let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (1...65535).contains(port)
        {
            var host = text[..<colon]
            if host.hasPrefix("[") && host.hasSuffix("]") { host = host.dropFirst().dropLast() }
            if text.hasPrefix("[") || !host.contains(":") { return (String(host), port) }
        }
        return (String(text), nil)
    }
}
