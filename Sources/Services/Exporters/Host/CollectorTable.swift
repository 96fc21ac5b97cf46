import SelfMetrics

/// All collectors, under node_exporter's names.
extension HostMetrics {
    typealias Run = @Sendable (SystemFiles, inout MetricsPage) throws(CollectorError) -> Void
    typealias Collector = (name: String, run: Run)

    static let collectors: [Collector] = [
        ("cpu", collectCPU), ("diskstats", collectDiskStatistics), ("entropy", collectEntropy), ("filefd", collectFileDescriptors),
        ("filesystem", collectFilesystems), ("loadavg", collectLoad), ("meminfo", collectMemory),
        ("netclass", collectNetworkInterfaces), ("netdev", collectNetworkTraffic), ("netstat", collectNetworkProtocols),
        ("pressure", collectPressure), ("sockstat", collectSockets), ("stat", collectKernelActivity), ("time", collectTime),
        ("uname", collectSystemName), ("vmstat", collectVirtualMemory),
    ]

    /// Every collector there is.
    public static let collectorNames = Set(collectors.map(\.name))

    /// Those that run where nobody chooses.
    public static let defaultCollectors = collectorNames

    /// Names that node_exporter has and we have not: their flags are taken, and nothing is shown.
    public static let absentCollectors: Set<String> = [
        "bcachefs", "buddyinfo", "cgroups", "cpu_vulnerabilities", "drbd", "drm", "ethtool", "fibrechannel", "infiniband",
        "interrupts", "ksmd", "lnstat", "logind", "meminfo_numa", "mountstats", "network_route", "nfsd", "ntp", "pcidevice", "perf",
        "processes", "qdisc", "runit", "slabinfo", "softirqs", "supervisord", "swap", "sysctl", "systemd", "tapestats", "tcpstat",
        "wifi", "xfrm", "zoneinfo",
    ]
}
