import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An address of IP, version 4 or 6, in one form whatever it was written as.
///
///     127.0.0.1   2130706433   0x7f000001   0177.1   127.1   ::ffff:127.0.0.1   [::ffff:7f00:1]      all are 127.0.0.1
///
/// The old forms of version 4 are those of inet_aton(3): one to four numbers in decimal, octal or hexadecimal, of which the last fills
/// the bytes that are left. Who filters addresses by their text is fooled by them; here there is no text left to filter.
///
/// Invariant: 4 bytes or 16; a version 6 address is never a mapped version 4 one.
public struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    public let bytes: [UInt8]

    public var isVersion6: Bool { bytes.count == 16 }

    /// `nil` for any other number of bytes than 4 and 16.
    public init?(bytes: [UInt8]) {
        switch bytes.count {
        case 4: self.bytes = bytes
        case 16:
            let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
            self.bytes = isMapped ? Array(bytes[12...]) : bytes
        default: return nil
        }
    }

    /// `nil` where the text is a name.
    public init?(_ text: String) {
        var text = text[...]
        if text.hasPrefix("[") && text.hasSuffix("]") { text = text.dropFirst().dropLast() }
        if text.contains(":") {
            // A zone says which network card, and nothing about the address.
            var storage = in6_addr()
            guard inet_pton(AF_INET6, String(text.prefix { $0 != "%" }), &storage) == 1 else { return nil }
            self.init(bytes: withUnsafeBytes(of: &storage) { Array($0) })
        } else {
            guard let word = Self.version4(text) else { return nil }
            self.init(bytes: (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * UInt32($0))) })
        }
    }

    /// Whether the text is an address in a form that browsers and resolvers agree on.
    static func isCanonical(_ text: String) -> Bool { IPAddress(text)?.description == text }

    private static func version4(_ text: Substring) -> UInt32? {
        // One dot at the end is the root of names, and some resolvers drop it.
        let text = text.hasSuffix(".") ? text.dropLast() : text
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...4).contains(parts.count) else { return nil }
        var word: UInt32 = 0
        for (index, part) in parts.enumerated() {
            guard let number = number(part) else { return nil }
            if index < parts.count - 1 {
                guard number <= 255 else { return nil }
                word |= number << (24 - 8 * UInt32(index))
            } else {
                let bits = 32 - 8 * UInt64(index)
                guard UInt64(number) < (1 as UInt64) << bits else { return nil }
                word |= number
            }
        }
        return word
    }

    private static func number(_ text: Substring) -> UInt32? {
        guard let first = text.utf8.first, text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }) else { return nil }
        if text.hasPrefix("0x") || text.hasPrefix("0X") {
            // Of `0x` alone inet_aton makes 0.
            return text.utf8.count == 2 ? 0 : UInt32(text.dropFirst(2), radix: 16)
        }
        return first == UInt8(ascii: "0") && text.utf8.count > 1 ? UInt32(text.dropFirst(), radix: 8) : UInt32(text)
    }

    public var description: String {
        var name = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN) + 1)
        _ = bytes.withUnsafeBytes { inet_ntop(isVersion6 ? AF_INET6 : AF_INET, $0.baseAddress, &name, socklen_t(name.count)) }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// FNV-1a over the bytes, 32 bits: tells that an address changed, and fits a sample exactly.
    public var hash32: UInt32 { bytes.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 } }

    /// `127.0.0.1:80`, `[::1]:80`.
    func withPort(_ port: Int) -> String { isVersion6 ? "[\(self)]:\(port)" : "\(self):\(port)" }
}

extension IPAddress {
    func socketAddress(port: Int) throws -> SocketAddress { try SocketAddress(ipAddress: description, port: port) }

    /// The address at the other end of a connection.
    init?(_ address: SocketAddress?) {
        switch address {
        case .v4(let place)?:
            var storage = place.address.sin_addr
            self.init(bytes: withUnsafeBytes(of: &storage) { Array($0) })
        case .v6(let place)?:
            var storage = place.address.sin6_addr
            self.init(bytes: withUnsafeBytes(of: &storage) { Array($0) })
        case .unixDomainSocket?, nil: return nil
        }
    }

    /// The address in a `sockaddr` of the system.
    init?(_ address: UnsafePointer<sockaddr>) {
        let raw = UnsafeRawPointer(address)
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            var storage = raw.loadUnaligned(as: sockaddr_in.self).sin_addr
            self.init(bytes: withUnsafeBytes(of: &storage) { Array($0) })
        case AF_INET6:
            var storage = raw.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            self.init(bytes: withUnsafeBytes(of: &storage) { Array($0) })
        default: return nil
        }
    }

    /// Calls `body` with the address as the system's calls want it.
    func withSockAddr<Result>(port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        let port = UInt16(truncatingIfNeeded: port).bigEndian
        if isVersion6 {
            var place = sockaddr_in6()
            place.sin6_family = sa_family_t(AF_INET6)
            place.sin6_port = port
            withUnsafeMutableBytes(of: &place.sin6_addr) { $0.copyBytes(from: bytes) }
            return withUnsafePointer(to: &place) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in6>.size)) }
            }
        }
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = port
        withUnsafeMutableBytes(of: &place.sin_addr) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}
