import SelfMetrics

/// Seconds that each processor spent in each mode, from the `cpuN` lines of /proc/stat (in ticks of 1/100 s).
///
///     cpu0 user nice system idle iowait irq softirq steal guest guest_nice
///
/// Source: proc(5).
@Sendable func collectCPU(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    writeCPU(try system.proc("stat"), &page)
}

/// Ticks per second of /proc/stat; fixed by the kernel's interface on Linux.
private let ticksPerSecond = 100.0

func writeCPU(_ stat: String, _ page: inout MetricsPage) {
    let modes = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"]
    let processors = stat.lines.map(\.words).filter { words in
        guard let name = words.first, name.hasPrefix("cpu") else { return false }
        return name.count > 3 && name.dropFirst(3).allSatisfy(\.isNumber)
    }
    page.family("node_cpu_guest_seconds_total", .counter, "Seconds spent for guests (virtual machines), by mode.")
    for words in processors {
        let cpu = String(words[0].dropFirst(3))
        for (offset, mode) in ["user", "nice"].enumerated() {
            guard let ticks = words.number(9 + offset) else { continue }
            page.sample("node_cpu_guest_seconds_total", [("cpu", cpu), ("mode", mode)], ticks / ticksPerSecond)
        }
    }
    page.family("node_cpu_seconds_total", .counter, "Seconds spent by each processor in each mode.")
    for words in processors {
        let cpu = String(words[0].dropFirst(3))
        for (offset, mode) in modes.enumerated() {
            guard let ticks = words.number(1 + offset) else { continue }
            page.sample("node_cpu_seconds_total", [("cpu", cpu), ("mode", mode)], ticks / ticksPerSecond)
        }
    }
}
