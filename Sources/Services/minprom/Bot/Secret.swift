import BotCore
import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Secrets from the environment: `BOT_TOKEN`, or `BOT_TOKEN_FILE` with the path of a file that holds it.
enum Secret {
    private static let maximumBytes = 64 << 10

    /// Empty where neither variable is set.
    static func environment(_ name: String) throws(StartError) -> String {
        if let value = getenv(name) { return trimmed(String(cString: value)) }
        guard let path = getenv(name + "_FILE") else { return "" }
        do throws(TSDBError) {
            return trimmed(String(decoding: try DiskFileStore().readAll(String(cString: path), limit: maximumBytes), as: UTF8.self))
        } catch { throw StartError("\(name)_FILE: \(error.message)") }
    }

    private static func trimmed(_ text: String) -> String {
        var text = text[...]
        while let last = text.last, last.isWhitespace { text.removeLast() }
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        return String(text)
    }

    /// The key that signs approval links, made at the first start. Links outlive a restart; nobody but us reads it.
    static func approvalKey(in directory: String) throws(BotError) -> [UInt8] {
        let path = directory + "/approval.key"
        let files = DiskFileStore()
        if files.exists(path), let key = try? files.readAll(path, limit: 1024), key.count >= 32 { return key }
        var random = SystemRandomNumberGenerator()
        let key = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw BotError(.log, "\(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        guard write(descriptor, key, key.count) == key.count, fsync(descriptor) == 0 else {
            throw BotError(.log, "\(path): cannot be written")
        }
        return key
    }
}
