/// Hosts and ports as addresses write them, taken apart as Go's package `net` does.
///
///     db1.example.com:5432   [2001:db8::1]:5432   192.0.2.1
///          └ withoutPort  db1.example.com      2001:db8::1        192.0.2.1
///          └ withoutDomain     db1:5432   [2001:db8::1]:5432      192.0.2.1
enum HostPort {
    /// The host; the text itself where it names no port.
    static func withoutPort(_ text: String) -> String { split(text)?.host ?? text }

    /// The host's first name, with its port; addresses stay as they are.
    static func withoutDomain(_ text: String) -> String {
        let parts = split(text)
        let host = parts?.host ?? text
        if isAddress(host) { return text }
        let name = String(decoding: host.utf8.prefix { $0 != UInt8(ascii: ".") }, as: UTF8.self)
        guard let port = parts?.port, !port.isEmpty else { return name }
        return name.utf8.contains(UInt8(ascii: ":")) || name.utf8.contains(UInt8(ascii: "%"))
            ? "[\(name)]:\(port)" : "\(name):\(port)"
    }

    /// As Go's `SplitHostPort`: `nil` where it says there is no port or a bracket is out of place.
    static func split(_ text: String) -> (host: String, port: String)? {
        let bytes = Array(text.utf8)
        guard let colon = bytes.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        let host: ArraySlice<UInt8>
        /// No bracket may stand from here on.
        var (openFrom, closeFrom) = (0, 0)
        if bytes.first == UInt8(ascii: "[") {
            guard let end = bytes.firstIndex(of: UInt8(ascii: "]")), end + 1 == colon else { return nil }
            host = bytes[1..<end]
            (openFrom, closeFrom) = (1, end + 1)
        } else {
            host = bytes[..<colon]
            if host.contains(UInt8(ascii: ":")) { return nil }
        }
        guard !bytes[openFrom...].contains(UInt8(ascii: "[")), !bytes[closeFrom...].contains(UInt8(ascii: "]")) else {
            return nil
        }
        return (String(decoding: host, as: UTF8.self), String(decoding: bytes[(colon + 1)...], as: UTF8.self))
    }

    // MARK: Addresses

    static func isAddress(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return isIPv4(bytes[...]) || isIPv6(bytes[...])
    }

    /// Four numbers up to 255, without leading zeros.
    private static func isIPv4(_ bytes: ArraySlice<UInt8>) -> Bool {
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                guard (1...3).contains(part.count), part.allSatisfy({ (0x30...0x39).contains($0) }) else {
                    return false
                }
                if part.count > 1 && part.first == 0x30 { return false }
                return part.reduce(0) { $0 * 10 + Int($1 - 0x30) } <= 255
            }
    }

    /// Eight groups of up to four hexadecimal digits, one run of zeros as `::`, the last two as an IPv4 address if it likes.
    private static func isIPv6(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.contains(UInt8(ascii: ":")) else { return false }
        let groups = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var count = 0, hasGap = false
        var index = 0
        while index < groups.count {
            let group = groups[index]
            if group.isEmpty {
                // Empty at an end belongs to a `::` there: `::1` is three groups, the first two empty.
                let isLead = index == 0 && groups.count > 2 && groups[1].isEmpty
                let isTrail = index == groups.count - 1 && groups.count > 2 && groups[index - 1].isEmpty
                if isLead || isTrail {
                    index += 1
                    continue
                }
                if hasGap || index == 0 || index == groups.count - 1 { return false }
                hasGap = true
            } else if index == groups.count - 1, group.contains(UInt8(ascii: ".")) {
                guard isIPv4(group) else { return false }
                count += 2
            } else {
                guard group.count <= 4, group.allSatisfy(isHexadecimal) else { return false }
                count += 1
            }
            index += 1
        }
        return hasGap ? count < 8 : count == 8
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
