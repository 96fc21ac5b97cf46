/// Tells when memory that readers might still look at can be used again.
///
/// Readers enter before they take pointers and leave when they are done; what a writer takes out of service
/// meanwhile waits until every reader that could know it has left. Writers never wait for readers, and without readers nothing
/// waits at all. Guarded by the lock of the structure it belongs to.
/// Source: epoch-based reclamation, Fraser, “Practical lock-freedom”, 2004, §5.2.3.
struct ReadEpochs: ~Copyable {
    typealias Epoch = UInt64

    private var current: Epoch = 1
    /// Readers by the epoch in which they entered, oldest first. Rarely more than a handful.
    private var readers: [(epoch: Epoch, count: Int)] = []
    /// What waits, oldest first.
    private var retired: [(epoch: Epoch, block: UnsafeMutableRawPointer, size: Int)] = []
    private var retiredHead = 0

    mutating func enter() -> Epoch {
        if let last = readers.last, last.epoch == current {
            readers[readers.count - 1].count += 1
        } else {
            readers.append((current, 1))
        }
        return current
    }

    mutating func leave(_ epoch: Epoch, releasingTo arena: inout Arena) {
        guard let index = readers.firstIndex(where: { $0.epoch == epoch }) else { return }
        readers[index].count -= 1
        if readers[index].count == 0 { readers.remove(at: index) }
        let oldest = readers.first?.epoch ?? .max
        while retiredHead < retired.count && retired[retiredHead].epoch < oldest {
            arena.free(retired[retiredHead].block, retired[retiredHead].size)
            retiredHead += 1
        }
        if retiredHead == retired.count {
            retired.removeAll(keepingCapacity: retired.count < 4096)
            retiredHead = 0
        }
    }

    /// Frees `block` as soon as nobody can be reading it.
    mutating func retire(_ block: UnsafeMutableRawPointer, _ size: Int, to arena: inout Arena) {
        if readers.isEmpty {
            arena.free(block, size)
        } else {
            retired.append((current, block, size))
            // Readers of this epoch may know the block; later ones cannot.
            if readers.last?.epoch == current { current += 1 }
        }
    }

    var waitingCount: Int { retired.count - retiredHead }
    var hasReaders: Bool { !readers.isEmpty }
}
