import HTTPServer
import Postgres

/// Where the exporter finds its server, in the original's variables.
///
///     DATA_SOURCE_NAME   postgresql://demo:secret@postgres_db:5432/demo?sslmode=disable
///     DATA_SOURCE_URI    postgres_db:5432/demo?sslmode=disable        with DATA_SOURCE_USER and DATA_SOURCE_PASS (or …_FILE)
///
/// Without them it is PGHOST and the others, as for every service here.
public enum DataSource {
    /// Changes what `settings` has of it; throws a line for the user. What stands behind `?` is libpq's own affair and passed over.
    public static func apply(_ text: String, to settings: inout PostgresSettings) throws(PostgresError) {
        var rest = Substring(text)
        for scheme in ["postgresql://", "postgres://"] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.count) }
        guard !rest.contains("://") else { throw mistake("is no postgresql:// address") }
        rest = rest.prefix { $0 != "?" }
        if let at = rest.lastIndex(of: "@") {
            let user = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decoded(user[0]) else { throw mistake("has a wrong % in the user") }
            if !name.isEmpty { settings.user = name }
            if user.count == 2 {
                guard let password = decoded(user[1]) else { throw mistake("has a wrong % in the password") }
                settings.password = password
            }
            rest = rest[rest.index(after: at)...]
        }
        let sides = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        if sides.count == 2, !sides[1].isEmpty {
            guard let database = decoded(sides[1]) else { throw mistake("has a wrong % in the database") }
            settings.database = database
        }
        var host = sides[0]
        if let colon = host.lastIndex(of: ":"), !host.hasSuffix("]") {
            guard let port = Int(host[host.index(after: colon)...]), (1...65535).contains(port) else { throw mistake("has a wrong port") }
            settings.port = port
            host = host[..<colon]
        }
        if host.hasPrefix("[") && host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        if !host.isEmpty { settings.host = String(host) }
    }

    private static func decoded(_ text: Substring) -> String? { PercentCoding.decode(text.utf8, plusIsSpace: false) }

    /// Without the text itself: it has a password in it.
    private static func mistake(_ what: String) -> PostgresError { PostgresError(.refused, "DATA_SOURCE_NAME \(what)") }
}
