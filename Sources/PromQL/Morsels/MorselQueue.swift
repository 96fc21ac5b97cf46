import Threads

/// Columns of one operator, computed by several threads, delivered to one in the order of the series.
///
///     series        0 … 67   68 … 135   136 … 203   204 … 271   …            a morsel: 16,384 cells, whatever the threads
///     computed by     own      helper      own        helper                 whoever is free takes the next
///     delivered     ──▶ 0 1 2 … 67 68 69 …                                   by the query's thread, in order, always
///
/// Sums are compensated, and compensated sums do not add up in any order: partial sums merged afterwards would give other
/// bits than the plain fold, and other than upstream's. So only what costs is shared out (decoding, windows, kernels: nine
/// tenths of an aggregation over rates), and the fold stays one thread's work over columns in their order. The answer
/// therefore does not depend on the number of threads, nor on the size of a morsel; docs/design/0007.
///
/// A window of slots bounds what is computed ahead, and its columns stay in the cache between the two threads. The query's
/// thread computes, too, whenever the morsel it has to deliver next is not there yet.
///
/// Errors are delivered like columns: the one of the lowest series counts, as if one thread had worked alone.
final class MorselQueue: @unchecked Sendable {
    // Sendable: `next`, `delivered`, `isOver` and the slots' `state` are touched under `monitor`; a slot's columns belong
    // to the thread that claimed it until it is `.ready`, then to the delivering thread until it is `.free`.

    /// Series of a morsel at most.
    static let widest = 256

    private final class Slot {
        enum State { case free, claimed, ready }
        var state = State.free
        var columns: [Scratch.Box] = []
        /// Columns that were computed before `error`.
        var count = 0
        var error: QueryError?
    }

    private let source: any VectorOperator
    /// Which series, in order of delivery; `nil`: all.
    private let order: [Int]?
    private let total: Int
    private let steps: Int
    private let size: Int
    private let morsels: Int
    private let context: QueryContext
    private let monitor = Monitor()
    private let slots: [Slot]
    private var next = 0
    private var delivered = 0
    private var isOver = false

    /// Series of a morsel.
    private static func size(steps: Int, cells: Int) -> Int { min(widest, max(1, cells / max(1, steps))) }

    /// Whether there is enough to share: below four morsels waking a thread costs more than it saves.
    static func isWorthwhile(count: Int, steps: Int, _ runner: any MorselRunner) -> Bool {
        runner.width > 1 && count >= 4 * size(steps: steps, cells: runner.morselCells)
    }

    init(_ source: any VectorOperator, order: [Int]?, steps: Int, context: QueryContext) {
        self.source = source
        self.order = order
        self.steps = steps
        self.context = context
        total = order?.count ?? source.count
        size = Self.size(steps: steps, cells: context.runner.morselCells)
        morsels = (total + size - 1) / size
        slots = (0..<min(morsels, 2 * context.runner.width + 2)).map { _ in Slot() }
    }

    // MARK: Computing

    /// What a helper does: morsels, until none is left or the query is over.
    func help() {
        let scratch = Scratch()
        monitor.lock()
        while !isOver && next < morsels {
            guard let morsel = claim() else {
                monitor.wait()
                continue
            }
            monitor.unlock()
            compute(morsel, scratch)
            monitor.lock()
            slots[morsel % slots.count].state = .ready
            monitor.ring()
        }
        monitor.unlock()
    }

    /// The next morsel whose slot is free. With the lock held.
    private func claim() -> Int? {
        guard next < morsels, slots[next % slots.count].state == .free else { return nil }
        slots[next % slots.count].state = .claimed
        next += 1
        return next - 1
    }

    private func compute(_ morsel: Int, _ scratch: Scratch) {
        let slot = slots[morsel % slots.count]
        let first = morsel * size
        slot.count = 0
        slot.error = nil
        // Once per morsel: reference counts that two threads change for every series travel between their caches.
        let source = source, order = order, context = context
        do throws(QueryError) {
            for position in first..<min(total, first + size) {
                if slot.count == slot.columns.count { slot.columns.append(Scratch.Box(count: steps)) }
                try scratch.spend(steps, context)
                try source.fill(order?[position] ?? position, into: &slot.columns[slot.count].column, scratch: scratch)
                slot.count += 1
            }
        } catch {
            slot.error = error
        }
    }

    // MARK: Delivering

    /// Hands every column to `body`, in order, on the calling thread. Computes what helpers have not taken.
    func deliver(
        _ body: (_ index: Int, _ column: borrowing StepColumn) throws(QueryError) -> Void
    ) throws(QueryError) {
        let scratch = Scratch()
        defer {
            monitor.lock()
            isOver = true
            monitor.ring()
            monitor.unlock()
        }
        while delivered < morsels {
            let slot = slots[delivered % slots.count]
            monitor.lock()
            var own: Int?
            while slot.state != .ready {
                own = claim()
                if own != nil { break }
                monitor.wait()
            }
            monitor.unlock()
            if let own {
                compute(own, scratch)
                // Rung for nobody: only this thread waits for what is ready, and it is awake.
                monitor.lock()
                slots[own % slots.count].state = .ready
                monitor.unlock()
                continue
            }
            let first = delivered * size
            for number in 0..<slot.count {
                try body(order?[first + number] ?? (first + number), slot.columns[number].column)
            }
            if let error = slot.error { throw error }
            delivered += 1
            monitor.lock()
            slot.state = .free
            monitor.ring()
            monitor.unlock()
        }
    }
}

extension VectorOperator {
    /// Pulls columns and hands them to `body` on this thread, in order: of all series, or of those in `order`. Other threads
    /// help where the query has them and the work is worth it.
    func forEachColumn(
        _ order: [Int]? = nil, steps: Int, _ context: QueryContext,
        _ body: (_ index: Int, _ column: borrowing StepColumn) throws(QueryError) -> Void
    ) throws(QueryError) {
        let count = order?.count ?? self.count
        if !isHeld && MorselQueue.isWorthwhile(count: count, steps: steps, context.runner) {
            let queue = MorselQueue(self, order: order, steps: steps, context: context)
            return try context.runner.assist({ queue.help() }) { () throws(QueryError) in try queue.deliver(body) }
        }
        let scratch = Scratch()
        var column = StepColumn(count: steps)
        for position in 0..<count {
            let index = order?[position] ?? position
            try scratch.spend(steps, context)
            try fill(index, into: &column, scratch: scratch)
            try body(index, column)
        }
    }
}
