import SelfMetrics

/// What the firmware says of the machine: /sys/class/dmi/id. Labels exist as far as the files can be read (serial numbers are for root).
@Sendable func collectFirmware(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    let names = [
        "bios_date", "bios_release", "bios_vendor", "bios_version", "board_asset_tag", "board_name", "board_serial", "board_vendor",
        "board_version", "chassis_asset_tag", "chassis_serial", "chassis_vendor", "chassis_version", "product_family", "product_name",
        "product_serial", "product_sku", "product_uuid", "product_version", "system_vendor",
    ]
    let labels = names.compactMap { name in
        system.sys("class/dmi/id/" + (name == "system_vendor" ? "sys_vendor" : name)).map { (name, $0) }
    }
    guard !labels.isEmpty else { throw CollectorError(path: "class/dmi/id") }
    page.family("node_dmi_info", .gauge, "What the firmware says of the machine; always 1.")
    page.sample("node_dmi_info", labels, 1)
}

/// Temperatures and coolers: /sys/class/thermal. Temperatures are in thousandths of a degree.
@Sendable func collectThermalZones(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    var group = FamilyGroup()
    for entry in system.sysEntries("class/thermal") {
        let base = "class/thermal/\(entry)/"
        let type = system.sys(base + "type") ?? ""
        if entry.hasPrefix("thermal_zone") {
            group.add(
                "node_thermal_zone_temp", .gauge, "Temperature in degrees Celsius.",
                [("type", type), ("zone", String(entry.dropFirst("thermal_zone".count)))], system.sysNumber(base + "temp").map { $0 / 1000 })
        } else if entry.hasPrefix("cooling_device") {
            let labels = [("name", String(entry.dropFirst("cooling_device".count))), ("type", type)]
            group.add(
                "node_cooling_device_cur_state", .gauge, "How hard it cools.", labels, system.sysNumber(base + "cur_state"))
            group.add(
                "node_cooling_device_max_state", .gauge, "How hard it can cool.", labels, system.sysNumber(base + "max_state"))
        }
    }
    group.write(to: &page)
}

/// Memory errors that the hardware found, by controller, row and channel: /sys/devices/system/edac/mc.
@Sendable func collectMemoryErrors(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    var group = FamilyGroup()
    func add(_ level: String, _ labels: [(String, String)], _ base: String, _ suffix: String = "_count") {
        group.add(
            "node_edac_\(level)correctable_errors_total", .counter, "Memory errors that were corrected.", labels,
            system.sysNumber(base + "ce" + suffix))
        group.add(
            "node_edac_\(level)uncorrectable_errors_total", .counter, "Memory errors that were not.", labels,
            system.sysNumber(base + "ue" + suffix))
    }
    let root = "devices/system/edac/mc"
    for controller in system.sysEntries(root) {
        guard controller.hasPrefix("mc"), let number = Int(controller.dropFirst(2)) else { continue }
        let base = "\(root)/\(controller)/", label = ("controller", "\(number)")
        add("", [label], base)
        add("csrow_", [label, ("csrow", "unknown")], base, "_noinfo_count")
        for row in system.sysEntries(root + "/" + controller) {
            guard row.hasPrefix("csrow"), let rowNumber = Int(row.dropFirst(5)) else { continue }
            add("csrow_", [label, ("csrow", "\(rowNumber)")], base + row + "/")
            for file in system.sysEntries(base + row) where file.hasPrefix("ch") && file.hasSuffix("_ce_count") {
                let channel = file.dropFirst(2).dropLast("_ce_count".count)
                let labels = [
                    ("channel", String(channel)), label, ("csrow", "\(rowNumber)"),
                    ("dimm_label", moduleLabel(system.sys("\(base)\(row)/ch\(channel)_dimm_label"))),
                ]
                group.add(
                    "node_edac_channel_correctable_errors_total", .counter, "Memory errors that were corrected.", labels,
                    system.sysNumber("\(base)\(row)/\(file)"))
                group.add(
                    "node_edac_channel_uncorrectable_errors_total", .counter, "Memory errors that were not.", labels,
                    system.sysNumber("\(base)\(row)/ch\(channel)_ue_count"))
            }
        }
    }
    group.write(to: &page)
}

/// `mc#0csrow#0channel#0` as node_exporter spells it: `mc0_csrow0_channel0`.
private func moduleLabel(_ text: String?) -> String {
    guard let text else { return "unknown" }
    var result = "", rest = Substring(text.filter { $0 != "#" })
    while let first = rest.first {
        if rest.hasPrefix("csrow") || rest.hasPrefix("channel") {
            let word = rest.hasPrefix("csrow") ? "csrow" : "channel"
            result += "_" + word
            rest = rest.dropFirst(word.count)
        } else {
            result.append(first)
            rest = rest.dropFirst()
        }
    }
    return result
}

/// Energy used, from /sys/class/powercap (in µJ; root only since 2020). A zone's name becomes part of the metric's.
@Sendable func collectEnergy(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    var group = FamilyGroup(), used: [String: Int] = [:]
    try system.requireSys("class/powercap")
    for zone in system.sysEntries("class/powercap") {
        guard var name = system.sys("class/powercap/\(zone)/name") else { continue }
        var index = used[name] ?? 0
        // `package-1` says its number itself.
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        if parts.count == 2, let number = Int(parts[1]) { (name, index) = (String(parts[0]), number) }
        used[name] = index < Int.max ? index + 1 : index
        guard let energy = system.sysNumber("class/powercap/\(zone)/energy_uj") else { throw CollectorError(path: "energy_uj") }
        let metric = String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") ? $0 : "_" })
        group.add(
            "node_rapl_\(metric)_joules_total", .counter, "Energy used by \(name).",
            [("index", "\(index)"), ("path", system.sysPath("class/powercap/\(zone)"))], energy / 1e6)
    }
    group.write(to: &page)
}

/// Timers that restart the machine when nobody feeds them: /sys/class/watchdog.
@Sendable func collectWatchdogs(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    try system.requireSys("class/watchdog")
    var group = FamilyGroup()
    for name in system.sysEntries("class/watchdog") {
        let base = "class/watchdog/\(name)/"
        func text(_ file: String) -> String { system.sys(base + file) ?? "" }
        for (metric, file) in [
            ("access_cs0", "access_cs0"), ("bootstatus", "bootstatus"), ("fw_version", "fw_version"), ("nowayout", "nowayout"),
            ("pretimeout_seconds", "pretimeout"), ("timeleft_seconds", "timeleft"), ("timeout_seconds", "timeout"),
        ] {
            group.add("node_watchdog_" + metric, .gauge, "File \(file) of /sys/class/watchdog.", [("name", name)], system.sysNumber(base + file))
        }
        group.add(
            "node_watchdog_info", .gauge, "What the watchdog is; always 1.",
            [
                ("identity", text("identity")), ("name", name), ("options", text("options")),
                ("pretimeout_governor", text("pretimeout_governor")), ("state", text("state")), ("status", text("status")),
            ], 1)
    }
    group.write(to: &page)
}

/// Controllers and name spaces of NVMe disks: /sys/class/nvme.
@Sendable func collectNVMe(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    try system.requireSys("class/nvme")
    var group = FamilyGroup()
    for device in system.sysEntries("class/nvme") {
        let base = "class/nvme/\(device)/"
        func text(_ file: String) -> String { system.sys(base + file) ?? "" }
        group.add(
            "node_nvme_info", .gauge, "What the controller is; always 1.",
            [
                ("cntlid", text("cntlid")), ("device", device), ("firmware_revision", text("firmware_rev")), ("model", text("model")),
                ("serial", text("serial")), ("state", text("state")),
            ], 1)
        // `nvme0n1`, or `nvme0c1n1` where several paths lead to it.
        for entry in system.sysEntries(base) where entry.hasPrefix("nvme") {
            guard let mark = entry.lastIndex(of: "n"), let number = Int(entry[entry.index(after: mark)...]) else { continue }
            let block = system.sysNumber(base + entry + "/queue/logical_block_size") ?? 0
            let labels = [("device", device), ("nsid", "\(number)")]
            let size = (system.sysNumber(base + entry + "/size") ?? 0) * block
            group.add(
                "node_nvme_namespace_info", .gauge, "What the name space is; always 1.",
                [("ana_state", system.sys(base + entry + "/ana_state") ?? "unknown")] + labels, 1)
            group.add("node_nvme_namespace_capacity_bytes", .gauge, "Capacity.", labels, size)
            group.add("node_nvme_namespace_size_bytes", .gauge, "Size.", labels, size)
            group.add("node_nvme_namespace_used_bytes", .gauge, "Used.", labels, (system.sysNumber(base + entry + "/nuse") ?? 0) * block)
            group.add("node_nvme_namespace_logical_block_size_bytes", .gauge, "Size of a block.", labels, block)
        }
    }
    group.write(to: &page)
}

/// Network devices that are several in one: /sys/class/net/bonding_masters.
@Sendable func collectBonding(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    guard let masters = system.sys("class/net/bonding_masters") else { throw CollectorError(path: "bonding_masters") }
    var group = FamilyGroup()
    for master in Substring(masters).words {
        let slaves = Substring(system.sys("class/net/\(master)/bonding/slaves") ?? "").words
        let active = slaves.filter { slave in
            ["lower_", "slave_"].lazy.compactMap { system.sys("class/net/\(master)/\($0)\(slave)/bonding_slave/mii_status") }.first == "up"
        }
        group.add("node_bonding_active", .gauge, "Devices of the bond that work.", [("master", String(master))], Double(active.count))
        group.add("node_bonding_slaves", .gauge, "Devices of the bond.", [("master", String(master))], Double(slaves.count))
    }
    group.write(to: &page)
}
