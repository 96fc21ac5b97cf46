import SelfMetrics

/// Seconds that each processor spent in each mode, from the `cpuN` lines of /proc/stat (in ticks of 1/100 s); and whether it is online,
/// isolated or was throttled, from /sys.
///
///     cpu0 user nice system idle iowait irq softirq steal guest guest_nice
///
/// Source: proc(5).
@Sendable func collectCPU(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    let times = system.processorTimes.settled(parseProcessorTimes(try system.proc("stat")))
    writeProcessorTimes(times, showsGuests: system.options.showsGuestTime, &page)
    var group = FamilyGroup()
    if system.options.showsProcessorInfo { addProcessorInfo(try system.proc("cpuinfo"), &group) }
    addThrottles(system, &group)
    let processors = system.processors
    if system.sys("devices/system/cpu/cpu0/online") != nil {
        for cpu in processors {
            let isOnline = system.sys("devices/system/cpu/cpu\(cpu)/online") == "1"
            group.add("node_cpu_online", .gauge, "Whether the processor is in use.", [("cpu", "\(cpu)")], isOnline ? 1 : 0)
        }
    }
    for cpu in parseProcessorList(system.sys("devices/system/cpu/isolated") ?? "") {
        group.add("node_cpu_isolated", .gauge, "Processors kept from ordinary tasks; always 1.", [("cpu", "\(cpu)")], 1)
    }
    group.write(to: &page)
}

/// Ticks per second of /proc/stat; fixed by the kernel's interface on Linux.
private let ticksPerSecond = 100.0

private let modes = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"]

func parseProcessorTimes(_ stat: String) -> [(cpu: String, seconds: [Double])] {
    var times: [(cpu: String, seconds: [Double])] = []
    for words in stat.lines.map(\.words) {
        guard let name = words.first, name.hasPrefix("cpu"), name.count > 3, name.dropFirst(3).allSatisfy(\.isNumber) else { continue }
        // Old kernels have fewer columns; what is no number is no line.
        let ticks = (1...10).map { words.number($0) }.prefix { $0 != nil }.compactMap { $0 }
        if !ticks.isEmpty { times.append((String(name.dropFirst(3)), ticks.map { $0 / ticksPerSecond })) }
    }
    return times
}

func writeProcessorTimes(_ times: [(cpu: String, seconds: [Double])], showsGuests: Bool, _ page: inout MetricsPage) {
    guard !times.isEmpty else { return }
    if showsGuests && times.contains(where: { $0.seconds.count > modes.count }) {
        page.family("node_cpu_guest_seconds_total", .counter, "Seconds spent for guests (virtual machines), by mode.")
        for entry in times {
            for (mode, seconds) in zip(["user", "nice"], entry.seconds.dropFirst(modes.count)) {
                page.sample("node_cpu_guest_seconds_total", [("cpu", entry.cpu), ("mode", mode)], seconds)
            }
        }
    }
    page.family("node_cpu_seconds_total", .counter, "Seconds spent by each processor in each mode.")
    for entry in times {
        for (mode, seconds) in zip(modes, entry.seconds) {
            page.sample("node_cpu_seconds_total", [("cpu", entry.cpu), ("mode", mode)], seconds)
        }
    }
}

/// `0,2-4` as numbers, at most 8192 of them (the kernel's own bound).
func parseProcessorList(_ text: String) -> [Int] {
    var numbers: [Int] = []
    for part in text.split(separator: ",") {
        let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first >= 0, first <= last else { continue }
        for number in first...min(last, first + 8191) where numbers.count < 8192 { numbers.append(number) }
    }
    return numbers
}

extension SystemFiles {
    /// Numbers of the processors that /sys knows.
    var processors: [Int] {
        sysEntries("devices/system/cpu").compactMap { $0.hasPrefix("cpu") ? Int($0.dropFirst(3)) : nil }.sorted()
    }
}

/// Each package and core once: the first processor that has the file speaks for it.
private func addThrottles(_ system: SystemFiles, _ group: inout FamilyGroup) {
    var packages: [String: Double] = [:], cores: [String: (package: String, core: String, count: Double)] = [:]
    for cpu in system.processors {
        let base = "devices/system/cpu/cpu\(cpu)/"
        guard let package = system.sys(base + "topology/physical_package_id"), let core = system.sys(base + "topology/core_id") else {
            continue
        }
        if packages[package] == nil { packages[package] = system.sysNumber(base + "thermal_throttle/package_throttle_count") }
        let key = "\(package)/\(core)"
        if cores[key] == nil, let count = system.sysNumber(base + "thermal_throttle/core_throttle_count") {
            cores[key] = (package, core, count)
        }
    }
    for (package, count) in packages.sorted(by: { $0.key < $1.key }) {
        group.add(
            "node_cpu_package_throttles_total", .counter, "How often the package was slowed down because of heat.",
            [("package", package)], count)
    }
    for (_, entry) in cores.sorted(by: { $0.key < $1.key }) {
        group.add(
            "node_cpu_core_throttles_total", .counter, "How often the core was slowed down because of heat.",
            [("core", entry.core), ("package", entry.package)], entry.count)
    }
}

/// `node_cpu_info` of each block of /proc/cpuinfo, and the clock it shows.
func addProcessorInfo(_ text: String, _ group: inout FamilyGroup) {
    for block in text.split(separator: "\n\n") {
        var fields: [Substring: String] = [:]
        for line in block.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            fields[line[..<colon].prefix { $0 != "\t" }] = String(value)
        }
        guard let cpu = fields["processor"] else { continue }
        func field(_ name: Substring) -> String { fields[name] ?? "" }
        group.add(
            "node_cpu_info", .gauge, "What /proc/cpuinfo says of the processor; always 1.",
            [
                ("cachesize", field("cache size")), ("core", field("core id")), ("cpu", cpu), ("family", field("cpu family")),
                ("microcode", field("microcode")), ("model", field("model")), ("model_name", field("model name")),
                ("package", field("physical id")), ("stepping", field("stepping")), ("vendor", field("vendor_id")),
            ], 1)
        group.add(
            "node_cpu_frequency_hertz", .gauge, "Clock of the processor.",
            [("core", field("core id")), ("cpu", cpu), ("package", field("physical id"))], fields["cpu MHz"].flatMap { decimal($0) }.map { $0 * 1e6 })
    }
}
