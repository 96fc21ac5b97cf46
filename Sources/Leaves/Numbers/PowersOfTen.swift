/// Powers of ten as 128 bits, for turning binary fractions into decimal ones.
///
///     10^k = g × 2^(⌊log₂ 10^k⌋ − 127),    2^127 ≤ g < 2^128, rounded up where it is not whole
///
/// 617 of them, 10 kB, made at first use with plain long arithmetic (a third of a millisecond): shorter to read than the table, and it
/// cannot have a misprint.
struct PowerOfTen {
    var high: UInt64
    var low: UInt64

    static let smallest = -292, largest = 324

    /// `exponent` is in `smallest ... largest`.
    @inline(__always)
    static func of(_ exponent: Int) -> PowerOfTen { table[exponent &- smallest] }

    // Unsafe only for the compiler: written before it is published, never after.
    nonisolated(unsafe) private static let table = makeTable()

    private static func makeTable() -> UnsafePointer<PowerOfTen> {
        let table = UnsafeMutablePointer<PowerOfTen>.allocate(capacity: largest - smallest + 1)
        var number = LongNumber()
        number.limbs[0] = 1
        for exponent in 0...largest {
            table[exponent - smallest] = number.leading128(isExact: true)
            number.multiplyByTen()
        }
        // ⌊2^1216 / 10^k⌋: dividing k times by 10 rounds as dividing once by 10^k does.
        number = LongNumber()
        number.limbs[LongNumber.count - 1] = 1
        for exponent in 1 ... -smallest {
            number.divideByTen()
            table[-exponent - smallest] = number.leading128(isExact: false)
        }
        return UnsafePointer(table)
    }
}

/// A whole number below 2^1280, lowest limb first.
private struct LongNumber {
    static let count = 20
    var limbs = [UInt64](repeating: 0, count: count)

    mutating func multiplyByTen() {
        var carry: UInt64 = 0
        for index in limbs.indices {
            let (high, low) = limbs[index].multipliedFullWidth(by: 10)
            let (sum, overflow) = low.addingReportingOverflow(carry)
            limbs[index] = sum
            carry = high + (overflow ? 1 : 0)
        }
    }

    mutating func divideByTen() {
        var remainder: UInt64 = 0
        for index in limbs.indices.reversed() {
            (limbs[index], remainder) = UInt64(10).dividingFullWidth((remainder, limbs[index]))
        }
    }

    /// The highest 128 bits, rounded up; `isExact`: the number has no fraction that was cut off before.
    func leading128(isExact: Bool) -> PowerOfTen {
        let top = limbs.lastIndex { $0 != 0 } ?? 0
        let shift = UInt64(limbs[top].leadingZeroBitCount)
        func limb(_ index: Int) -> UInt64 { index < 0 ? 0 : limbs[index] }
        // By the smart shift a shift of 64 gives 0.
        let high = limb(top) << shift | limb(top - 1) >> (64 - shift)
        let low = limb(top - 1) << shift | limb(top - 2) >> (64 - shift)
        let isRest = limb(top - 2) << shift != 0 || (0..<max(0, top - 2)).contains { limbs[$0] != 0 }
        guard isRest || !isExact else { return PowerOfTen(high: high, low: low) }
        let (roundedLow, overflow) = low.addingReportingOverflow(1)
        return PowerOfTen(high: high + (overflow ? 1 : 0), low: roundedLow)
    }
}
