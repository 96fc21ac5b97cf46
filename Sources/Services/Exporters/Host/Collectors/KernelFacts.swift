import CClockState
import SelfMetrics

/// How each processor's time was shared, from the `cpuN` lines of /proc/schedstat: fields 7 to 9 are running, waiting (ns), time slices.
///
/// Source: Documentation/scheduler/sched-stats.rst of the kernel.
@Sendable func collectScheduler(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    writeScheduler(try system.proc("schedstat"), &page)
}

func writeScheduler(_ text: String, _ page: inout MetricsPage) {
    var group = FamilyGroup()
    for words in text.lines.map(\.words) {
        guard words.count >= 10, words[0].hasPrefix("cpu"), let running = words.number(7), let waiting = words.number(8),
            let slices = words.number(9)
        else { continue }
        let cpu = [("cpu", String(words[0].dropFirst(3)))]
        group.add("node_schedstat_running_seconds_total", .counter, "Time in which a task ran.", cpu, running / 1e9)
        group.add("node_schedstat_timeslices_total", .counter, "Time slices given to tasks.", cpu, slices)
        group.add("node_schedstat_waiting_seconds_total", .counter, "Time in which tasks waited for the processor.", cpu, waiting / 1e9)
    }
    group.write(to: &page)
}

/// Tasks that hung for minutes, as the kernel's watchdog counted.
@Sendable func collectHungTasks(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    let count = try system.procNumber("sys/kernel/hung_task_detect_count")
    page.single("node_kernel_hung_tasks_total", .counter, "Tasks found hanging since the machine booted.", count)
}

/// The clock's discipline: how far the clock is off and how it is steered. Source: adjtimex(2).
@Sendable func collectClockDiscipline(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    var state = cclockstate()
    let result = cclockstate_read(&state)
    guard result >= 0 else { throw CollectorError(path: "adjtimex") }
    writeClockDiscipline(state, isSynchronised: result != 5, &page)
}

func writeClockDiscipline(_ state: cclockstate, isSynchronised: Bool, _ page: inout MetricsPage) {
    /// STA_NANO: offsets are in nanoseconds.
    let divisor = state.status & 0x2000 != 0 ? 1e9 : 1e6
    /// Frequencies are in millionths, with 16 bits behind the point.
    let frequencyUnit = 65536.0 * 1e6
    func write(_ name: String, _ kind: MetricsPage.Kind, _ help: String, _ value: Double) {
        page.single("node_timex_" + name, kind, help, value)
    }
    write("estimated_error_seconds", .gauge, "Estimated error.", Double(state.estimated_error) / 1e6)
    write("frequency_adjustment_ratio", .gauge, "How much faster the clock is made.", 1 + Double(state.frequency) / frequencyUnit)
    write("loop_time_constant", .gauge, "Time constant of the phase-locked loop.", Double(state.constant))
    write("maxerror_seconds", .gauge, "Largest error.", Double(state.max_error) / 1e6)
    write("offset_seconds", .gauge, "Distance from the reference clock.", Double(state.offset) / divisor)
    write("pps_calibration_total", .counter, "Calibrations by pulses.", Double(state.pps_calibration_count))
    write("pps_error_total", .counter, "Failed calibrations by pulses.", Double(state.pps_error_count))
    write("pps_frequency_hertz", .gauge, "Frequency by pulses.", Double(state.pps_frequency) / frequencyUnit)
    write("pps_jitter_seconds", .gauge, "Jitter of pulses.", Double(state.pps_jitter) / divisor)
    write("pps_jitter_total", .counter, "Pulses with too much jitter.", Double(state.pps_jitter_count))
    write("pps_shift_seconds", .gauge, "Interval of pulses.", Double(state.pps_shift))
    write("pps_stability_exceeded_total", .counter, "Pulses that were not stable.", Double(state.pps_stability_count))
    write("pps_stability_hertz", .gauge, "Stability of pulses.", Double(state.pps_stability) / frequencyUnit)
    write("status", .gauge, "Bits of the state.", Double(state.status))
    write("sync_status", .gauge, "Whether the clock follows a reference.", isSynchronised ? 1 : 0)
    write("tai_offset_seconds", .gauge, "Distance from atomic time.", Double(state.tai))
    write("tick_seconds", .gauge, "Time between two ticks.", Double(state.tick) / 1e6)
}

/// Whether SELinux is on, and how strict.
@Sendable func collectSELinux(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    guard let enforcing = system.sysNumber("fs/selinux/enforce") else {
        page.single("node_selinux_enabled", .gauge, "Whether SELinux is on.", 0)
        return
    }
    let wanted = (system.root("/etc/selinux/config") ?? "").lines.first { $0.hasPrefix("SELINUX=") }?.dropFirst(8) ?? ""
    let mode: Double = wanted.hasPrefix("enforcing") ? 1 : (wanted.hasPrefix("permissive") ? 0 : -1)
    page.single("node_selinux_config_mode", .gauge, "Configured: 1 enforcing, 0 permissive, -1 disabled.", mode)
    page.single("node_selinux_current_mode", .gauge, "Now: 1 enforcing, 0 permissive.", enforcing)
    page.single("node_selinux_enabled", .gauge, "Whether SELinux is on.", 1)
}

/// The distribution, from /etc/os-release: shell assignments.
@Sendable func collectOperatingSystem(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    guard let text = system.root("/etc/os-release") ?? system.root("/usr/lib/os-release") else { throw CollectorError(path: "os-release") }
    writeOperatingSystem(text, &page)
}

func writeOperatingSystem(_ text: String, _ page: inout MetricsPage) {
    var fields: [Substring: String] = [:]
    for line in text.lines where !line.hasPrefix("#") {
        guard let equals = line.firstIndex(of: "=") else { continue }
        fields[line[..<equals]] = unquoteShell(line[line.index(after: equals)...])
    }
    func field(_ name: Substring) -> String { fields[name] ?? "" }
    page.family("node_os_info", .gauge, "The distribution; always 1.")
    page.sample(
        "node_os_info",
        [
            ("build_id", field("BUILD_ID")), ("id", field("ID")), ("id_like", field("ID_LIKE")), ("image_id", field("IMAGE_ID")),
            ("image_version", field("IMAGE_VERSION")), ("name", field("NAME")), ("pretty_name", field("PRETTY_NAME")),
            ("variant", field("VARIANT")), ("variant_id", field("VARIANT_ID")), ("version", field("VERSION")),
            ("version_codename", field("VERSION_CODENAME")), ("version_id", field("VERSION_ID")),
        ], 1)
    if let end = daysSinceEpoch(field("SUPPORT_END")) {
        page.single("node_os_support_end_timestamp_seconds", .gauge, "When support of the distribution ends.", Double(end) * 86400)
    }
    if let version = leadingVersion(field("VERSION_ID")), version > 0 {
        page.family("node_os_version", .gauge, "Major and minor version as a number.")
        page.sample("node_os_version", [("id", field("ID")), ("id_like", field("ID_LIKE")), ("name", field("NAME"))], version)
    }
}

/// A value of a shell assignment without its quotes and escapes.
func unquoteShell(_ text: Substring) -> String {
    guard let quote = text.first, quote == "\"" || quote == "'", text.count >= 2, text.last == quote else { return String(text) }
    var result = "", isEscaped = false
    for character in text.dropFirst().dropLast() {
        if character == "\\" && !isEscaped && quote == "\"" {
            isEscaped = true
        } else {
            result.append(character)
            isEscaped = false
        }
    }
    return result
}

/// `12.04.3` as 12.04.
func leadingVersion(_ text: String) -> Double? {
    let parts = text.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false).map { $0.prefix { $0.isASCII && $0.isNumber } }
    guard let major = parts.first, !major.isEmpty else { return nil }
    let isWhole = text.dropFirst(major.count).first != "."
    return decimal(isWhole || parts.count < 2 || parts[1].isEmpty ? String(major) : "\(major).\(parts[1])")
}

/// Days from 1970 to `2028-06-30`.
func daysSinceEpoch(_ text: String) -> Int? {
    let parts = text.split(separator: "-").compactMap { Int($0) }
    guard parts.count == 3, (1970...9999).contains(parts[0]), (1...12).contains(parts[1]), (1...31).contains(parts[2]) else { return nil }
    // Years begin in March, so that the leap day is the last. Source: Hinnant, “chrono-Compatible Low-Level Date Algorithms”.
    let year = parts[1] <= 2 ? parts[0] - 1 : parts[0]
    let month = (parts[1] + 9) % 12
    let era = year / 400, ofEra = year - era * 400
    return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + (153 * month + 2) / 5 + parts[2] - 1 - 719_468
}
