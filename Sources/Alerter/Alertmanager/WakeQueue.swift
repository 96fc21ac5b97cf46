import TSDB

/// What is to be done when, the earliest first; at one time in the order in which it was asked for.
///
/// A binary heap. What is no longer wanted stays in it until its time comes and is recognised then.
struct WakeQueue: Sendable {
    enum Event: Sendable, Equatable {
        /// A group's timer.
        case tick(group: Int)
        /// The next attempt of a telling, or its end.
        case attempt(telling: Int)
        /// Nobody said how an attempt went.
        case abandon(Delivery.ID)
        case maintain
        case collect
    }

    struct Wake: Sendable {
        var time: Timestamp
        var sequence: UInt64
        var event: Event

        func isBefore(_ other: Wake) -> Bool { (time, sequence) < (other.time, other.sequence) }
    }

    private var heap: [Wake] = []
    private var sequence: UInt64 = 0

    var first: Wake? { heap.first }

    mutating func add(_ event: Event, at time: Timestamp) {
        sequence &+= 1
        heap.append(Wake(time: time, sequence: sequence, event: event))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].isBefore(heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func removeFirst() {
        guard let last = heap.popLast(), !heap.isEmpty else { return }
        heap[0] = last
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].isBefore(heap[smallest]) {
                smallest = child
            }
            if smallest == parent { return }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
