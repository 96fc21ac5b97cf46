import Numbers

/// A number as a template writes it: `1`, `-0x1F`, `1_000`, `2.5e3`, `'a'`.
///
/// It has no type of its own: `1` is an integer where one is asked for and a float where that is asked for. Where nothing
/// is asked for, a point or an exponent makes it a float.
struct NumberConstant: Equatable, Sendable {
    let text: String
    /// Set where the value is a whole number that fits.
    let integer: Int64?
    let float: Double?

    init?(_ text: String) {
        self.text = text
        let digits = text.first == "+" ? String(text.dropFirst()) : text
        if let whole = Self.integer(digits) {
            integer = whole
            float = Double(whole)
            return
        }
        guard let value = NumberText.parse(digits, allowing: .go), value.isFinite, Self.startsAsNumber(digits) else {
            return nil
        }
        integer = Int64(exactly: value)
        float = value
    }

    /// A character constant: its code point.
    init(character: Unicode.Scalar, text: String) {
        self.text = text
        integer = Int64(character.value)
        float = Double(character.value)
    }

    /// What it is where nothing else is asked for.
    var value: TemplateValue {
        if !looksWhole, let float { return .float(float) }
        return .integer(integer ?? 0)
    }

    /// Written as a whole number, but beyond 64 bits.
    var isTooLarge: Bool { integer == nil && looksWhole }

    private var looksWhole: Bool {
        isHexadecimalInteger || text.first == "'" || !text.contains { ".eEpP".contains($0) }
    }

    private var isHexadecimalInteger: Bool {
        let digits = text.drop { $0 == "+" || $0 == "-" }
        return (digits.hasPrefix("0x") || digits.hasPrefix("0X")) && !text.contains { "pP".contains($0) }
    }

    /// `Inf` and `nan` are names here.
    private static func startsAsNumber(_ text: String) -> Bool {
        guard let first = text.drop(while: { $0 == "-" }).utf8.first else { return false }
        return (first >= UInt8(ascii: "0") && first <= UInt8(ascii: "9")) || first == UInt8(ascii: ".")
    }

    /// Go's integer literals: `10`, `0x1F`, `0o17`, `017`, `0b11`, `_` between digits.
    private static func integer(_ text: String) -> Int64? {
        let isNegative = text.first == "-"
        var digits = isNegative ? text.dropFirst() : text[...]
        var radix = 10
        if digits.count > 1, digits.first == "0" {
            let prefix = digits.dropFirst().first.map { Character($0.lowercased()) }
            switch prefix {
            case "x": radix = 16
            case "b": radix = 2
            case "o": radix = 8
            default: radix = 8
            }
            digits = digits.dropFirst(prefix?.isLetter == true ? 2 : 1)
            if digits.first == "_" { digits = digits.dropFirst() }
        }
        guard digits.first != "_", digits.last != "_", !digits.contains("__"), !digits.isEmpty else { return nil }
        let plain = digits.filter { $0 != "_" }
        guard plain.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }) else { return nil }
        return Int64((isNegative ? "-" : "") + plain, radix: radix)
    }
}
