import ServiceNames

/// A service's address as people write it, taken apart: `http://api:8000`, `https://[::1]:9090/prefix`, `localhost:8000`.
struct ServiceAddress: Equatable {
    var isSecure = false
    var host: String
    var port: Int
    /// With a slash in front, none at the end.
    var prefix: String

    init(_ text: String) throws(IncidentError) {
        let malformed = IncidentError(.usage, "\"\(text)\" is not an address such as http://localhost:8000")
        var rest = Substring(text)
        if rest.hasPrefix("http://") {
            rest = rest.dropFirst(7)
        } else if rest.hasPrefix("https://") {
            rest = rest.dropFirst(8)
            isSecure = true
        }
        guard rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "#") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "@") })
        else { throw malformed }
        let end = rest.firstIndex(of: "/") ?? rest.endIndex
        var path = rest[end...]
        while path.hasSuffix("/") { path.removeLast() }
        prefix = String(path)
        let authority = rest[..<end]
        var name = authority
        var number: Int? = isSecure ? 443 : 80
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            name = authority[..<colon]
            number = Int(authority[authority.index(after: colon)...])
        }
        if name.hasPrefix("["), name.hasSuffix("]") { name = name.dropFirst().dropLast() }
        guard let number, (1...65535).contains(number), !name.isEmpty, !name.contains("/") else { throw malformed }
        host = String(name)
        port = number
    }

    /// `host:port` for the `Host` header.
    var authority: String { Self.authority(host, port) }

    /// The URL that leads to `place`, with our prefix.
    func url(at place: ServiceNames.Place) -> String {
        (isSecure ? "https://" : "http://") + Self.authority(place.host, place.port) + prefix
    }

    private static func authority(_ host: String, _ port: Int) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
