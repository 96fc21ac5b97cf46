import SelfMetrics
import Testing

@testable import HostMetrics

@Suite("Host metrics")
struct HostMetricsTests {
    /// The samples that a collector's function writes for `text`.
    static func lines(_ write: (String, inout MetricsPage) -> Void, _ text: String) -> [String] {
        var page = MetricsPage()
        write(text, &page)
        return String(decoding: page.bytes, as: UTF8.self).split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
    }

    @Test("ticks of each processor become seconds by mode; the sum line is left out")
    func cpu() {
        let found = Self.lines(writeCPU, "cpu  10 0 0 0\ncpu0 250 1 30 4000 5 0 7 8 9 0\nintr 5\n")
        #expect(found.contains("node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 2.5"))
        #expect(found.contains("node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 40"))
        #expect(found.contains("node_cpu_guest_seconds_total{cpu=\"0\",mode=\"user\"} 0.09"))
        #expect(found.count == 10)
    }

    @Test("meminfo fields keep node_exporter's names, kilobytes become bytes")
    func memory() {
        let found = Self.lines(writeMemory, "MemTotal:  16 kB\nActive(anon):   2 kB\nHugePages_Total:       3\nbad line\nOdd name: 4 kB\n")
        #expect(found == ["node_memory_MemTotal_bytes 16384", "node_memory_Active_anon_bytes 2048", "node_memory_HugePages_Total 3"])
    }

    @Test("partitions, loops and RAM disks are no disks of their own")
    func disks() {
        let names = ["sda", "sda1", "vdb", "vdb12", "nvme0n1", "nvme0n1p3", "mmcblk0", "mmcblk0p1", "loop0", "ram3", "dm-0", "md127", "sr0"]
        #expect(names.filter { isWholeDisk(Substring($0)) } == ["sda", "vdb", "nvme0n1", "mmcblk0", "dm-0", "md127", "sr0"])
        let found = Self.lines(writeDiskStatistics, "8 0 sda 5 1 16 1234 7 2 32 10 0 20 30\n8 1 sda1 1 1 1 1 1 1 1 1 1 1 1\n")
        #expect(found.contains("node_disk_read_bytes_total{device=\"sda\"} 8192"))
        #expect(found.contains("node_disk_read_time_seconds_total{device=\"sda\"} 1.234"))
        #expect(!found.contains { $0.contains("sda1") })
    }

    @Test("mounts: kernel file systems are left out, the last mount on a point counts, octal escapes are undone")
    func mounts() {
        let table = """
            proc /proc proc rw 0 0
            /dev/sda1 / ext4 rw,relatime 0 0
            tmpfs /run tmpfs rw 0 0
            tmpfs /run tmpfs ro 0 0
            /dev/sdb1 /mnt/my\\040disk ext4 ro 0 0
            server:/x /net nfs4 rw 0 0
            tmpfs /dev/shm tmpfs rw 0 0
            """
        let found = parseMounts(table)
        #expect(found.map(\.mountPoint) == ["/", "/run", "/mnt/my disk", "/net"])
        #expect(found.map(\.isReadOnly) == [false, true, true, false])
        #expect(found.map(\.isRemote) == [false, false, false, true])
    }

    @Test("network counters stand by device, protocols by name, sockets with their memory")
    func network() {
        let device = "h1\nh2\n  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
        let traffic = Self.lines(writeNetworkTraffic, device)
        #expect(traffic.first == "node_network_receive_bytes_total{device=\"eth0\"} 1")
        #expect(traffic.last == "node_network_transmit_compressed_total{device=\"eth0\"} 16")
        var values: [String: Double] = [:]
        parseProtocolTable("Tcp: A B C\nTcp: 1 2\nOdd\nUdp: X\nIp: Y\n", &values)
        #expect(values == ["Tcp_A": 1, "Tcp_B": 2])
        let sockets = Self.lines(writeSockets, "sockets: used 5\nTCP: inuse 3 mem 1\nodd\n")
        #expect(sockets.contains("node_sockstat_TCP_inuse 3") && sockets.contains { $0.hasPrefix("node_sockstat_TCP_mem_bytes ") })
    }

    @Test("text that is no kernel file writes nothing and ends nothing", arguments: ["", "\n", ":", "cpu0", "cpu0 x y", "a: b kB", "\\", "some total="])
    func hostile(text: String) {
        for write in [writeCPU, writeMemory, writeDiskStatistics, writeNetworkTraffic, writeSockets, writeKernelActivity, writeVirtualMemory] {
            #expect(Self.lines(write, text).isEmpty)
        }
        #expect(Self.lines({ writePressure("io", $0, &$1) }, text).isEmpty)
        #expect(parseMounts(text).isEmpty)
    }

    #if os(Linux)
        @Test("this machine has processors, memory and load")
        func here() {
            let text = String(decoding: HostMetrics().exposition(), as: UTF8.self)
            for name in ["node_cpu_seconds_total{cpu=\"0\"", "node_memory_MemTotal_bytes ", "node_load1 ", "node_uname_info{"] {
                #expect(text.contains("\n" + name))
            }
        }
    #endif

    @Test("without /proc and /sys collectors fail one by one, and say so")
    func nothingThere() {
        var options = HostOptions()
        options.procPath = "/nonexistent"
        options.sysPath = "/nonexistent"
        let text = String(decoding: HostMetrics(options).exposition(), as: UTF8.self)
        #expect(text.contains("node_scrape_collector_success{collector=\"cpu\"} 0"))
        #expect(text.contains("node_scrape_collector_success{collector=\"uname\"} 1"))
    }
}
