import SelfMetrics

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Temperatures, fans, voltages: /sys/class/hwmon. A file's name says what is in it:
///
///     temp1_input 45000 ─▶ node_hwmon_temp_celsius{chip="platform_coretemp_0",sensor="temp1"} 45
///     │   │ └ property        type and property make the name, the unit of the type its end
///     type └ number
///
/// Source: Documentation/hwmon/sysfs-interface.rst of the kernel.
@Sendable func collectSensors(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    try system.requireSys("class/hwmon")
    var chips: [(directory: String, name: String, own: String)] = []
    for entry in system.sysEntries("class/hwmon") {
        let directory = "class/hwmon/" + entry
        chips.append((directory, chipName(system, directory, entry), system.sys(directory + "/name") ?? ""))
    }
    var group = FamilyGroup()
    for chip in chips {
        var name = chip.name
        // Several chips of one device are told apart by their own names, or by their directories.
        if chips.count(where: { $0.name == chip.name }) > 1 {
            let isUnique = chips.count { $0.name == chip.name && $0.own == chip.own } == 1
            let own = cleanSensorName(chip.own)
            name += "_" + (isUnique && !own.isEmpty ? own : cleanSensorName(String(chip.directory.dropFirst("class/hwmon/".count))))
        }
        guard system.options.sensorChips.allows(name) else { continue }
        let readable = cleanSensorName(chip.own)
        if !readable.isEmpty {
            group.add("node_hwmon_chip_names", .gauge, "What the chip calls itself; always 1.", [("chip", name), ("chip_name", readable)], 1)
        }
        var sensors: [String: [String: String]] = [:]
        for directory in [chip.directory, chip.directory + "/device"] {
            for file in system.sysEntries(directory) {
                guard let sensor = SensorFile(file), let value = system.sys(directory + "/" + file) else { continue }
                sensors[sensor.sensor, default: [:]][sensor.property] = value
            }
        }
        for (sensor, properties) in sensors.sorted(by: { $0.key < $1.key }) where system.options.sensors.allows(name + ";" + sensor) {
            addSensor(chip: name, sensor, properties, &group)
        }
    }
    group.write(to: &page)
}

/// `temp12_crit_alarm`: type `temp`, number 12, property `crit_alarm`.
struct SensorFile: Equatable {
    var type: String, number: Int, property: String

    var sensor: String { "\(type)\(number)" }

    static let types: Set<String> = [
        "vrm", "beep_enable", "update_interval", "in", "cpu", "fan", "pwm", "temp", "curr", "power", "energy", "humidity", "intrusion",
        "freq",
    ]

    init?(_ name: String) {
        let letters = name.prefix { !($0.isASCII && $0.isNumber) }
        let digits = name[letters.endIndex...].prefix { $0.isASCII && $0.isNumber }
        let rest = name[digits.endIndex...]
        guard rest.isEmpty || rest.first == "_", Self.types.contains(String(letters)), let number = digits.isEmpty ? 0 : Int(digits) else {
            return nil
        }
        (type, self.number, property) = (String(letters), number, String(rest.dropFirst()))
    }
}

func addSensor(chip: String, _ sensor: String, _ properties: [String: String], _ group: inout FamilyGroup) {
    guard let file = SensorFile(sensor) else { return }
    let labels = [("chip", chip), ("sensor", sensor)]
    func add(_ name: String, _ help: String, _ value: Double?, _ kind: MetricsPage.Kind = .gauge) {
        group.add("node_hwmon_" + name, kind, help, labels, value)
    }
    if let label = properties["label"] {
        group.add(
            "node_hwmon_sensor_label", .gauge, "What the chip calls the sensor; always 1.",
            [("chip", chip), ("label", label), ("sensor", sensor)], 1)
    }
    let plain = properties[""].flatMap { decimal($0) }
    switch file.type {
    case "beep_enable": return add("beep_enabled", "Whether the chip may beep.", properties[""] == "1" ? 1 : 0)
    case "vrm": return add("voltage_regulator_version", "Version of the voltage regulator.", plain)
    case "update_interval": return add("update_interval_seconds", "Time between two measurements.", plain.map { $0 / 1000 })
    default: break
    }
    for (property, text) in properties.sorted(by: { $0.key < $1.key }) where property != "label" {
        guard let value = decimal(text) else { continue }
        var name = file.type
        if property == "input" {
            if properties[""] != nil { name += "_input" }
        } else if !property.isEmpty {
            name += "_" + cleanSensorName(property)
        }
        switch (file.type, property) {
        case (_, "fault"), (_, "alarm"): add(name, "Whether there is a \(property).", value)
        case (_, "beep"): add(name + "_enabled", "Whether the sensor may beep.", value)
        case ("in", _), ("cpu", _): add(name + "_volts", "Voltage: \(property).", value / 1000)
        case ("temp", let property) where property != "type": add(name + "_celsius", "Temperature: \(property).", value / 1000)
        case ("curr", _): add(name + "_amps", "Current: \(property).", value / 1000)
        case ("energy", _): add(name + "_joule_total", "Energy: \(property).", value / 1e6, .counter)
        case ("power", "accuracy"): add(name, "Accuracy of the power.", value / 1e6)
        case ("power", "average_interval"), ("power", "average_interval_min"), ("power", "average_interval_max"):
            add(name + "_seconds", "Time over which power is averaged.", value / 1000)
        case ("power", _): add(name + "_watt", "Power: \(property).", value / 1e6)
        case ("humidity", _): add(name, "Humidity: \(property).", value / 1e6)
        case ("fan", "input"), ("fan", "min"), ("fan", "max"), ("fan", "target"): add(name + "_rpm", "Turns per minute: \(property).", value)
        case ("freq", "input"):
            guard let label = properties["label"] else { continue }
            group.add(
                "node_hwmon_\(name)_freq_mhz", .gauge, "Clock of the graphics card.",
                [("chip", chip), ("sensor", cleanSensorName(label))], value / 1e6)
        default: add(name, "Property \(property) of \(file.type).", value)
        }
    }
}

/// In small letters; what may not stand in a metric's name becomes `_`, none at the ends.
func cleanSensorName(_ text: String) -> String {
    var cleaned = String(
        text.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") ? $0 : "_" })
    while cleaned.hasPrefix("_") { cleaned.removeFirst() }
    while cleaned.hasSuffix("_") { cleaned.removeLast() }
    return cleaned
}

/// Where the chip's device is in the tree: `…/platform/coretemp.0` is `platform_coretemp_0`. Without a device, the chip's own name.
private func chipName(_ system: SystemFiles, _ directory: String, _ entry: String) -> String {
    if let path = resolvedPath(system.sysPath(directory + "/device")) {
        let parts = path.split(separator: "/").suffix(2).map { cleanSensorName(String($0)) }.filter { !$0.isEmpty }
        if !parts.isEmpty { return parts.joined(separator: "_") }
    }
    let own = cleanSensorName(system.sys(directory + "/name") ?? "")
    return own.isEmpty ? cleanSensorName(entry) : own
}

private func resolvedPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
}
