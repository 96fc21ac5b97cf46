import Numbers

/// The literals: numbers and durations, and strings with Go's escapes.
///
///     0x1f  017  1_000  .5  1e-3          number: its value is `NumberText`'s work
///     1h30m  5m  90d                      duration
///     "a\tb"  'it\'s'  `C:\raw`           string
extension Lexer {
    /// A number, or else a duration. Upstream's scanner decides so, and its error shows how far it came.
    mutating func numberOrDuration() throws(QueryError) -> Token {
        if scanNumber() { return token(.number) }
        if scanRestOfDuration() { return token(.duration) }
        throw error("bad number or duration syntax: \(QuotedText.go(text(start..<position)))")
    }

    /// `[.]digit…` with single dots, exponents and underscores between; looser than what is a number in the end.
    private mutating func scanNumber() -> Bool {
        var isHex = false
        if peek() == UInt8(ascii: "0") {
            advance()
            if peek().map({ $0 | 0x20 }) == UInt8(ascii: "x") {
                advance()
                isHex = true
                if peek() == UInt8(ascii: "_") { advance() }
            }
        }
        func isNumberDigit(_ byte: UInt8?) -> Bool {
            guard let byte else { return false }
            let lower = byte | 0x20
            return isDigit(byte) || isHex && lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "f")
        }
        func isExponent(_ byte: UInt8?) -> Bool { byte.map { $0 | 0x20 } == UInt8(ascii: "e") }

        if peek() == UInt8(ascii: ".") { advance() }
        if isNumberDigit(peek()) { advance() }
        var hasDot = false
        var hasExponent = false
        while let byte = peek() {
            if byte == UInt8(ascii: ".") {
                advance()
                if hasDot { return false }
                hasDot = true
                if let after = peek(), after == UInt8(ascii: "_") || after == UInt8(ascii: ".") {
                    advance()
                    return false
                }
                if isHex { return false }
            } else if isExponent(byte) {
                advance()
                if hasExponent { return false }
                hasExponent = true
                if let sign = peek(), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { advance() }
                if refusesAfterExponentOrUnderscore() { return false }
            } else if byte == UInt8(ascii: "_") {
                advance()
                if refusesAfterExponentOrUnderscore() { return false }
            } else if isNumberDigit(byte) {
                while isNumberDigit(peek()) { advance() }
            } else {
                break
            }
        }
        return position > start && !isAlphanumeric(peek())
    }

    /// Behind an exponent or an underscore no dot, underscore or exponent may follow, nor the end.
    private mutating func refusesAfterExponentOrUnderscore() -> Bool {
        guard let byte = peek() else { return true }
        guard byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") || byte | 0x20 == UInt8(ascii: "e") else {
            return false
        }
        advance()
        return true
    }

    /// Behind the first digits: `m`, `ms`, `h30m`, … Years come first or not at all.
    private mutating func scanRestOfDuration() -> Bool {
        guard scanUnit(years: true) else { return false }
        while isDigit(peek()) {
            while isDigit(peek()) { advance() }
            guard scanUnit(years: false) else { return false }
        }
        guard isAlphanumeric(peek()) else { return true }
        advance()
        return false
    }

    private mutating func scanUnit(years: Bool) -> Bool {
        switch peek() {
        case UInt8(ascii: "s"), UInt8(ascii: "m"), UInt8(ascii: "h"), UInt8(ascii: "d"), UInt8(ascii: "w"): advance()
        case UInt8(ascii: "y") where years: advance()
        default: return false
        }
        // `ms`; that `hs` is no unit is found when the duration is read.
        if peek() == UInt8(ascii: "s") { advance() }
        return true
    }

    // MARK: Strings

    mutating func string() throws(QueryError) -> Token {
        var ignored: [UInt8] = []
        try scanString(into: &ignored)
        return token(.string)
    }

    /// What a string token means: quotes removed, escapes replaced. Bytes that are not UTF-8 (`"\xff"`) become the
    /// replacement character; no label value can hold them anyway.
    static func value(of token: Token, in bytes: [UInt8]) throws(QueryError) -> String {
        String(decoding: try content(of: token, in: bytes), as: UTF8.self)
    }

    /// The same as it was written.
    static func literal(_ token: Token, in bytes: [UInt8]) throws(QueryError) -> StringLiteral {
        let content = try content(of: token, in: bytes)
        if let text = String(validating: content, as: UTF8.self) { return StringLiteral(text, range: token.range) }
        return StringLiteral(String(decoding: content, as: UTF8.self), bytes: content, range: token.range)
    }

    private static func content(of token: Token, in bytes: [UInt8]) throws(QueryError) -> [UInt8] {
        var lexer = Lexer(bytes, at: token.range.lowerBound)
        var content: [UInt8] = []
        content.reserveCapacity(token.range.count)
        try lexer.scanString(into: &content)
        return content
    }

    /// From the opening quote to behind the closing one.
    private mutating func scanString(into content: inout [UInt8]) throws(QueryError) {
        guard let quote = peek() else { return }
        advance()
        let isRaw = quote == UInt8(ascii: "`")
        while true {
            guard let byte = peek() else {
                throw error(isRaw ? "unterminated raw string" : "unterminated quoted string")
            }
            if byte == quote {
                advance()
                return
            }
            if byte == 0xEF, peek(1) == 0xBF, peek(2) == 0xBD {
                // U+FFFD: what a decoder leaves where bytes were no UTF-8.
                throw error("invalid UTF-8 rune")
            }
            if !isRaw, byte == UInt8(ascii: "\n") { throw error("unterminated quoted string") }
            advance()
            if !isRaw, byte == UInt8(ascii: "\\") {
                try scanEscape(quote: quote, into: &content)
            } else {
                content.append(byte)
            }
        }
    }

    /// Behind the backslash.
    private mutating func scanEscape(quote: UInt8, into content: inout [UInt8]) throws(QueryError) {
        guard let byte = peek() else { throw error("escape sequence not terminated") }
        let simple: UInt8
        switch byte {
        case UInt8(ascii: "a"): simple = 0x07
        case UInt8(ascii: "b"): simple = 0x08
        case UInt8(ascii: "f"): simple = 0x0C
        case UInt8(ascii: "n"): simple = 0x0A
        case UInt8(ascii: "r"): simple = 0x0D
        case UInt8(ascii: "t"): simple = 0x09
        case UInt8(ascii: "v"): simple = 0x0B
        case UInt8(ascii: "\\"), quote: simple = byte
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            content.append(UInt8(truncatingIfNeeded: try scanCode(digits: 3, radix: 8, limit: 255)))
            return
        case UInt8(ascii: "x"):
            advance()
            content.append(UInt8(truncatingIfNeeded: try scanCode(digits: 2, radix: 16, limit: 255)))
            return
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            advance()
            let value = try scanCode(digits: byte == UInt8(ascii: "u") ? 4 : 8, radix: 16, limit: 0x10FFFF)
            guard let scalar = Unicode.Scalar(value) else {
                throw error("escape sequence is an invalid Unicode code point")
            }
            content.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            return
        default:
            throw error("unknown escape sequence \(GoText.codePoint(scalar() ?? "\u{FFFD}"))")
        }
        advance()
        content.append(simple)
    }

    private mutating func scanCode(digits: Int, radix: UInt32, limit: UInt32) throws(QueryError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let byte = peek() else { throw error("escape sequence not terminated") }
            let lower = byte | 0x20
            let digit: UInt32
            if isDigit(byte) {
                digit = UInt32(byte - UInt8(ascii: "0"))
            } else if lower >= UInt8(ascii: "a"), lower <= UInt8(ascii: "f") {
                digit = UInt32(lower - UInt8(ascii: "a")) + 10
            } else {
                digit = 16
            }
            guard digit < radix else {
                throw error("illegal character \(GoText.codePoint(scalar() ?? "\u{FFFD}")) in escape sequence")
            }
            // Eight hexadecimal digits fit exactly.
            value = value &* radix &+ digit
            advance()
        }
        guard value <= limit, Unicode.Scalar(value) != nil else {
            throw error("escape sequence is an invalid Unicode code point")
        }
        return value
    }
}
