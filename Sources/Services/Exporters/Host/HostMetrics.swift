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
/// A collector is a pure function from the text of kernel files to families (`Collectors/`), so each can be tested on any text. What
/// the kernel does not offer is left out and shows as `node_scrape_collector_success 0`.
public struct HostMetrics: Sendable {
    private let system: SystemFiles

    public init(_ options: HostOptions = HostOptions()) { system = SystemFiles(options) }

    public var options: HostOptions { system.options }

    /// One page of the families of `selected` collectors, of all that are enabled where it is `nil`. Costs a few milliseconds of CPU;
    /// reads files and may wait for a file system, so call it off the event loops.
    public func exposition(_ selected: Set<String>? = nil) -> [UInt8] {
        var page = MetricsPage()
        write(selected, to: &page)
        return page.bytes
    }

    public func write(_ selected: Set<String>? = nil, to page: inout MetricsPage) {
        var outcomes: [(name: String, seconds: Double, succeeded: Bool)] = []
        let wanted = selected ?? system.options.collectors
        for collector in Self.collectors where wanted.contains(collector.name) {
            let start = monotonicSeconds()
            var succeeded = true
            do throws(CollectorError) { try collector.run(system, &page) } catch { succeeded = false }
            outcomes.append((collector.name, monotonicSeconds() - start, succeeded))
        }
        page.family("node_exporter_build_info", .gauge, "What this exporter is; always 1.")
        page.sample("node_exporter_build_info", Self.build, 1)
        guard !outcomes.isEmpty else { return }
        page.family("node_scrape_collector_duration_seconds", .gauge, "How long a collector took.")
        for outcome in outcomes {
            page.sample("node_scrape_collector_duration_seconds", [("collector", outcome.name)], outcome.seconds)
        }
        page.family("node_scrape_collector_success", .gauge, "Whether a collector found what it reads.")
        for outcome in outcomes {
            page.sample("node_scrape_collector_success", [("collector", outcome.name)], outcome.succeeded ? 1 : 0)
        }
    }

    /// The version whose families these are, and ours.
    public static let version = "1.11.1+minprom.0.1.0"

    private static let build: [(String, String)] = {
        #if arch(x86_64)
            let architecture = "amd64"
        #else
            let architecture = "arm64"
        #endif
        #if os(Linux)
            let system = "linux"
        #else
            let system = "darwin"
        #endif
        return [
            ("branch", ""), ("goarch", architecture), ("goos", system), ("goversion", ""), ("revision", ""), ("tags", ""),
            ("version", version),
        ]
    }()
}

func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
