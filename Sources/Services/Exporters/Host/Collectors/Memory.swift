import SelfMetrics

/// Every line of /proc/meminfo as a gauge: `Active(anon):  123 kB` becomes `node_memory_Active_anon_bytes 125952`. Source: proc(5).
@Sendable func collectMemory(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    writeMemory(try system.proc("meminfo"), &page)
}

func writeMemory(_ text: String, _ page: inout MetricsPage) {
    for line in text.lines {
        guard let colon = line.firstIndex(of: ":") else { continue }
        var name = ""
        for character in line[..<colon] {
            switch character {
            case "(": name += "_"
            case ")": break
            default: name.append(character)
            }
        }
        guard !name.isEmpty, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }) else { continue }
        let words = line[line.index(after: colon)...].words
        guard var value = words.number(0) else { continue }
        if words.count > 1 && words[1] == "kB" {
            value *= 1024
            name += "_bytes"
        }
        page.single("node_memory_" + name, .gauge, "Field of /proc/meminfo.", value)
    }
}
