import TSDB

/// What happened lately, in memory: the newest entries, oldest first out.
struct AlertHistory: Sendable {
    private let capacity: Int
    /// A ring once it is full; `begin` is the oldest.
    private var ring: [AlertHistoryEntry] = []
    private var begin = 0
    private var nextNumber: UInt64 = 1
    /// Not yet in the file.
    private var unwritten: [AlertHistoryEntry] = []
    /// Alerts whose last entry is `fired`.
    private(set) var firing: [Fingerprint: Labels] = [:]

    private let isWritten: Bool

    init(capacity: Int, isWritten: Bool) {
        self.capacity = max(1, capacity)
        self.isWritten = isWritten
    }

    mutating func add(_ event: AlertHistoryEntry.Event, at time: Timestamp) {
        let entry = AlertHistoryEntry(number: nextNumber, time: time, event: event)
        load(entry)
        // Where the disk takes nothing, what is too much is left out of the file.
        if isWritten && unwritten.count < capacity { unwritten.append(entry) }
    }

    /// Notes that an alert fires; no entry where it did already.
    mutating func fires(_ labels: Labels, _ fingerprint: Fingerprint, at time: Timestamp) {
        if firing[fingerprint] == nil { add(.fired(labels), at: time) }
    }

    /// An alert fired before the restart; its entry may be so old that it is gone.
    mutating func remember(_ labels: Labels, _ fingerprint: Fingerprint) { firing[fingerprint] = labels }

    /// Notes that an alert is over; no entry where it was.
    mutating func ends(_ labels: Labels, _ fingerprint: Fingerprint, at time: Timestamp) {
        if firing[fingerprint] != nil { add(.resolved(labels), at: time) }
    }

    /// Takes an entry as it was read.
    mutating func load(_ entry: AlertHistoryEntry) {
        nextNumber = max(nextNumber, entry.number &+ 1)
        switch entry.event {
        case .fired(let labels): firing[Fingerprint(labels)] = labels
        case .resolved(let labels): firing[Fingerprint(labels)] = nil
        case .notification, .silence: break
        }
        if ring.count < capacity {
            ring.append(entry)
        } else {
            ring[begin] = entry
            begin = (begin + 1) % capacity
        }
    }

    mutating func takeUnwritten() -> [AlertHistoryEntry] {
        defer { unwritten = [] }
        return unwritten
    }

    func entries(_ query: AlertHistoryQuery) -> [AlertHistoryEntry] {
        var result: [AlertHistoryEntry] = []
        for offset in stride(from: ring.count - 1, through: 0, by: -1) {
            if result.count >= query.limit { break }
            let entry = ring[(begin + offset) % ring.count]
            if matches(entry, query) { result.append(entry) }
        }
        return result
    }

    private func matches(_ entry: AlertHistoryEntry, _ query: AlertHistoryQuery) -> Bool {
        guard entry.time >= query.since, entry.time <= query.until else { return false }
        if let fingerprint = query.fingerprint, !entry.concerns(fingerprint) { return false }
        switch entry.event {
        case .fired(let labels), .resolved(let labels):
            return query.receiver == nil && query.matchers.allSatisfy { $0.matches(labels) }
        case .notification(let told):
            return query.matchers.isEmpty && (query.receiver == nil || query.receiver == told.receiver)
        case .silence: return query.matchers.isEmpty && query.receiver == nil
        }
    }
}
