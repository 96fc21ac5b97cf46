import SelfMetrics

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The machine's own metrics, read from /proc and /sys: node_exporter's families under node_exporter's names, so that its
/// dashboards and rules work.
///
///     HostMetrics().exposition() ─▶ text format 0.0.4
///
/// A collector is a pure function from the text of a kernel file to families (`Collectors/`), so each can be tested on any text. What
/// the kernel does not offer is left out and shows as `node_scrape_collector_success 0`.
public struct HostMetrics: Sendable {
    private let system: SystemFiles

    /// The paths are where the kernel's files are mounted; inside a container the host's may be elsewhere.
    public init(procPath: String = "/proc", sysPath: String = "/sys") {
        system = SystemFiles(proc: procPath, sys: sysPath)
    }

    typealias Collector = (name: String, run: @Sendable (SystemFiles, inout MetricsPage) throws(CollectorError) -> Void)

    static let collectors: [Collector] = [
        ("cpu", collectCPU), ("diskstats", collectDiskStatistics), ("filefd", collectFileDescriptors),
        ("filesystem", collectFilesystems), ("loadavg", collectLoad), ("meminfo", collectMemory),
        ("netclass", collectNetworkInterfaces), ("netdev", collectNetworkTraffic), ("netstat", collectNetworkProtocols),
        ("pressure", collectPressure), ("sockstat", collectSockets), ("stat", collectKernelActivity), ("time", collectTime),
        ("uname", collectSystemName), ("vmstat", collectVirtualMemory), ("entropy", collectEntropy),
    ]

    /// One page of all families. Costs about a millisecond of CPU; reads files, so call it off the event loops.
    public func exposition() -> [UInt8] {
        var page = MetricsPage()
        var outcomes: [(name: String, seconds: Double, succeeded: Bool)] = []
        for collector in Self.collectors {
            let start = monotonicSeconds()
            var succeeded = true
            do throws(CollectorError) { try collector.run(system, &page) } catch { succeeded = false }
            outcomes.append((collector.name, monotonicSeconds() - start, succeeded))
        }
        page.family("node_scrape_collector_duration_seconds", .gauge, "How long a collector took.")
        for outcome in outcomes {
            page.sample("node_scrape_collector_duration_seconds", [("collector", outcome.name)], outcome.seconds)
        }
        page.family("node_scrape_collector_success", .gauge, "Whether a collector found what it reads.")
        for outcome in outcomes {
            page.sample("node_scrape_collector_success", [("collector", outcome.name)], outcome.succeeded ? 1 : 0)
        }
        return page.bytes
    }
}

private func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
