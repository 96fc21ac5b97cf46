import ServiceProcess

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What a process and its children cost, as Linux' /proc says. `nil` where there is none of it.
///
/// PSS counts a page that n processes share as 1/n of a page in each, so sums over services are honest; RSS counts it n times.
struct Footprint {
    /// KiB.
    private(set) var rss = 0
    private(set) var pss = 0
    private(set) var cpuSeconds = 0.0

    /// Of `pid` and all that it has started.
    init?(tree pid: Int32) {
        guard add(pid, depth: 0) else { return nil }
    }

    /// Processes below each other that are followed.
    private static let maximumDepth = 8

    private mutating func add(_ pid: Int32, depth: Int) -> Bool {
        guard let memory = Self.content("/proc/\(pid)/smaps_rollup"), let stat = Self.content("/proc/\(pid)/stat") else { return false }
        for line in memory.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 1, let size = Int(words[1]) else { continue }
            if words[0] == "Rss:" { rss += size }
            if words[0] == "Pss:" { pss += size }
        }
        // Behind the name, which may hold anything, the 14th and 15th fields: ticks in user and in kernel mode.
        let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
        if fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) {
            cpuSeconds += (user + system) / Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
        }
        if depth < Self.maximumDepth, let children = Self.content("/proc/\(pid)/task/\(pid)/children") {
            for child in children.split(whereSeparator: \.isWhitespace).compactMap({ Int32($0) }) { _ = add(child, depth: depth + 1) }
        }
        return true
    }

    private static func content(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }
}
