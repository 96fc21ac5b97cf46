#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Every label name and value once, under a number. Series keep pairs of numbers, so a label costs eight bytes, and grouping and
/// comparing look at numbers instead of text.
///
/// Symbols are counted: one that no series uses any more gives its bytes back, and its number is used again once no
/// reader is left that may know it. Number 0 is "absent".
struct SymbolTable: ~Copyable {
    struct Symbol: BitwiseCopyable {
        var bytes: UnsafeMutableRawPointer?
        var length: UInt32
        var references: UInt32
    }

    private var symbols = PagedArray<Symbol>()
    /// Open addressing, linear probing: symbol numbers with 32 bits of their hash. 0: free.
    private var slots: UnsafeMutablePointer<UInt64>
    private var slotMask: Int
    private var used = 0
    /// Numbers of released symbols, to be used again.
    private var freeNumbers: [UInt32] = []

    init() {
        slotMask = 1023
        slots = .allocate(capacity: slotMask + 1)
        slots.initialize(repeating: 0, count: slotMask + 1)
        _ = symbols.append(Symbol(bytes: nil, length: 0, references: 1))
    }

    deinit { slots.deallocate() }

    /// Symbols in use.
    var count: Int { used }
    var reader: SymbolReader { SymbolReader(symbols: symbols.reader) }
    var slotBytes: Int { (slotMask + 1) * 8 }

    func bytes(_ number: UInt32) -> UnsafeRawBufferPointer { reader.bytes(number) }

    /// The number of `text`, or `nil` where no series uses it.
    func find(_ text: UnsafeRawBufferPointer) -> UInt32? {
        let hash = Hash64.hash(text)
        var slot = Int(truncatingIfNeeded: hash) & slotMask
        while slots[slot] != 0 {
            let entry = slots[slot]
            if entry >> 32 == hash >> 32 {
                let number = UInt32(truncatingIfNeeded: entry)
                if bytes(number).equals(text) { return number }
            }
            slot = (slot &+ 1) & slotMask
        }
        return nil
    }

    func find(_ text: String) -> UInt32? {
        var text = text
        return text.withUTF8 { find(UnsafeRawBufferPointer($0)) }
    }

    /// The number of `text`, made if need be, with one more reference. `nil`: the table is full.
    mutating func retain(_ text: UnsafeRawBufferPointer, arena: inout Arena, mayReuseNumbers: Bool) -> UInt32? {
        let hash = Hash64.hash(text)
        var slot = Int(truncatingIfNeeded: hash) & slotMask
        while slots[slot] != 0 {
            let entry = slots[slot]
            if entry >> 32 == hash >> 32 {
                let number = UInt32(truncatingIfNeeded: entry)
                if bytes(number).equals(text) {
                    symbols[Int(number)].pointee.references &+= 1
                    return number
                }
            }
            slot = (slot &+ 1) & slotMask
        }
        let block = arena.allocate(max(1, text.count))
        if let source = text.baseAddress { block.copyMemory(from: source, byteCount: text.count) }
        let symbol = Symbol(bytes: block, length: UInt32(truncatingIfNeeded: text.count), references: 1)
        let number: UInt32
        if mayReuseNumbers, let free = freeNumbers.popLast() {
            symbols[Int(free)].pointee = symbol
            number = free
        } else if let index = symbols.append(symbol) {
            number = UInt32(truncatingIfNeeded: index)
        } else {
            arena.free(block, max(1, text.count))
            return nil
        }
        slots[slot] = hash & 0xffff_ffff_0000_0000 | UInt64(number)
        used += 1
        if used * 4 > slotMask * 3 { rehash(to: (slotMask + 1) * 2) }
        return number
    }

    /// One reference less; the last one takes the symbol out. Its bytes are retired, not freed at once.
    mutating func release(_ number: UInt32, epochs: inout ReadEpochs, arena: inout Arena) {
        let symbol = symbols[Int(number)]
        symbol.pointee.references &-= 1
        guard symbol.pointee.references == 0, let block = symbol.pointee.bytes else { return }
        removeSlot(of: number)
        used -= 1
        epochs.retire(block, max(1, Int(symbol.pointee.length)), to: &arena)
        freeNumbers.append(number)
    }

    private mutating func removeSlot(of number: UInt32) {
        let hash = Hash64.hash(bytes(number))
        var slot = Int(truncatingIfNeeded: hash) & slotMask
        while slots[slot] != 0 && UInt32(truncatingIfNeeded: slots[slot]) != number { slot = (slot &+ 1) & slotMask }
        guard slots[slot] != 0 else { return }
        // Backward shift keeps probe chains whole without tombstones.
        var hole = slot
        var next = (hole &+ 1) & slotMask
        while slots[next] != 0 {
            let home = Int(truncatingIfNeeded: Hash64.hash(bytes(UInt32(truncatingIfNeeded: slots[next])))) & slotMask
            if (next &- home) & slotMask >= (next &- hole) & slotMask {
                slots[hole] = slots[next]
                hole = next
            }
            next = (next &+ 1) & slotMask
        }
        slots[hole] = 0
    }

    private mutating func rehash(to size: Int) {
        let old = slots, oldSize = slotMask + 1
        slots = .allocate(capacity: size)
        slots.initialize(repeating: 0, count: size)
        slotMask = size - 1
        for index in 0..<oldSize where old[index] != 0 {
            let hash = Hash64.hash(bytes(UInt32(truncatingIfNeeded: old[index])))
            var slot = Int(truncatingIfNeeded: hash) & slotMask
            while slots[slot] != 0 { slot = (slot &+ 1) & slotMask }
            slots[slot] = old[index]
        }
        old.deallocate()
    }
}

/// Reads symbols whose numbers a reader learnt while it held an epoch.
struct SymbolReader: Sendable {
    fileprivate let symbols: PagedReader<SymbolTable.Symbol>

    @inline(__always)
    func bytes(_ number: UInt32) -> UnsafeRawBufferPointer {
        let symbol = symbols[Int(number)]
        return UnsafeRawBufferPointer(start: symbol.pointee.bytes, count: Int(symbol.pointee.length))
    }

    func string(_ number: UInt32) -> String { String(decoding: bytes(number), as: UTF8.self) }

    /// The texts in the order of their bytes, as Go sorts. Sorted before they become strings: comparing the bytes of two strings
    /// through their views costs ten times as much as `memcmp`.
    func sortedStrings(_ numbers: some Collection<UInt32>) -> [String] {
        let sorted = numbers.sorted { first, second in
            let (first, second) = (bytes(first), bytes(second))
            let shorter = min(first.count, second.count)
            guard shorter > 0, let left = first.baseAddress, let right = second.baseAddress else {
                return first.count < second.count
            }
            let order = memcmp(left, right, shorter)
            return order == 0 ? first.count < second.count : order < 0
        }
        return sorted.map { string($0) }
    }

    /// The label set of `numbers`: names and values in turn, sorted by name. Measured first, so that it is written in one go.
    func labels(_ numbers: UnsafeBufferPointer<UInt32>) -> Labels {
        var size = 0
        for number in numbers {
            let length = Int(symbols[Int(number)].pointee.length)
            // LEB128: a byte per seven bits.
            size &+= length &+ (length < 0x80 ? 1 : (70 &- length.leadingZeroBitCount) / 7)
        }
        return Labels(
            uncheckedPacked: [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                count = size
                guard var out = UnsafeMutableRawPointer(buffer.baseAddress) else { return }
                for number in numbers {
                    let text = bytes(number)
                    var rest = text.count
                    while rest >= 0x80 {
                        out.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, as: UInt8.self)
                        out += 1
                        rest >>= 7
                    }
                    out.storeBytes(of: UInt8(truncatingIfNeeded: rest), as: UInt8.self)
                    out += 1
                    if let source = text.baseAddress { out.copyMemory(from: source, byteCount: text.count) }
                    out += text.count
                }
            })
    }
}
