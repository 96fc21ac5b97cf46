import NIOCore

/// Connections without an exchange, by address, the newest on top.
///
///     api:8000  ── ● ── ● ──○     the next scrape takes ○; ● go when nobody has wanted them for five minutes
///
/// Several per address: targets may share one (exporters that take the target as a parameter, probes), and those that are scraped
/// at the same moment need a connection each.
///
/// Closing a connection calls back, so nothing is closed in here: who asks gets those that have to go.
struct IdleConnections {
    /// Per address; more are closed when they are given back.
    static let limit = 100
    /// As upstream.
    static let idleTime = TimeAmount.minutes(5)
    private static let sweepTime = TimeAmount.minutes(1)

    private var connections: [HTTPAddress: [HTTPConnection]] = [:]
    private var lastSweep = NIODeadline.now()

    mutating func take(_ address: HTTPAddress) -> HTTPConnection? { connections[address]?.popLast() }

    /// Keeps `connection`; returns what to close.
    mutating func keep(_ connection: HTTPConnection, now: NIODeadline) -> [HTTPConnection] {
        connection.idleSince = now
        if connections[connection.address, default: []].count >= Self.limit { return [connection] }
        connections[connection.address, default: []].append(connection)
        return now - lastSweep >= Self.sweepTime ? sweep(now) : []
    }

    mutating func forget(_ connection: HTTPConnection) {
        connections[connection.address]?.removeAll { $0 === connection }
        if connections[connection.address]?.isEmpty == true { connections[connection.address] = nil }
    }

    /// Forgets all and returns them.
    mutating func removeAll() -> [HTTPConnection] {
        defer { connections = [:] }
        return Array(connections.values.joined())
    }

    private mutating func sweep(_ now: NIODeadline) -> [HTTPConnection] {
        lastSweep = now
        let old = connections.values.joined().filter { now - $0.idleSince >= Self.idleTime }
        for connection in old { forget(connection) }
        return old
    }
}
