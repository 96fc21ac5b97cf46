import SelfMetrics

/// What each block device did, from /proc/diskstats. Partitions, loop and RAM devices are left out, as node_exporter does.
///
///     major minor name  reads merged sectors ms  writes merged sectors ms  in-flight ms weighted-ms  [discards merged sectors ms]  [flushes ms]
///
/// A sector is 512 bytes whatever the device says. Source: Documentation/admin-guide/iostats.rst of the kernel.
@Sendable func collectDiskStatistics(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    let text = try system.proc("diskstats")
    writeDiskStatistics(text, &page)
    page.family("node_disk_info", .gauge, "What /sys says of the device; always 1.")
    for words in text.lines.map(\.words) where words.count >= 14 && isWholeDisk(words[2]) {
        let base = "class/block/\(words[2])/"
        func text(_ name: String) -> String { system.sys(base + name) ?? "" }
        page.sample(
            "node_disk_info",
            [
                ("device", String(words[2])), ("major", String(words[0])), ("minor", String(words[1])),
                ("model", text("device/model")), ("path", ""), ("revision", text("device/rev")),
                ("rotational", text("queue/rotational") == "1" ? "1" : "0"), ("serial", text("device/serial")), ("wwn", text("wwid")),
            ], 1)
    }
}

/// Neither a partition nor a device of memory or files.
func isWholeDisk(_ name: Substring) -> Bool {
    if name.hasPrefix("ram") || name.hasPrefix("loop") || name.hasPrefix("fd") || name.hasPrefix("z") { return false }
    if name.hasPrefix("nvme") || name.hasPrefix("mmcblk") {
        guard let mark = name.lastIndex(of: "p") else { return true }
        let rest = name[name.index(after: mark)...]
        return rest.isEmpty || !rest.allSatisfy(\.isNumber)
    }
    let isLettered = ["sd", "hd", "vd", "xvd"].contains { name.hasPrefix($0) }
    return !(isLettered && name.last?.isNumber ?? false)
}

func writeDiskStatistics(_ text: String, _ page: inout MetricsPage) {
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
    let devices = text.lines.map(\.words).filter { $0.count >= 14 && isWholeDisk($0[2]) }
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
