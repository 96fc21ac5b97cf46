/// `host:port`, `[v6]:port`: where a target of tcp and dns is.
struct HostPort: Equatable {
    var host: String
    var port: Int

    /// Throws in the words of Go's `net.SplitHostPort`.
    init(_ text: String) throws(ProbeFailure) {
        guard let colon = text.lastIndex(of: ":") else { throw ProbeFailure("address \(text): missing port in address") }
        var host = text[..<colon]
        if host.hasPrefix("[") {
            guard host.hasSuffix("]") else { throw ProbeFailure("address \(text): missing port in address") }
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw ProbeFailure("address \(text): too many colons in address")
        }
        guard let port = Int(text[text.index(after: colon)...]), (0...65_535).contains(port) else {
            throw ProbeFailure("address \(text): invalid port")
        }
        self.host = String(host)
        self.port = port
    }
}
