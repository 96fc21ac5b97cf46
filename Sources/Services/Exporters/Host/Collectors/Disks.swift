import SelfMetrics

/// What each block device did, from /proc/diskstats, and what udev knows of it. Partitions, loop and RAM devices are left out, as
/// node_exporter does.
///
///     major minor name  reads merged sectors ms  writes merged sectors ms  in-flight ms weighted-ms  [discards merged sectors ms]  [flushes ms]
///
/// A sector is 512 bytes whatever the device says. Source: Documentation/admin-guide/iostats.rst of the kernel.
@Sendable func collectDiskStatistics(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    let devices = (try system.proc("diskstats")).lines.map(\.words).filter { $0.count >= 14 && system.options.disks.allows($0[2]) }
    writeDiskStatistics(devices, &page)
    var group = FamilyGroup()
    for words in devices {
        let known = parseUdev(system.udev("b\(words[0]):\(words[1])") ?? "")
        let isRotating = system.sys("block/\(words[2])/queue/rotational") == "1"
        addDiskInfo(words, known, isRotating: isRotating, &group)
    }
    group.write(to: &page)
}

/// Properties of a device: lines `E:NAME=value` of its file in /run/udev/data.
func parseUdev(_ text: String) -> [Substring: String] {
    var known: [Substring: String] = [:]
    for line in text.lines where line.hasPrefix("E:") {
        let property = line.dropFirst(2)
        guard let equals = property.firstIndex(of: "=") else { continue }
        known[property[..<equals]] = String(property[property.index(after: equals)...])
    }
    return known
}

func addDiskInfo(_ words: [Substring], _ known: [Substring: String], isRotating: Bool, _ group: inout FamilyGroup) {
    func text(_ names: Substring...) -> String { names.lazy.compactMap { known[$0] }.first { !$0.isEmpty } ?? "" }
    let device = ("device", String(words[2]))
    group.add(
        "node_disk_info", .gauge, "What udev says of the device; always 1.",
        [
            device, ("major", String(words[0])), ("minor", String(words[1])), ("model", text("ID_MODEL")),
            ("path", text("ID_PATH")), ("revision", text("ID_REVISION")), ("rotational", isRotating ? "1" : "0"),
            ("serial", text("SCSI_IDENT_SERIAL", "ID_SERIAL_SHORT", "ID_SERIAL")), ("wwn", text("ID_WWN")),
        ], 1)
    if !text("ID_FS_TYPE").isEmpty {
        group.add(
            "node_disk_filesystem_info", .gauge, "The file system on the device; always 1.",
            [
                device, ("type", text("ID_FS_TYPE")), ("usage", text("ID_FS_USAGE")), ("uuid", text("ID_FS_UUID")),
                ("version", text("ID_FS_VERSION")),
            ], 1)
    }
    if !text("DM_NAME").isEmpty {
        group.add(
            "node_disk_device_mapper_info", .gauge, "What the device mapper calls the device; always 1.",
            [
                device, ("lv_layer", text("DM_LV_LAYER")), ("lv_name", text("DM_LV_NAME")), ("name", text("DM_NAME")),
                ("uuid", text("DM_UUID")), ("vg_name", text("DM_VG_NAME")),
            ], 1)
    }
    guard !text("ID_ATA").isEmpty else { return }
    for (name, property, help) in [
        ("ata_rotation_rate_rpm", "ID_ATA_ROTATION_RATE_RPM", "Turns per minute; 0: it does not turn."),
        ("ata_write_cache", "ID_ATA_WRITE_CACHE", "Whether the disk has a cache of writes."),
        ("ata_write_cache_enabled", "ID_ATA_WRITE_CACHE_ENABLED", "Whether the disk's cache of writes is on."),
    ] {
        group.add("node_disk_" + name, .gauge, help, [device], known[Substring(property)].flatMap { decimal($0) })
    }
}

func writeDiskStatistics(_ devices: [[Substring]], _ page: inout MetricsPage) {
    struct Field {
        var name: String, index: Int, scale: Double, kind: MetricsPage.Kind, help: String
    }
    let fields = [
        Field(name: "reads_completed_total", index: 3, scale: 1, kind: .counter, help: "Reads done."),
        Field(name: "reads_merged_total", index: 4, scale: 1, kind: .counter, help: "Reads joined with a neighbour."),
        Field(name: "read_bytes_total", index: 5, scale: 512, kind: .counter, help: "Bytes read."),
        Field(name: "read_time_seconds_total", index: 6, scale: 0.001, kind: .counter, help: "Time of all reads together."),
        Field(name: "writes_completed_total", index: 7, scale: 1, kind: .counter, help: "Writes done."),
        Field(name: "writes_merged_total", index: 8, scale: 1, kind: .counter, help: "Writes joined with a neighbour."),
        Field(name: "written_bytes_total", index: 9, scale: 512, kind: .counter, help: "Bytes written."),
        Field(name: "write_time_seconds_total", index: 10, scale: 0.001, kind: .counter, help: "Time of all writes together."),
        Field(name: "io_now", index: 11, scale: 1, kind: .gauge, help: "Requests under way."),
        Field(name: "io_time_seconds_total", index: 12, scale: 0.001, kind: .counter, help: "Time with a request under way."),
        Field(
            name: "io_time_weighted_seconds_total", index: 13, scale: 0.001, kind: .counter,
            help: "Time with requests under way, times their number."),
        Field(name: "discards_completed_total", index: 14, scale: 1, kind: .counter, help: "Discards done."),
        Field(name: "discards_merged_total", index: 15, scale: 1, kind: .counter, help: "Discards joined with a neighbour."),
        Field(name: "discarded_sectors_total", index: 16, scale: 1, kind: .counter, help: "Sectors discarded."),
        Field(name: "discard_time_seconds_total", index: 17, scale: 0.001, kind: .counter, help: "Time of all discards together."),
        Field(name: "flush_requests_total", index: 18, scale: 1, kind: .counter, help: "Flushes done."),
        Field(name: "flush_requests_time_seconds_total", index: 19, scale: 0.001, kind: .counter, help: "Time of all flushes together."),
    ]
    for field in fields {
        guard devices.contains(where: { $0.number(field.index) != nil }) else { continue }
        let name = "node_disk_" + field.name
        page.family(name, field.kind, field.help)
        for words in devices {
            guard let value = words.number(field.index) else { continue }
            // Milliseconds divided, not multiplied by 0.001: 1234 ms is 1.234 s exactly as printed.
            let scaled = field.scale == 0.001 ? value / 1000 : value * field.scale
            page.sample(name, [("device", String(words[2]))], scaled)
        }
    }
}
