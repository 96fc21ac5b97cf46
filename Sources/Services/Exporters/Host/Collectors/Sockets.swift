import SelfMetrics

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Sockets in use by protocol, from /proc/net/sockstat and sockstat6: `TCP: inuse 4 orphan 0 tw 2 alloc 7 mem 1`. Memory is in pages.
@Sendable func collectSockets(_ system: SystemFiles, _ page: inout MetricsPage) throws(CollectorError) {
    writeSockets(try system.proc("net/sockstat"), &page)
    if let six = try? system.proc("net/sockstat6") { writeSockets(six, &page) }
}

func writeSockets(_ text: String, _ page: inout MetricsPage) {
    let pageSize = Double(max(1, getpagesize()))
    for line in text.lines {
        let words = line.words
        guard let title = words.first, title.hasSuffix(":"), title.dropLast().allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) })
        else { continue }
        var index = 1
        while index + 1 < words.count {
            let key = words[index]
            if let value = words.number(index + 1), key.allSatisfy({ $0.isASCII && $0.isLetter }) {
                let name = "node_sockstat_\(title.dropLast())_\(key)"
                page.single(name, .gauge, "Sockets of the protocol: \(key).", value)
                if key == "mem" { page.single(name + "_bytes", .gauge, "Memory of the protocol's sockets.", value * pageSize) }
            }
            index += 2
        }
    }
}
