/// Reads fields of bits, most significant bit first, through a 64-bit register.
///
/// `refill` loads eight bytes wherever it stands, so `BitReader.spare` bytes behind the content must be readable. The reader
/// itself does not know the end: callers compare `consumed(from:)` with the content's length after each sample.
struct BitReader {
    var next: UnsafeRawPointer
    /// Valid bits stand at the top.
    var register: UInt64 = 0
    var valid = 0

    /// Bytes that must be readable behind the content: what one sample can run over (19) and a register.
    static let spare = 32

    @inline(__always)
    init(_ start: UnsafeRawPointer) { next = start }

    /// Begins at bit `bit` of what lies at `start`.
    init(_ start: UnsafeRawPointer, at bit: Int) {
        next = start + bit >> 3
        if bit & 7 > 0 {
            refill()
            _ = take(bit & 7)
        }
    }

    /// Afterwards at least 56 bits are valid. Branch-free.
    @inline(__always)
    mutating func refill() {
        register |= UInt64(bigEndian: next.loadUnaligned(as: UInt64.self)) &>> UInt64(truncatingIfNeeded: valid)
        next += (63 &- valid) >> 3
        valid |= 56
    }

    /// Takes `count` bits, 1...56, after a `refill` that covers them.
    @inline(__always)
    mutating func take(_ count: Int) -> UInt64 {
        let bits = register &>> UInt64(truncatingIfNeeded: 64 &- count)
        register &<<= UInt64(truncatingIfNeeded: count)
        valid &-= count
        return bits
    }

    /// Passes over `count` bits, 0...56, after a `refill` that covers them.
    @inline(__always)
    mutating func skip(_ count: Int) {
        register &<<= UInt64(truncatingIfNeeded: count)
        valid &-= count
    }

    /// Takes `count` bits, 1...64, refilling as needed.
    @inline(__always)
    mutating func takeWide(_ count: Int) -> UInt64 {
        refill()
        if count <= 56 { return take(count) }
        let high = take(count &- 32)
        refill()
        return high << 32 | take(32)
    }

    /// LEB128 of up to ten bytes; `nil` when it does not end.
    mutating func takeVarint() -> UInt64? {
        var value: UInt64 = 0, shift: UInt64 = 0
        while shift < 70 {
            refill()
            let byte = take(8)
            value |= (byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }

    /// Bits read since the reader stood at `start`.
    @inline(__always)
    func consumed(from start: UnsafeRawPointer) -> Int { (next - start) &* 8 &- valid }
}

@inline(__always)
func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: value << 1 ^ value >> 63) }

@inline(__always)
func unzigzag(_ value: UInt64) -> Int64 { Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
