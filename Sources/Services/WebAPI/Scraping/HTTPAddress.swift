/// Where a connection goes: host and port, out of the address of a target.
///
///     api:8000    127.0.0.1    [::1]:9100    [fe80::1]
struct HTTPAddress: Hashable, Sendable {
    var host: String
    var port: Int

    /// `nil` where it is no address. Without a port, 80.
    init?(_ text: String) {
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { return nil }
            host = String(text[text.index(after: text.startIndex)..<close])
            let rest = text[text.index(after: close)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            guard let number = rest.isEmpty ? 80 : Int(rest.dropFirst()) else { return nil }
            port = number
        } else if let colon = text.lastIndex(of: ":") {
            host = String(text[..<colon])
            guard let number = Int(text[text.index(after: colon)...]) else { return nil }
            port = number
        } else {
            host = text
            port = 80
        }
        guard !host.isEmpty, (1...65535).contains(port), !host.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f }) else {
            return nil
        }
    }
}

/// Where a redirect leads: `Location`, read against the URL that was asked.
///
///     http://other:9100/metrics?x=1     //other/metrics     /metrics     sub/metrics
struct RedirectTarget: Equatable {
    var scheme: String
    var address: String
    var path: String
    var query: String

    init?(_ location: String, from scheme: String, _ address: String, _ path: String) {
        var rest = location[...]
        if let hash = rest.firstIndex(of: "#") { rest = rest[..<hash] }
        self.scheme = scheme
        self.address = address
        if let end = rest.range(of: "://"), !rest[..<end].contains(where: { $0 == "/" || $0 == "?" }) {
            self.scheme = rest[..<end].lowercased()
            rest = rest[rest.index(end, offsetBy: 3)...]
            (self.address, rest) = Self.authority(rest)
        } else if rest.hasPrefix("//") {
            (self.address, rest) = Self.authority(rest.dropFirst(2))
        } else if !rest.hasPrefix("/") && !rest.isEmpty && !rest.hasPrefix("?") {
            let directory = path.lastIndex(of: "/").map { path[...$0] } ?? "/"
            rest = (directory + rest)[...]
        }
        let question = rest.firstIndex(of: "?")
        self.path = String(rest[..<(question ?? rest.endIndex)])
        query = question.map { String(rest[rest.index(after: $0)...]) } ?? ""
        if self.path.isEmpty { self.path = question != nil && !location.contains("://") ? path : "/" }
        if self.address.isEmpty { return nil }
        guard location.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
    }

    private static func authority(_ text: Substring) -> (String, Substring) {
        let end = text.firstIndex { $0 == "/" || $0 == "?" } ?? text.endIndex
        // Credentials in a URL are not ours to use.
        let authority = text[..<end].split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        return (String(authority), text[end...])
    }
}

extension Substring {
    /// Where `text` begins for the first time.
    fileprivate func range(of text: String) -> Index? {
        var at = startIndex
        while at < endIndex {
            if self[at...].hasPrefix(text) { return at }
            formIndex(after: &at)
        }
        return nil
    }
}
