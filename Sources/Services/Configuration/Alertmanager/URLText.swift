import Numbers

/// What is wrong with an address, in the words of Go's `net/url` and Alertmanager's configuration.
enum URLText {
    /// `nil` for an address of http or https with a host.
    static func problem(_ text: String) -> String? {
        let parts: (scheme: String, host: String)
        switch split(text) {
        case .success(let found): parts = found
        case .failure(let problem): return "parse \(QuotedText.go(text)): \(problem.text)"
        }
        if parts.scheme != "http" && parts.scheme != "https" { return "unsupported scheme \(QuotedText.go(parts.scheme)) for URL" }
        return parts.host.isEmpty ? "missing host for URL" : nil
    }

    /// `nil` for anything that `net/url` takes apart.
    static func syntaxProblem(_ text: String) -> String? {
        guard case .failure(let problem) = split(text) else { return nil }
        return "parse \(QuotedText.go(text)): \(problem.text)"
    }

    private struct Problem: Error { var text: String }

    private static func split(_ text: String) -> Result<(scheme: String, host: String), Problem> {
        func fail(_ text: String) -> Result<(scheme: String, host: String), Problem> { .failure(Problem(text: text)) }
        if text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) { return fail("net/url: invalid control character in URL") }
        var rest = text.utf8[...]
        if let fragment = rest.firstIndex(of: UInt8(ascii: "#")) { rest = rest[..<fragment] }
        var scheme = ""
        let letters = rest.prefix { isSchemePart($0) }
        if letters.endIndex < rest.endIndex, rest[letters.endIndex] == UInt8(ascii: ":") {
            guard let first = letters.first else { return fail("missing protocol scheme") }
            if first | 0x20 >= 0x61 && first | 0x20 <= 0x7a {
                scheme = String(decoding: letters, as: UTF8.self).lowercased()
                rest = rest[rest.index(after: letters.endIndex)...]
            }
        }
        if let query = rest.firstIndex(of: UInt8(ascii: "?")) { rest = rest[..<query] }
        guard rest.starts(with: "//".utf8) else {
            if scheme.isEmpty, let colon = rest.firstIndex(of: UInt8(ascii: ":")), !rest[..<colon].contains(UInt8(ascii: "/")) {
                return fail("first path segment in URL cannot contain colon")
            }
            return escapeProblem(rest).map { fail($0) } ?? .success((scheme, ""))
        }
        let authority = rest.dropFirst(2).prefix { $0 != UInt8(ascii: "/") }
        if let problem = escapeProblem(rest[authority.endIndex...]) { return fail(problem) }
        var host = authority
        if let at = authority.lastIndex(of: UInt8(ascii: "@")) { host = authority[authority.index(after: at)...] }
        if let problem = hostProblem(host) { return fail(problem) }
        return .success((scheme, String(decoding: host, as: UTF8.self)))
    }

    private static func hostProblem(_ host: Substring.UTF8View) -> String? {
        var afterHost = host
        if host.first == UInt8(ascii: "[") {
            guard let close = host.lastIndex(of: UInt8(ascii: "]")) else { return "missing ']' in host" }
            afterHost = host[host.index(after: close)...]
        } else {
            let allowed = Set("!$&'()*+,;=:[]<>\"-_.~%".utf8)
            for byte in host where byte < 0x80 && !isSchemePart(byte) && !allowed.contains(byte) {
                return "invalid character \(QuotedText.go(String(decoding: [byte], as: UTF8.self))) in host name"
            }
            if let problem = escapeProblem(host) { return problem }
            guard let colon = host.lastIndex(of: UInt8(ascii: ":")) else { return nil }
            afterHost = host[colon...]
        }
        if afterHost.isEmpty { return nil }
        let isPort = afterHost.first == UInt8(ascii: ":") && afterHost.dropFirst().allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
        return isPort ? nil : "invalid port \(QuotedText.go(String(decoding: afterHost, as: UTF8.self))) after host"
    }

    /// Of a percent sign without two digits behind it.
    private static func escapeProblem(_ text: Substring.UTF8View) -> String? {
        var rest = text
        while let percent = rest.firstIndex(of: UInt8(ascii: "%")) {
            let escape = rest[percent...].prefix(3)
            guard escape.count == 3, escape.dropFirst().allSatisfy({ isHexadecimal($0) }) else {
                return "invalid URL escape \(QuotedText.go(String(decoding: escape, as: UTF8.self)))"
            }
            rest = rest[escape.endIndex...]
        }
        return nil
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (byte >= 0x30 && byte <= 0x39) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x66)
    }

    private static func isSchemePart(_ byte: UInt8) -> Bool {
        (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || [0x2b, 0x2d, 0x2e].contains(byte)
    }
}

/// `host:port`, as `smtp_smarthost` writes it.
enum HostPortText {
    /// What is wrong, in the words of Go's `net.SplitHostPort`; `nil` for an address, and for nothing.
    static func problem(_ text: String) -> String? {
        if text.isEmpty { return nil }
        guard let colon = text.lastIndex(of: ":") else { return "address \(text): missing port in address" }
        let host = text[..<colon], port = text[text.index(after: colon)...]
        if host.hasPrefix("[") {
            guard let close = host.firstIndex(of: "]") else { return "address \(text): missing ']' in address" }
            if host.index(after: close) != host.endIndex {
                return "address \(text): \(text.hasSuffix("]") ? "missing port in address" : "too many colons in address")"
            }
        } else if host.contains(":") {
            return "address \(text): too many colons in address"
        } else if host.contains("[") || host.contains("]") {
            return "address \(text): unexpected '\(host.contains("[") ? "[" : "]")' in address"
        }
        return port.isEmpty ? "address \(QuotedText.go(text)): port cannot be empty" : nil
    }
}
