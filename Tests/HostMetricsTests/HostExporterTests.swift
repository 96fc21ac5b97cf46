import HTTPServer
import NIOCore
import SelfMetrics
import Testing

@testable import HostMetrics
@testable import HostService

@Suite("Host exporter")
struct HostExporterTests {
    private func exporter(_ change: (inout HostExporter.Options) -> Void = { _ in }) -> HostExporter {
        let tree = SystemTree(["proc/loadavg": "0.5 1 2 3/4 5\n"])
        var options = tree.options, page = HostExporter.Options()
        options.collectors = ["loadavg", "uname", "conntrack"]
        change(&page)
        return HostExporter(HostMetrics(options), page)
    }

    private func get(_ exporter: HostExporter, _ path: String, _ query: String = "") async -> (status: Int, text: String) {
        let reply = await exporter.answer(APIRequest(.get, path, query: query))
        guard case .buffer(let buffer) = reply.body else { return (0, "") }
        return (reply.status.code, String(buffer: buffer))
    }

    @Test("the page has the enabled collectors, what became of each, and the exporter itself")
    func page() async {
        let (status, text) = await get(exporter(), "/metrics")
        #expect(status == 200 && lines(Array(text.utf8)).contains("node_scrape_collector_success{collector=\"conntrack\"} 0"))
        for part in [
            "node_scrape_collector_success{collector=\"uname\"} 1\n", "node_uname_info{", "node_exporter_build_info{",
            "promhttp_metric_handler_requests_total{code=\"200\"} 0\n",
        ] {
            #expect(text.contains(part), "\(part)")
        }
        #expect(!text.contains("collector=\"cpu\""))
    }

    @Test("collect[] and exclude[] choose; together, unknown or disabled they are refused in node_exporter's words")
    func choice() async {
        let exporter = exporter()
        var (status, text) = await get(exporter, "/metrics", "collect[]=uname")
        #expect(status == 200 && text.contains("node_uname_info") && !text.contains("collector=\"loadavg\""))
        (status, text) = await get(exporter, "/metrics", "exclude[]=uname&exclude[]=nope")
        #expect(status == 200 && !text.contains("node_uname_info") && text.contains("collector=\"conntrack\""))
        for (query, words) in [
            ("collect[]=a&exclude[]=b", "Combined collect and exclude queries are not allowed."),
            ("collect[]=nope", "Couldn't create filtered metrics handler: couldn't create collector: missing collector: nope"),
            ("collect[]=cpu", "Couldn't create filtered metrics handler: couldn't create collector: disabled collector: cpu"),
            ("collect[]=zfs", "Couldn't create filtered metrics handler: couldn't create collector: disabled collector: zfs"),
        ] { #expect(await get(exporter, "/metrics", query) == (400, words)) }
    }

    @Test("paths: landing page, health, a page elsewhere, nothing else")
    func paths() async {
        let exporter = exporter {
            $0.telemetryPath = "/m\"<"
            $0.showsOwnMetrics = false
        }
        #expect(await get(exporter, "/").text.contains("<a href=\"/m&quot;&lt;\">"))
        #expect(await get(exporter, "/-/healthy").status == 200)
        #expect(await get(exporter, "/metrics").status == 404)
        let page = await get(exporter, "/m\"<")
        #expect(page.status == 200 && !page.text.contains("promhttp_"))
        #expect(await exporter.answer(APIRequest(.post, "/")).status == .methodNotAllowed)
    }

    @Test("more scrapes at once than allowed are turned away, and counted")
    func limit() async {
        let blocking = Task.detached { [exporter = exporter({ $0.maxRequests = 1 })] in
            await withTaskGroup(of: Int.self) { group in
                for _ in 0..<50 { group.addTask { await exporter.answer(APIRequest(.get, "/metrics")).status.code } }
                var codes: [Int: Int] = [:]
                for await code in group { codes[code, default: 0] += 1 }
                return (codes, await exporter.answer(APIRequest(.get, "/metrics")).status.code)
            }
        }
        let (codes, last) = await blocking.value
        #expect((codes[200] ?? 0) >= 1 && (codes[200] ?? 0) + (codes[503] ?? 0) == 50 && last == 200)
    }
}

@Suite("Host metrics")
struct HostMetricsTests {
    @Test(
        "text that is no kernel file writes nothing and ends nothing",
        arguments: [
            "", "\n", ":", "cpu0", "cpu0 x y", "a: b kB", "\\", "some total=", "inf nan 0x1p3 -",
            "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20",
            String(repeating: "9", count: 400), String(repeating: "a ", count: 5000), "\u{0}\u{0}\u{0}", "md0 : active\n", "cpu0 1e999", "-> -> ->",
            "TCP x:y\n -> a b c d e f", "1 2 3:4 / /a rw - - - -", "E:=", "\u{FFFD}: 1", "processor\t: 0",
        ])
    func hostile(text: String) {
        let names = [
            "proc/stat", "proc/meminfo", "proc/diskstats", "proc/net/dev", "proc/net/sockstat", "proc/vmstat", "proc/net/snmp", "proc/net/netstat",
            "proc/net/snmp6", "proc/net/arp", "proc/net/softnet_stat", "proc/net/udp", "proc/net/ip_vs", "proc/net/ip_vs_stats", "proc/mdstat",
            "proc/schedstat", "proc/loadavg", "proc/1/mountinfo", "proc/pressure/cpu", "proc/pressure/io", "proc/pressure/memory", "proc/cpuinfo",
            "proc/sys/net/netfilter/nf_conntrack_count", "proc/sys/net/netfilter/nf_conntrack_max", "proc/net/stat/nf_conntrack",
            "sys/class/net/eth0/operstate", "sys/class/net/eth0/flags", "sys/class/net/eth0/speed", "sys/class/net/bonding_masters",
            "sys/class/hwmon/hwmon0/temp1_input", "sys/class/hwmon/hwmon0/name", "sys/class/hwmon/hwmon0/temp1_label",
            "sys/class/thermal/thermal_zone0/temp", "sys/class/power_supply/B/capacity", "sys/devices/system/edac/mc/mc0/ce_count",
            "sys/class/powercap/z/name", "sys/class/powercap/z/energy_uj", "sys/devices/system/cpu/cpu0/online", "sys/devices/system/cpu/isolated",
            "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "etc/os-release", "udev/b8:0", "sys/class/nvme/nvme0/nvme0n1/size",
            "sys/class/watchdog/w/timeout", "sys/class/dmi/id/bios_date", "sys/fs/selinux/enforce",
        ]
        let tree = SystemTree(Dictionary(uniqueKeysWithValues: names.map { ($0, text) }))
        var options = tree.options
        options.showsProcessorInfo = true
        for line in lines(HostMetrics(options).exposition()) {
            #expect(line.split(separator: " ").last.flatMap { Double($0) }?.isNaN == false, "\(line)")
        }
    }

    @Test("files that are cut anywhere write no number that was not there")
    func truncated() {
        let stat = ProcessorTests.stat
        for end in stat.indices {
            let found = SystemTree(["proc/stat": String(stat[..<end])]).collect("cpu") ?? []
            #expect(found.count <= 14)
        }
    }

    #if os(Linux)
        @Test("this machine has processors, memory and load")
        func here() {
            let text = String(decoding: HostMetrics().exposition(), as: UTF8.self)
            for name in [
                "node_cpu_seconds_total{cpu=\"0\"", "node_memory_MemTotal_bytes ", "node_load1 ", "node_uname_info{", "node_timex_tick_seconds ",
            ] {
                #expect(text.contains("\n" + name))
            }
        }
    #endif

    @Test("without /proc and /sys collectors fail one by one, and say so")
    func nothingThere() {
        let text = String(decoding: HostMetrics(SystemTree([:]).options).exposition(), as: UTF8.self)
        #expect(text.contains("node_scrape_collector_success{collector=\"cpu\"} 0"))
        #expect(text.contains("node_scrape_collector_success{collector=\"uname\"} 1"))
    }

    @Test("filters find their expression anywhere, unless it is anchored")
    func filters() throws {
        #expect(try NameFilter(include: "th").allows("eth0") && !NameFilter(include: "^th").allows("eth0"))
        #expect(try !NameFilter(exclude: "lo|veth").allows("veth1") && NameFilter(exclude: "^$").allows("eth0"))
        #expect(try NameFilter(include: "a", exclude: "b").allows("xa") && !NameFilter(include: "a", exclude: "b").allows("ab"))
        #expect(throws: (any Error).self) { try NameFilter(include: "(") }
        #expect(throws: (any Error).self) { try NameFilter(exclude: "a)(b") }
        #expect(NameFilter.all.allows("") && HostOptions().mountPoints.allows("/devices") && !HostOptions().mountPoints.allows("/dev/shm"))
    }

    @Test("the same collector has one name, and what is absent is not there")
    func table() {
        #expect(Set(HostMetrics.collectors.map(\.name)).count == HostMetrics.collectors.count)
        #expect(HostMetrics.absentCollectors.isDisjoint(with: HostMetrics.collectorNames))
    }
}
