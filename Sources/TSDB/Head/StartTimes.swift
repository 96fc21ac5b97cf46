/// When a series began to count, as a step function of its samples' times: thousands of samples in a row have one start.
///
///     samples   t₀  t₁  t₂  t₃  │  t₄  t₅  t₆         the target began again
///     starts    s   s   s   s   │  s′  s′  s′
///     runs      (t₀, s)            (t₄, s′)           a run holds until the next one begins
///
/// A late sample between t₁ and t₂ with a start of its own has a run for itself: there, and the old one again a millisecond later.
/// Series of deltas, each with another start, have a run per sample. Starts are milliseconds since the epoch; 0 says that it is not known.
///
/// Invariant: times of runs are strictly ascending.
struct StartRuns: Sendable {
    struct Run: Equatable, Sendable, BitwiseCopyable {
        var time: Int64
        var start: Int64
    }

    /// Before the last one; empty for a counter that never began again, which costs no allocation.
    private(set) var earlier: [Run] = []
    private(set) var last: Run

    init(_ first: Run) { last = first }

    var count: Int { earlier.count + 1 }

    subscript(index: Int) -> Run { index < earlier.count ? earlier[index] : last }

    /// The number of runs that begin at or before `time`.
    private func count(through time: Int64) -> Int {
        if last.time <= time { return count }
        var low = 0, high = earlier.count
        while low < high {
            let middle = (low + high) / 2
            if earlier[middle].time <= time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The start of a sample at `time`.
    func start(at time: Int64) -> Int64 {
        let count = count(through: time)
        return count == 0 ? 0 : self[count - 1].start
    }

    /// From the sample at `time` on it is `start`. Returns whether that was news.
    mutating func append(_ time: Int64, _ start: Int64) -> Bool {
        // Nothing ever comes before a run but late samples and a log that lost some.
        guard time > last.time else { return insert(time, start) }
        guard start != last.start else { return false }
        earlier.append(last)
        last = Run(time: time, start: start)
        return true
    }

    /// Of the sample at `time` alone it is `start`. Returns whether that was news.
    mutating func insert(_ time: Int64, _ start: Int64) -> Bool {
        let position = count(through: time)
        let held = position == 0 ? 0 : self[position - 1].start
        guard start != held else { return false }
        var added = [Run(time: time, start: start)]
        if time < .max, position == count || self[position].time != time + 1 { added.append(Run(time: time + 1, start: held)) }
        let replaces = position > 0 && self[position - 1].time == time
        earlier.append(last)
        earlier.replaceSubrange((replaces ? position - 1 : position)..<position, with: added)
        last = earlier.removeLast()
        return true
    }

    /// Forgets what samples before `time` had.
    mutating func truncate(before time: Int64) {
        let gone = count(through: time) - 1
        if gone > 0 { earlier.removeFirst(gone) }
    }
}

/// The runs of all series that have any, by slot: beside the series, which stay small for the many that have none.
///
///     pages   [ · │ ▪ │ · │ ▪ ]      256 slots each, made when one of them needs it
///
/// A value, so that a query keeps the state it began with. What is written meanwhile copies one page and the list of pages.
struct StartTable: Sendable {
    private static let shift = 8
    private static let mask = 1 << shift - 1

    private var pages: [[StartRuns?]] = []
    /// Series that have runs.
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    subscript(slot: UInt32) -> StartRuns? {
        let page = Int(slot) >> Self.shift
        guard page < pages.count, !pages[page].isEmpty else { return nil }
        return pages[page][Int(slot) & Self.mask]
    }

    /// Notes the start of a sample: from it on, or of it alone. Returns whether that was news.
    mutating func note(_ slot: UInt32, _ time: Int64, _ start: Int64, isAlone: Bool) -> Bool {
        let page = Int(slot) >> Self.shift, place = Int(slot) & Self.mask
        if page < pages.count, !pages[page].isEmpty, pages[page][place] != nil {
            // Looked at first: a change through the subscript would copy a page that a query holds.
            guard isAlone || pages[page][place]?.last.start != start || (pages[page][place]?.last.time ?? 0) >= time else { return false }
            return (isAlone ? pages[page][place]?.insert(time, start) : pages[page][place]?.append(time, start)) ?? false
        }
        if start == 0 { return false }
        while pages.count <= page { pages.append([]) }
        if pages[page].isEmpty { pages[page] = Array(repeating: nil, count: Self.mask + 1) }
        var runs = StartRuns(.init(time: time, start: start))
        if isAlone { _ = runs.append(time.clampedAdding(1), 0) }
        pages[page][place] = runs
        count += 1
        return true
    }

    /// Forgets what samples of a series before `time` had.
    mutating func truncate(_ slot: UInt32, before time: Int64) {
        guard let runs = self[slot], runs.count > 1, runs[1].time <= time else { return }
        pages[Int(slot) >> Self.shift][Int(slot) & Self.mask]?.truncate(before: time)
    }

    mutating func remove(_ slot: UInt32) {
        guard self[slot] != nil else { return }
        pages[Int(slot) >> Self.shift][Int(slot) & Self.mask] = nil
        count -= 1
    }
}

extension SeriesStore {
    /// Notes the starts of a batch whose samples were stored just now, stale markers apart; returns what was news, for the log. Costs nothing where
    /// neither the batch nor any series has starts.
    mutating func noteStarts(
        _ references: [SeriesRef], _ timestamps: [Int64], _ values: [Double], _ batchStarts: [Int64], _ verdicts: [AppendVerdict]
    ) -> [WALStart] {
        var news: [WALStart] = []
        if batchStarts.isEmpty && starts.isEmpty { return news }
        for index in references.indices {
            guard verdicts.isEmpty || verdicts[index] == .stored, !StaleMarker.isStale(values[index]) else { continue }
            let reference = references[index], time = timestamps[index]
            let start = index < batchStarts.count ? batchStarts[index] : 0
            // Most series of a page are gauges.
            if start == 0 && starts[reference.slot] == nil { continue }
            guard let place = find(reference) else { continue }
            let isLate = place.pointee.hasOutOfOrder && outOfOrder[reference.slot]?.contains(time) ?? false
            if starts.note(reference.slot, time, start, isAlone: isLate) {
                news.append(WALStart(reference, time, start: start, isAlone: isLate))
            }
        }
        return news
    }
}
