/// A server's address as people write it, taken apart.
///
///     https://user:secret@host:9090/prefix/   →   https://host:9090/prefix  +  (user, secret)
///     localhost:9090                          →   http://localhost:9090
struct ServerAddress {
    var base: String
    var credentials: (user: String, password: String)?

    init(_ address: String) throws(ClientError) {
        var scheme = "http://"
        var rest = Substring(address)
        if let end = address.range(ofASCII: "://") {
            scheme = String(address[..<end.upperBound])
            rest = address[end.upperBound...]
        }
        guard scheme == "http://" || scheme == "https://" else {
            throw ClientError(.address, "\"\(address)\": only http and https are spoken")
        }
        let authorityEnd = rest.firstIndex(of: "/") ?? rest.endIndex
        if let at = rest[..<authorityEnd].lastIndex(of: "@") {
            let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            credentials = (
                PercentEncoding.decode(String(parts[0])),
                parts.count > 1 ? PercentEncoding.decode(String(parts[1])) : ""
            )
            rest = rest[rest.index(after: at)...]
        }
        while rest.hasSuffix("/") { rest.removeLast() }
        let isPlain = rest.utf8.allSatisfy {
            $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#")
        }
        guard isPlain, let first = rest.first, first != "/", first != ":" else {
            throw ClientError(.address, "\"\(address)\" is not an address such as http://localhost:9090")
        }
        base = scheme + rest
    }
}

extension String {
    fileprivate func range(ofASCII wanted: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(wanted) { return start..<index(start, offsetBy: wanted.count) }
            start = index(after: start)
        }
        return nil
    }
}

/// Percent encoding of everything but RFC 3986's unreserved characters.
enum PercentEncoding {
    static func encode(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"):
                out.append(byte)
            default: out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// What is no escape stays as it is.
    static func decode(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "%"), at + 2 < bytes.count,
                let byte = UInt8(String(decoding: bytes[at + 1...at + 2], as: UTF8.self), radix: 16)
            {
                out.append(byte)
                at += 3
            } else {
                out.append(bytes[at])
                at += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
