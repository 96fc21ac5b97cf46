import SelfMetrics

/// Neighbours by device, from /proc/net/arp: `address type flags hardware-address mask device`.
@Sendable func collectNeighbours(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    writeNeighbours(try system.proc("net/arp"), system.options.arpDevices, &page)
}

func writeNeighbours(_ text: String, _ devices: NameFilter, _ page: inout MetricsPage) {
    var counts: [String: Int] = [:]
    for words in text.lines.dropFirst().map(\.words) where words.count == 6 && devices.allows(words[5]) {
        counts[String(words[5]), default: 0] += 1
    }
    var group = FamilyGroup()
    for (device, count) in counts.sorted(by: { $0.key < $1.key }) {
        group.add("node_arp_entries", .gauge, "Neighbours (ARP entries) by device.", [("device", device)], Double(count))
    }
    group.write(to: &page)
}

/// Connections that the firewall follows: counts, and what /proc/net/stat/nf_conntrack (hexadecimal, one line per processor) says.
@Sendable func collectConnectionTracking(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    let entries = try system.procNumber("sys/net/netfilter/nf_conntrack_count")
    let limit = try system.procNumber("sys/net/netfilter/nf_conntrack_max")
    page.single("node_nf_conntrack_entries", .gauge, "Connections that are followed.", entries)
    page.single("node_nf_conntrack_entries_limit", .gauge, "Connections that can be followed.", limit)
    writeConnectionTracking(try system.proc("net/stat/nf_conntrack"), &page)
}

func writeConnectionTracking(_ text: String, _ page: inout MetricsPage) {
    let rows = text.lines.dropFirst().map(\.words).filter { $0.count == 16 || $0.count == 17 }
    let columns = [
        ("found", 2), ("invalid", 4), ("ignore", 5), ("insert", 8), ("insert_failed", 9), ("drop", 10), ("early_drop", 11),
        ("search_restart", 16),
    ]
    for (name, index) in columns where !rows.isEmpty {
        let sum = rows.reduce(0.0) { $0 + ($1.hexadecimal(index) ?? 0) }
        page.single("node_nf_conntrack_stat_" + name, .gauge, "Column \(name) of nf_conntrack, all processors together.", sum)
    }
}

/// Packets that each processor took from the network, from /proc/net/softnet_stat: hexadecimal columns without names.
///
///     processed dropped squeezed 0 0 0 0 0 collisions  received-rps  flow-limit  backlog  processor
///
/// Older kernels have fewer columns. Source: softnet_seq_show of the kernel, net/core/net-procfs.c.
@Sendable func collectSoftwareInterruptTraffic(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    writeSoftwareInterruptTraffic(try system.proc("net/softnet_stat"), &page)
}

func writeSoftwareInterruptTraffic(_ text: String, _ page: inout MetricsPage) {
    let columns: [(name: String, index: Int, kind: MetricsPage.Kind, help: String)] = [
        ("processed_total", 0, .counter, "Packets processed."), ("dropped_total", 1, .counter, "Packets dropped."),
        ("times_squeezed_total", 2, .counter, "How often there was more work than time."),
        ("cpu_collision_total", 8, .counter, "How often another processor held the device."),
        ("received_rps_total", 9, .counter, "How often another processor asked for help."),
        ("flow_limit_count_total", 10, .counter, "How often a flow met its limit."), ("backlog_len", 11, .gauge, "Packets waiting."),
    ]
    var group = FamilyGroup()
    for (row, words) in text.lines.map(\.words).enumerated() where words.count >= 9 {
        let cpu = words.count >= 13 ? words.hexadecimal(12).flatMap { Int(exactly: $0) } ?? row : row
        for column in columns {
            // A column that this kernel does not have is shown as zero, as node_exporter does.
            let value = words.count > column.index ? words.hexadecimal(column.index) : 0
            group.add("node_softnet_" + column.name, column.kind, column.help, [("cpu", "\(cpu)")], value)
        }
    }
    group.write(to: &page)
}

/// Bytes waiting in UDP sockets, from /proc/net/udp and udp6: column `tx_queue:rx_queue`, hexadecimal.
@Sendable func collectDatagramQueues(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    let four = try? system.proc("net/udp"), six = try? system.proc("net/udp6")
    guard four != nil || six != nil else { throw CollectorError(path: "net/udp") }
    var group = FamilyGroup()
    if let four { addDatagramQueues(four, "v4", &group) }
    if let six { addDatagramQueues(six, "v6", &group) }
    group.write(to: &page)
}

func addDatagramQueues(_ text: String, _ version: String, _ group: inout FamilyGroup) {
    var sent = 0.0, received = 0.0
    for words in text.lines.dropFirst().map(\.words) where words.count >= 10 {
        let queues = words[4].split(separator: ":", omittingEmptySubsequences: false)
        guard queues.count == 2, let sending = queues.hexadecimal(0), let receiving = queues.hexadecimal(1) else { continue }
        sent += sending
        received += receiving
    }
    for (queue, value) in [("tx", sent), ("rx", received)] {
        group.add("node_udp_queues", .gauge, "Bytes waiting in UDP sockets.", [("ip", version), ("queue", queue)], value)
    }
}

/// IPVS, the kernel's load balancer: totals of /proc/net/ip_vs_stats, backends of /proc/net/ip_vs.
@Sendable func collectLoadBalancer(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    let totals = (try system.proc("net/ip_vs_stats")).split(separator: "\n", omittingEmptySubsequences: false)
    guard totals.count >= 3, totals[2].words.count == 5 else { throw CollectorError(path: "ip_vs_stats") }
    for (index, name) in ["connections", "incoming_packets", "outgoing_packets", "incoming_bytes", "outgoing_bytes"].enumerated() {
        guard let value = totals[2].words.hexadecimal(index) else { throw CollectorError(path: "ip_vs_stats") }
        page.single("node_ipvs_\(name)_total", .counter, "Column \(name) of ip_vs_stats.", value)
    }
    var group = FamilyGroup()
    addBackends(try system.proc("net/ip_vs"), &group)
    group.write(to: &page)
}

///     TCP  C0A80016:0CEA wlc                                         a service: protocol, address:port (hexadecimal)
///       -> C0A85216:0CEA      Tunnel  100    248        2            a backend: …, weight, active, inactive connections
func addBackends(_ text: String, _ group: inout FamilyGroup) {
    var service = (proto: "", mark: "", address: "", port: "0")
    var sums: [[String]: (weight: Double, active: Double, inactive: Double)] = [:]
    for words in text.lines.map(\.words) {
        guard let first = words.first, words.count >= 2 else { continue }
        switch first {
        case "TCP", "UDP":
            guard let place = parseAddress(words[1]) else { continue }
            service = (String(first), "", place.address, place.port)
        case "FWM": service = (String(first), String(words[1]), "", "0")
        case "->":
            guard words.count >= 6, let place = parseAddress(words[1]), let weight = words.number(3), let active = words.number(4),
                let inactive = words.number(5)
            else { continue }
            let key = [service.address, service.mark, service.port, service.proto, place.address, place.port]
            var sum = sums[key] ?? (0, 0, 0)
            sum.weight += weight
            sum.active += active
            sum.inactive += inactive
            sums[key] = sum
        default: continue
        }
    }
    let names = ["local_address", "local_mark", "local_port", "proto", "remote_address", "remote_port"]
    for (key, sum) in sums.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
        let labels = Array(zip(names, key))
        group.add("node_ipvs_backend_connections_active", .gauge, "Connections that are active.", labels, sum.active)
        group.add("node_ipvs_backend_connections_inactive", .gauge, "Connections that are not.", labels, sum.inactive)
        group.add("node_ipvs_backend_weight", .gauge, "Weight of the backend.", labels, sum.weight)
    }
}

/// `C0A80016:0CEA` or `[2620:…]:0050`.
private func parseAddress(_ text: Substring) -> (address: String, port: String)? {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...], radix: 16) else { return nil }
    let host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") { return (String(host.dropFirst().dropLast()), "\(port)") }
    guard host.utf8.count == 8, let bits = UInt32(host, radix: 16) else { return nil }
    return ([24, 16, 8, 0].map { "\(bits >> UInt32($0) & 0xff)" }.joined(separator: "."), "\(port)")
}
