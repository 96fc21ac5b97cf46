import SelfMetrics

/// Linux software RAID, from /proc/mdstat and /sys/block/md*/md.
///
///     md0 : active raid1 sdb1[1] sda1[0](F)
///           7813735424 blocks super 1.2 [2/1] [_U]                               blocks, [disks needed / working]
///           [=>...]  recovery =  8.5% (16775552/195310144) finish=17.0min …       done / all
///
/// Source: md_seq_show of the kernel, drivers/md/md.c.
@Sendable func collectSoftwareRAID(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    var group = FamilyGroup()
    for array in parseArrays(try system.proc("mdstat")) { addArray(array, &group) }
    for device in system.sysEntries("block") where device.hasPrefix("md") {
        let label = [("device", device)], base = "block/\(device)/md/"
        let disks = system.sys(base + "raid_disks").flatMap { Substring($0).words.number(0) }
        group.add("node_md_raid_disks", .gauge, "Disks that the array has.", label, disks)
        let degraded = system.sysNumber(base + "degraded") ?? (disks == nil ? nil : 0)
        group.add("node_md_degraded", .gauge, "Disks that the array misses.", label, degraded)
    }
    group.write(to: &page)
}

struct RAIDArray: Equatable {
    var name: String
    /// `active`, `inactive`, `recovering`, `reshaping`, `resyncing`, `checking` or what the kernel says.
    var state: String
    var active = 0.0, required = 0.0, failed = 0.0, spare = 0.0
    var blocks = 0.0, synced = 0.0
}

func parseArrays(_ text: String) -> [RAIDArray] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    var arrays: [RAIDArray] = []
    for (index, line) in lines.enumerated() {
        let words = line.words
        guard words.count >= 3, words[1] == ":", words[0].hasPrefix("md"), line.first != " ", index + 1 < lines.count else { continue }
        var array = RAIDArray(name: String(words[0]), state: String(words[2]))
        array.failed = Double(words.count { $0.hasSuffix("(F)") })
        array.spare = Double(words.count { $0.hasSuffix("(S)") })
        let status = lines[index + 1].words
        guard let blocks = status.number(0) else { continue }
        array.blocks = blocks
        array.synced = blocks
        if words.contains("raid0") || words.contains("linear") {
            array.required = Double(words.count { $0.contains("[") })
            array.active = array.required
        } else if array.state != "inactive" {
            guard let counts = status.lazy.compactMap(parseCounts).first else { continue }
            (array.required, array.active) = counts
        }
        // The rest of the array's lines are indented; one of them may tell of work in progress.
        for detail in lines[(index + 2)...].prefix(while: { $0.first == " " }) { addProgress(detail, to: &array) }
        arrays.append(array)
    }
    return arrays
}

/// `[2/1]`.
private func parseCounts(_ word: Substring) -> (Double, Double)? {
    guard word.hasPrefix("["), word.hasSuffix("]") else { return nil }
    let parts = word.dropFirst().dropLast().split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let required = parts.number(0), let active = parts.number(1) else { return nil }
    return (required, active)
}

private func addProgress(_ line: Substring, to array: inout RAIDArray) {
    let kinds = [("recovery", "recovering"), ("reshape", "reshaping"), ("check", "checking"), ("resync", "resyncing")]
    guard let kind = kinds.first(where: { line.contains($0.0) }) else { return }
    array.state = kind.1
    array.synced = 0
    for word in line.words where word.hasPrefix("(") {
        if let done = word.dropFirst().split(separator: "/").first.flatMap({ decimal($0) }) { array.synced = done }
    }
}

func addArray(_ array: RAIDArray, _ group: inout FamilyGroup) {
    let device = ("device", array.name)
    group.add("node_md_disks_required", .gauge, "Disks that the array needs.", [device], array.required)
    for (state, count) in [("active", array.active), ("failed", array.failed), ("spare", array.spare)] {
        group.add("node_md_disks", .gauge, "Disks of the array by state.", [device, ("state", state)], count)
    }
    for (label, state) in [
        ("active", "active"), ("inactive", "inactive"), ("recovering", "recovering"), ("resync", "resyncing"), ("check", "checking"),
    ] {
        group.add("node_md_state", .gauge, "What the array does.", [device, ("state", label)], array.state == state ? 1 : 0)
    }
    group.add("node_md_blocks", .gauge, "Blocks of the array.", [device], array.blocks)
    group.add("node_md_blocks_synced", .gauge, "Blocks in step on all disks.", [device], array.synced)
}
