/// Text the way Go prints it: upstream's error texts and printed queries are made with Go's `%q`, `%#U` and
/// `strconv.FormatFloat`, and clients compare them.
///
///     quoted("a\"b")       → "a\"b"
///     quoted("\u{7}")      → "\a"
///     quotedScalar("~")    → '~'
///     codePoint("q")       → U+0071 'q'
public enum GoText {
    /// A string in double quotes; what does not print is escaped.
    public static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars { appendEscaped(scalar, quote: "\"", to: &result) }
        result += "\""
        return result
    }

    /// One character in single quotes. `nil` (the end of the text) prints as the replacement character.
    static func quotedScalar(_ scalar: Unicode.Scalar?) -> String {
        var result = "'"
        appendEscaped(scalar ?? "\u{FFFD}", quote: "'", to: &result)
        result += "'"
        return result
    }

    /// `U+0071 'q'`; the character itself only where it prints.
    static func codePoint(_ scalar: Unicode.Scalar) -> String {
        let digits = hex(scalar.value, digits: 4).uppercased()
        return isPrintable(scalar) ? "U+\(digits) '\(scalar)'" : "U+\(digits)"
    }

    private static func appendEscaped(_ scalar: Unicode.Scalar, quote: Unicode.Scalar, to result: inout String) {
        switch scalar {
        case quote, "\\":
            result += "\\"
            result.unicodeScalars.append(scalar)
        case "\u{07}": result += "\\a"
        case "\u{08}": result += "\\b"
        case "\u{0C}": result += "\\f"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case "\u{0B}": result += "\\v"
        default:
            if isPrintable(scalar) {
                result.unicodeScalars.append(scalar)
            } else if scalar.value < 0x20 || scalar.value == 0x7f {
                result += "\\x" + hex(scalar.value, digits: 2)
            } else if scalar.value < 0x10000 {
                result += "\\u" + hex(scalar.value, digits: 4)
            } else {
                result += "\\U" + hex(scalar.value, digits: 8)
            }
        }
    }

    private static func hex(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }

    /// Letters, marks, numbers, punctuation, symbols, and the ASCII space.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value >= 0x20 && scalar.value < 0x7f }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default: return true
        }
    }

    /// Shortest digits that read back as `value`, never with an exponent: `0.001`, `100000`, `+Inf`, `NaN`.
    public static func plain(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        // Swift's description has the same shortest digits, with a point, an exponent, or both.
        var digits: [UInt8] = []
        var pointAfter = 0
        var exponent = 0
        var seenPoint = false
        var exponentText = ""
        var inExponent = false
        for byte in value.magnitude.description.utf8 {
            switch byte {
            case UInt8(ascii: "e"): inExponent = true
            case UInt8(ascii: "."): seenPoint = true
            default:
                if inExponent {
                    exponentText.unicodeScalars.append(Unicode.Scalar(byte))
                } else {
                    digits.append(byte)
                    if !seenPoint { pointAfter += 1 }
                }
            }
        }
        exponent = Int(exponentText) ?? 0
        pointAfter += exponent
        while digits.count > 1, digits.count > pointAfter, digits.last == UInt8(ascii: "0") { digits.removeLast() }

        var result: [UInt8] = value.sign == .minus ? [UInt8(ascii: "-")] : []
        if pointAfter <= 0 {
            if digits == [UInt8(ascii: "0")] { return value.sign == .minus ? "-0" : "0" }
            result += [UInt8(ascii: "0"), UInt8(ascii: ".")]
            result += [UInt8](repeating: UInt8(ascii: "0"), count: -pointAfter)
            result += digits
        } else {
            var whole = digits.prefix(pointAfter)
            if let first = whole.firstIndex(where: { $0 != UInt8(ascii: "0") }), first > 0, whole.count > 1 {
                whole = whole[first...]
            }
            result += whole
            result += [UInt8](repeating: UInt8(ascii: "0"), count: max(0, pointAfter - digits.count))
            if digits.count > pointAfter {
                result.append(UInt8(ascii: "."))
                result += digits[pointAfter...]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// As Go's `%v` prints a number: like `plain`, but with an exponent below 1e-4 and from 1e21 on.
    public static func general(_ value: Double) -> String {
        let magnitude = value.magnitude
        guard magnitude.isFinite, magnitude != 0, magnitude < 1e-4 || magnitude >= 1e21 else { return plain(value) }
        // Swift leaves out the exponent's sign and leading zero at times; Go writes at least two digits.
        let parts = value.description.split(separator: "e", maxSplits: 1)
        guard parts.count == 2, let exponent = Int(parts[1]) else { return value.description }
        let mantissa = parts[0].hasSuffix(".0") ? parts[0].dropLast(2) : parts[0]
        let digits = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
        return "\(mantissa)e\(exponent < 0 ? "-" : "+")\(digits)"
    }

    /// As Go's `%.6f` (or another number of `decimals`, up to 9), exact to the last digit however big the number is.
    static func fixed(_ value: Double, decimals: Int = 6) -> String {
        guard value.isFinite else { return plain(value) }
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
