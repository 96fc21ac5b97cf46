import HostMetrics

/// `--collector.NAME` and `--no-collector.NAME`, which are too many to declare one by one.
enum CollectorFlags {
    /// The collectors that are on once `arguments` were obeyed in order.
    static func enabled(_ arguments: [String], disablesDefaults: Bool) throws(StartError) -> Set<String> {
        var enabled = disablesDefaults ? [] : HostMetrics.defaultCollectors
        for argument in arguments {
            let isOn = argument.hasPrefix("--collector.")
            guard isOn || argument.hasPrefix("--no-collector.") else { throw StartError("unknown flag \(argument)") }
            let name = String(argument.dropFirst(isOn ? "--collector.".count : "--no-collector.".count))
            if HostMetrics.collectorNames.contains(name) {
                if isOn { enabled.insert(name) } else { enabled.remove(name) }
            } else if isOn && HostMetrics.absentCollectors.contains(name) {
                throw StartError("\(argument): there is no such collector in minprom")
            } else if !HostMetrics.absentCollectors.contains(name) {
                throw StartError("unknown flag \(argument)")
            }
        }
        return enabled
    }
}
