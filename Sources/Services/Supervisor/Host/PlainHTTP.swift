#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// One request over one connection, blocking, for what needs no more: health checks and the control socket.
///
///     connect ─▶ "GET /path HTTP/1.1 … Connection: close" ─▶ read to the end ─▶ status, body
///
/// Bounded in time and bytes. Bodies come with a length or to the end of the connection.
public enum PlainHTTP {
    public struct Answer: Equatable, Sendable {
        public var status: Int
        public var body: [UInt8]
    }

    public enum Place: Sendable {
        case tcp(host: String, port: Int)
        case unixSocket(String)
    }

    public static let maximumBytes = 8 << 20

    public static func request(
        _ method: String = "GET", _ path: String, at place: Place, hostHeader: String = "localhost", milliseconds: Int64
    ) throws(HostError) -> Answer {
        let deadline = now() + max(1, milliseconds)
        let socket = try connect(place, deadline)
        defer { close(socket) }
        let head =
            "\(method) \(path) HTTP/1.1\r\nHost: \(hostHeader)\r\nUser-Agent: minprom\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        try send([UInt8](head.utf8), socket, deadline)
        var bytes: [UInt8] = [], block = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            try wait(socket, Int16(POLLIN), deadline)
            let count = block.withUnsafeMutableBytes { recv(socket, $0.baseAddress, $0.count, 0) }
            if count < 0 {
                if errno == EINTR || errno == EAGAIN { continue }
                throw .system("no answer")
            }
            if count == 0 { break }
            bytes += block[..<count]
            guard bytes.count <= maximumBytes else { throw HostError("the answer has more than \(maximumBytes) bytes") }
            if let done = try answer(bytes, isEnd: false) { return done }
        }
        guard let done = try answer(bytes, isEnd: true) else { throw HostError("the answer broke off") }
        return done
    }

    // MARK: The answer

    static func answer(_ bytes: [UInt8], isEnd: Bool) throws(HostError) -> Answer? {
        guard let end = headEnd(bytes) else {
            if bytes.count > 64 << 10 { throw HostError("no HTTP answer") }
            return nil
        }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]), (100...599).contains(status)
        else {
            throw HostError("no HTTP answer")
        }
        var length: Int?, isChunked = false
        for line in lines.dropFirst() {
            let sides = line.split(separator: ":", maxSplits: 1)
            guard sides.count == 2 else { continue }
            let value = sides[1].drop { $0 == " " }
            switch sides[0].lowercased() {
            case "content-length": length = Int(value)
            case "transfer-encoding": isChunked = value.lowercased() == "chunked"
            default: continue
            }
        }
        let body = Array(bytes[(end + 4)...])
        if isChunked { return unchunked(body).map { Answer(status: status, body: $0) } ?? (isEnd ? nil : nil) }
        if let length {
            return body.count >= length && length >= 0 ? Answer(status: status, body: Array(body.prefix(length))) : nil
        }
        return isEnd ? Answer(status: status, body: body) : nil
    }

    /// `nil` until the last chunk is there.
    private static func unchunked(_ body: [UInt8]) -> [UInt8]? {
        var result: [UInt8] = [], rest = body[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\r")) {
            let digits = String(decoding: rest[..<end].prefix { $0 != UInt8(ascii: ";") }, as: UTF8.self)
            guard let size = Int(digits, radix: 16), size >= 0, size <= maximumBytes else { return nil }
            if size == 0 { return result }
            let start = end + 2
            guard start + size + 2 <= rest.endIndex else { return nil }
            result += rest[start..<start + size]
            rest = rest[(start + size + 2)...]
        }
        return nil
    }

    private static func headEnd(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        for index in 0...(bytes.count - 4)
        where bytes[index] == 13 && bytes[index + 1] == 10 && bytes[index + 2] == 13 && bytes[index + 3] == 10 {
            return index
        }
        return nil
    }

    // MARK: The connection

    private static func connect(_ place: Place, _ deadline: Int64) throws(HostError) -> Int32 {
        switch place {
        case .unixSocket(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let bytes = Array(path.utf8)
            guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
                throw HostError("\(path) is too long for a socket")
            }
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
            return try withUnsafePointer(to: address) { pointer throws(HostError) in
                try open(
                    AF_UNIX, UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self),
                    socklen_t(MemoryLayout<sockaddr_un>.size),
                    deadline)
            }
        case .tcp(let host, let port):
            var hints = addrinfo()
            #if canImport(Glibc)
                hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
            #else
                hints.ai_socktype = SOCK_STREAM
            #endif
            var found: UnsafeMutablePointer<addrinfo>?
            guard getaddrinfo(host, String(port), &hints, &found) == 0 else { throw HostError("\(host): no such host") }
            defer { freeaddrinfo(found) }
            var failure = HostError("\(host): no address"), next = found
            while let entry = next {
                do throws(HostError) {
                    guard let address = entry.pointee.ai_addr else { throw failure }
                    return try open(entry.pointee.ai_family, address, entry.pointee.ai_addrlen, deadline)
                } catch { failure = error }
                next = entry.pointee.ai_next
            }
            throw failure
        }
    }

    private static func open(
        _ family: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t, _ deadline: Int64
    ) throws(HostError) -> Int32 {
        #if canImport(Glibc)
            let descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
        #else
            let descriptor = socket(family, SOCK_STREAM, 0)
        #endif
        guard descriptor >= 0 else { throw .system("no socket") }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        do throws(HostError) {
            if systemConnect(descriptor, address, length) != 0 {
                guard errno == EINPROGRESS else { throw .system("cannot connect") }
                try wait(descriptor, Int16(POLLOUT), deadline)
                var code: Int32 = 0, size = socklen_t(MemoryLayout<Int32>.size)
                getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
                guard code == 0 else { throw .system("cannot connect", code) }
            }
            return descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    private static func send(_ bytes: [UInt8], _ socket: Int32, _ deadline: Int64) throws(HostError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            try wait(socket, Int16(POLLOUT), deadline)
            #if os(Linux)
                let flags = Int32(MSG_NOSIGNAL)
            #else
                let flags: Int32 = 0
            #endif
            let count = rest.withUnsafeBytes { systemSend(socket, $0.baseAddress, $0.count, flags) }
            if count < 0 {
                if errno == EINTR || errno == EAGAIN { continue }
                throw .system("cannot send")
            }
            rest = rest.dropFirst(count)
        }
    }

    private static func wait(_ socket: Int32, _ events: Int16, _ deadline: Int64) throws(HostError) {
        while true {
            let left = deadline - now()
            guard left > 0 else { throw HostError("no answer in time") }
            var entry = pollfd(fd: socket, events: events, revents: 0)
            let count = poll(&entry, 1, Int32(clamping: left))
            if count > 0 { return }
            if count < 0 && errno != EINTR { throw .system("poll") }
        }
    }

    private static func now() -> Int64 { monotonicMilliseconds() }
}

func monotonicMilliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}

// The system's functions, under names that ours do not hide.
private func systemConnect(_ socket: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
    connect(socket, address, length)
}

private func systemSend(_ socket: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ flags: Int32) -> Int {
    send(socket, bytes, count, flags)
}
