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
                var scale = 10.0
                for places in 1...4 {
                    let scaled = (magnitude * scale).rounded()
                    if scaled / scale == magnitude {
                        self.init(digits: UInt64(scaled), exponent: -places)
                        return
                    }
                    scale *= 10
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

    /// Reads the digits out of the standard library's own text, such as `1.2345e-05` or `100000.25`.
    @inline(never)
    private init(printing magnitude: Double) {
        var text = magnitude.description
        var digits: UInt64 = 0, exponent = 0, written = 0, negative = false
        var afterPoint = false, inExponent = false
        // Zeros are held back until a digit follows, so that none ends the number.
        var zeros = 0
        text.withUTF8 { bytes in
            for byte in bytes {
                switch byte {
                case UInt8(ascii: "."): afterPoint = true
                case UInt8(ascii: "e"): inExponent = true
                case UInt8(ascii: "-"): negative = true
                case UInt8(ascii: "0")...UInt8(ascii: "9"):
                    let digit = UInt64(byte &- UInt8(ascii: "0"))
                    if inExponent {
                        written = written * 10 + Int(digit)
                    } else if digit == 0 {
                        zeros += 1
                        if afterPoint { exponent -= 1 }
                    } else {
                        for _ in 0..<zeros { digits = digits &* 10 }
                        zeros = 0
                        digits = digits &* 10 &+ digit
                        if afterPoint { exponent -= 1 }
                    }
                default: break
                }
            }
        }
        self.init(digits: digits, exponent: exponent + zeros + (negative ? -written : written))
    }
}
