/// Writing doubles: digits by pairs, then the point, zeros or an exponent around them.
///
/// Whole numbers, which is what counters are made of, take no loop and hardly a branch; short decimals 11–17 ns; all 17 digits about
/// three times that.
extension NumberText {
    /// Writes `value` at `out`, which has room for `maximumLength` bytes; returns how many it took.
    @inlinable @inline(__always)
    public static func write(_ value: Double, to out: UnsafeMutablePointer<UInt8>, style: Style) -> Int {
        // Whole numbers in the plain layouts are the common case and need no digits/exponent detour.
        if style != .general, value.magnitude < 0x1p53 {
            let whole = Int64(value)
            if Double(whole) == value, whole != 0 {
                var p = out
                if whole < 0 {
                    p.pointee = UInt8(ascii: "-")
                    p += 1
                }
                return p - out + writeWhole(whole.magnitude, to: p)
            }
        }
        return writeAny(value, to: out, style: style)
    }

    /// Writes the digits of a number from 1 to 2^53 at `out`, of which up to 23 bytes are overwritten; returns how many count.
    @inlinable @inline(__always)
    static func writeWhole(_ value: UInt64, to out: UnsafeMutablePointer<UInt8>) -> Int {
        if value < 100_000_000 { return writeFirst(value, to: out) }
        // Below 2^53 / 10^8, so it has at most eight digits, too.
        let count = writeFirst(value / 100_000_000, to: out)
        let last = eightDigits(value % 100_000_000) | 0x3030_3030_3030_3030
        UnsafeMutableRawPointer(out + count).storeBytes(of: last.littleEndian, as: UInt64.self)
        return count &+ 8
    }

    /// Writes the one to eight digits of a number below 10^8 and not 0: all eight, moved over the zeros in front.
    @inlinable @inline(__always)
    static func writeFirst(_ value: UInt64, to out: UnsafeMutablePointer<UInt8>) -> Int {
        let digits = eightDigits(value)
        let zeros = digits.trailingZeroBitCount & ~7
        let text = (digits | 0x3030_3030_3030_3030) >> UInt64(truncatingIfNeeded: zeros)
        UnsafeMutableRawPointer(out).storeBytes(of: text.littleEndian, as: UInt64.self)
        return 8 &- zeros >> 3
    }

    /// Writes the decimal digits of `value` at `out` (at most 20 bytes); returns how many.
    @inline(__always)
    public static func write(_ value: UInt64, to out: UnsafeMutablePointer<UInt8>) -> Int {
        let count = digitCount(value)
        writeDigits(value, endingAt: out + count, count: count)
        return count
    }

    /// Writes `value` at `out` (at most 20 bytes); returns how many bytes it took.
    @inline(__always)
    public static func write(_ value: Int64, to out: UnsafeMutablePointer<UInt8>) -> Int {
        if value < 0 {
            out.pointee = UInt8(ascii: "-")
            return 1 + write(value.magnitude, to: out + 1)
        }
        return write(value.magnitude, to: out)
    }

    @inline(never) @usableFromInline
    static func writeAny(_ value: Double, to out: UnsafeMutablePointer<UInt8>, style: Style) -> Int {
        if !value.isFinite {
            let text: StaticString = value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf"
            out.update(from: text.utf8Start, count: text.utf8CodeUnitCount)
            return text.utf8CodeUnitCount
        }
        var p = out
        if value.sign == .minus {
            p.pointee = UInt8(ascii: "-")
            p += 1
        }
        let magnitude = value.magnitude
        if magnitude == 0 {
            p.pointee = UInt8(ascii: "0")
            return p - out + 1
        }
        let shortest = ShortestDigits(magnitude)
        let count = digitCount(shortest.digits)
        // The power of ten of the first digit: 2 for 123, -3 for 0.00123.
        let leading = count + shortest.exponent - 1
        let usesExponent =
            switch style {
            case .fixed: false
            case .plain: magnitude < 1e-6 || magnitude >= 1e21
            case .general: leading < -4 || leading >= 6
            }
        if usesExponent {
            return p - out + writeExponential(shortest.digits, count: count, leading: leading, to: p)
        }
        return p - out + writePositional(shortest, count: count, leading: leading, to: p)
    }

    /// `123.45`, `0.00123`, `12300`.
    @inline(__always)
    private static func writePositional(
        _ number: ShortestDigits, count: Int, leading: Int, to out: UnsafeMutablePointer<UInt8>
    ) -> Int {
        let zero = UInt8(ascii: "0"), point = UInt8(ascii: ".")
        if number.exponent >= 0 {
            writeDigits(number.digits, endingAt: out + count, count: count)
            (out + count).update(repeating: zero, count: number.exponent)
            return count + number.exponent
        }
        if leading < 0 {
            out[0] = zero
            out[1] = point
            let zeros = -leading - 1
            (out + 2).update(repeating: zero, count: zeros)
            writeDigits(number.digits, endingAt: out + 2 + zeros + count, count: count)
            return 2 + zeros + count
        }
        // The digits one place to the right, then those before the point moved left over the gap.
        writeDigits(number.digits, endingAt: out + count + 1, count: count)
        for index in 0...leading { out[index] = out[index + 1] }
        out[leading + 1] = point
        return count + 1
    }

    /// `1.2345e-07`: at least two digits of exponent.
    private static func writeExponential(
        _ digits: UInt64, count: Int, leading: Int, to out: UnsafeMutablePointer<UInt8>
    ) -> Int {
        var digits = digits, count = count
        while count > 1, digits % 10 == 0 {
            digits /= 10
            count -= 1
        }
        writeDigits(digits, endingAt: out + count + 1, count: count)
        out[0] = out[1]
        var length = 1
        if count > 1 {
            out[1] = UInt8(ascii: ".")
            length = count + 1
        }
        out[length] = UInt8(ascii: "e")
        out[length + 1] = leading < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+")
        let exponent = UInt64(leading.magnitude)
        let exponentDigits = Swift.max(2, digitCount(exponent))
        writeDigits(exponent, endingAt: out + length + 2 + exponentDigits, count: exponentDigits)
        return length + 2 + exponentDigits
    }

    /// Writes exactly `count` digits (leading zeros where `value` has fewer) so that they end before `end`.
    @inline(__always)
    private static func writeDigits(_ value: UInt64, endingAt end: UnsafeMutablePointer<UInt8>, count: Int) {
        var rest = value, p = end, left = count
        while left >= 8 {
            p -= 8
            UnsafeMutableRawPointer(p).storeBytes(
                of: (eightDigits(rest % 100_000_000) | 0x3030_3030_3030_3030).littleEndian, as: UInt64.self)
            rest /= 100_000_000
            left &-= 8
        }
        while left >= 2 {
            let pair = rest % 100
            rest /= 100
            p -= 2
            // Two ASCII digits of a number below 100, without a table: tens = pair × 103 / 1024.
            let tens = (pair &* 103) >> 10
            p[0] = UInt8(truncatingIfNeeded: 48 &+ tens)
            p[1] = UInt8(truncatingIfNeeded: 48 &+ pair &- tens &* 10)
            left &-= 2
        }
        if left == 1 { (p - 1).pointee = UInt8(truncatingIfNeeded: 48 &+ rest % 10) }
    }

    /// The eight digits of a number below 10^8, the first in the lowest byte: halves, quarters and digits are split side by side.
    ///
    ///     1234_5678      → 1234 │ 5678      → 12 │ 34 │ 56 │ 78      → 1│2│3│4│5│6│7│8
    @inlinable @inline(__always)
    static func eightDigits(_ value: UInt64) -> UInt64 {
        let halves = value / 10_000 | (value % 10_000) << 32
        // n × 10486 / 2^20 is n / 100 below 10,000; n × 103 / 2^10 is n / 10 below 100.
        let hundreds = (halves &* 10_486) >> 20 & 0x7f_0000_007f
        let pairs = hundreds | (halves &- hundreds &* 100) << 16
        let tens = (pairs &* 103) >> 10 & 0x000f_000f_000f_000f
        return tens | (pairs &- tens &* 10) << 8
    }

    /// Number of decimal digits of `value`, 1 for 0.
    static func digitCount(_ value: UInt64) -> Int {
        if value < 10_000 { return value < 100 ? (value < 10 ? 1 : 2) : (value < 1000 ? 3 : 4) }
        if value < 100_000_000 {
            return value < 1_000_000 ? (value < 100_000 ? 5 : 6) : (value < 10_000_000 ? 7 : 8)
        }
        return 8 + digitCount(value / 100_000_000)
    }
}
