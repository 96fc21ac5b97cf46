/// Writes fields of bits, most significant bit first, one behind the other.
///
/// Each field is put with a single 8-byte store that also clears what follows, so the buffer must have
/// `BitWriter.spare` writable bytes behind the last bit, and content can only grow at its end.
struct BitWriter {
    let base: UnsafeMutableRawPointer
    /// Position of the next bit.
    var bit: Int
    /// The byte at the position, bits not yet written as zeros. Kept beside the buffer: whoever comes back to a chunk after a while
    /// would wait for memory to read that one byte (60 ns an append in a head of 62,000 series), while a store does not wait.
    private(set) var kept: UInt8

    /// Bytes that must be writable behind the position.
    static let spare = 16

    @inline(__always)
    init(_ base: UnsafeMutableRawPointer, at bit: Int, kept: UInt8) {
        self.base = base
        self.bit = bit
        self.kept = kept
    }

    /// Appends the low `count` bits of `value`; `value < 2^count`, `count` in 1...56.
    @inline(__always)
    mutating func write(_ value: UInt64, _ count: Int) {
        let offset = bit & 7
        // Everything behind the kept bits becomes the field and zeros.
        let word = UInt64(kept) << 56 | value << UInt64(truncatingIfNeeded: 64 &- offset &- count)
        (base + (bit >> 3)).storeBytes(of: word.bigEndian, as: UInt64.self)
        bit &+= count
        kept = UInt8(truncatingIfNeeded: word >> UInt64(truncatingIfNeeded: 56 &- (offset &+ count) & ~7))
    }

    /// Appends `count` bits, 1...64.
    @inline(__always)
    mutating func writeWide(_ value: UInt64, _ count: Int) {
        if count > 32 {
            write(value >> 32, count &- 32)
            write(value & 0xffff_ffff, 32)
        } else {
            write(value, count)
        }
    }

    /// Appends LEB128, seven bits to a byte, without byte alignment.
    mutating func writeVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            write(rest & 0x7f | 0x80, 8)
            rest >>= 7
        }
        write(rest, 8)
    }
}
