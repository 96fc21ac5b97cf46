import SelfMetrics
import Synchronization
import Testing

@testable import HostMetrics

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite("Disks and file systems")
struct StorageTests {
    @Test("partitions, loops and RAM disks are no disks of their own")
    func names() {
        let names = ["sda", "sda1", "vdb", "vdb12", "nvme0n1", "nvme0n1p3", "mmcblk0", "loop0", "ram3", "zram0", "fd0", "dm-0", "md127", "sr0"]
        #expect(names.filter { HostOptions().disks.allows($0) } == ["sda", "vdb", "nvme0n1", "mmcblk0", "dm-0", "md127", "sr0"])
    }

    @Test("sectors become bytes and milliseconds seconds; kernels have 14, 18 or 20 columns")
    func disks() {
        let tree = SystemTree([
            "proc/diskstats":
                "8 0 sda 5 1 16 1234 7 2 32 10 0 20 30\n8 16 sdb 1 1 1 1 1 1 1 1 1 1 1 9 8 7 6500\n8 1 sda1 1 1 1 1 1 1 1 1 1 1 1\n8 2 short\n"
        ])
        let found = tree.collect("diskstats") ?? []
        #expect(found.contains("node_disk_read_bytes_total{device=\"sda\"} 8192"))
        #expect(found.contains("node_disk_read_time_seconds_total{device=\"sda\"} 1.234"))
        #expect(found.contains("node_disk_discard_time_seconds_total{device=\"sdb\"} 6.5"))
        #expect(!found.contains { $0.contains("discard") && $0.contains("\"sda\"") } && !found.contains { $0.contains("flush") })
        #expect(!found.contains { $0.contains("sda1") })
    }

    @Test("udev names a disk, its file system, its mapping and its cache")
    func udev() {
        let tree = SystemTree([
            "proc/diskstats": "253 0 dm-0 1 1 1 1 1 1 1 1 1 1 1\n8 0 sda 1 1 1 1 1 1 1 1 1 1 1\n",
            "udev/b253:0":
                "S:mapper/x\nE:DM_NAME=vg-root\nE:DM_VG_NAME=vg\nE:DM_LV_NAME=root\nE:DM_UUID=LVM-1\nE:ID_FS_TYPE=ext4\nE:ID_FS_VERSION=1.0\n",
            "udev/b8:0":
                "E:ID_ATA=1\nE:ID_MODEL=Own_Disk\nE:ID_SERIAL=long\nE:ID_SERIAL_SHORT=short\nE:ID_ATA_ROTATION_RATE_RPM=7200\nE:ID_ATA_WRITE_CACHE=x\nE:broken\n",
            "sys/block/sda/queue/rotational": "1\n",
        ])
        let found = tree.collect("diskstats") ?? []
        #expect(
            found.contains(
                "node_disk_device_mapper_info{device=\"dm-0\",lv_layer=\"\",lv_name=\"root\",name=\"vg-root\",uuid=\"LVM-1\",vg_name=\"vg\"} 1"))
        #expect(found.contains("node_disk_filesystem_info{device=\"dm-0\",type=\"ext4\",usage=\"\",uuid=\"\",version=\"1.0\"} 1"))
        #expect(found.contains("node_disk_ata_rotation_rate_rpm{device=\"sda\"} 7200") && !found.contains { $0.contains("ata_write_cache") })
        #expect(
            found.contains { $0.contains("device=\"sda\"") && $0.contains("model=\"Own_Disk\"") && $0.contains("rotational=\"1\",serial=\"short\"") })
    }

    static let table = """
        22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
        23 22 0:20 / /proc rw - proc proc rw
        24 22 0:21 / /run rw - tmpfs tmpfs rw
        25 22 8:1 / /mnt/my\\040disk ro,relatime shared:2 master:3 - ext4 /dev/sdb1 ro
        26 22 0:50 / /net rw - nfs4 server:/x rw
        26 22 0:50 / /net rw - nfs4 server:/x rw
        27 22 bad / /x rw - ext4 /dev/x rw
        28 22 0:51 / /y rw ext4 no separator at all here
        29
        """

    @Test("mounts: fields around the dash, octal escapes, read-only by either list, each once")
    func mounts() {
        let found = parseMounts(Self.table)
        #expect(found.map(\.mountPoint) == ["/", "/proc", "/run", "/mnt/my disk", "/net"])
        #expect(found.map(\.isReadOnly) == [false, false, false, true, false])
        #expect(found[0] == Mount(device: "/dev/vda", mountPoint: "/", type: "ext4", major: "254", minor: "0", isReadOnly: false))
        #expect(
            parseMounts("1 2 8:1 / /host/data rw - ext4 /dev/a rw\n1 2 8:1 / /host rw - ext4 /dev/a rw\n", below: "/host").map(\.mountPoint) == [
                "/data", "/",
            ])
    }

    @Test("kernel file systems and places of containers are left out by default; expressions choose others")
    func choice() throws {
        let tree = SystemTree(["proc/1/mountinfo": Self.table])
        for directory in ["run", "net", "mnt/my disk"] { tree.write(directory + "/x", "") }
        let found = tree.collect("filesystem") ?? []
        #expect(Set(found.compactMap { $0.hasPrefix("node_filesystem_readonly") ? $0.split(separator: "mountpoint=")[1] : nil }).count == 4)
        #expect(
            found.contains { $0.hasPrefix("node_filesystem_size_bytes{device=\"server:/x\",device_error=\"\",fstype=\"nfs4\",mountpoint=\"/net\"}") })
        #expect(found.contains("node_filesystem_mount_info{device=\"/dev/vda\",major=\"254\",minor=\"0\",mountpoint=\"/\"} 1"))
        let only = try NameFilter(include: "^tmpfs$")
        #expect(tree.collect("filesystem") { $0.filesystemTypes = only }?.allSatisfy { $0.contains("/run\"") } == true)
        #expect(tree.collect("filesystem") { $0.filesystemTypes = only }?.count == 9)
    }

    @Test("a place that is not there shows why, and no sizes")
    func missing() {
        let tree = SystemTree(["proc/self/mountinfo": "26 22 0:50 / /gone rw - ext4 /dev/x rw\n"])
        #expect(
            tree.collect("filesystem") == [
                "node_filesystem_device_error{device=\"/dev/x\",device_error=\"no such file or directory\",fstype=\"ext4\",mountpoint=\"/gone\"} 1",
                "node_filesystem_readonly{device=\"/dev/x\",device_error=\"no such file or directory\",fstype=\"ext4\",mountpoint=\"/gone\"} 0",
            ])
    }

    @Test("a mount that hangs is left behind: the others are answered, it is not asked again until it came back")
    func hanging() {
        let gate = Gate(), usage = MountWatch.Answer.usage(.init(size: 1, free: 1, available: 1, files: 1, filesFree: 1))
        let watch = MountWatch { path in
            gate.asked(path)
            if path == "/nfs" { gate.wait() }
            return usage
        }
        // The others have as long: a busy machine may need it. The second time nobody waits for it any more.
        #expect(watch.usages(of: ["/", "/nfs", "/home"], timeout: 2) == [usage, .timeout, usage])
        #expect(watch.usages(of: ["/", "/nfs", "/home"], timeout: 60) == [usage, .timeout, usage])
        #expect(gate.count("/nfs") == 1 && gate.count("/home") == 2)
        gate.open()
        // The thread needs a moment to come back.
        var answer = watch.usages(of: ["/nfs"], timeout: 5)
        while answer == [.timeout] {
            sched_yield()
            answer = watch.usages(of: ["/nfs"], timeout: 5)
        }
        #expect(answer == [usage])
    }

    @Test("many at once on one watch, all answered, in order")
    func many() {
        let watch = MountWatch { .failure($0) }
        let paths = (0..<500).map { "/\($0)" }
        #expect(watch.usages(of: paths, timeout: 60) == paths.map { .failure($0) })
        #expect(watch.usages(of: [], timeout: 5).isEmpty)
    }

    /// Holds back whoever waits until it is opened, and counts who asked.
    private final class Gate: Sendable {
        private let state = Mutex((isOpen: false, asked: [String: Int]()))
        func asked(_ path: String) { state.withLock { $0.asked[path, default: 0] += 1 } }
        func count(_ path: String) -> Int { state.withLock { $0.asked[path] ?? 0 } }
        func open() { state.withLock { $0.isOpen = true } }
        func wait() { while !state.withLock({ $0.isOpen }) { usleep(1000) } }
    }

    @Test("software RAID: healthy, recovering, broken, striped, not running")
    func raid() {
        let text = """
            Personalities : [raid1] [raid6] [raid0]
            md0 : active raid1 sdb1[1] sda1[0](F) sdc1[2](S)
                  7813735424 blocks super 1.2 [2/1] [_U]
                  bitmap: 0/59 pages [0KB], 65536KB chunk

            md6 : active raid6 sdb2[2](F) sdc[1] sda2[0]
                  195310144 blocks [3/2] [UU_]
                  [=>...................]  recovery =  8.5% (16775552/195310144) finish=17.0min speed=259783K/sec

            md1 : active raid0 sdd1[0] sde1[1]
                  314560 blocks super 1.2 512k chunks

            md9 : inactive sdf1[0](S)
                  1000 blocks super 1.2

            md7 : active raid1 sdb1[1]
                  notanumber blocks

            unused devices: <none>
            """
        let arrays = parseArrays(text)
        #expect(arrays.map(\.name) == ["md0", "md6", "md1", "md9"])
        #expect(
            arrays[0] == RAIDArray(name: "md0", state: "active", active: 1, required: 2, failed: 1, spare: 1, blocks: 7813735424, synced: 7813735424))
        #expect(arrays[1].state == "recovering" && arrays[1].synced == 16775552)
        #expect(arrays[2].active == 2 && arrays[2].required == 2)
        #expect(arrays[3].state == "inactive" && arrays[3].spare == 1)
        let tree = SystemTree(["proc/mdstat": text, "sys/block/md0/md/raid_disks": "2 (1)\n", "sys/block/md0/md/degraded": "1\n"])
        let found = tree.collect("mdadm") ?? []
        #expect(
            found.contains("node_md_state{device=\"md6\",state=\"recovering\"} 1")
                && found.contains("node_md_state{device=\"md6\",state=\"active\"} 0"))
        #expect(found.contains("node_md_degraded{device=\"md0\"} 1") && found.contains("node_md_raid_disks{device=\"md0\"} 2"))
        #expect(found.contains("node_md_disks{device=\"md0\",state=\"failed\"} 1"))
    }

    @Test("NVMe: controllers and name spaces, blocks as bytes")
    func nvme() {
        let base = "sys/class/nvme/nvme0/"
        let tree = SystemTree([
            base + "model": "Own\n", base + "serial": "S1\n", base + "firmware_rev": "1\n", base + "state": "live\n", base + "cntlid": "5\n",
            base + "nvme0n1/size": "100\n", base + "nvme0n1/nuse": "40\n", base + "nvme0n1/queue/logical_block_size": "4096\n",
        ])
        let found = tree.collect("nvme") ?? []
        #expect(found.contains("node_nvme_info{cntlid=\"5\",device=\"nvme0\",firmware_revision=\"1\",model=\"Own\",serial=\"S1\",state=\"live\"} 1"))
        #expect(found.contains("node_nvme_namespace_size_bytes{device=\"nvme0\",nsid=\"1\"} 409600"))
        #expect(found.contains("node_nvme_namespace_used_bytes{device=\"nvme0\",nsid=\"1\"} 163840"))
        #expect(found.contains("node_nvme_namespace_info{ana_state=\"unknown\",device=\"nvme0\",nsid=\"1\"} 1"))
    }
}
