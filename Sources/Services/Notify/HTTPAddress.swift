/// An HTTP URL in its parts.
///
///     https://user:secret@host:8443/path?q=1
///     scheme  credentials host port rest
package struct HTTPAddress: Equatable {
    package var isSecure: Bool
    package var credentials: String?
    /// Without brackets where it is an IPv6 address.
    package var host: String
    package var port: Int
    /// Path and query, from the slash on; the fragment is left out, for servers never see it.
    package var rest: String

    package init?(_ text: String) {
        guard let colon = text.range(ofFirst: "://") else { return nil }
        switch text[..<colon.lowerBound].lowercased() {
        case "http": isSecure = false
        case "https": isSecure = true
        default: return nil
        }
        let after = text[colon.upperBound...]
        let end = after.firstIndex { "/?#".contains($0) } ?? after.endIndex
        var authority = after[..<end]
        if let at = authority.lastIndex(of: "@") {
            credentials = String(authority[..<at])
            authority = authority[authority.index(after: at)...]
        }
        var portText: Substring?
        if authority.first == "[" {
            guard let close = authority.firstIndex(of: "]") else { return nil }
            host = String(authority[authority.index(after: authority.startIndex)..<close])
            let behind = authority[authority.index(after: close)...]
            if behind.first == ":" { portText = behind.dropFirst() } else if !behind.isEmpty { return nil }
        } else {
            let colon = authority.lastIndex(of: ":")
            host = String(authority[..<(colon ?? authority.endIndex)])
            if let colon { portText = authority[authority.index(after: colon)...] }
        }
        port = isSecure ? 443 : 80
        if let portText, !portText.isEmpty {
            guard let number = Int(portText), (1...65_535).contains(number) else { return nil }
            port = number
        }
        let path = after[end...].prefix { $0 != "#" }
        rest = path.first == "/" ? String(path) : "/" + path
        guard !host.isEmpty, text.utf8.allSatisfy({ $0 > 32 && $0 != 127 }) else { return nil }
    }

    /// `https://host:8443`
    package var origin: String {
        let shownHost = host.contains(":") ? "[\(host)]" : host
        let isDefault = port == (isSecure ? 443 : 80)
        return (isSecure ? "https://" : "http://") + shownHost + (isDefault ? "" : ":\(port)")
    }

    /// What is asked for: without the credentials.
    package var url: String { origin + rest }

    /// Where a redirect from here leads.
    package func resolved(_ location: String) -> HTTPAddress? {
        if location.range(ofFirst: "://") != nil { return HTTPAddress(location) }
        if location.hasPrefix("//") { return HTTPAddress((isSecure ? "https:" : "http:") + location) }
        if location.hasPrefix("/") { return HTTPAddress(origin + location) }
        let path = rest.prefix { $0 != "?" }
        let folder = path[...(path.lastIndex(of: "/") ?? path.startIndex)]
        return HTTPAddress(origin + folder + location)
    }
}

extension String {
    fileprivate func range(ofFirst piece: String) -> Range<String.Index>? {
        let bytes = Array(piece.utf8)
        var index = utf8.startIndex
        while index < utf8.endIndex {
            if utf8[index...].starts(with: bytes) { return index..<utf8.index(index, offsetBy: bytes.count) }
            index = utf8.index(after: index)
        }
        return nil
    }
}
