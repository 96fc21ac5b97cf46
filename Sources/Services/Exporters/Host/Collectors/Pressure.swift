import SelfMetrics

/// Time in which tasks waited for processor, memory or disk: the kernel's pressure stall information.
///
///     some avg10=0.00 avg60=0.12 avg300=0.05 total=1234567        microseconds in which at least one task waited
///     full …                                                      … in which all did
///
/// Source: Documentation/accounting/psi.rst of the kernel.
@Sendable func collectPressure(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    writePressure("cpu", try system.proc("pressure/cpu"), &page)
    writePressure("io", try system.proc("pressure/io"), &page)
    writePressure("memory", try system.proc("pressure/memory"), &page)
    // Only kernels that count the time of interrupts have this one.
    if let interrupts = try? system.proc("pressure/irq") { writePressure("irq", interrupts, &page) }
}

func writePressure(_ resource: String, _ text: String, _ page: inout MetricsPage) {
    for line in text.lines {
        let words = line.words
        guard let kind = words.first, let total = words.last, total.hasPrefix("total="), let value = decimal(total.dropFirst(6))
        else { continue }
        if kind == "some" {
            page.single("node_pressure_\(resource)_waiting_seconds_total", .counter, "Time in which a task waited.", value / 1e6)
        } else if kind == "full" && resource != "cpu" {
            page.single("node_pressure_\(resource)_stalled_seconds_total", .counter, "Time in which no task could go on.", value / 1e6)
        }
    }
}
