import SelfMetrics

/// Paging counters of /proc/vmstat: by default those that node_exporter shows (`oom_kill`, `pgpg…`, `pswp…`, `pg…fault`).
@Sendable func collectVirtualMemory(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    writeVirtualMemory(try system.proc("vmstat"), system.options.virtualMemoryFields, &page)
}

func writeVirtualMemory(_ text: String, _ fields: NameFilter, _ page: inout MetricsPage) {
    for line in text.lines {
        let words = line.words
        guard let name = words.first, FamilyGroup.isName(String(name)), fields.allows(name), let value = words.number(1) else { continue }
        page.single("node_vmstat_\(name)", .untyped, "Field of /proc/vmstat.", value)
    }
}
