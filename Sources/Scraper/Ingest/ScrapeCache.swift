import TSDB

/// What a target exposed at its last good scrape: the text of each series, in the order of the page, and its reference.
///
///     texts    up{job="a"}http_requests_total{code="200"}…
///     entries  ├─ ref 17 ─┤├──────── ref 18 ───────────┤
///                   ▲ cursor: the next line most likely begins with this text
///
/// Pages hardly change: the next line is compared with the text at the cursor, and where it fits, neither labels nor
/// hashes are looked at. Only on a misfit a table over all texts is made. What the page no longer shows, and was shown
/// last time, gets a stale marker.
///
/// Invariant: between scrapes the entries are exactly the series of the last good page, each once.
struct ScrapeCache {
    struct Entry {
        enum Kind: UInt8 {
            /// Its disappearance is marked.
            case tracked
            /// It comes with timestamps of its own; no marker.
            case timestamped
            /// Metric relabeling dropped it.
            case dropped
            /// Storage does not know its reference any more; labels must be read again.
            case unresolved
        }

        /// Place of the text; offsets from `texts.count` on point into `newTexts`.
        var offset: UInt32
        var length: UInt32
        /// The pass that met it last.
        var seen: UInt32
        var kind: Kind
        var reference: SeriesRef
    }

    private(set) var texts: [UInt8] = []
    private(set) var newTexts: [UInt8] = []
    var entries: [Entry] = []
    /// Number of the current pass over a page.
    private(set) var pass: UInt32 = 0
    /// Whether the last scrape was good: then its series are not marked stale yet.
    var isLive = false
    /// Entries of the last good page; behind them are those of the current pass.
    private(set) var oldCount = 0
    /// The entries met in this pass, in order; `nil` as long as the page is like the last one.
    private var order: [UInt32]?
    private var table = TextTable()

    mutating func beginPass() {
        pass &+= 1
        oldCount = entries.count
        order = nil
        table.removeAll()
    }

    /// The text of an entry, valid as long as the closure runs.
    @inline(__always)
    func withText<R>(_ index: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        let entry = entries[index]
        let offset = Int(entry.offset), length = Int(entry.length)
        if offset < texts.count || length == 0 {
            return texts.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[offset..<offset + length])) }
        }
        let start = offset - texts.count
        return newTexts.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[start..<start + length])) }
    }

    /// Notes that the page shows entry `index` next, where the cursor expected `expected`.
    @inline(__always)
    mutating func note(_ index: Int, expected: Int) {
        if order != nil || index != expected { noteDisorder(index, expected: expected) }
    }

    /// Notes that the page showed a run of entries where they were expected.
    mutating func note(run: Range<Int>) {
        if order != nil { order?.append(contentsOf: run.lazy.map { UInt32($0) }) }
    }

    /// The entries of the last page and their texts, to be walked without a check per step.
    @inline(__always)
    mutating func withOldEntries(_ body: (UnsafeMutableBufferPointer<Entry>, UnsafeRawPointer) -> Void) {
        let count = oldCount
        texts.withUnsafeBytes { texts in
            guard let base = texts.baseAddress else { return }
            entries.withUnsafeMutableBufferPointer { entries in
                body(UnsafeMutableBufferPointer(rebasing: entries[..<count]), base)
            }
        }
    }

    private mutating func noteDisorder(_ index: Int, expected: Int) {
        if order == nil { order = (0..<UInt32(expected)).map { $0 } }
        order?.append(UInt32(index))
    }

    /// Finds the entry with this text; looks at the cursor's neighbourhood before a table is made.
    mutating func find(_ text: UnsafeRawBufferPointer, near cursor: Int) -> Int? {
        for index in cursor..<min(cursor + 3, oldCount) where withText(index, { $0.equals(text) }) { return index }
        if table.isEmpty {
            table.reserve(max(entries.count, 64) * 2)
            for index in entries.indices { table.insert(index, hash: withText(index) { Hash64.hash($0) }) }
        }
        return table.find(hash: Hash64.hash(text)) { index in withText(index) { $0.equals(text) } }
    }

    /// Adds a series that `find` did not find.
    mutating func add(_ text: UnsafeRawBufferPointer, kind: Entry.Kind, reference: SeriesRef, expected: Int) {
        let index = entries.count
        let offset = UInt32(truncatingIfNeeded: texts.count + newTexts.count)
        newTexts.append(contentsOf: text)
        entries.append(
            Entry(offset: offset, length: UInt32(text.count), seen: pass, kind: kind, reference: reference))
        table.insert(index, hash: Hash64.hash(text))
        noteDisorder(index, expected: expected)
    }

    /// The pass came to nothing: forgets what it added.
    mutating func abandonPass() {
        entries.removeLast(entries.count - oldCount)
        newTexts = []
        order = nil
        table.removeAll()
    }

    /// Calls `body` for the references that have disappeared: shown last time, tracked, not met in this pass.
    func forEachGone(_ body: (SeriesRef) -> Void) {
        guard isLive else { return }
        for index in 0..<oldCount {
            let entry = entries[index]
            if entry.seen != pass && entry.kind == .tracked { body(entry.reference) }
        }
    }

    /// The page was good: its series, in its order, are what the next one is compared with.
    mutating func finishPass(cursor: Int) {
        isLive = true
        table.removeAll()
        if order == nil && cursor == oldCount && entries.count == oldCount { return }
        let order = self.order ?? (0..<UInt32(cursor)).map { $0 }
        var packedTexts: [UInt8] = []
        var packedEntries: [Entry] = []
        packedEntries.reserveCapacity(order.count)
        packedTexts.reserveCapacity(order.reduce(0) { $0 + Int(entries[Int($1)].length) })
        for index in order {
            var entry = entries[Int(index)]
            let offset = UInt32(truncatingIfNeeded: packedTexts.count)
            withText(Int(index)) { packedTexts.append(contentsOf: $0) }
            entry.offset = offset
            packedEntries.append(entry)
        }
        (texts, newTexts, entries) = (packedTexts, [], packedEntries)
        self.order = nil
    }
}

/// Open addressing from hashes to entry numbers; lives for one pass.
private struct TextTable {
    private var slots: [UInt32] = []
    private var hashes: [UInt64] = []
    private var count = 0
    private static let free = UInt32.max

    var isEmpty: Bool { count == 0 }

    mutating func removeAll() {
        slots = []
        hashes = []
        count = 0
    }

    mutating func reserve(_ wanted: Int) {
        var size = 64
        while size < wanted { size *= 2 }
        slots = Array(repeating: Self.free, count: size)
        hashes = Array(repeating: 0, count: size)
    }

    mutating func insert(_ index: Int, hash: UInt64) {
        if (count + 1) * 2 > slots.count { grow() }
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != Self.free { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = UInt32(truncatingIfNeeded: index)
        hashes[slot] = hash
        count += 1
    }

    func find(hash: UInt64, _ isMatch: (Int) -> Bool) -> Int? {
        guard !slots.isEmpty else { return nil }
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != Self.free {
            if hashes[slot] == hash, isMatch(Int(slots[slot])) { return Int(slots[slot]) }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private mutating func grow() {
        let (oldSlots, oldHashes) = (slots, hashes)
        reserve(max(64, oldSlots.count * 2))
        count = 0
        for slot in oldSlots.indices where oldSlots[slot] != Self.free { insert(Int(oldSlots[slot]), hash: oldHashes[slot]) }
    }
}
