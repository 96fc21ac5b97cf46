import SelfMetrics

/// The lines of /proc/stat that are not about one processor: boot time, context switches, forks, interrupts, tasks. Source: proc(5).
@Sendable func collectKernelActivity(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    writeKernelActivity(try system.proc("stat"), &page)
}

func writeKernelActivity(_ stat: String, _ page: inout MetricsPage) {
    for line in stat.lines {
        let words = line.words
        guard let key = words.first, let value = words.number(1) else { continue }
        switch key {
        case "btime": page.single("node_boot_time_seconds", .gauge, "When the machine booted, in seconds since 1970.", value)
        case "ctxt": page.single("node_context_switches_total", .counter, "Context switches.", value)
        case "processes": page.single("node_forks_total", .counter, "Processes and threads made.", value)
        case "intr": page.single("node_intr_total", .counter, "Interrupts served.", value)
        case "procs_running": page.single("node_procs_running", .gauge, "Tasks that could run now.", value)
        case "procs_blocked": page.single("node_procs_blocked", .gauge, "Tasks that wait for a disk.", value)
        default: break
        }
    }
}
