import SelfMetrics

/// Samples gathered device by device, written family by family.
///
///     add("node_hwmon_temp_celsius", …, chip a)        # TYPE node_hwmon_fan_rpm gauge
///     add("node_hwmon_fan_rpm", …, chip a)       ─▶    node_hwmon_fan_rpm{chip="a"} …
///     add("node_hwmon_temp_celsius", …, chip b)        # TYPE node_hwmon_temp_celsius gauge  … a … b
///
/// Families come in the order of their names. A name that is none of Prometheus' is left out: here names are made of what the kernel's
/// files say.
struct FamilyGroup {
    private struct Family {
        var kind: MetricsPage.Kind
        var help: String
        var samples: [(labels: [(String, String)], value: Double)] = []
    }
    private var families: [String: Family] = [:]

    mutating func add(
        _ name: String, _ kind: MetricsPage.Kind, _ help: @autoclosure () -> String, _ labels: [(String, String)] = [], _ value: Double?
    ) {
        guard let value, Self.isName(name) else { return }
        if families[name] == nil { families[name] = Family(kind: kind, help: help()) }
        families[name]?.samples.append((labels, value))
    }

    var isEmpty: Bool { families.isEmpty }

    func write(to page: inout MetricsPage) {
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            page.family(name, family.kind, family.help)
            for sample in family.samples { page.sample(name, sample.labels, sample.value) }
        }
    }

    static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !isDigit(first) else { return false }
        return name.utf8.allSatisfy { isDigit($0) || isLetter($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ":") }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }
}
