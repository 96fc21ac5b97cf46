import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What services write, on our own output: each line behind its service's name, in the service's colour.
///
///     api        | time=… level=INFO msg="listening"
///     postgres_db| LOG:  database system is ready to accept connections
public final class Foreground: Sendable {
    /// Longer lines are cut into pieces of this size.
    private static let maximumLine = 16 << 10
    private static let colours = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94]

    private let width: Int
    private let isColoured: Bool
    private let colours: [String: Int]
    private let lock = Mutex<Void>(())

    /// `isQuiet`: only what the supervisor says itself; services have their files.
    private let isQuiet: Bool

    public init(_ names: [String], isQuiet: Bool = false) {
        self.isQuiet = isQuiet
        width = names.map(\.utf8.count).max() ?? 0
        isColoured = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil
        colours = Dictionary(
            names.enumerated().map { ($1, Self.colours[$0 % Self.colours.count]) },
            uniquingKeysWith: { first, _ in first })
    }

    /// One line of the supervisor's own.
    public func say(_ line: String) { print([UInt8](("minprom: " + line + "\n").utf8)) }

    /// Takes whole lines out of `pending` and prints them.
    func print(_ pending: inout [UInt8], of name: String, service: String, isEnd: Bool) {
        if isQuiet { return pending = [] }
        var block: [UInt8] = [], start = pending.startIndex
        func line(_ end: Int) {
            let head = name + String(repeating: " ", count: max(0, width - name.utf8.count)) + " | "
            block += isColoured ? "\u{1b}[\(colours[service] ?? 37)m\(head)\u{1b}[0m".utf8 : head.utf8
            // Control characters of a child are not the terminal's.
            block += pending[start..<end].map { $0 < 0x20 && $0 != 0x09 && $0 != 0x1b ? UInt8(ascii: "?") : $0 }
            block.append(UInt8(ascii: "\n"))
        }
        while let end = pending[start...].firstIndex(of: UInt8(ascii: "\n")) {
            line(end > start && pending[end - 1] == UInt8(ascii: "\r") ? end - 1 : end)
            start = end + 1
        }
        if pending.count - start > Self.maximumLine || isEnd && start < pending.count {
            line(pending.count)
            start = pending.count
        }
        pending.removeFirst(start)
        print(block)
    }

    private func print(_ block: [UInt8]) {
        guard !block.isEmpty else { return }
        lock.withLock { _ in block.withUnsafeBytes { _ = writeAll($0, to: STDOUT_FILENO) } }
    }
}

extension Foreground {
    /// A block of a log file; a last line without its end counts as one.
    public func show(_ bytes: [UInt8], of name: String) {
        var pending = bytes
        print(&pending, of: name, service: name, isEnd: true)
    }
}
