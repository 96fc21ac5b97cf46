import ServiceNames

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where the database is and who asks, from the variables that `psql` reads, too.
///
///     PGHOST=postgres_db PGPORT=5432 PGUSER=demo PGDATABASE=demo PGPASSWORD_FILE=/run/secrets/db PG_STATEMENT_TIMEOUT_MS=5000
public struct PostgresSettings: Equatable, Sendable {
    public var host = "postgres_db"
    public var port = 5432
    public var user = "demo"
    public var database = "demo"
    public var password: String?
    /// The longest a statement may take, on the server; a second later we stop waiting.
    public var statementTimeout = Swift.Duration.seconds(5)
    /// The longest a connection may take to come about.
    public var connectTimeout = Swift.Duration.seconds(2)
    /// As `pg_stat_activity` shows us.
    public var applicationName = "minprom-demo"

    public init() {}

    /// Of the environment. A password file that cannot be read is no password: the server will say so.
    public init(environment value: (String) -> String?, contentsOf file: (String) -> String? = Self.contents) throws(PostgresError) {
        if let host = value("PGHOST"), !host.isEmpty { self.host = host }
        if let text = value("PGPORT"), !text.isEmpty { port = try Self.number(text, "PGPORT", 1...65535) }
        if let user = value("PGUSER"), !user.isEmpty { self.user = user }
        if let database = value("PGDATABASE"), !database.isEmpty { self.database = database }
        if let password = value("PGPASSWORD"), !password.isEmpty {
            self.password = password
        } else if let path = value("PGPASSWORD_FILE"), !path.isEmpty {
            guard let text = file(path) else { throw PostgresError(.refused, "PGPASSWORD_FILE: cannot read \(path)") }
            password = String(text.prefix { !$0.isNewline })
        }
        if let text = value("PG_STATEMENT_TIMEOUT_MS"), !text.isEmpty {
            statementTimeout = .milliseconds(try Self.number(text, "PG_STATEMENT_TIMEOUT_MS", 1...600_000))
        }
    }

    public static func ofProcess() throws(PostgresError) -> PostgresSettings {
        try PostgresSettings(environment: { getenv($0).map { String(cString: $0) } })
    }

    private static func number(_ text: String, _ name: String, _ range: ClosedRange<Int>) throws(PostgresError) -> Int {
        guard let number = Int(text), range.contains(number) else {
            throw PostgresError(.refused, "\(name): \"\(text)\" is no number of \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// At most 64 KiB of a file.
    public static func contents(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { _ = close(descriptor) }
        var block = [UInt8](repeating: 0, count: 64 << 10)
        let count = block.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        return count < 0 ? nil : String(decoding: block[..<count], as: UTF8.self)
    }

    /// libpq's connection keywords. The name stays in `host` (certificates, messages); where a service of that name really is goes
    /// into `hostaddr`.
    public func keywords(_ names: ServiceNames = .current) -> [(name: String, value: String)] {
        var host = host, port = port, address: String?
        if !host.hasPrefix("/") {
            let place = names.connecting(to: host, port)
            port = place.port
            if place.host != host {
                if Self.isAddress(place.host) { address = place.host } else { host = place.host }
            }
        }
        var result = [
            ("host", host), ("port", String(port)), ("user", user), ("dbname", database), ("application_name", applicationName),
            ("client_encoding", "UTF8"), ("connect_timeout", String(max(2, connectTimeout.components.seconds))),
            // Kerberos is not asked for, so its libraries need not look for tickets.
            ("gssencmode", "disable"),
            ("keepalives_idle", "10"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
            ("options", "-c client_min_messages=warning"),
        ]
        if let address { result.append(("hostaddr", address)) }
        if let password { result.append(("password", password)) }
        return result
    }

    private static func isAddress(_ host: String) -> Bool {
        var v4 = in_addr(), v6 = in6_addr()
        return inet_pton(AF_INET, host, &v4) == 1 || inet_pton(AF_INET6, host, &v6) == 1
    }

    static func milliseconds(_ duration: Swift.Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds &* 1000 &+ attoseconds / 1_000_000_000_000_000
    }
}
