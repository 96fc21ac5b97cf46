/// Whole numbers in as few bits as they need: a prefix of ones says how many follow.
///
///     0                       zero
///     10        3 bits        −3…4            unsigned  …7
///     110       6 bits        −31…32                    …63
///     1110      9 bits        −255…256                  …511
///     11110    12 bits        −2047…2048                …4095
///     111110   18 bits        ±131072                   …262143
///     1111110  25 bits        ±16777216                 …33554431
///     11111110 56 bits        ±2⁵⁵                      …2⁵⁶ − 1
///     11111111 64 bits        the rest
///
/// Signed numbers of n bits lie in −(2ⁿ⁻¹ − 1) … 2ⁿ⁻¹, as everywhere in Prometheus' chunks.
/// Source: Prometheus, `tsdb/chunkenc/varbit.go`; what histogram chunks are made of.
enum Varbit {
    /// Bits behind a prefix of so many ones.
    static func size(ones: Int) -> Int {
        switch ones {
        case 0: 0
        case 1: 3
        case 2: 6
        case 3: 9
        case 4: 12
        case 5: 18
        case 6: 25
        case 7: 56
        default: 64
        }
    }

    /// The same for up to six ones, without a jump.
    @inline(__always)
    static func shortSize(ones: Int) -> Int {
        Int(truncatingIfNeeded: 0x19_12_0c_09_06_03_00 as UInt64 &>> UInt64(truncatingIfNeeded: ones &* 8) & 0xff)
    }

    /// Most bytes that one number takes.
    static let maximumSize = 9
}

extension BitWriter {
    mutating func writeVarbit(_ value: Int64) {
        if value == 0 { return write(0, 1) }
        // n bits reach from −(2ⁿ⁻¹ − 1) to 2ⁿ⁻¹: what they need is what the magnitude needs, plus one.
        let magnitude = value > 0 ? UInt64(value &- 1) : value.magnitude
        writeVarbit(UInt64(bitPattern: value), width: 65 &- magnitude.leadingZeroBitCount)
    }

    mutating func writeVarbit(unsigned value: UInt64) {
        if value == 0 { return write(0, 1) }
        writeVarbit(value, width: 64 &- value.leadingZeroBitCount)
    }

    /// Writes the low bits of what `width` bits hold.
    private mutating func writeVarbit(_ bits: UInt64, width: Int) {
        if width <= 3 {
            write(0b10 << 3 | bits & 0x7, 5)
        } else if width <= 6 {
            write(0b110 << 6 | bits & 0x3f, 9)
        } else if width <= 9 {
            write(0b1110 << 9 | bits & 0x1ff, 13)
        } else if width <= 12 {
            write(0b11110 << 12 | bits & 0xfff, 17)
        } else if width <= 18 {
            write(0b111110 << 18 | bits & 0x3_ffff, 24)
        } else if width <= 25 {
            write(0b1111110 << 25 | bits & 0x1ff_ffff, 32)
        } else if width <= 56 {
            write(0b11111110, 8)
            write(bits & 0xff_ffff_ffff_ffff, 56)
        } else {
            write(0b11111111, 8)
            writeWide(bits, 64)
        }
    }

    /// Appends what `value` differs from `before` in, XOR-ed, and moves the window (`XORChunk`).
    @inline(__always)
    mutating func writeXOR(_ value: UInt64, after before: UInt64, _ leading: inout UInt8, _ trailing: inout UInt8) {
        let difference = value ^ before
        if difference == 0 { return write(0, 1) }
        let newLeading = UInt8(truncatingIfNeeded: min(difference.leadingZeroBitCount, 31))
        let newTrailing = UInt8(truncatingIfNeeded: difference.trailingZeroBitCount)
        if leading != 0xff && newLeading >= leading && newTrailing >= trailing {
            write(0b10, 2)
            writeWide(difference >> UInt64(truncatingIfNeeded: trailing), 64 &- Int(leading) &- Int(trailing))
        } else {
            leading = newLeading
            trailing = newTrailing
            let width = 64 &- Int(newLeading) &- Int(newTrailing)
            write(0b11 << 11 | UInt64(newLeading) << 6 | UInt64(truncatingIfNeeded: width & 63), 13)
            writeWide(difference >> UInt64(truncatingIfNeeded: newTrailing), width)
        }
    }
}

extension BitReader {
    /// Number of ones of the prefix, which is passed over.
    @inline(__always)
    private mutating func takePrefix() -> Int {
        refill()
        let ones = min((~register).leadingZeroBitCount, 8)
        skip(min(ones &+ 1, 8))
        return ones
    }

    @inline(__always)
    mutating func takeVarbit() -> Int64 {
        refill()
        let ones = (~register).leadingZeroBitCount
        if ones <= 6 {
            // Nearly always: prefix and number came with one refill. Without a branch on the size, which nobody could predict.
            let size = Varbit.shortSize(ones: ones)
            let behind = register &<< UInt64(truncatingIfNeeded: ones &+ 1)
            let bits = (behind &>> 1) &>> UInt64(truncatingIfNeeded: 63 &- size)
            skip(ones &+ 1 &+ size)
            return Self.signed(bits, size: size)
        }
        let size = Varbit.size(ones: takePrefix()), bits = takeWide(size)
        return size == 64 ? Int64(bitPattern: bits) : Self.signed(bits, size: size)
    }

    @inline(__always)
    private static func signed(_ bits: UInt64, size: Int) -> Int64 {
        let whole = UInt64(1) &<< UInt64(truncatingIfNeeded: size)
        return Int64(bitPattern: bits) &- (bits > whole &>> 1 ? Int64(bitPattern: whole) : 0)
    }

    @inline(__always)
    mutating func takeUnsignedVarbit() -> UInt64 {
        let ones = takePrefix()
        return ones == 0 ? 0 : takeWide(Varbit.size(ones: ones))
    }

    /// The value that follows `before`. A window that was never set is the whole word: a Prometheus that went on with a chunk after
    /// a restart writes so. `nil` where the window leaves the word.
    @inline(__always)
    mutating func takeXOR(after before: UInt64, _ leading: inout UInt8, _ trailing: inout UInt8) -> UInt64? {
        refill()
        if register >> 63 == 0 {
            skip(1)
            return before
        }
        let isExplicit = register >> 62 == 0b11
        skip(2)
        if isExplicit {
            let newLeading = Int(truncatingIfNeeded: take(5))
            let bits = Int(truncatingIfNeeded: take(6))
            let width = bits == 0 ? 64 : bits
            guard newLeading &+ width <= 64 else { return nil }
            leading = UInt8(truncatingIfNeeded: newLeading)
            trailing = UInt8(truncatingIfNeeded: 64 &- newLeading &- width)
        }
        if leading == 0xff { return before ^ takeWide(64) }
        let width = 64 &- Int(leading) &- Int(trailing)
        return before ^ takeWide(width) << UInt64(truncatingIfNeeded: trailing)
    }
}
