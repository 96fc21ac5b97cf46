/// Reads number literals as Go does: integers in base 2, 8, 10 or 16, else decimal floating point.
///
///     0x1F → 31    017 → 15    08 → 8    1_000 → 1000    1_0.5e1_0 → 105000000000    Inf, NaN in any case
enum NumberText {
    /// The value of `text`, or the reason why it is no number, in upstream's words.
    static func value(_ text: String) -> Result<Double, Failure> {
        let bytes = Array(text.utf8)
        if let integer = integer(bytes) { return .success(Double(integer)) }
        switch text.lowercased() {
        case "inf": return .success(.infinity)
        case "nan": return .success(.nan)
        default: break
        }
        let digits = bytes.filter { $0 != UInt8(ascii: "_") }
        let isDecimal = digits.allSatisfy {
            isDigit($0) || $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") || $0 == UInt8(ascii: "+")
                || $0 == UInt8(ascii: "-")
        }
        guard isDecimal, underscoresSeparateDigits(bytes),
            let value = Double(String(decoding: digits, as: UTF8.self))
        else { return .failure(Failure(text, "invalid syntax")) }
        return value.isInfinite ? .failure(Failure(text, "value out of range")) : .success(value)
    }

    struct Failure: Error {
        let message: String
        init(_ text: String, _ reason: String) {
            message = "error parsing number: strconv.ParseFloat: parsing \(GoText.quoted(text)): \(reason)"
        }
    }

    /// An integer with Go's base prefix, if it is one and fits 63 bits.
    private static func integer(_ bytes: [UInt8]) -> Int64? {
        var digits = bytes[...]
        var radix: Int64 = 10
        if bytes.count > 1, bytes[0] == UInt8(ascii: "0") {
            switch bytes[1] | 0x20 {
            case UInt8(ascii: "x"): radix = 16
            case UInt8(ascii: "b"): radix = 2
            default: radix = 8
            }
            digits = digits.dropFirst(radix == 8 ? 1 : 2)
        }
        guard digits.contains(where: { $0 != UInt8(ascii: "_") }), underscoresSeparateDigits(bytes) else { return nil }
        var value: Int64 = 0
        for byte in digits where byte != UInt8(ascii: "_") {
            let lower = byte | 0x20
            let digit: Int64
            if isDigit(byte) {
                digit = Int64(byte - UInt8(ascii: "0"))
            } else if lower >= UInt8(ascii: "a"), lower <= UInt8(ascii: "f") {
                digit = Int64(lower - UInt8(ascii: "a")) + 10
            } else {
                return nil
            }
            let (shifted, overflow) = value.multipliedReportingOverflow(by: radix)
            let (sum, carry) = shifted.addingReportingOverflow(digit)
            guard digit < radix, !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }

    /// An underscore stands between digits, or between the base prefix and a digit.
    private static func underscoresSeparateDigits(_ bytes: [UInt8]) -> Bool {
        var index = 0
        var afterDigit = false
        var isHex = false
        if bytes.count > 1, bytes[0] == UInt8(ascii: "0"), bytes[1] | 0x20 == UInt8(ascii: "x") {
            index = 2
            afterDigit = true
            isHex = true
        }
        var afterUnderscore = false
        while index < bytes.count {
            let byte = bytes[index]
            let lower = byte | 0x20
            if byte == UInt8(ascii: "_") {
                guard afterDigit else { return false }
                afterDigit = false
                afterUnderscore = true
            } else if isDigit(byte) || isHex && lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "f") {
                afterDigit = true
                afterUnderscore = false
            } else {
                guard !afterUnderscore else { return false }
                afterDigit = false
            }
            index += 1
        }
        return !afterUnderscore
    }
}
