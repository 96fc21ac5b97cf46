import SelfMetrics
import Testing

@testable import HostMetrics

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite("Hardware")
struct HardwareTests {
    @Test(
        "names of sensor files",
        arguments: [
            ("temp1_input", "temp1", "input"), ("in0_crit_alarm", "in0", "crit_alarm"), ("fan12", "fan12", ""), ("beep_enable", "beep_enable0", ""),
            ("pwm1_auto_point1_temp", "pwm1", "auto_point1_temp"),
        ])
    func sensorFiles(file: String, sensor: String, property: String) {
        let parsed = SensorFile(file)
        #expect(parsed?.sensor == sensor && parsed?.property == property)
    }

    @Test(
        "files that are none",
        arguments: ["", "name", "uevent", "temp", "temp1x", "temp99999999999999999999_input", "_input", "power/control", "hum1_input"])
    func noSensorFiles(file: String) { #expect(SensorFile(file) == nil || file == "temp") }

    @Test("chips are named by their device, sensors have the units of their type")
    func sensors() throws {
        let chip = "sys/class/hwmon/hwmon0/"
        let tree = SystemTree([
            chip + "name": "coretemp\n", chip + "temp1_input": "45500\n", chip + "temp1_label": "Package id 0\n", chip + "temp1_crit_alarm": "0\n",
            chip + "temp1_alarm": "1\n", chip + "fan1_input": "1200\n", chip + "fan1_min": "300\n", chip + "in0_input": "1234\n",
            chip + "power1_average": "2500000\n", chip + "power1_average_interval": "1000\n", chip + "energy1_input": "7000000\n",
            chip + "curr1_max": "x\n", chip + "freq1_input": "1800000000\n", chip + "freq1_label": "s-clk\n", chip + "pwm1": "128\n",
            chip + "update_interval": "2000\n", chip + "humidity1_input": "450000\n", chip + "temp2_type": "4\n",
            "sys/devices/platform/core.0/x": "",
        ])
        symlink(tree.root + "/sys/devices/platform/core.0", tree.root + "/" + chip + "device")
        let found = tree.collect("hwmon") ?? []
        let labels = "chip=\"platform_core_0\""
        for line in [
            "node_hwmon_chip_names{\(labels),chip_name=\"coretemp\"} 1", "node_hwmon_temp_celsius{\(labels),sensor=\"temp1\"} 45.5",
            "node_hwmon_sensor_label{\(labels),label=\"Package id 0\",sensor=\"temp1\"} 1", "node_hwmon_temp_alarm{\(labels),sensor=\"temp1\"} 1",
            "node_hwmon_temp_crit_alarm_celsius{\(labels),sensor=\"temp1\"} 0", "node_hwmon_fan_rpm{\(labels),sensor=\"fan1\"} 1200",
            "node_hwmon_fan_min_rpm{\(labels),sensor=\"fan1\"} 300", "node_hwmon_in_volts{\(labels),sensor=\"in0\"} 1.234",
            "node_hwmon_power_average_watt{\(labels),sensor=\"power1\"} 2.5",
            "node_hwmon_power_average_interval_seconds{\(labels),sensor=\"power1\"} 1",
            "node_hwmon_energy_joule_total{\(labels),sensor=\"energy1\"} 7", "node_hwmon_freq_freq_mhz{\(labels),sensor=\"s_clk\"} 1800",
            "node_hwmon_pwm{\(labels),sensor=\"pwm1\"} 128", "node_hwmon_update_interval_seconds{\(labels),sensor=\"update_interval0\"} 2",
            "node_hwmon_humidity{\(labels),sensor=\"humidity1\"} 0.45", "node_hwmon_temp_type{\(labels),sensor=\"temp2\"} 4",
        ] { #expect(found.contains(line), "\(line)") }
        #expect(!found.contains { $0.contains("curr") })
        let none = try NameFilter(exclude: "platform"), fans = try NameFilter(include: ";fan")
        #expect(tree.collect("hwmon") { $0.sensorChips = none } == [])
        #expect(tree.collect("hwmon") { $0.sensors = fans }?.count == 3)
        #expect(SystemTree([:]).collect("hwmon") == nil)
    }

    @Test("two chips of one name are told apart")
    func twins() {
        let tree = SystemTree([
            "sys/class/hwmon/hwmon0/name": "acpitz\n", "sys/class/hwmon/hwmon0/temp1_input": "1000\n",
            "sys/class/hwmon/hwmon1/name": "acpitz\n", "sys/class/hwmon/hwmon1/temp1_input": "2000\n",
        ])
        let found = (tree.collect("hwmon") ?? []).filter { $0.contains("celsius") }
        #expect(
            found == [
                "node_hwmon_temp_celsius{chip=\"acpitz_hwmon0\",sensor=\"temp1\"} 1",
                "node_hwmon_temp_celsius{chip=\"acpitz_hwmon1\",sensor=\"temp1\"} 2",
            ])
    }

    @Test("thermal zones and coolers")
    func thermal() {
        let tree = SystemTree([
            "sys/class/thermal/thermal_zone0/type": "cpu\n", "sys/class/thermal/thermal_zone0/temp": "42123\n",
            "sys/class/thermal/thermal_zone1/type": "gone\n", "sys/class/thermal/cooling_device3/type": "Fan\n",
            "sys/class/thermal/cooling_device3/cur_state": "2\n", "sys/class/thermal/cooling_device3/max_state": "-1\n",
        ])
        #expect(
            tree.collect("thermal_zone") == [
                "node_cooling_device_cur_state{name=\"3\",type=\"Fan\"} 2", "node_cooling_device_max_state{name=\"3\",type=\"Fan\"} -1",
                "node_thermal_zone_temp{type=\"cpu\",zone=\"0\"} 42.123",
            ])
    }

    @Test("batteries: millionths and tenths; labels that are empty are none")
    func power() throws {
        let base = "sys/class/power_supply/BAT0/"
        let tree = SystemTree([
            base + "capacity": "81\n", base + "energy_now": "44250000\n", base + "voltage_now": "12229000\n", base + "temp": "315\n",
            base + "status": "Discharging\n", base + "type": "Battery\n", base + "manufacturer": " \n", base + "present": "yes\n",
        ])
        #expect(
            tree.collect("powersupplyclass") == [
                "node_power_supply_capacity{power_supply=\"BAT0\"} 81", "node_power_supply_energy_watthour{power_supply=\"BAT0\"} 44.25",
                "node_power_supply_info{power_supply=\"BAT0\",status=\"Discharging\",type=\"Battery\"} 1",
                "node_power_supply_temp_celsius{power_supply=\"BAT0\"} 31.5", "node_power_supply_voltage_volt{power_supply=\"BAT0\"} 12.229",
            ])
        let ignored = try NameFilter(exclude: "^BAT")
        #expect(tree.collect("powersupplyclass") { $0.powerSupplies = ignored } == [])
        #expect(SystemTree([:]).collect("powersupplyclass") == nil)
    }

    @Test("memory errors by controller, row and channel")
    func edac() {
        let base = "sys/devices/system/edac/mc/mc0/"
        let tree = SystemTree([
            base + "ce_count": "1\n", base + "ue_count": "5\n", base + "ce_noinfo_count": "2\n", base + "ue_noinfo_count": "6\n",
            base + "csrow0/ce_count": "3\n", base + "csrow0/ue_count": "7\n", base + "csrow0/ch0_ce_count": "4\n",
            base + "csrow0/ch0_dimm_label": "mc#0csrow#0channel#0\n",
        ])
        let found = tree.collect("edac") ?? []
        #expect(
            found.contains("node_edac_correctable_errors_total{controller=\"0\"} 1")
                && found.contains("node_edac_uncorrectable_errors_total{controller=\"0\"} 5"))
        #expect(found.contains("node_edac_csrow_correctable_errors_total{controller=\"0\",csrow=\"unknown\"} 2"))
        #expect(found.contains("node_edac_csrow_uncorrectable_errors_total{controller=\"0\",csrow=\"0\"} 7"))
        #expect(
            found.contains(
                "node_edac_channel_correctable_errors_total{channel=\"0\",controller=\"0\",csrow=\"0\",dimm_label=\"mc0_csrow0_channel0\"} 4"))
        #expect(SystemTree([:]).collect("edac") == [])
    }

    @Test("energy: zones by name and index; unreadable counters fail the collector")
    func energy() {
        let base = "sys/class/powercap/"
        let tree = SystemTree([
            base + "intel-rapl:0/name": "package-0\n", base + "intel-rapl:0/energy_uj": "240422366267\n",
            base + "intel-rapl:0:0/name": "core\n", base + "intel-rapl:0:0/energy_uj": "118821284256\n",
            base + "intel-rapl:1:0/name": "core\n", base + "intel-rapl:1:0/energy_uj": "5\n", base + "intel-rapl/enabled": "1\n",
        ])
        let found = tree.collect("rapl") ?? []
        #expect(
            found.contains { $0.hasPrefix("node_rapl_package_joules_total{index=\"0\",path=\"") && $0.hasSuffix("/intel-rapl:0\"} 240422.366267") })
        #expect(found.contains { $0.hasPrefix("node_rapl_core_joules_total{index=\"1\"") && $0.hasSuffix(" 5e-06") })
        tree.write(base + "intel-rapl:2/name", "psys\n")
        #expect(tree.collect("rapl") == nil && SystemTree([:]).collect("rapl") == nil)
    }

    @Test("firmware shows the labels that can be read; watchdogs their files")
    func firmware() {
        let tree = SystemTree([
            "sys/class/dmi/id/bios_vendor": "Own\n", "sys/class/dmi/id/sys_vendor": "Maker\n",
            "sys/class/watchdog/watchdog0/timeout": "60\n", "sys/class/watchdog/watchdog0/identity": "soft\n",
        ])
        #expect(tree.collect("dmi") == ["node_dmi_info{bios_vendor=\"Own\",system_vendor=\"Maker\"} 1"])
        #expect(
            tree.collect("watchdog") == [
                "node_watchdog_info{identity=\"soft\",name=\"watchdog0\",options=\"\",pretimeout_governor=\"\",state=\"\",status=\"\"} 1",
                "node_watchdog_timeout_seconds{name=\"watchdog0\"} 60",
            ])
        #expect(SystemTree([:]).collect("dmi") == nil && SystemTree([:]).collect("watchdog") == nil)
    }
}
