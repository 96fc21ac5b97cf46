import SelfMetrics

/// Bytes, packets and errors of each network device, from /proc/net/dev. Source: proc(5).
///
///     eth0: bytes packets errs drop fifo frame compressed multicast │ bytes packets errs drop fifo colls carrier compressed
@Sendable func collectNetworkTraffic(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    let filter = system.options.trafficDevices
    writeNetworkTraffic(try system.proc("net/dev"), filter, &page)
    let unhandled = system.sysEntries("class/net").filter(filter.allows).compactMap { device in
        system.sys("class/net/\(device)/statistics/rx_nohandler").flatMap { decimal($0) }.map { (device, $0) }
    }
    if !unhandled.isEmpty {
        page.family("node_network_receive_nohandler_total", .counter, "Packets that nobody on this machine wanted.")
        for (device, value) in unhandled {
            page.sample("node_network_receive_nohandler_total", [("device", device)], value)
        }
    }
}

func writeNetworkTraffic(_ text: String, _ filter: NameFilter = .all, _ page: inout MetricsPage) {
    var devices: [(name: String, numbers: [Substring])] = []
    for line in text.lines.dropFirst(2) {
        guard let colon = line.lastIndex(of: ":") else { continue }
        let name = line[..<colon].words.first.map(String.init) ?? ""
        let numbers = line[line.index(after: colon)...].words
        if !name.isEmpty && numbers.count >= 16 && filter.allows(name) { devices.append((name, numbers)) }
    }
    let columns = [
        ("receive_bytes", 0), ("receive_packets", 1), ("receive_errs", 2), ("receive_drop", 3), ("receive_fifo", 4),
        ("receive_frame", 5), ("receive_compressed", 6), ("receive_multicast", 7), ("transmit_bytes", 8),
        ("transmit_packets", 9), ("transmit_errs", 10), ("transmit_drop", 11), ("transmit_fifo", 12), ("transmit_colls", 13),
        ("transmit_carrier", 14), ("transmit_compressed", 15),
    ]
    for (name, index) in columns where !devices.isEmpty {
        page.family("node_network_\(name)_total", .counter, "Column \(name) of /proc/net/dev.")
        for device in devices {
            guard let value = device.numbers.number(index) else { continue }
            page.sample("node_network_\(name)_total", [("device", device.name)], value)
        }
    }
}
