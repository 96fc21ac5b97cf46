import SelfMetrics

/// Batteries and adapters: /sys/class/power_supply. Currents, voltages, charges and energies are in millionths, temperatures in tenths.
///
/// Source: Documentation/ABI/testing/sysfs-class-power of the kernel.
@Sendable func collectPowerSupplies(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    try system.requireSys("class/power_supply")
    var group = FamilyGroup()
    for supply in system.sysEntries("class/power_supply") where system.options.powerSupplies.allows(supply) {
        let base = "class/power_supply/\(supply)/"
        for (metric, file, divisor) in powerSupplyFiles {
            group.add(
                "node_power_supply_" + metric, .gauge, "File \(file) of /sys/class/power_supply.", [("power_supply", supply)],
                system.sysNumber(base + file).map { $0 / divisor })
        }
        let names = [
            "capacity_level", "charge_type", "health", "manufacturer", "model_name", "power_supply", "scope", "serial_number", "status",
            "technology", "type", "usb_type",
        ]
        let labels = names.compactMap { name -> (String, String)? in
            let value = name == "power_supply" ? supply : system.sys(base + name) ?? ""
            return value.isEmpty ? nil : (name, value)
        }
        group.add("node_power_supply_info", .gauge, "What the power supply is; always 1.", labels, 1)
    }
    group.write(to: &page)
}

/// Metric, file, divisor.
private let powerSupplyFiles: [(String, String, Double)] =
    [
        ("authentic", "authentic", 1), ("calibrate", "calibrate", 1), ("capacity", "capacity", 1),
        ("capacity_alert_max", "capacity_alert_max", 1), ("capacity_alert_min", "capacity_alert_min", 1),
        ("cyclecount", "cycle_count", 1), ("online", "online", 1), ("present", "present", 1),
        ("time_to_empty_seconds", "time_to_empty_now", 1), ("time_to_full_seconds", "time_to_full_now", 1),
        ("current_ampere", "current_now", 1e6), ("energy_watthour", "energy_now", 1e6), ("voltage_volt", "voltage_now", 1e6),
        ("charge_ampere", "charge_now", 1e6), ("power_watt", "power_now", 1e6), ("temp_celsius", "temp", 10),
    ]
    + [
        "current_boot", "current_max", "energy_empty", "energy_empty_design", "energy_full", "energy_full_design", "voltage_boot",
        "voltage_max", "voltage_max_design", "voltage_min", "voltage_min_design", "voltage_ocv", "charge_control_limit",
        "charge_control_limit_max", "charge_counter", "charge_empty", "charge_empty_design", "charge_full", "charge_full_design",
        "charge_term_current", "constant_charge_current", "constant_charge_current_max", "constant_charge_voltage",
        "constant_charge_voltage_max", "precharge_current", "input_current_limit",
    ].map { ($0, $0, 1e6) }
    + ["temp_alert_max", "temp_alert_min", "temp_ambient", "temp_ambient_max", "temp_ambient_min", "temp_max", "temp_min"].map {
        ($0 + "_celsius", $0, 10)
    }
