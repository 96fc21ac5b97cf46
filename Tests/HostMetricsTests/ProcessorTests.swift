import SelfMetrics
import Testing

@testable import HostMetrics

@Suite("Processors, memory, kernel")
struct ProcessorTests {
    static let stat =
        "cpu  10 0 0 0\ncpu0 250 1 30 4000 5 0 7 8 9 0\ncpu12 1 2 3 4\nintr 5 1 2\nctxt 77\nbtime 1700000000\nprocesses 9\nprocs_running 2\nprocs_blocked 1\n"

    @Test("ticks of each processor become seconds by mode; the sum line is left out, old kernels have fewer columns")
    func cpu() {
        let found = SystemTree(["proc/stat": Self.stat]).collect("cpu") ?? []
        #expect(found.contains("node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 2.5"))
        #expect(found.contains("node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 40"))
        #expect(found.contains("node_cpu_guest_seconds_total{cpu=\"0\",mode=\"user\"} 0.09"))
        #expect(found.count { $0.contains("cpu=\"0\"") } == 10)
        #expect(found.count { $0.contains("cpu=\"12\"") } == 4)
    }

    @Test("guest time can be left out, processor information asked for")
    func cpuOptions() {
        let tree = SystemTree([
            "proc/stat": Self.stat,
            "proc/cpuinfo":
                "processor\t: 0\nvendor_id\t: Own\nmodel name\t: A: B\ncpu MHz\t\t: 2000.5\ncore id\t\t: 3\n\nprocessor\t: 1\n\nnothing\n",
        ])
        let found =
            tree.collect("cpu") {
                $0.showsGuestTime = false
                $0.showsProcessorInfo = true
            } ?? []
        #expect(!found.contains { $0.hasPrefix("node_cpu_guest") })
        #expect(found.contains("node_cpu_frequency_hertz{core=\"3\",cpu=\"0\",package=\"\"} 2.0005e+09"))
        #expect(found.contains { $0.hasPrefix("node_cpu_info{") && $0.contains("model_name=\"A: B\"") && $0.contains("vendor=\"Own\"") })
        #expect(found.count { $0.hasPrefix("node_cpu_info{") } == 2)
    }

    @Test("throttles are counted once per core and per package; isolated and offline processors are shown")
    func topology() {
        var files = ["proc/stat": Self.stat, "sys/devices/system/cpu/isolated": "1-2,4\n"]
        for cpu in 0..<4 {
            let base = "sys/devices/system/cpu/cpu\(cpu)/"
            files[base + "online"] = cpu == 3 ? "0\n" : "1\n"
            files[base + "topology/physical_package_id"] = "0\n"
            files[base + "topology/core_id"] = "\(cpu / 2)\n"
            files[base + "thermal_throttle/core_throttle_count"] = "\(5 + cpu)\n"
            files[base + "thermal_throttle/package_throttle_count"] = "7\n"
        }
        let found = SystemTree(files).collect("cpu") ?? []
        #expect(
            found.filter { $0.contains("throttles") } == [
                "node_cpu_core_throttles_total{core=\"0\",package=\"0\"} 5", "node_cpu_core_throttles_total{core=\"1\",package=\"0\"} 7",
                "node_cpu_package_throttles_total{package=\"0\"} 7",
            ])
        #expect(found.contains("node_cpu_online{cpu=\"3\"} 0"))
        #expect(found.filter { $0.hasPrefix("node_cpu_isolated") }.count == 3)
    }

    @Test("lists of processors: ranges, and nonsense that would be endless")
    func processorLists() {
        #expect(parseProcessorList("0,2-4") == [0, 2, 3, 4])
        #expect(parseProcessorList("") == [] && parseProcessorList("x,3-1,-2,1-2-3") == [])
        #expect(parseProcessorList("0-999999999999").count == 8192)
        #expect(parseProcessorList("0-99999999999999999999") == [])
    }

    @Test("times that shrink a little stay; idle time that shrinks by seconds begins again")
    func processorTimesStay() {
        let times = ProcessorTimes()
        func settled(_ user: Double, _ idle: Double) -> [Double] { times.settled([("0", [user, 0, 0, idle])])[0].seconds }
        #expect(settled(5, 100) == [5, 0, 0, 100])
        #expect(settled(6, 99.9) == [6, 0, 0, 100])
        #expect(settled(5.5, 101) == [6, 0, 0, 101])
        #expect(settled(1, 2) == [1, 0, 0, 2])
        #expect(times.settled([]).isEmpty)
        #expect(settled(0, 1) == [0, 0, 0, 1])
    }

    @Test("clocks are kilohertz in /sys, and one governor is on")
    func frequency() {
        let base = "sys/devices/system/cpu/cpu0/cpufreq/"
        let tree = SystemTree([
            base + "cpuinfo_max_freq": "3000000\n", base + "scaling_cur_freq": "1500000\n", base + "scaling_governor": "powersave\n",
            base + "scaling_available_governors": "performance powersave \n", base + "cpuinfo_min_freq": "<unknown>\n",
        ])
        #expect(
            tree.collect("cpufreq") == [
                "node_cpu_frequency_max_hertz{cpu=\"0\"} 3e+09", "node_cpu_scaling_frequency_hertz{cpu=\"0\"} 1.5e+09",
                "node_cpu_scaling_governor{cpu=\"0\",governor=\"performance\"} 0", "node_cpu_scaling_governor{cpu=\"0\",governor=\"powersave\"} 1",
            ])
        #expect(SystemTree([:]).collect("cpufreq") == nil)
    }

    @Test("meminfo fields keep node_exporter's names, kilobytes become bytes")
    func memory() {
        let text =
            "MemTotal:  16 kB\nActive(anon):   2 kB\nHugePages_Total:       3\nbad line\nOdd name: 4 kB\nHuge: 99999999999999999999 kB\n: 1 kB\n"
        #expect(
            SystemTree(["proc/meminfo": text]).collect("meminfo") == [
                "node_memory_MemTotal_bytes 16384", "node_memory_Active_anon_bytes 2048", "node_memory_HugePages_Total 3",
                "node_memory_Huge_bytes 1.024e+23",
            ])
    }

    @Test("the lines of /proc/stat about the whole machine")
    func activity() {
        #expect(
            SystemTree(["proc/stat": Self.stat]).collect("stat") == [
                "node_intr_total 5", "node_context_switches_total 77", "node_boot_time_seconds 1.7e+09", "node_forks_total 9",
                "node_procs_running 2", "node_procs_blocked 1",
            ])
    }

    @Test("load, pressure, scheduler, hung tasks, entropy, open files")
    func smallFiles() {
        let tree = SystemTree([
            "proc/loadavg": "0.5 1.25 2 3/400 500\n",
            "proc/pressure/cpu": "some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=9\n",
            "proc/pressure/io": "some avg10=0.00 total=2000000\nfull total=1000000\n", "proc/pressure/memory": "some total=x\nfull total=3\n",
            "proc/pressure/irq": "full avg10=0.00 total=4000000\n",
            "proc/schedstat": "version 17\ntimestamp 1\ncpu0 0 0 0 0 0 0 2000000000 500000000 42\ndomain0 1 2\ncpu1 1 2\n",
            "proc/sys/kernel/hung_task_detect_count": "3\n", "proc/sys/fs/file-nr": "1024\t0\t9223372036854775807\n",
            "proc/sys/kernel/random/entropy_avail": "256\n", "proc/sys/kernel/random/poolsize": "256\n",
        ])
        #expect(tree.collect("loadavg") == ["node_load1 0.5", "node_load5 1.25", "node_load15 2"])
        #expect(
            tree.collect("pressure") == [
                "node_pressure_cpu_waiting_seconds_total 1.5", "node_pressure_io_waiting_seconds_total 2",
                "node_pressure_io_stalled_seconds_total 1", "node_pressure_memory_stalled_seconds_total 3e-06",
                "node_pressure_irq_stalled_seconds_total 4",
            ])
        #expect(
            tree.collect("schedstat") == [
                "node_schedstat_running_seconds_total{cpu=\"0\"} 2", "node_schedstat_timeslices_total{cpu=\"0\"} 42",
                "node_schedstat_waiting_seconds_total{cpu=\"0\"} 0.5",
            ])
        #expect(tree.collect("kernel_hung") == ["node_kernel_hung_tasks_total 3"])
        #expect(tree.collect("filefd") == ["node_filefd_allocated 1024", "node_filefd_maximum 9.223372036854776e+18"])
        #expect(tree.collect("entropy") == ["node_entropy_available_bits 256", "node_entropy_pool_size_bits 256"])
        #expect(SystemTree(["proc/loadavg": "garbage"]).collect("loadavg") == nil)
    }

    @Test("fields of vmstat are chosen by an expression")
    func virtualMemory() throws {
        let tree = SystemTree(["proc/vmstat": "nr_free_pages 5\npgfault 7\noom_kill 1\npgfault x\npg-bad 3\n"])
        #expect(tree.collect("vmstat") == ["node_vmstat_pgfault 7", "node_vmstat_oom_kill 1"])
        let all = try NameFilter(include: "^nr_")
        #expect(tree.collect("vmstat") { $0.virtualMemoryFields = all } == ["node_vmstat_nr_free_pages 5"])
    }

    @Test("the distribution: quotes go, version and end of support are numbers")
    func distribution() {
        let text = "# comment\nNAME=\"Own \\\"Linux\\\"\"\nID=own\nVERSION_ID=\"22.04.3\"\nPRETTY_NAME='Own 22'\nSUPPORT_END=2028-02-29\nbroken\n"
        let found = SystemTree(["etc/os-release": text]).collect("os") ?? []
        #expect(found.contains { $0.contains("name=\"Own \\\"Linux\\\"\",pretty_name=\"Own 22\"") && $0.contains("version_id=\"22.04.3\"") })
        #expect(found.contains("node_os_version{id=\"own\",id_like=\"\",name=\"Own \\\"Linux\\\"\"} 22.04"))
        #expect(found.contains("node_os_support_end_timestamp_seconds 1.8353952e+09"))
        #expect(SystemTree(["usr/lib/os-release": "ID=x"]).collect("os")?.count == 1)
        #expect(SystemTree([:]).collect("os") == nil)
    }

    @Test("days since 1970, and dates that are none", arguments: [("1970-01-01", 0), ("2000-03-01", 11017), ("2024-02-29", 19782)])
    func days(text: String, days: Int) { #expect(daysSinceEpoch(text) == days) }

    @Test("dates that are none", arguments: ["", "2024", "2024-13-01", "0000-00-00", "99999999-01-01", "a-b-c"])
    func noDays(text: String) { #expect(daysSinceEpoch(text) == nil) }

    @Test("clocks the kernel has and the one it uses; SELinux off and on")
    func clocksAndSELinux() {
        let tree = SystemTree([
            "sys/devices/system/clocksource/clocksource0/available_clocksource": "tsc hpet \n",
            "sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n",
            "sys/fs/selinux/enforce": "1", "etc/selinux/config": "# SELINUX=x\nSELINUX=permissive\n",
        ])
        let time = tree.collect("time") ?? []
        #expect(
            time.filter { $0.contains("clocksource_") } == [
                "node_time_clocksource_available_info{clocksource=\"tsc\",device=\"0\"} 1",
                "node_time_clocksource_available_info{clocksource=\"hpet\",device=\"0\"} 1",
                "node_time_clocksource_current_info{clocksource=\"tsc\",device=\"0\"} 1",
            ])
        #expect(tree.collect("selinux") == ["node_selinux_config_mode 0", "node_selinux_current_mode 1", "node_selinux_enabled 1"])
        #expect(SystemTree([:]).collect("selinux") == ["node_selinux_enabled 0"])
    }
}
