/// `--postgres postgres://user:password@host:5432/database`: a server that is there already.
public struct ExternalPostgres: Equatable, Sendable {
    public var host: String
    public var port: Int
    public var user: String
    public var password: String
    public var database: String

    public init?(_ url: String) {
        guard let scheme = ["postgres://", "postgresql://"].first(where: url.hasPrefix) else { return nil }
        var rest = url.dropFirst(scheme.count)
        rest = rest.prefix { $0 != "?" }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        database = String(rest[slash...].dropFirst())
        var authority = rest[..<slash]
        user = ""
        password = ""
        if let at = authority.lastIndex(of: "@") {
            let parts = authority[..<at].split(separator: ":", maxSplits: 1).map(String.init)
            user = parts.first ?? ""
            password = parts.count > 1 ? parts[1] : ""
            authority = authority[authority.index(after: at)...]
        }
        port = 5432
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            guard let number = Int(authority[authority.index(after: colon)...]), (1...65535).contains(number) else {
                return nil
            }
            port = number
            authority = authority[..<colon]
        }
        host = authority.filter { $0 != "[" && $0 != "]" }
        guard !host.isEmpty else { return nil }
        if user.isEmpty { user = "postgres" }
        if database.isEmpty { database = user }
    }
}
