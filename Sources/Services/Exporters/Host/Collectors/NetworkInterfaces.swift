import SelfMetrics

/// What /sys/class/net says of each network device: whether it is up, its MTU, speed and addresses. Source: kernel, ABI/testing/sysfs-class-net.
@Sendable func collectNetworkInterfaces(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    let options = system.options, present = system.sysEntries("class/net").filter { system.sys("class/net/\($0)/operstate") != nil }
    let devices = present.filter(options.interfaceDevices.allows)
    guard !present.isEmpty else { throw CollectorError(path: "class/net") }
    func text(_ device: String, _ name: String) -> String { system.sys("class/net/\(device)/\(name)") ?? "" }
    /// Plain numbers, or hexadecimal ones behind `0x`.
    func number(_ device: String, _ name: String) -> Double? {
        let value = text(device, name)
        if value.hasPrefix("0x") { return UInt64(value.dropFirst(2), radix: 16).map { Double($0) } }
        return decimal(value)
    }
    let files: [(metric: String, file: String, kind: MetricsPage.Kind)] = [
        ("address_assign_type", "addr_assign_type", .gauge), ("carrier", "carrier", .gauge),
        ("carrier_changes_total", "carrier_changes", .counter), ("carrier_down_changes_total", "carrier_down_count", .counter),
        ("carrier_up_changes_total", "carrier_up_count", .counter), ("device_id", "dev_id", .gauge),
        ("dormant", "dormant", .gauge), ("flags", "flags", .gauge), ("iface_id", "ifindex", .gauge),
        ("iface_link", "iflink", .gauge), ("iface_link_mode", "link_mode", .gauge), ("mtu_bytes", "mtu", .gauge),
        ("name_assign_type", "name_assign_type", .gauge), ("net_dev_group", "netdev_group", .gauge),
        ("protocol_type", "type", .gauge), ("transmit_queue_length", "tx_queue_len", .gauge),
    ]
    for entry in files {
        let values = devices.compactMap { device in number(device, entry.file).map { (device, $0) } }
        guard !values.isEmpty else { continue }
        page.family("node_network_" + entry.metric, entry.kind, "File \(entry.file) of /sys/class/net.")
        for (device, value) in values { page.sample("node_network_" + entry.metric, [("device", device)], value) }
    }
    page.family("node_network_info", .gauge, "Addresses and states of a device; always 1.")
    for device in devices {
        let flags = number(device, "flags").flatMap { UInt64(exactly: $0) }
        page.sample(
            "node_network_info",
            [
                ("address", text(device, "address")), ("adminstate", flags.map { $0 & 1 != 0 ? "up" : "down" } ?? "unknown"),
                ("broadcast", text(device, "broadcast")), ("device", device), ("duplex", text(device, "duplex")),
                ("ifalias", text(device, "ifalias")), ("operstate", text(device, "operstate")),
            ], 1)
    }
    let speeds = devices.compactMap { device in number(device, "speed").map { (device, $0) } }
        .filter { $0.1 >= 0 || !options.ignoresInvalidSpeed }
    if !speeds.isEmpty {
        page.family("node_network_speed_bytes", .gauge, "Speed of the link in bytes per second; negative: unknown.")
        // The file counts megabits per second.
        for (device, speed) in speeds { page.sample("node_network_speed_bytes", [("device", device)], speed * 1_000_000 / 8) }
    }
    page.family("node_network_up", .gauge, "Whether the device is up.")
    for device in devices { page.sample("node_network_up", [("device", device)], text(device, "operstate") == "up" ? 1 : 0) }
}
