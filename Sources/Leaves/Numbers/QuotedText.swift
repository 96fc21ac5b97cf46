/// Text in double quotes, escaped as Go's `%q` and `strconv.Quote` do it: error messages and printed PromQL use it.
///
///     a"b\ → "a\"b\\"      line break → "\n"      bell → "\a"      é stays é
public enum QuotedText {
    public static func go(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
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
                } else if scalar.value < 0x80 {
                    result += "\\x" + hexadecimal(scalar.value, width: 2)
                } else if scalar.value < 0x10000 {
                    result += "\\u" + hexadecimal(scalar.value, width: 4)
                } else {
                    result += "\\U" + hexadecimal(scalar.value, width: 8)
                }
            }
        }
        return result + "\""
    }

    /// As `go(_:)`, for bytes that may not be UTF-8: each stray byte becomes `\xff`.
    public static func go(_ bytes: some Collection<UInt8>) -> String {
        var result = "", run: [UInt8] = []
        func take(_ text: String) { result += text.dropFirst().dropLast() }
        var rest = Array(bytes)[...]
        while let first = rest.first {
            let width = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : 4
            let piece = Array(rest.prefix(width))
            if first < 0x80 || String(validating: piece, as: UTF8.self) != nil {
                run += piece
                rest = rest.dropFirst(piece.count)
            } else {
                take(go(String(decoding: run, as: UTF8.self)))
                run = []
                result += "\\x" + hexadecimal(UInt32(first), width: 2)
                rest = rest.dropFirst()
            }
        }
        take(go(String(decoding: run, as: UTF8.self)))
        return "\"" + result + "\""
    }

    /// Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x7f { return scalar.value >= 0x20 }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default: return true
        }
    }

    private static func hexadecimal(_ value: UInt32, width: Int) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: Swift.max(0, width - digits.utf8.count)) + digits
    }
}
