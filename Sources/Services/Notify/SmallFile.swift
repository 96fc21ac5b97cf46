import Alerter

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Files that hold a password, a certificate or a time zone: small, and read anew at each use, so that a changed one counts.
package enum SmallFile {
    static let maximumBytes = 1 << 20

    package static func bytes(_ path: String) throws(AttemptError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", path) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            guard bytes.count <= maximumBytes else {
                throw AttemptError(.other, "\(path) is larger than \(maximumBytes) bytes", isRetryable: false)
            }
        }
    }

    /// Adds to the end of the file, which is made if need be.
    static func append(_ bytes: [UInt8], to path: String) throws(AttemptError) {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw failure("open", path) }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw failure("write", path) }
            rest = rest.dropFirst(count)
        }
    }

    private static func failure(_ verb: String, _ path: String) -> AttemptError {
        AttemptError(.other, "\(verb) \(path): \(String(cString: strerror(errno)))", isRetryable: false)
    }
}

extension Secret {
    /// The secret itself; of a file without the space around it.
    package func value() throws(AttemptError) -> String {
        switch self {
        case .text(let text): return text
        case .file(let path):
            let text = String(decoding: try SmallFile.bytes(path), as: UTF8.self)
            let scalars = text.unicodeScalars
            guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
                let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
            else { return "" }
            return String(scalars[first...last])
        }
    }
}
