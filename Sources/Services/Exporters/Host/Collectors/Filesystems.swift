import SelfMetrics

/// Size and room of the mounted file systems: /proc/1/mountinfo and statvfs(3).
///
/// Left out by default: the kernel's own file systems and mount points below /dev, /proc, /sys and containers' storage, as node_exporter
/// does. A file system that does not answer in time shows `device_error="mountpoint timeout"` (`MountWatch`).
@Sendable func collectFilesystems(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    // A process may be forbidden to look at another's mounts.
    let text = (try? system.proc("1/mountinfo")) ?? ""
    let options = system.options
    let mounts = parseMounts(text.isEmpty ? try system.proc("self/mountinfo") : text, below: options.rootPath).filter {
        options.mountPoints.allows($0.mountPoint) && options.filesystemTypes.allows($0.type)
    }
    let answers = system.mounts.usages(of: mounts.map { system.rooted($0.mountPoint) }, timeout: options.mountTimeout)
    var group = FamilyGroup()
    for (mount, answer) in zip(mounts, answers) { addFilesystem(mount, answer, &group) }
    group.write(to: &page)
}

struct FilesystemUsage: Equatable, Sendable {
    var size: Double, free: Double, available: Double, files: Double, filesFree: Double
}

struct Mount: Equatable {
    var device: String, mountPoint: String, type: String
    var major: String, minor: String
    var isReadOnly: Bool
}

func addFilesystem(_ mount: Mount, _ answer: MountWatch.Answer, _ group: inout FamilyGroup) {
    let usage: FilesystemUsage?, problem: String
    switch answer {
    case .usage(let found): (usage, problem) = (found, "")
    case .failure(let words): (usage, problem) = (nil, words)
    }
    let labels = [
        ("device", mount.device), ("device_error", problem), ("fstype", mount.type), ("mountpoint", mount.mountPoint),
    ]
    func add(_ name: String, _ help: String, _ value: Double) { group.add("node_filesystem_" + name, .gauge, help, labels, value) }
    add("device_error", "Whether the size could not be asked for.", usage == nil ? 1 : 0)
    add("readonly", "Whether it is mounted read-only.", mount.isReadOnly ? 1 : 0)
    guard let usage else { return }
    add("size_bytes", "Size.", usage.size)
    add("free_bytes", "Room, what is reserved for root included.", usage.free)
    add("avail_bytes", "Room for ordinary users.", usage.available)
    add("files", "File nodes in all.", usage.files)
    add("files_free", "File nodes that are free.", usage.filesFree)
    add("purgeable_bytes", "Room that macOS could make; 0 elsewhere.", 0)
    group.add(
        "node_filesystem_mount_info", .gauge, "Which device is mounted where; always 1.",
        [("device", mount.device), ("major", mount.major), ("minor", mount.minor), ("mountpoint", mount.mountPoint)], 1)
}

/// The lines of a mountinfo file, each combination of device, kind and place once.
///
///     36 35 98:0 /root /mnt/x rw,noatime shared:1 - ext3 /dev/sda1 rw,errors=continue
///           │          │     │           any number  │    │         └ options of the file system
///           major:minor place options                kind device
///
/// Where the machine's root is mounted at `root`, places inside it are shown as the machine sees them. Source: proc_pid_mountinfo(5).
func parseMounts(_ text: String, below root: String = "/") -> [Mount] {
    var mounts: [Mount] = []
    for line in text.lines {
        let words = line.words
        guard words.count >= 10, let mark = words.dropFirst(6).firstIndex(of: "-"), mark + 3 < words.count else { continue }
        let numbers = words[2].split(separator: ":", omittingEmptySubsequences: false)
        guard numbers.count == 2, numbers.allSatisfy({ UInt32($0) != nil }) else { continue }
        var place = unescapeMount(words[4])
        if root != "/" && place.hasPrefix(root) {
            place = String(place.dropFirst(root.count))
            if !place.hasPrefix("/") { place = "/" + place }
        }
        let options = words[5].split(separator: ",") + words[mark + 3].split(separator: ",")
        let mount = Mount(
            device: unescapeMount(words[mark + 2]), mountPoint: place, type: String(words[mark + 1]), major: String(numbers[0]),
            minor: String(numbers[1]), isReadOnly: options.contains("ro") || options.contains("emergency_ro"))
        let isKnown = mounts.contains { $0.device == mount.device && $0.mountPoint == mount.mountPoint && $0.type == mount.type }
        if !isKnown && mounts.count < maximumMounts { mounts.append(mount) }
    }
    return mounts
}

/// Mounts that are looked at; machines full of containers have some thousands, most of them left out by kind.
private let maximumMounts = 4096

/// Blanks and backslashes stand as three octal digits in mount tables.
func unescapeMount(_ text: Substring) -> String {
    guard text.contains("\\") else { return String(text) }
    var bytes: [UInt8] = []
    let source = Array(text.utf8)
    var index = 0
    while index < source.count {
        if source[index] == UInt8(ascii: "\\"), index + 3 < source.count,
            let code = UInt8(String(decoding: source[(index + 1)...(index + 3)], as: UTF8.self), radix: 8)
        {
            bytes.append(code)
            index += 4
        } else {
            bytes.append(source[index])
            index += 1
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
