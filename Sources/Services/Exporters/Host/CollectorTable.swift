import SelfMetrics

/// All collectors, under node_exporter's names.
extension HostMetrics {
    typealias Run = @Sendable (SystemFiles, inout MetricsPage) throws(CollectorError) -> Void
    typealias Collector = (name: String, run: Run)

    /// In the order of the page; `textfile` is last, as it has to know what is there.
    static let collectors: [Collector] = [
        ("arp", collectNeighbours), ("bonding", collectBonding), ("conntrack", collectConnectionTracking), ("cpu", collectCPU),
        ("cpufreq", collectCPUFrequency), ("diskstats", collectDiskStatistics), ("dmi", collectFirmware), ("edac", collectMemoryErrors),
        ("entropy", collectEntropy), ("filefd", collectFileDescriptors), ("filesystem", collectFilesystems), ("hwmon", collectSensors),
        ("ipvs", collectLoadBalancer), ("kernel_hung", collectHungTasks), ("loadavg", collectLoad), ("mdadm", collectSoftwareRAID),
        ("meminfo", collectMemory), ("netclass", collectNetworkInterfaces), ("netdev", collectNetworkTraffic),
        ("netstat", collectNetworkProtocols), ("nvme", collectNVMe), ("os", collectOperatingSystem),
        ("powersupplyclass", collectPowerSupplies), ("pressure", collectPressure), ("rapl", collectEnergy),
        ("schedstat", collectScheduler), ("selinux", collectSELinux), ("sockstat", collectSockets),
        ("softnet", collectSoftwareInterruptTraffic), ("stat", collectKernelActivity), ("thermal_zone", collectThermalZones),
        ("time", collectTime), ("timex", collectClockDiscipline), ("udp_queues", collectDatagramQueues), ("uname", collectSystemName),
        ("vmstat", collectVirtualMemory), ("watchdog", collectWatchdogs), ("textfile", collectTextFiles),
    ]

    /// Every collector there is.
    public static let collectorNames = Set(collectors.map(\.name))

    /// Those that run where nobody chooses.
    public static let defaultCollectors = collectorNames

    /// Names that node_exporter has and we have not: their flags are taken, and nothing is shown.
    public static let absentCollectors: Set<String> = [
        "bcache", "bcachefs", "btrfs", "buddyinfo", "cgroups", "cpu_vulnerabilities", "drbd", "drm", "ethtool", "fibrechannel", "infiniband",
        "interrupts", "ksmd", "lnstat", "logind", "meminfo_numa", "mountstats", "network_route", "nfs", "nfsd", "ntp", "pcidevice", "perf",
        "processes", "qdisc", "runit", "slabinfo", "softirqs", "supervisord", "swap", "sysctl", "systemd", "tapestats", "tcpstat",
        "wifi", "xfrm", "xfs", "zfs", "zoneinfo",
    ]
}
