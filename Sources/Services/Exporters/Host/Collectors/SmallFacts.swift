import SelfMetrics

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Open files of the whole system, from /proc/sys/fs/file-nr: allocated, free, maximum.
@Sendable func collectFileDescriptors(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    let words = Substring(try system.proc("sys/fs/file-nr").filter { !$0.isNewline }).words
    guard let allocated = words.number(0), let maximum = words.number(2) else { throw CollectorError(path: "file-nr") }
    page.single("node_filefd_allocated", .gauge, "Files open in the whole system.", allocated)
    page.single("node_filefd_maximum", .gauge, "Files that may be open in the whole system.", maximum)
}

/// The kernel's pool of randomness.
@Sendable func collectEntropy(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    page.single("node_entropy_available_bits", .gauge, "Bits in the pool.", try system.procNumber("sys/kernel/random/entropy_avail"))
    page.single("node_entropy_pool_size_bits", .gauge, "Size of the pool.", try system.procNumber("sys/kernel/random/poolsize"))
}

/// The system's clock.
@Sendable func collectTime(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    var now = timespec()
    guard clock_gettime(CLOCK_REALTIME, &now) == 0 else { throw CollectorError(path: "clock") }
    page.single("node_time_seconds", .gauge, "The system's clock, in seconds since 1970.", Double(now.tv_sec) + Double(now.tv_nsec) / 1e9)
    var seconds = time_t(now.tv_sec)
    var local = tm()
    if localtime_r(&seconds, &local) != nil {
        let name = local.tm_zone.map { String(cString: $0) } ?? ""
        page.family("node_time_zone_offset_seconds", .gauge, "Seconds that the local time is ahead of UTC.")
        page.sample("node_time_zone_offset_seconds", [("time_zone", name)], Double(local.tm_gmtoff))
    }
    var group = FamilyGroup()
    let sources = system.sysEntries("devices/system/clocksource").filter { $0.hasPrefix("clocksource") }
    for (index, source) in sources.enumerated() {
        let base = "devices/system/clocksource/\(source)/", device = ("device", "\(index)")
        for name in Substring(system.sys(base + "available_clocksource") ?? "").words {
            group.add(
                "node_time_clocksource_available_info", .gauge, "Clocks the kernel could use; always 1.",
                [("clocksource", String(name)), device], 1)
        }
        guard let current = system.sys(base + "current_clocksource") else { continue }
        group.add(
            "node_time_clocksource_current_info", .gauge, "The clock the kernel uses; always 1.", [("clocksource", current), device], 1)
    }
    group.write(to: &page)
}

/// What uname(2) says.
@Sendable func collectSystemName(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    var name = utsname()
    guard uname(&name) == 0 else { throw CollectorError(path: "uname") }
    func text<T>(_ field: T) -> String {
        withUnsafeBytes(of: field) { bytes in String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
    }
    #if os(Linux)
        let domain = text(name.__domainname)
    #else
        let domain = "(none)"
    #endif
    page.family("node_uname_info", .gauge, "The system's names; always 1.")
    page.sample(
        "node_uname_info",
        [
            ("domainname", domain), ("machine", text(name.machine)), ("nodename", text(name.nodename)),
            ("release", text(name.release)), ("sysname", text(name.sysname)), ("version", text(name.version)),
        ], 1)
}
