/// Cookies of one probe, given back along its redirects: some pages redirect for ever without.
///
/// A cookie goes back to the very host it came from and under the path it names, a `Secure` one only over TLS. Cookies for a whole
/// domain are not given to its other hosts: who is a public suffix and who is not takes a list we do not carry.
/// Source: RFC 6265.
struct CookieJar {
    private struct Cookie {
        var host: String
        var path: String
        var isSecure: Bool
        var name: String
        var value: String
    }

    static let maximumCookies = 50
    private var cookies: [Cookie] = []

    mutating func take(_ headers: [String], from host: String, path: String) {
        for header in headers {
            let parts = header.split(separator: ";", omittingEmptySubsequences: false).map { Self.trimmed($0) }
            guard let pair = parts.first, let equals = pair.firstIndex(of: "="), equals != pair.startIndex else { continue }
            let directory = path.lastIndex(of: "/").map { path[..<$0] } ?? ""
            var cookie = Cookie(
                host: host.lowercased(), path: directory.isEmpty ? "/" : String(directory), isSecure: false, name: String(pair[..<equals]),
                value: String(pair[pair.index(after: equals)...]))
            for attribute in parts.dropFirst() {
                if attribute.lowercased() == "secure" { cookie.isSecure = true }
                if attribute.lowercased().hasPrefix("path=/") { cookie.path = String(attribute.dropFirst("path=".count)) }
            }
            cookies.removeAll { $0.host == cookie.host && $0.name == cookie.name && $0.path == cookie.path }
            if cookies.count < Self.maximumCookies { cookies.append(cookie) }
        }
    }

    /// The line for a request; `nil` where there is nothing to say.
    func header(for host: String, path: String, isSecure: Bool) -> String? {
        let found = cookies.filter { cookie in
            let isUnder = path == cookie.path || path.hasPrefix(cookie.path.hasSuffix("/") ? cookie.path : cookie.path + "/")
            return cookie.host == host.lowercased() && isUnder && (isSecure || !cookie.isSecure)
        }
        return found.isEmpty ? nil : found.map { "\($0.name)=\($0.value)" }.joined(separator: "; ")
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
