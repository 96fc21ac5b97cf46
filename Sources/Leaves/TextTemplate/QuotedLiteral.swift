/// Go's quoted literals, read: `"a\tb\x41é"`, `'\''`.
public enum QuotedLiteral {
    /// The text between the quotes with escapes resolved; `nil` where an escape is malformed. Bytes that make no UTF-8
    /// become U+FFFD.
    public static func text(of literal: String) -> String? {
        bytes(of: literal).map { String(decoding: $0, as: UTF8.self) }
    }

    /// As `text`, with bytes as they are written.
    public static func bytes(of literal: String) -> [UInt8]? {
        let bytes = Array(literal.utf8)
        guard bytes.count >= 2, let quote = bytes.first, bytes.last == quote else { return nil }
        var result: [UInt8] = []
        var index = 1
        let end = bytes.count - 1
        while index < end {
            let byte = bytes[index]
            index += 1
            if byte == quote { return nil }
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                continue
            }
            guard index < end else { return nil }
            let escape = bytes[index]
            index += 1
            switch escape {
            case UInt8(ascii: "a"): result.append(7)
            case UInt8(ascii: "b"): result.append(8)
            case UInt8(ascii: "f"): result.append(12)
            case UInt8(ascii: "n"): result.append(10)
            case UInt8(ascii: "r"): result.append(13)
            case UInt8(ascii: "t"): result.append(9)
            case UInt8(ascii: "v"): result.append(11)
            case UInt8(ascii: "\\"): result.append(escape)
            case quote: result.append(quote)
            case UInt8(ascii: "x"):
                guard let value = digits(bytes, &index, end, count: 2, radix: 16) else { return nil }
                result.append(UInt8(truncatingIfNeeded: value))
            case UInt8(ascii: "u"), UInt8(ascii: "U"):
                let count = escape == UInt8(ascii: "u") ? 4 : 8
                guard let value = digits(bytes, &index, end, count: count, radix: 16),
                    let scalar = Unicode.Scalar(value)
                else { return nil }
                result.append(contentsOf: String(scalar).utf8)
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                index -= 1
                guard let value = digits(bytes, &index, end, count: 3, radix: 8), value < 256 else { return nil }
                result.append(UInt8(truncatingIfNeeded: value))
            default: return nil
            }
        }
        return result
    }

    private static func digits(_ bytes: [UInt8], _ index: inout Int, _ end: Int, count: Int, radix: UInt32) -> UInt32? {
        guard index + count <= end else { return nil }
        let text = String(decoding: bytes[index..<index + count], as: UTF8.self)
        guard text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }) else { return nil }
        index += count
        return UInt32(text, radix: Int(radix))
    }
}
