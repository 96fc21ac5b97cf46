/// Text made harmless for where it goes, as Go's `html`, `js` and `urlquery` do it.
///
///     html      <b> → &lt;b&gt;      js   ' → \'  < → \u003C      urlquery   a b&c → a+b%26c
public enum Escaping {
    public static func html(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "&#34;"
            case "'": result += "&#39;"
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\0": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    public static func javaScript(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "'": result += "\\'"
            case "\"": result += "\\\""
            case "<", ">", "&", "=": result += unicode(scalar.value)
            default:
                if scalar.value < 32 || scalar.value == 127 || isUnprintable(scalar) {
                    result += unicode(scalar.value)
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result
    }

    /// For the value of a URL's query: a space becomes `+`.
    public static func urlQuery(_ text: String, spaceAs space: String = "+") -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: " "): result += space
            default: result += "%" + hexadecimal(UInt32(byte), width: 2)
            }
        }
        return result
    }

    private static func unicode(_ value: UInt32) -> String { "\\u" + hexadecimal(value, width: 4) }

    private static func hexadecimal(_ value: UInt32, width: Int) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    private static func isUnprintable(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.value >= 128 else { return false }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return true
        default: return false
        }
    }
}
