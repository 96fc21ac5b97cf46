import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What a service writes, in a file that does not grow without end.
///
///     api.log ─ 10 MiB ─▶ api.log.1 ─▶ api.log.2 ─▶ forgotten
///
/// The file is opened for each block: services write little, and a file that was removed comes back.
public final class LogFile: Sendable {
    public static let maximumBytes = 10 << 20
    public static let generations = 2

    public let path: String
    private let lock = Mutex<Void>(())

    public init(_ path: String) { self.path = path }

    public func append(_ bytes: UnsafeRawBufferPointer) {
        lock.withLock { _ in
            var status = stat()
            if stat(path, &status) == 0, Int(status.st_size) + bytes.count > Self.maximumBytes { rotate() }
            let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { return }
            defer { close(descriptor) }
            writeAll(bytes, to: descriptor)
        }
    }

    public func append(_ line: String) {
        var line = line + "\n"
        line.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    private func rotate() {
        for generation in stride(from: Self.generations, to: 1, by: -1) {
            rename("\(path).\(generation - 1)", "\(path).\(generation)")
        }
        rename(path, path + ".1")
    }

    /// The last lines, with a bound on the bytes that are looked at.
    public static func tail(_ path: String, lines: Int, maximumBytes: Int = 1 << 20) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        let end = Int(lseek(descriptor, 0, SEEK_END)), start = max(0, end - maximumBytes)
        guard let bytes = read(descriptor, from: start, count: end - start) else { return "" }
        var index = bytes.count, left = lines
        while index > 0 {
            if bytes[index - 1] == UInt8(ascii: "\n"), index < bytes.count {
                left -= 1
                if left == 0 { break }
            }
            index -= 1
        }
        return lines > 0 ? String(decoding: bytes[index...], as: UTF8.self) : ""
    }

    /// What stands behind `offset`, and where it ends; a file that has become shorter is read anew.
    public static func more(_ path: String, after offset: inout Int) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        let end = Int(lseek(descriptor, 0, SEEK_END))
        if end < offset { offset = 0 }
        let bytes = read(descriptor, from: offset, count: min(end - offset, 1 << 20)) ?? []
        offset += bytes.count
        return bytes
    }

    private static func read(_ descriptor: Int32, from start: Int, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: max(0, count)), done = 0
        while done < bytes.count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                pread(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done, off_t(start + done))
            }
            if got < 0 && errno == EINTR { continue }
            if got < 0 { return nil }
            if got == 0 { break }
            done += got
        }
        return Array(bytes[..<done])
    }
}

/// All of it, however often the system takes only a part; `false` where it takes no more.
@discardableResult
func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
    var rest = bytes
    while let start = rest.baseAddress, rest.count > 0 {
        let written = write(descriptor, start, rest.count)
        if written < 0 && errno == EINTR { continue }
        if written <= 0 { return false }
        rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
    return true
}

extension LogFile {
    public static func size(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }
}
