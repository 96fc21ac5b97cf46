import SelfMetrics

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Size and room of the mounted file systems: /proc/self/mounts and statvfs(3).
///
/// Left out: the kernel's own file systems and mount points below /dev, /proc, /sys and containers' storage, as node_exporter does; and
/// network file systems, whose statvfs may hang for as long as their server is away. For those only `device_error` is shown.
@Sendable func collectFilesystems(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    #if os(Linux)
        let text = (try? system.proc("1/mounts")) ?? ""
        let mounts = parseMounts(text.isEmpty ? try system.proc("self/mounts") : text)
        var usages: [(labels: [(String, String)], usage: FilesystemUsage?)] = []
        for mount in mounts {
            let usage = mount.isRemote ? nil : filesystemUsage(mount.mountPoint)
            usages.append(
                (
                    [
                        ("device", mount.device), ("device_error", usage == nil ? (mount.isRemote ? "remote" : "statvfs") : ""),
                        ("fstype", mount.type), ("mountpoint", mount.mountPoint),
                    ], usage
                ))
        }
        func family(_ name: String, _ help: String, _ value: (FilesystemUsage) -> Double) {
            page.family("node_filesystem_" + name, .gauge, help)
            for entry in usages {
                if let usage = entry.usage { page.sample("node_filesystem_" + name, entry.labels, value(usage)) }
            }
        }
        family("avail_bytes", "Room for ordinary users.") { $0.available }
        page.family("node_filesystem_device_error", .gauge, "Whether the size could not be asked for.")
        for entry in usages { page.sample("node_filesystem_device_error", entry.labels, entry.usage == nil ? 1 : 0) }
        family("files", "File nodes in all.") { $0.files }
        family("files_free", "File nodes that are free.") { $0.filesFree }
        family("free_bytes", "Room, what is reserved for root included.") { $0.free }
        page.family("node_filesystem_readonly", .gauge, "Whether it is mounted read-only.")
        for (entry, mount) in zip(usages, mounts) {
            page.sample("node_filesystem_readonly", entry.labels, mount.isReadOnly ? 1 : 0)
        }
        family("size_bytes", "Size.") { $0.size }
    #else
        throw CollectorError(path: "mounts")
    #endif
}

struct FilesystemUsage {
    var size: Double, free: Double, available: Double, files: Double, filesFree: Double
}

#if os(Linux)
    private func filesystemUsage(_ path: String) -> FilesystemUsage? {
        var answer = statvfs()
        guard statvfs(path, &answer) == 0 else { return nil }
        let block = Double(answer.f_frsize)
        return FilesystemUsage(
            size: Double(answer.f_blocks) * block, free: Double(answer.f_bfree) * block,
            available: Double(answer.f_bavail) * block, files: Double(answer.f_files), filesFree: Double(answer.f_ffree))
    }
#endif

struct Mount: Equatable {
    var device: String, mountPoint: String, type: String
    var isReadOnly: Bool

    var isRemote: Bool { ["nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "glusterfs", "fuse.sshfs", "afs"].contains(type) }
}

private let kernelFilesystems: Set<String> = [
    "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "fusectl", "hugetlbfs",
    "iso9660", "mqueue", "nsfs", "overlay", "proc", "procfs", "pstore", "rpc_pipefs", "securityfs", "selinuxfs", "squashfs",
    "erofs", "sysfs", "tracefs",
]

/// Mounts that hold data. Each mount point once: the last mount on it is the one that is seen.
func parseMounts(_ text: String) -> [Mount] {
    var order: [String] = []
    var mounts: [String: Mount] = [:]
    for line in text.lines {
        let words = line.words
        guard words.count >= 4 else { continue }
        let type = String(words[2])
        let mountPoint = unescapeMount(words[1])
        guard !kernelFilesystems.contains(type) else { continue }
        let isHidden = ["/dev", "/proc", "/sys", "/run/credentials", "/var/lib/docker", "/var/lib/containers/storage"].contains {
            mountPoint == $0 || mountPoint.hasPrefix($0 + "/")
        }
        guard !isHidden else { continue }
        if mounts[mountPoint] == nil { order.append(mountPoint) }
        mounts[mountPoint] = Mount(
            device: unescapeMount(words[0]), mountPoint: mountPoint, type: type,
            isReadOnly: words[3].split(separator: ",").contains("ro"))
    }
    return order.compactMap { mounts[$0] }
}

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
