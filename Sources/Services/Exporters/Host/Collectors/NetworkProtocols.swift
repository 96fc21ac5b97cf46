import SelfMetrics

/// Counters of the network protocols, from /proc/net/netstat, snmp and snmp6: by default those that node_exporter shows.
///
///     Tcp: RtoAlgorithm RtoMin … ActiveOpens        names
///     Tcp: 1 200 … 831                              values
@Sendable func collectNetworkProtocols(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    var values: [String: Double] = [:]
    let snmp = try system.proc("net/snmp")
    parseProtocolTable(snmp, &values)
    if let netstat = try? system.proc("net/netstat") { parseProtocolTable(netstat, &values) }
    if let six = try? system.proc("net/snmp6") {
        for words in six.lines.map(\.words) {
            // `Ip6InOctets 12`: the protocol ends with its 6.
            guard let name = words.first, let value = words.number(1), let six = name.firstIndex(of: "6") else { continue }
            let split = name.index(after: six)
            values["\(name[..<split])_\(name[split...])"] = value
        }
    }
    for (name, value) in values.sorted(by: { $0.key < $1.key }) where system.options.protocolFields.allows(name) {
        guard FamilyGroup.isName(name) else { continue }
        page.single("node_netstat_" + name, .untyped, "Counter of the network protocols.", value)
    }
}

func parseProtocolTable(_ text: String, _ values: inout [String: Double]) {
    let lines = text.lines
    var index = 0
    while index + 1 < lines.count {
        let names = lines[index].words, numbers = lines[index + 1].words
        index += 2
        guard let title = names.first, title == numbers.first, title.hasSuffix(":") else { continue }
        for column in 1..<max(1, min(names.count, numbers.count)) {
            if let value = numbers.number(column) { values["\(title.dropLast())_\(names[column])"] = value }
        }
    }
}
