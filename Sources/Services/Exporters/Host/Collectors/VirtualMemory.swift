import SelfMetrics

/// Paging counters of /proc/vmstat: those that node_exporter shows by default (`oom_kill`, `pgpg…`, `pswp…`, `pg…fault`).
@Sendable func collectVirtualMemory(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    writeVirtualMemory(try system.proc("vmstat"), &page)
}

func writeVirtualMemory(_ text: String, _ page: inout MetricsPage) {
    let shown: Set<Substring> = ["oom_kill", "pgpgin", "pgpgout", "pswpin", "pswpout", "pgfault", "pgmajfault"]
    for line in text.lines {
        let words = line.words
        guard let name = words.first, shown.contains(name), let value = words.number(1) else { continue }
        page.single("node_vmstat_\(name)", .untyped, "Field of /proc/vmstat.", value)
    }
}
