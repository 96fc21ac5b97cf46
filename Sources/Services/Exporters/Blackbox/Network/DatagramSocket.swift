import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A socket for single messages, connected to one address: what comes from elsewhere the kernel leaves out. Its calls block, so it lives
/// on a thread of the pool.
final class DatagramSocket {
    enum Kind {
        case udp
        /// ICMP without privileges: the kernel chooses the identifier and hands out only replies to it.
        case ping
        /// ICMP with them: everything that comes in.
        case rawPing
    }

    struct Received {
        var bytes: [UInt8]
        var hopLimit: Int?
    }

    private let descriptor: Int32
    private let kind: Kind
    private let isVersion6: Bool

    /// Throws what the system says.
    init(_ kind: Kind, to destination: Destination, source: IPAddress?) throws {
        self.kind = kind
        isVersion6 = destination.address.isVersion6
        let transport = kind == .udp ? 0 : isVersion6 ? Int32(58) : Int32(1)
        descriptor = socket(isVersion6 ? AF_INET6 : AF_INET, kind == .rawPing ? Self.raw : Self.datagram, transport)
        guard descriptor >= 0 else { throw Self.failure("socket") }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        if let source {
            guard source.isVersion6 == isVersion6, source.withSockAddr(port: 0, { bind(descriptor, $0, $1) }) == 0 else {
                let error = Self.failure("bind to \(source)")
                close(descriptor)
                throw error
            }
        }
        guard destination.address.withSockAddr(port: destination.port, { connect(descriptor, $0, $1) }) == 0 else {
            let error = Self.failure("connect")
            close(descriptor)
            throw error
        }
    }

    deinit { close(descriptor) }

    /// How far messages may go.
    func setHopLimit(_ limit: Int) {
        if isVersion6 { set(41, IPV6_UNICAST_HOPS, Int32(limit)) } else { set(0, IP_TTL, Int32(limit)) }
    }

    /// Asks to be told how far a message had still to go.
    func wantHopLimits() {
        if isVersion6 { set(41, IPV6_RECVHOPLIMIT, 1) } else { set(0, IP_RECVTTL, 1) }
    }

    /// A message larger than a network on the way takes is refused there and not cut up.
    func forbidFragments() {
        #if os(Linux)
            // IP_PMTUDISC_DO.
            if isVersion6 { set(41, IPV6_MTU_DISCOVER, 2) } else { set(0, IP_MTU_DISCOVER, 2) }
        #else
            if isVersion6 { set(41, IPV6_DONTFRAG, 1) } else { set(0, IP_DONTFRAG, 1) }
        #endif
    }

    func send(_ bytes: [UInt8]) throws {
        guard systemSend(descriptor, bytes, bytes.count, 0) == bytes.count else { throw Self.failure("send") }
    }

    /// The next message; throws at the deadline.
    func receive(limit: Int, _ deadline: Deadline) throws -> Received {
        while true {
            var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let wait = Int32(clamping: deadline.left.nanoseconds / 1_000_000 + 1)
            let ready = poll(&poller, 1, wait)
            if ready < 0 && errno == EINTR { continue }
            guard ready > 0, !deadline.isOver else { throw ProbeFailure.late }
            if let message = try receiveNow(limit: limit) { return message }
        }
    }

    /// `nil` where there is nothing after all.
    private func receiveNow(limit: Int) throws -> Received? {
        var bytes = [UInt8](repeating: 0, count: limit)
        var control = [UInt8](repeating: 0, count: 256)
        var message = msghdr()
        let count = bytes.withUnsafeMutableBytes { target in
            control.withUnsafeMutableBytes { control in
                var part = iovec(iov_base: target.baseAddress, iov_len: target.count)
                return withUnsafeMutablePointer(to: &part) { part in
                    message.msg_iov = part
                    message.msg_iovlen = 1
                    message.msg_control = control.baseAddress
                    message.msg_controllen = .init(control.count)
                    return recvmsg(descriptor, &message, 0)
                }
            }
        }
        if count < 0 {
            if errno == EINTR || errno == EAGAIN { return nil }
            throw Self.failure("receive")
        }
        bytes.removeLast(bytes.count - min(count, bytes.count))
        var hopLimit = Self.hopLimit(in: control.prefix(Int(message.msg_controllen)))
        // Raw sockets of version 4, and all of them on Darwin, hand out the header of IP as well.
        if kind != .udp, !isVersion6, let first = bytes.first, first >> 4 == 4, bytes.count > 20 {
            hopLimit = Int(bytes[8])
            bytes.removeFirst(min(bytes.count, Int(first & 0xf) * 4))
        }
        return Received(bytes: bytes, hopLimit: hopLimit)
    }

    /// Walks over the control messages: length, level, type, content, each aligned.
    private static func hopLimit(in control: ArraySlice<UInt8>) -> Int? {
        let headerSize = MemoryLayout<cmsghdr>.size, word = MemoryLayout<Int>.size
        return control.withUnsafeBytes { raw in
            var at = 0
            while at + headerSize <= raw.count {
                let header = raw.loadUnaligned(fromByteOffset: at, as: cmsghdr.self)
                let length = Int(header.cmsg_len)
                guard length >= headerSize, at + length <= raw.count else { return nil }
                let isLimit =
                    (header.cmsg_level == 0 && (header.cmsg_type == IP_TTL || header.cmsg_type == IP_RECVTTL))
                    || (header.cmsg_level == 41 && header.cmsg_type == IPV6_HOPLIMIT)
                if isLimit {
                    let content = length - headerSize
                    if content >= 4 { return Int(raw.loadUnaligned(fromByteOffset: at + headerSize, as: Int32.self)) }
                    return content >= 1 ? Int(raw[at + headerSize]) : nil
                }
                at += (length + word - 1) / word * word
            }
            return nil
        }
    }

    private func set(_ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func failure(_ call: String) -> ProbeFailure { ProbeFailure("\(call): \(String(cString: strerror(errno)))") }

    #if canImport(Glibc)
        private static let datagram = Int32(SOCK_DGRAM.rawValue), raw = Int32(SOCK_RAW.rawValue)
    #else
        private static let datagram = SOCK_DGRAM, raw = SOCK_RAW
    #endif
}

/// `send(2)`, under a name that the method does not hide.
private func systemSend(_ descriptor: Int32, _ bytes: [UInt8], _ count: Int, _ flags: Int32) -> Int {
    send(descriptor, bytes, count, flags)
}
