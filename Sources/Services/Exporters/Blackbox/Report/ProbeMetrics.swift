import SelfMetrics

/// The metrics of one probe.
///
/// Families are there from the moment they are registered, whether or not the probe gets as far as their value: a dashboard does not
/// lose its series when a target goes away. Written sorted by name, as the original does.
struct ProbeMetrics: Sendable {
    private struct Family {
        var help: String
        /// By the values of the labels, in order.
        var samples: [(labels: [(String, String)], value: Double)] = []
    }

    private var families: [String: Family] = [:]

    /// A gauge without labels; its value is 0 until it is set.
    mutating func register(_ name: String, _ help: String) {
        families[name] = Family(help: help, samples: [([], 0)])
    }

    /// A gauge of phases. It is written once there is a phase.
    mutating func register(_ name: String, phases: [String], _ help: String) {
        families[name] = Family(help: help, samples: phases.map { ([("phase", $0)], 0) })
    }

    /// A fact with its details in labels, whose value is 1.
    mutating func info(_ name: String, _ labels: [(String, String)], _ help: String) {
        families[name] = Family(help: help, samples: [(labels.sorted { $0.0 < $1.0 }, 1)])
    }

    mutating func set(_ name: String, _ value: Double) {
        families[name]?.samples = [([], value)]
    }

    mutating func set(_ name: String, _ value: Bool) { set(name, value ? 1 : 0) }

    mutating func add(_ name: String, phase: String, _ seconds: Double) {
        guard let index = families[name]?.samples.firstIndex(where: { $0.labels.first?.1 == phase }) else {
            families[name]?.samples.append(([("phase", phase)], seconds))
            return
        }
        families[name]?.samples[index].value += seconds
    }

    /// The page.
    func page() -> [UInt8] {
        var page = MetricsPage()
        for (name, family) in families.sorted(by: { $0.key < $1.key }) where !family.samples.isEmpty {
            page.family(name, .gauge, family.help)
            for sample in family.samples.sorted(by: { ($0.labels.first?.1 ?? "") < ($1.labels.first?.1 ?? "") }) {
                page.sample(name, sample.labels, sample.value)
            }
        }
        return page.bytes
    }
}
