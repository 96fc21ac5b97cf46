import SelfMetrics

/// The three load averages of /proc/loadavg. Source: proc(5).
@Sendable func collectLoad(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    let words = Substring(try system.proc("loadavg")).words
    guard words.number(0) != nil else { throw CollectorError(path: "loadavg") }
    for (index, minutes) in [1, 5, 15].enumerated() {
        guard let load = words.number(index) else { continue }
        page.single("node_load\(minutes)", .gauge, "Runnable and uninterruptible tasks, averaged over \(minutes) m.", load)
    }
}
