/// Who is who in the head: labels → series number, and label value → the series that have it.
///
///     symbols      text ↔ number
///     identities   series number → pairs of symbols, in name order
///     table        hash of labels → series number
///     postings     (name, value) → sorted series numbers
///
/// Guarded by one lock; lookups take a hash and a comparison, regexes run outside of it (`HeadSelect`).
struct LabelIndex: ~Copyable {
    /// A series' labels: `count` pairs of symbol numbers, name then value, sorted by the names' bytes.
    struct Identity: BitwiseCopyable {
        var hash: UInt64
        var pairs: UnsafeMutablePointer<UInt32>?
        var count: UInt32
        /// Rises each time the slot is given to another series; odd while it is free.
        var generation: UInt32
    }

    /// Series are numbered one after the other; a log that jumps further than this is damaged.
    static let largestGap = 1 << 20
    /// Most labels of one series.
    static let maximumLabels = 4096

    var symbols = SymbolTable()
    var arena = Arena()
    var epochs = ReadEpochs()
    private(set) var identities = PagedArray<Identity>()
    private var freeSlots: [UInt32] = []

    /// Open addressing: 32 bits of hash, slot + 1. 0: free; 0xffffffff in the low half: was used.
    private var table: UnsafeMutablePointer<UInt64>
    private var tableMask: Int
    private var tableUsed = 0
    private static let tombstone: UInt64 = 0xffff_ffff

    /// Key: name symbol in the high half, value symbol in the low half.
    private(set) var postings: [UInt64: [UInt32]] = [:]
    /// The values each name has, in order of first appearance.
    private(set) var values: [UInt32: [UInt32]] = [:]
    /// All live series.
    private(set) var all: [UInt32] = []

    init() {
        tableMask = 1023
        table = .allocate(capacity: tableMask + 1)
        table.initialize(repeating: 0, count: tableMask + 1)
    }

    deinit { table.deallocate() }

    /// The series with these labels.
    func find(_ packed: UnsafeRawBufferPointer, hash: UInt64) -> SeriesRef? {
        var position = Int(truncatingIfNeeded: hash) & tableMask
        while table[position] != 0 {
            let entry = table[position]
            if entry >> 32 == hash >> 32 && entry & 0xffff_ffff != Self.tombstone {
                let slot = UInt32(truncatingIfNeeded: entry) &- 1
                let identity = identities[Int(slot)].pointee
                if identity.hash == hash && hasLabels(identity, packed) {
                    return SeriesRef(slot: slot, generation: identity.generation)
                }
            }
            position = (position &+ 1) & tableMask
        }
        return nil
    }

    private func hasLabels(_ identity: Identity, _ packed: UnsafeRawBufferPointer) -> Bool {
        guard let pairs = identity.pairs else { return false }
        var cursor = PackedLabelCursor(packed)
        let reader = symbols.reader
        for index in 0..<Int(identity.count) {
            guard let (name, value) = cursor.next() else { return false }
            guard reader.bytes(pairs[index * 2]).equals(name), reader.bytes(pairs[index * 2 + 1]).equals(value) else {
                return false
            }
        }
        return cursor.next() == nil
    }

    /// Adds a series that `find` did not find; at a certain place where the log says so (the place is free).
    mutating func insert(
        _ packed: UnsafeRawBufferPointer, hash: UInt64, at place: SeriesRef? = nil
    ) throws(TSDBError) -> SeriesRef {
        var cursor = PackedLabelCursor(packed)
        var count = 0
        while cursor.next() != nil { count += 1 }
        guard count > 0 && count <= Self.maximumLabels else {
            throw TSDBError(.invalid, count == 0 ? "empty label set" : "\(count) labels, at most \(Self.maximumLabels)")
        }
        let block = arena.allocate(count * 8)
        let pairs = block.bindMemory(to: UInt32.self, capacity: count * 2)
        cursor = PackedLabelCursor(packed)
        var filled = 0
        let mayReuse = !epochs.hasReaders
        while let (name, value) = cursor.next() {
            guard let nameNumber = symbols.retain(name, arena: &arena, mayReuseNumbers: mayReuse),
                let valueNumber = symbols.retain(value, arena: &arena, mayReuseNumbers: mayReuse)
            else { throw TSDBError(.limit, "more than \(PagedArray<SymbolTable.Symbol>.maximumCount) label names and values") }
            pairs[filled * 2] = nameNumber
            pairs[filled * 2 + 1] = valueNumber
            filled += 1
        }
        var identity = Identity(hash: hash, pairs: pairs, count: UInt32(count), generation: 0)
        let slot: UInt32
        if let place {
            guard Int(place.slot) < min(PagedArray<Identity>.maximumCount, identities.count + Self.largestGap) else {
                throw TSDBError(.corruption, "series number \(place.slot) far behind the last, \(identities.count)")
            }
            while identities.count <= Int(place.slot) {
                guard let index = identities.append(Identity(hash: 0, pairs: nil, count: 0, generation: 1)) else { break }
                freeSlots.append(UInt32(truncatingIfNeeded: index))
            }
            if let position = freeSlots.lastIndex(of: place.slot) { freeSlots.remove(at: position) }
            slot = place.slot
            identity.generation = place.generation
            identities[Int(slot)].pointee = identity
        } else if let free = freeSlots.popLast() {
            slot = free
            identity.generation = identities[Int(free)].pointee.generation &+ 1
            identities[Int(free)].pointee = identity
        } else if let index = identities.append(identity) {
            slot = UInt32(truncatingIfNeeded: index)
            // Prometheus takes reference 0 for none: it would give the series of such a record another number.
            if slot == 0 {
                identity.generation = 2
                identities[0].pointee.generation = 2
            }
        } else {
            arena.free(block, count * 8)
            throw TSDBError(.limit, "more than \(PagedArray<Identity>.maximumCount) series")
        }
        for index in 0..<count {
            let name = pairs[index * 2], value = pairs[index * 2 + 1]
            let key = UInt64(name) << 32 | UInt64(value)
            if postings[key]?.isEmpty ?? true { values[name, default: []].append(value) }
            Postings.insert(slot, into: &postings[key, default: []])
        }
        Postings.insert(slot, into: &all)
        addToTable(slot, hash)
        return SeriesRef(slot: slot, generation: identity.generation)
    }

    /// Takes series out; their slots may be given to others under a new generation.
    mutating func remove(_ slots: [UInt32]) {
        guard !slots.isEmpty else { return }
        var touched: Set<UInt64> = []
        for slot in slots {
            let place = identities[Int(slot)]
            guard let pairs = place.pointee.pairs else { continue }
            removeFromTable(slot, place.pointee.hash)
            for index in 0..<Int(place.pointee.count) {
                touched.insert(UInt64(pairs[index * 2]) << 32 | UInt64(pairs[index * 2 + 1]))
            }
        }
        let gone = slots.sorted()
        var emptied: [UInt32: Set<UInt32>] = [:]
        for key in touched {
            guard let list = postings[key] else { continue }
            let rest = Postings.subtracting(list, gone)
            if rest.isEmpty {
                postings[key] = nil
                emptied[UInt32(truncatingIfNeeded: key >> 32), default: []].insert(UInt32(truncatingIfNeeded: key))
            } else {
                postings[key] = rest
            }
        }
        for (name, goneValues) in emptied {
            values[name]?.removeAll { goneValues.contains($0) }
            if values[name]?.isEmpty ?? false { values[name] = nil }
        }
        all = Postings.subtracting(all, gone)
        for slot in slots {
            let place = identities[Int(slot)]
            guard let pairs = place.pointee.pairs else { continue }
            for index in 0..<Int(place.pointee.count) * 2 {
                symbols.release(pairs[index], epochs: &epochs, arena: &arena)
            }
            epochs.retire(UnsafeMutableRawPointer(pairs), Int(place.pointee.count) * 8, to: &arena)
            place.pointee.pairs = nil
            place.pointee.count = 0
            place.pointee.generation &+= 1
            freeSlots.append(slot)
        }
    }

    /// Whether `reference` still names the series it was made for.
    func isLive(_ reference: SeriesRef) -> Bool {
        Int(reference.slot) < identities.count && identities[Int(reference.slot)].pointee.pairs != nil
            && identities[Int(reference.slot)].pointee.generation == reference.generation
    }

    /// The series that has `slot`, if any.
    func occupant(of slot: UInt32) -> SeriesRef? {
        guard Int(slot) < identities.count, identities[Int(slot)].pointee.pairs != nil else { return nil }
        return reference(ofSlot: slot)
    }

    func reference(ofSlot slot: UInt32) -> SeriesRef {
        SeriesRef(slot: slot, generation: identities[Int(slot)].pointee.generation)
    }

    var tableBytes: Int { (tableMask + 1) * 8 }

    private mutating func addToTable(_ slot: UInt32, _ hash: UInt64) {
        var position = Int(truncatingIfNeeded: hash) & tableMask
        while table[position] != 0 && table[position] & 0xffff_ffff != Self.tombstone {
            position = (position &+ 1) & tableMask
        }
        if table[position] == 0 { tableUsed += 1 }
        table[position] = hash & 0xffff_ffff_0000_0000 | UInt64(slot &+ 1)
        if tableUsed * 4 > tableMask * 3 { rebuildTable() }
    }

    private mutating func removeFromTable(_ slot: UInt32, _ hash: UInt64) {
        var position = Int(truncatingIfNeeded: hash) & tableMask
        while table[position] != 0 {
            if UInt32(truncatingIfNeeded: table[position]) == slot &+ 1 {
                table[position] = Self.tombstone
                return
            }
            position = (position &+ 1) & tableMask
        }
    }

    /// Leaves tombstones behind and doubles where that does not suffice.
    private mutating func rebuildTable() {
        var size = tableMask + 1
        while all.count * 2 > size { size *= 2 }
        table.deallocate()
        table = .allocate(capacity: size)
        table.initialize(repeating: 0, count: size)
        tableMask = size - 1
        tableUsed = all.count
        for slot in all {
            let hash = identities[Int(slot)].pointee.hash
            var position = Int(truncatingIfNeeded: hash) & tableMask
            while table[position] != 0 { position = (position &+ 1) & tableMask }
            table[position] = hash & 0xffff_ffff_0000_0000 | UInt64(slot &+ 1)
        }
    }
}
