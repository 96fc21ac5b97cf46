import TSDB

/// Webhooks that were answered and not yet worked on: one file each, so that a crash forgets none.
///
///     queue/00000000000000000017.json     first line: the sender's User-Agent; then the body
///
/// The answer goes out when the file is durable; the file goes when everything in it is in the incident log. After a crash what is
/// left is worked on again, which does no harm: known alerts are passed over.
public struct WebhookSpool: Sendable {
    /// Webhooks that may wait; one more is refused with 503, and the sender tries again.
    public static let maximumCount = 1000

    private let directory: String
    private let files: any FileStore
    private var next: UInt64 = 1
    /// Oldest first.
    public private(set) var waiting: [UInt64] = []

    public init(_ directory: String, _ files: any FileStore) throws(BotError) {
        self.directory = directory
        self.files = files
        do throws(TSDBError) {
            try files.createDirectory(directory)
            for name in try files.list(directory) {
                if name.hasSuffix(".json"), let number = UInt64(name.dropLast(5)) { waiting.append(number) } else { try files.remove(path(name)) }
            }
        } catch { throw BotError(.log, error.message) }
        waiting.sort()
        next = (waiting.last ?? 0) &+ 1
    }

    public var isFull: Bool { waiting.count >= Self.maximumCount }

    /// Durable on return.
    public mutating func add(_ body: [UInt8], userAgent: String) throws(BotError) {
        guard !isFull else { throw BotError(.log, "\(Self.maximumCount) webhooks are waiting") }
        let agent = userAgent.prefix(200).filter { $0 != "\n" && $0 != "\r" && $0 != "\r\n" }
        let number = next, temporary = path("new.tmp")
        do throws(TSDBError) {
            try files.remove(temporary)
            let file = try files.openForAppending(temporary)
            defer { file.close() }
            let bytes = Array(agent.utf8) + [UInt8(ascii: "\n")] + body
            try bytes.withUnsafeBytes { bytes in Result { () throws(TSDBError) in try file.append(bytes) } }.get()
            try file.synchronize()
            try files.rename(temporary, to: path(name(number)))
            try files.synchronizeDirectory(directory)
        } catch { throw BotError(.log, error.message) }
        next &+= 1
        waiting.append(number)
    }

    /// The oldest, read back; one that cannot be read is given up. `nil` where none waits.
    public mutating func oldest() -> (number: UInt64, body: [UInt8], userAgent: String)? {
        while let number = waiting.first {
            let bytes = try? files.readAll(path(name(number)), limit: Webhook.Limits.body + 4096)
            if let bytes, let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
                return (number, Array(bytes[(end + 1)...]), String(decoding: bytes[..<end], as: UTF8.self))
            }
            done(number)
        }
        return nil
    }

    public mutating func done(_ number: UInt64) {
        waiting.removeAll { $0 == number }
        try? files.remove(path(name(number)))
    }

    private func name(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 20 - digits.utf8.count)) + digits + ".json"
    }

    private func path(_ name: String) -> String { directory + "/" + name }
}
