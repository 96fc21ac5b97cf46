/// Alerts that wait for one Alertmanager. Bounded: the oldest give way to the newest, which say more.
///
///     add ─▶ ▪▪▪▪▪▪▪▪▪▪ capacity 10,000 ─▶ nextBatch: up to 256
public struct AlertQueue: Sendable {
    public let capacity: Int
    public let batchSize: Int
    private var alerts: [Alert] = []
    private var head = 0

    public init(capacity: Int = 10_000, batchSize: Int = 256) {
        self.capacity = max(1, capacity)
        self.batchSize = max(1, batchSize)
    }

    public var count: Int { alerts.count - head }
    public var isEmpty: Bool { count == 0 }

    /// Returns how many were dropped to make room.
    public mutating func add(_ new: [Alert]) -> Int {
        alerts.append(contentsOf: new)
        let surplus = max(0, count - capacity)
        head += surplus
        compact()
        return surplus
    }

    public mutating func nextBatch() -> [Alert] {
        let batch = Array(alerts[head..<min(alerts.count, head + batchSize)])
        head += batch.count
        compact()
        return batch
    }

    /// Gives room back once most of it is behind the head.
    private mutating func compact() {
        guard head * 2 >= alerts.count else { return }
        alerts.removeFirst(head)
        head = 0
    }
}
