/// The shortest decimal digits of a double: `value = digits × 10^exponent`, sign apart.
///
///     0.25 → 25 × 10^-2      1e21 → 1 × 10^21      123 → 123 × 10^0
///
/// Three ways, cheapest first: whole numbers are their own digits; most measurements have one to four decimals, which
/// one exact division proves; the rest is searched for with 128-bit arithmetic.
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
        self.init(searching: magnitude)
    }

    @inline(__always)
    private init(digits: UInt64, exponent: Int) {
        self.digits = digits
        self.exponent = exponent
    }

    /// Schubfach: of the decimals `s × 10^k` with `10^k` just below the distance to the neighbouring doubles, at most two lie beside the value,
    /// and one of the next coarser grid may lie nearer than halfway to a neighbour.
    ///
    ///     4c−2        4c         4c+2          the value's interval, in quarters of its last bit
    ///       [─────────┼───────────]
    ///           │           │                  s and s+1 on the grid 10^k; a multiple of 10 among them is one digit shorter
    ///
    /// All three are scaled by 10^−k with 128 bits, and the rest only as “is there any” (round to odd), which keeps all comparisons exact.
    /// Source: Raffaello Giulietti, “The Schubfach way to render doubles”, 2021.
    @inline(never)
    private init(searching magnitude: Double) {
        let fraction = magnitude.significandBitPattern
        let biased = Int(magnitude.exponentBitPattern)
        let c = biased == 0 ? fraction : fraction | 1 << 52
        let q = max(biased, 1) &- 1075
        // Below a power of two doubles lie twice as close.
        let isLowerCloser = fraction == 0 && biased > 1
        // ⌊log₁₀ 2^q⌋, or of three quarters of it; and what shifts 10^−k × 2^q to a whole number of quarters.
        let k = (q &* 1_262_611 &- (isLowerCloser ? 524_031 : 0)) >> 22
        let h = UInt64(q &+ (-k &* 1_741_647) >> 19 &+ 1)
        let power = PowerOfTen.of(-k)
        let lowest = Self.scaled((4 &* c &- (isLowerCloser ? 1 : 2)) &<< h, power)
        let middle = Self.scaled((4 &* c) &<< h, power)
        let highest = Self.scaled((4 &* c &+ 2) &<< h, power)
        // Even ones are what their interval's ends read back as.
        let margin = c & 1
        let lower = lowest &+ margin, upper = highest &- margin

        let fine = middle / 4
        if fine >= 10 {
            let coarse = fine / 10
            let isBelow = lower <= 40 &* coarse, isAbove = 40 &* coarse &+ 40 <= upper
            if isBelow != isAbove {
                self.init(digits: coarse &+ (isAbove ? 1 : 0), exponent: k &+ 1)
                dropZeros()
                return
            }
        }
        let isBelow = lower <= 4 &* fine, isAbove = 4 &* fine &+ 4 <= upper
        let half = 4 &* fine &+ 2
        let roundsUp = isBelow != isAbove ? isAbove : middle > half || (middle == half && fine & 1 == 1)
        self.init(digits: fine &+ (roundsUp ? 1 : 0), exponent: k)
        dropZeros()
    }

    /// `factor × power`, without the lowest 128 bits; the last bit of the result says whether there was anything in them.
    @inline(__always)
    private static func scaled(_ factor: UInt64, _ power: PowerOfTen) -> UInt64 {
        let low = power.low.multipliedFullWidth(by: factor).high
        let (high, middle) = power.high.multipliedFullWidth(by: factor)
        let (sum, overflow) = middle.addingReportingOverflow(low)
        return (high &+ (overflow ? 1 : 0)) | (sum > 1 ? 1 : 0)
    }

    private mutating func dropZeros() {
        while digits % 10 == 0, digits > 0 {
            digits /= 10
            exponent += 1
        }
    }
}
