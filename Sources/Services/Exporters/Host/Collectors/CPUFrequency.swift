import SelfMetrics

/// Clocks of the processors and who sets them, from /sys/devices/system/cpu/cpuN/cpufreq. Files are in kHz.
///
/// Source: Documentation/admin-guide/pm/cpufreq.rst of the kernel.
@Sendable func collectCPUFrequency(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    let files = [
        ("frequency_hertz", "cpuinfo_cur_freq"), ("frequency_avg_hertz", "cpuinfo_avg_freq"),
        ("frequency_max_hertz", "cpuinfo_max_freq"), ("frequency_min_hertz", "cpuinfo_min_freq"),
        ("scaling_frequency_hertz", "scaling_cur_freq"), ("scaling_frequency_max_hertz", "scaling_max_freq"),
        ("scaling_frequency_min_hertz", "scaling_min_freq"),
    ]
    guard !system.processors.isEmpty else { throw CollectorError(path: "devices/system/cpu") }
    var group = FamilyGroup()
    for cpu in system.processors {
        let base = "devices/system/cpu/cpu\(cpu)/cpufreq/", label = ("cpu", "\(cpu)")
        for (name, file) in files {
            // `cpu` with --collector.cpu.info shows this family from /proc/cpuinfo, with more labels.
            if name == "frequency_hertz" && system.options.showsProcessorInfo { continue }
            group.add("node_cpu_" + name, .gauge, "File \(file) of cpufreq.", [label], system.sysNumber(base + file).map { $0 * 1000 })
        }
        guard let current = system.sys(base + "scaling_governor"), !current.isEmpty else { continue }
        for governor in Substring(system.sys(base + "scaling_available_governors") ?? "").words {
            group.add(
                "node_cpu_scaling_governor", .gauge, "Which governor sets the clock.", [label, ("governor", String(governor))],
                governor == current ? 1 : 0)
        }
    }
    group.write(to: &page)
}
