import Numbers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The `process_*` family: what the operating system says about this process.
///
///     /proc/self/stat     … utime stime … starttime vsize rss …   fields 14, 15, 22, 23, 24
///     /proc/self/fd       one entry per open file
///
/// Source: proc(5). Where there is no /proc the family is left out.
public enum ProcessMetrics {
    /// Numbers of one look at the process.
    public struct Snapshot: Sendable, Equatable {
        /// User and system time in seconds.
        public var cpuSeconds: Double
        public var residentBytes: Double
        public var virtualBytes: Double
        /// Seconds since the epoch.
        public var startTime: Double
        public var openFiles: Int
        public var maxFiles: Double
    }

    public static func snapshot() -> Snapshot? {
        guard let stat = contents(of: "/proc/self/stat"),
            let fields = statFields(stat), fields.count > 21,
            let user = Double(fields[11]), let system = Double(fields[12]), let start = Double(fields[19]),
            let size = Double(fields[20]), let pages = Double(fields[21])
        else { return nil }
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        var limit = rlimit()
        #if canImport(Glibc)
            let hasLimit = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        #else
            let hasLimit = getrlimit(RLIMIT_NOFILE, &limit) == 0
        #endif
        return Snapshot(
            cpuSeconds: (user + system) / ticks,
            residentBytes: pages * Double(sysconf(Int32(_SC_PAGESIZE))),
            virtualBytes: size,
            startTime: bootTime() + start / ticks,
            openFiles: openFileCount(),
            maxFiles: hasLimit ? Double(limit.rlim_cur) : 0)
    }

    public static func write(to page: inout MetricsPage) {
        guard let now = snapshot() else { return }
        page.single("process_cpu_seconds_total", .counter, "Total user and system CPU time spent in seconds.", now.cpuSeconds)
        page.single("process_max_fds", .gauge, "Maximum number of open file descriptors.", now.maxFiles)
        page.single("process_open_fds", .gauge, "Number of open file descriptors.", now.openFiles)
        page.single("process_resident_memory_bytes", .gauge, "Resident memory size in bytes.", now.residentBytes)
        page.single(
            "process_start_time_seconds", .gauge, "Start time of the process since unix epoch in seconds.", now.startTime)
        page.single("process_virtual_memory_bytes", .gauge, "Virtual memory size in bytes.", now.virtualBytes)
    }

    /// The fields behind the command name, which stands in parentheses and may hold anything.
    static func statFields(_ stat: String) -> [Substring]? {
        guard let close = stat.lastIndex(of: ")") else { return nil }
        return stat[stat.index(after: close)...].split(whereSeparator: { $0 == " " || $0 == "\n" })
    }

    /// Seconds since the epoch at which the kernel started.
    private static func bootTime() -> Double {
        guard let stat = contents(of: "/proc/stat") else { return 0 }
        for line in stat.split(separator: "\n") where line.hasPrefix("btime ") {
            return Double(line.dropFirst(6)) ?? 0
        }
        return 0
    }

    private static func openFileCount() -> Int {
        guard let directory = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        // Without `.`, `..` and the directory itself.
        return max(0, count - 3)
    }

    static func contents(of path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { _ = close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = read(descriptor, &block, block.count)
            if count <= 0 { break }
            bytes.append(contentsOf: block[..<count])
            // Far more than any of these files has.
            if bytes.count > 4 << 20 { break }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
