/// The shortest decimal digits of a double: `value = digits × 10^exponent`, sign apart.
///
///     0.25 → 25 × 10^-2      1e21 → 1 × 10^21      123 → 123 × 10^0
///
/// Three ways, cheapest first: whole numbers are their own digits; most measurements have one to four decimals, which
/// one exact division proves; the rest goes to the standard library's shortest round-trip algorithm (SwiftDtoa).
///
/// Invariant: `digits` has no trailing zero unless it came from a whole number below 2^53.
struct ShortestDigits {
    var digits: UInt64
    var exponent: Int

    /// `magnitude` is finite and not negative.
    @inline(__always)
    init(_ magnitude: Double) {
        if magnitude < 0x1p53 {
            let whole = UInt64(magnitude)
            if Double(whole) == magnitude {
                self.init(digits: whole, exponent: 0)
                return
            }
            // A decimal of at most 15 digits that divides back to the value is its only one of that length, so it is the shortest.
            if magnitude < 1e11 && magnitude >= 1e-4 {
                // Four decimals hold one, two and three, so one division decides for all.
                let scaled = (magnitude * 1e4).rounded()
                if scaled / 1e4 == magnitude {
                    var digits = UInt64(scaled), exponent = -4
                    while digits % 10 == 0 {
                        digits /= 10
                        exponent += 1
                    }
                    self.init(digits: digits, exponent: exponent)
                    return
                }
            }
        }
        self.init(printing: magnitude)
    }

    @inline(__always)
    private init(digits: UInt64, exponent: Int) {
        self.digits = digits
        self.exponent = exponent
    }

    /// Reads the digits out of the standard library's own text, such as `1.2345e-05` or `100000.25`: at most 17
    /// digits that count and a few zeros around them, which fit 64 bits.
    @inline(never)
    private init(printing magnitude: Double) {
        var text = magnitude.description
        var digits: UInt64 = 0, exponent = 0
        text.withUTF8 { bytes in
            var index = 0, point = -1
            while index < bytes.count, bytes[index] != UInt8(ascii: "e") {
                if bytes[index] == UInt8(ascii: ".") {
                    point = index
                } else {
                    digits = digits &* 10 &+ UInt64(bytes[index] &- 48)
                }
                index &+= 1
            }
            if point >= 0 { exponent = point + 1 - index }
            guard index < bytes.count else { return }
            let isNegative = bytes[index + 1] == UInt8(ascii: "-")
            var written = 0
            for byte in bytes[(index + 2)...] { written = written * 10 + Int(byte &- 48) }
            exponent += isNegative ? -written : written
        }
        while digits % 10 == 0, digits > 0 {
            digits /= 10
            exponent += 1
        }
        self.init(digits: digits, exponent: exponent)
    }
}
