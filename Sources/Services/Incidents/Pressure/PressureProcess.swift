import Synchronization
import Threads

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the child of a cpu or memory incident does. It ends, whatever happens:
///
///     its deadline     it looks at the clock
///     alarm(2)         the kernel ends it two seconds after the deadline, even if it hangs
///     standard input   ends when the parent is gone, killed or not: a thread waits for that and exits
///
/// (Linux has a signal for the parent's death, but it follows the parent's *thread*, and ours come from pools; a pipe follows the process, on
/// macOS as well.)
extension Pressure {
    /// Runs until the end; call it in the child only. Throws where there is not enough memory.
    public func run() throws(IncidentError) {
        alarm(UInt32(clamping: length.milliseconds / 1000 + 3))
        Self.exitWithParent()
        let deadline = ContinuousClock.now + length
        switch kind {
        case .cpu(let cores): Self.compute(cores, until: deadline)
        case .memory(let megabytes): try Self.hold(megabytes, until: deadline)
        }
    }

    private static func exitWithParent() {
        startThread(named: "parent") {
            var byte: UInt8 = 0
            while true {
                let count = read(STDIN_FILENO, &byte, 1)
                if count < 0 && errno == EINTR { continue }
                if count <= 0 { _exit(0) }
            }
        }
    }

    private static func compute(_ cores: Int, until deadline: ContinuousClock.Instant) {
        for _ in 0..<cores {
            startThread(named: "pressure") {
                var state: UInt64 = 0x9e37_79b9_7f4a_7c15
                while ContinuousClock.now < deadline {
                    for _ in 0..<1_000_000 { state = state &* 6_364_136_223_846_793_005 &+ 1 }
                    sink.store(state, ordering: .relaxed)
                }
            }
        }
        rest(until: deadline)
    }

    /// Keeps the loops from being optimised away.
    private static let sink = Atomic<UInt64>(0)

    private static func hold(_ megabytes: Int, until deadline: ContinuousClock.Instant) throws(IncidentError) {
        offerToKernel()
        var amount = megabytes
        if let (available, total) = memory() {
            guard let allowed = Self.megabytes(wanted: megabytes, available: available, total: total) else {
                throw IncidentError(
                    .refused, "\(megabytes) MB are not taken: \(available) MB are available, and \(spared) MB stay for the others")
            }
            amount = allowed
        }
        guard amount > 0 else { return }
        let size = amount << 20
        let pages = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let pages, pages != MAP_FAILED else {
            throw IncidentError(.system, "\(amount) MB of memory: \(String(cString: strerror(errno)))")
        }
        defer { munmap(pages, size) }
        // A page counts when it is written; again and again, so that it is not swapped out as idle. Different bytes, so that none are merged.
        var round: UInt8 = 1
        while ContinuousClock.now < deadline {
            for offset in stride(from: 0, to: size, by: 4096) {
                pages.storeBytes(of: round &+ UInt8(truncatingIfNeeded: offset >> 12), toByteOffset: offset, as: UInt8.self)
            }
            round &+= 1
            rest(until: min(deadline, ContinuousClock.now + .seconds(1)))
        }
    }

    /// The kernel, should it have to end a process, ends this one first.
    private static func offerToKernel() {
        let descriptor = open("/proc/self/oom_score_adj", O_WRONLY)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let text = Array("1000".utf8)
        _ = text.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    }

    /// Available and total megabytes; `nil` where the system does not say.
    private static func memory() -> (available: Int, total: Int)? {
        let descriptor = open("/proc/meminfo", O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        guard count > 0 else { return nil }
        let text = String(decoding: bytes.prefix(count), as: UTF8.self)
        func kilobytes(_ name: String) -> Int? {
            for line in text.split(separator: "\n") where line.hasPrefix(name + ":") {
                return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }
            }
            return nil
        }
        guard let available = kilobytes("MemAvailable"), let total = kilobytes("MemTotal") else { return nil }
        return (available / 1024, total / 1024)
    }

    private static func rest(until deadline: ContinuousClock.Instant) {
        while true {
            let left = deadline - ContinuousClock.now
            guard left > .zero else { return }
            usleep(UInt32(clamping: min(left, .milliseconds(500)).microseconds) &+ 1)
        }
    }
}
