/// Writes fields of bits, most significant bit first, one behind the other.
///
/// Each field is put with a single 8-byte store that also clears what follows, so the buffer must have
/// `BitWriter.spare` writable bytes behind the last bit, and content can only grow at its end.
struct BitWriter {
    let base: UnsafeMutableRawPointer
    /// Position of the next bit.
    var bit: Int

    /// Bytes that must be writable behind the position.
    static let spare = 16

    @inline(__always)
    init(_ base: UnsafeMutableRawPointer, at bit: Int) {
        self.base = base
        self.bit = bit
    }

    /// Appends the low `count` bits of `value`; `value < 2^count`, `count` in 1...56.
    @inline(__always)
    mutating func write(_ value: UInt64, _ count: Int) {
        let position = base + (bit >> 3)
        let offset = bit & 7
        // Bits of the current byte in front of `offset` stay; everything behind becomes the field and zeros.
        let kept = UInt64(position.load(as: UInt8.self)) & ~(0xff >> UInt64(truncatingIfNeeded: offset))
        let word = kept << 56 | value << UInt64(truncatingIfNeeded: 64 &- offset &- count)
        position.storeBytes(of: word.bigEndian, as: UInt64.self)
        bit &+= count
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
