#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The batch record: one scrape, coded against what the log last said about the same series.
///
///     epoch │ count │ slots │ generations │ links │ timestamps │ tags │ payload
///
/// * **slots, generations**: which series. A scrape's series were made one after the other, so slots are runs.
/// * **timestamps**: one for a whole scrape; else runs of equal ones, or a delta per sample.
/// * **tags, payload**: per sample four bits that say how the value differs from the one before (`ValueTag`), and 0…8 bytes.
/// * **links**: the n-th sample of a series in this epoch has link n. A reader that knows the sample with link n − 1 of the
///   same series can read link n; one that does not, because a record between was damaged, drops the sample and counts it.
///   Each sixteenth link (0, 16, 32, …) is a **key**: coded against 0, readable alone. So damage never makes a wrong value,
///   and costs a series at most the samples to its next key. (Log size of the benchmark's load, bytes per sample before
///   LZ4: a key each 8 samples 1.73, each 16 1.65, each 32 1.61, only one 1.57.)
/// * **epoch**: begins where a log is opened or cut for a checkpoint; links begin at 0 again. What precedes an epoch may
///   be deleted without making it unreadable.
///
/// `docs/format/wal.md` draws the bytes. Encoder and decoder keep the same `LinkTable` and do the same arithmetic to it.
enum BatchRecord {
    /// Every so many links of a series a value stands alone.
    static let keyInterval: UInt32 = 16
    /// Slots from here on are refused; bounds the table that a damaged record can ask for.
    static let slotLimit: UInt64 = 1 << 27

    /// Flag bits of the body's first byte: timestamps as one delta per sample instead of runs.
    static let timestampsPerSample: UInt8 = 1
}

/// How a value differs from its predecessor: the scale of the difference, and its length in the payload.
///
///     tag     0      1 2 3 4     5 6      7 8 9     10 11    12 13 14 15
///     is      same   ×1          ×10      ×100      ×1000    bit patterns
///     bytes   0      1 2 3 5     1 2      1 2 3     2 3      5 6 7 8
///
/// With scale s, a value v goes as the integer n = v·s where n / s gives v back bit for bit; the payload is n minus the
/// predecessor's v·s, rounded. Otherwise it is the difference of the two bit patterns. Differences are zigzag-coded
/// (0, −1, 1, −2 … → 0, 1, 2, 3 …), little-endian.
enum ValueTag {
    /// Payload bytes of each tag, a nibble each: tag 0 in the lowest.
    static let lengths: UInt64 = 0x8765_3232_1215_3210
    static let firstBitPattern = 12

    @inline(__always)
    static func length(_ tag: Int) -> Int {
        Int(truncatingIfNeeded: (lengths >> UInt64(truncatingIfNeeded: tag &* 4)) & 15)
    }

    static let firstDecimal = 5

    /// The scale of tags 5…11.
    @inline(__always)
    static func scale(_ tag: Int) -> Double { tag < 7 ? 10 : tag < 10 ? 100 : 1000 }

    /// 1.5 · 2⁵²: adding it rounds a double below 2⁵¹ to an integer in the low bits of the sum.
    static let rounder = 6_755_399_441_055_744.0
    /// Doubles from here on do not go as integers.
    static let integerLimit = 2_251_799_813_685_248.0  // 2⁵¹

    /// `x` rounded half to even; 0 where it is not a number below 2⁵¹, so that both sides agree on every machine.
    @inline(__always)
    static func rounded(_ x: Double) -> Int64 {
        let sum = x + rounder
        let bits = Int64(bitPattern: sum.bitPattern) &- Int64(bitPattern: rounder.bitPattern)
        return x.magnitude < integerLimit ? bits : 0
    }

    @inline(__always)
    static func zigzag(_ x: Int64) -> UInt64 { UInt64(bitPattern: (x << 1) ^ (x >> 63)) }

    @inline(__always)
    static func unzigzag(_ x: UInt64) -> Int64 { Int64(bitPattern: x >> 1) ^ -Int64(bitPattern: x & 1) }
}

/// What the log last said about each series: value and the link that comes next.
///
/// Flat and zeroed: 16 bytes per slot, untouched parts cost no memory. An entry of zeros knows nothing.
struct LinkTable: ~Copyable {
    struct Entry {
        var value: Double
        /// Number of the series' next sample in this epoch; 0: none yet.
        var next: UInt32
        var generation: UInt32
    }

    private(set) var entries: UnsafeMutablePointer<Entry>
    private(set) var capacity: Int

    init() {
        capacity = 1 << 10
        entries = Self.allocate(capacity)
    }

    deinit { free(entries) }

    /// Makes sure that `slot` (below `BatchRecord.slotLimit`) can be used.
    mutating func reserve(_ slot: Int) {
        guard slot >= capacity else { return }
        var grown = capacity
        while grown <= slot { grown *= 2 }
        let larger = Self.allocate(grown)
        memcpy(larger, entries, capacity * MemoryLayout<Entry>.stride)
        free(entries)
        entries = larger
        capacity = grown
    }

    /// Forgets everything: a new epoch.
    mutating func removeAll() {
        free(entries)
        entries = Self.allocate(capacity)
    }

    /// Out of memory traps, as everywhere in Swift.
    private static func allocate(_ count: Int) -> UnsafeMutablePointer<Entry> {
        guard let memory = calloc(count, MemoryLayout<Entry>.stride) else { preconditionFailure("no memory for \(count) links") }
        return memory.bindMemory(to: Entry.self, capacity: count)
    }
}
