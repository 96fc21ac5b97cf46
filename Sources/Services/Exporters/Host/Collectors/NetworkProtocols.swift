import SelfMetrics

/// Counters of the network protocols, from /proc/net/netstat, snmp and snmp6: those that node_exporter shows by default.
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
    for name in shownProtocolCounters {
        guard let value = values[name] else { continue }
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

private let shownProtocolCounters: [String] = [
    "Icmp6_InErrors", "Icmp6_InMsgs", "Icmp6_OutMsgs", "Icmp_InErrors", "Icmp_InMsgs", "Icmp_OutMsgs", "Ip6_InOctets",
    "Ip6_OutOctets", "IpExt_InOctets", "IpExt_OutOctets", "Ip_Forwarding", "TcpExt_ListenDrops", "TcpExt_ListenOverflows",
    "TcpExt_SyncookiesFailed", "TcpExt_SyncookiesRecv", "TcpExt_SyncookiesSent", "TcpExt_TCPOFOQueue", "TcpExt_TCPRcvQDrop",
    "TcpExt_TCPSynRetrans", "TcpExt_TCPTimeouts", "Tcp_ActiveOpens", "Tcp_CurrEstab", "Tcp_InErrs", "Tcp_InSegs", "Tcp_OutRsts",
    "Tcp_OutSegs", "Tcp_PassiveOpens", "Tcp_RetransSegs", "Udp6_InDatagrams", "Udp6_InErrors", "Udp6_NoPorts",
    "Udp6_OutDatagrams", "Udp6_RcvbufErrors", "Udp6_SndbufErrors", "UdpLite6_InErrors", "UdpLite_InErrors", "Udp_InDatagrams",
    "Udp_InErrors", "Udp_NoPorts", "Udp_OutDatagrams", "Udp_RcvbufErrors", "Udp_SndbufErrors",
]
