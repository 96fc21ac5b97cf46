import Numbers

/// Characters and fixed decimals the way Go prints them: upstream's error texts are made with `%q`, `%#U` and `%.3f`, and
/// clients compare them. Strings in quotes are `QuotedText`'s work.
///
///     quoted("~")          → '~'             a character in single quotes
///     codePoint("q")       → U+0071 'q'
///     fixed(1.5)           → 1.500000
enum GoText {
    /// One character in single quotes. `nil` (the end of the text) prints as the replacement character.
    static func quoted(_ scalar: Unicode.Scalar?) -> String {
        guard let scalar else { return "'\u{FFFD}'" }
        if scalar == "'" { return #"'\''"# }
        if scalar == "\"" { return #"'"'"# }
        return "'\(QuotedText.go(String(scalar)).dropFirst().dropLast())'"
    }

    /// `U+0071 'q'`; the character itself only where it prints.
    static func codePoint(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        let code = "U+" + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
        let quotes = scalar == "\"" || scalar == "\\" || scalar == "'"
        let isPrintable = quotes || QuotedText.go(String(scalar)) == "\"\(scalar)\""
        return isPrintable ? "\(code) '\(scalar)'" : code
    }

    /// As Go's `%.6f` (or another number of `decimals`, up to 9), exact to the last digit however big the number is.
    static func fixed(_ value: Double, decimals: Int = 6) -> String {
        guard value.isFinite else { return NumberText.string(value, style: .fixed) }
        var scale: UInt64 = 1
        for _ in 0..<decimals { scale *= 10 }
        var whole = value.magnitude.rounded(.towardZero)
        var fraction = UInt64(((value.magnitude - whole) * Double(scale)).rounded(.toNearestOrEven))
        if fraction == scale {
            whole += 1
            fraction = 0
        }
        let digits = String(fraction)
        let sign = value.sign == .minus ? "-" : ""
        return "\(sign)\(integer(whole)).\(String(repeating: "0", count: decimals - digits.utf8.count))\(digits)"
    }

    /// All digits of a whole number.
    private static func integer(_ value: Double) -> String {
        guard value >= 0x1p63 else { return String(Int64(value)) }
        // significand · 2^exponent, doubled digit by digit in base 10⁹, lowest limb first.
        var limbs: [UInt64] = []
        var rest = value.significandBitPattern | 1 << 52
        while rest > 0 {
            limbs.append(rest % 1_000_000_000)
            rest /= 1_000_000_000
        }
        for _ in 0..<(Int(value.exponent) - 52) {
            var carry: UInt64 = 0
            for index in limbs.indices {
                let doubled = limbs[index] * 2 + carry
                limbs[index] = doubled % 1_000_000_000
                carry = doubled / 1_000_000_000
            }
            if carry > 0 { limbs.append(carry) }
        }
        var text = String(limbs.last ?? 0)
        for limb in limbs.dropLast().reversed() {
            let digits = String(limb)
            text += String(repeating: "0", count: 9 - digits.utf8.count) + digits
        }
        return text
    }
}
