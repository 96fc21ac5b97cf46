import Incidents
import Numbers
import ServiceNames

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Values of flags and of the environment that the commands about incidents share.
enum IncidentFlags {
    /// A Prometheus duration above 0.
    static func span(_ text: String, flag: String) throws(StartError) -> Duration {
        let milliseconds: Int64
        do throws(DurationError) { milliseconds = try DurationText.parse(text) } catch {
            throw StartError("--\(flag): \(error.message)")
        }
        guard milliseconds > 0, milliseconds <= 86_400_000 else { throw StartError("--\(flag): above 0, and a day at most") }
        return .milliseconds(milliseconds)
    }

    static func schedule(rps: Double, length: Duration) throws(StartError) -> ArrivalSchedule {
        guard let schedule = ArrivalSchedule(rate: rps, length: length) else {
            throw StartError("--rps: above 0, and \(LoadReport.fixed(ArrivalSchedule.maximumRate, 0)) at most")
        }
        return schedule
    }

    /// A token: of the file named, of the environment's `NAME`, or of the file that `NAME_FILE` names.
    /// `usual` is taken where it is there.
    static func token(_ name: String, file: String?, or usual: String? = nil) throws(StartError) -> String? {
        if let file { return try content(of: file) }
        if let value = environment(name) { return value }
        if let file = environment(name + "_FILE") { return try content(of: file) }
        if let usual, access(usual, R_OK) == 0 { return try content(of: usual) }
        return nil
    }

    /// The last part of a file that only grows, from the beginning of a line on; `nil` where it cannot be read, empty where it is not there yet.
    static func tail(of path: String) -> String? {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { return errno == ENOENT ? "" : nil }
        defer { close(descriptor) }
        let size = Int(lseek(descriptor, 0, SEEK_END)), start = max(0, size - maximumLog)
        guard size >= 0, lseek(descriptor, off_t(start), SEEK_SET) >= 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: size - start)
        var filled = 0
        while filled < bytes.count {
            let count = bytes[filled...].withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { break }
            filled += count
        }
        let text = bytes.prefix(filled)
        return String(decoding: start > 0 ? text.drop { $0 != UInt8(ascii: "\n") } : text, as: UTF8.self)
    }

    private static let maximumLog = 8 << 20

    static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// A token is a line.
    private static let maximumToken = 4096

    private static func content(of path: String) throws(StartError) -> String {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { throw StartError("\(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: maximumToken + 1)
        let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        guard count >= 0 else { throw StartError("\(path): \(String(cString: strerror(errno)))") }
        guard count <= maximumToken else { throw StartError("\(path): longer than \(maximumToken) bytes: no token") }
        var text = Substring(decoding: bytes.prefix(count), as: UTF8.self)
        while text.last?.isWhitespace == true { text.removeLast() }
        while text.first?.isWhitespace == true { text.removeFirst() }
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { throw StartError("\(path): not a token") }
        return String(text)
    }
}
