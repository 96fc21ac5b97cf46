extension ServiceNames {
    /// A URL for clients that resolve names themselves: where the connection goes, and the `Host` header that keeps the name.
    ///
    ///     http://api:8000/health  ─▶  http://127.0.0.1:18000/health, Host: api:8000
    ///
    /// The header is `nil` where nothing changes. Only http: with TLS the name in the URL is what a certificate is checked against.
    public func connecting(toURL url: String) -> (url: String, hostHeader: String?) {
        let scheme = "http://"
        guard !isEmpty, url.hasPrefix(scheme) else { return (url, nil) }
        let rest = url.dropFirst(scheme.count)
        let authority = rest.prefix { !"/?#".contains($0) }
        let start = authority.lastIndex(of: "@").map { authority.index(after: $0) } ?? authority.startIndex
        let credentials = authority[..<start], place = authority[start...]
        var host = place, port = 80
        if let colon = place.lastIndex(of: ":"), !place.hasSuffix("]") {
            guard let number = Int(place[place.index(after: colon)...]) else { return (url, nil) }
            host = place[..<colon]
            port = number
        }
        let name = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : String(host)
        let real = connecting(to: name, port)
        guard real != Place(name, port) else { return (url, nil) }
        let shown = real.host.contains(":") ? "[\(real.host)]" : real.host
        return (scheme + credentials + "\(shown):\(real.port)" + rest[authority.endIndex...], String(place))
    }
}
