/// Cuts a query into tokens, one at a time, on demand.
///
///     rate(http_requests_total{code=~"5.."}[5m] offset 1h)
///     statement ─────────────┤ braces ────┤ bracket ┤ statement
///
/// What a character means depends on where it stands: inside braces every word is a name and `=~` is an operator; inside
/// brackets stand durations, and a colon separates range and step. The lexer knows the place by itself, from the brackets
/// it has seen, and needs no help from the parser.
///
/// Errors are thrown where upstream's scanner finds them, with its text and its position; a token behind an error is never
/// looked at.
///
/// Invariant: `position` never passes `bytes.count`; `start ≤ position`.
struct Lexer {
    /// The query as UTF-8.
    let bytes: [UInt8]
    private(set) var position = 0
    /// Where the token being scanned begins; errors point here.
    var start = 0

    private var parenDepth = 0
    private var isInBraces = false
    private var isInBrackets = false
    /// Directly behind `[`, until the first number: only arithmetic on durations may stand there.
    private var isInDuration = false
    private var hasColon = false
    private var hasDuration = false

    init(_ query: String) { bytes = Array(query.utf8) }

    init(_ bytes: [UInt8], at position: Int) {
        self.bytes = bytes
        self.position = position
        self.start = position
    }

    /// The next token; `.endOfInput` again and again once the query is over.
    mutating func next() throws(QueryError) -> Token {
        if isInDuration {
            skipSpaces()
            return try nextInDuration()
        }
        skipSpacesAndComments()
        return try isInBraces ? nextInBraces() : nextInStatement()
    }

    /// The text of a token, as written.
    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    // MARK: Places

    private mutating func nextInStatement() throws(QueryError) -> Token {
        guard let byte = peek() else {
            if parenDepth != 0 { throw error("unclosed left parenthesis") }
            if isInBrackets { throw error("unclosed left bracket") }
            return token(.endOfInput)
        }
        if isDigit(byte) || byte == UInt8(ascii: ".") && isDigit(peek(1)) { return try numberOrDuration() }
        if isAlpha(byte) || byte == UInt8(ascii: ":") {
            return try isInBrackets ? wordInBrackets() : word()
        }
        switch byte {
        case UInt8(ascii: "="):
            if accept("==") { return token(.binary(.equal)) }
            if peek(1) == UInt8(ascii: "~") { throw error("unexpected character after '=': '~'") }
            return take(.assign)
        case UInt8(ascii: "!"):
            if accept("!=") { return token(.binary(.notEqual)) }
            advance()
            throw error("unexpected character after '!': \(GoText.quoted(scalar()))")
        case UInt8(ascii: "<"):
            if accept("<=") { return token(.binary(.lessOrEqual)) }
            if accept("</") { return token(.binary(.trimUpper)) }
            return take(.binary(.less))
        case UInt8(ascii: ">"):
            if accept(">=") { return token(.binary(.greaterOrEqual)) }
            if accept(">/") { return token(.binary(.trimLower)) }
            return take(.binary(.greater))
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"): return try string()
        case UInt8(ascii: "{"):
            isInBraces = true
            return take(.leftBrace)
        case UInt8(ascii: "["):
            if isInBrackets { throw error("unexpected left bracket '['") }
            isInBrackets = true
            isInDuration = true
            hasColon = false
            return take(.leftBracket)
        case UInt8(ascii: "]"):
            if !isInBrackets { throw error("unexpected right bracket ']'") }
            isInBrackets = false
            return take(.rightBracket)
        case UInt8(ascii: "@"): return take(.at)
        default:
            if let token = try punctuation(byte) { return token }
            throw error("unexpected character: \(GoText.quoted(scalar()))")
        }
    }

    private mutating func nextInBraces() throws(QueryError) -> Token {
        guard let byte = peek() else { throw error("unexpected end of input inside braces") }
        if isAlpha(byte) {
            while isAlphanumeric(peek()) { advance() }
            return token(.identifier)
        }
        switch byte {
        case UInt8(ascii: ","): return take(.comma)
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"): return try string()
        case UInt8(ascii: "="): return accept("=~") ? token(.regexMatch) : take(.assign)
        case UInt8(ascii: "!"):
            if accept("!~") { return token(.regexMismatch) }
            if accept("!=") { return token(.binary(.notEqual)) }
            advance()
            throw error("unexpected character after '!' inside braces: \(GoText.quoted(scalar()))")
        case UInt8(ascii: "{"): throw error("unexpected left brace '{'")
        case UInt8(ascii: "}"):
            isInBraces = false
            return take(.rightBrace)
        default: throw error("unexpected character inside braces: \(GoText.quoted(scalar()))")
        }
    }

    private mutating func nextInDuration() throws(QueryError) -> Token {
        guard let byte = peek() else { throw error("unexpected end of input in duration expression") }
        if isDigit(byte) || byte == UInt8(ascii: ".") && isDigit(peek(1)) {
            // From the first number on, upstream reads the rest of the brackets as it reads statements.
            isInDuration = false
            hasDuration = true
            return try numberOrDuration()
        }
        switch byte {
        case UInt8(ascii: "]"):
            isInBrackets = false
            isInDuration = false
            hasColon = false
            return take(.rightBracket)
        case UInt8(ascii: ":"):
            advance()
            start = position
            if !hasDuration { throw error("unexpected colon before duration in duration expression") }
            if hasColon { throw error("unexpected repeated colon in duration expression") }
            hasColon = true
            return Token(kind: .colon, range: position - 1..<position)
        default:
            if let token = try punctuation(byte) { return token }
            let first = GoText.quoted(scalar())
            if let word = timeWord() { return word }
            throw error("unexpected character in duration expression: \(first)")
        }
    }

    /// What reads the same inside and outside of brackets.
    private mutating func punctuation(_ byte: UInt8) throws(QueryError) -> Token? {
        switch byte {
        case UInt8(ascii: ","): return take(.comma)
        case UInt8(ascii: "*"): return take(.binary(.multiply))
        case UInt8(ascii: "/"): return take(.binary(.divide))
        case UInt8(ascii: "%"): return take(.binary(.modulo))
        case UInt8(ascii: "+"): return take(.binary(.add))
        case UInt8(ascii: "-"): return take(.binary(.subtract))
        case UInt8(ascii: "^"): return take(.binary(.power))
        case UInt8(ascii: "("):
            parenDepth += 1
            return take(.leftParen)
        case UInt8(ascii: ")"):
            parenDepth -= 1
            if parenDepth < 0 {
                advance()
                start = position
                throw error("unexpected right parenthesis ')'")
            }
            return take(.rightParen)
        default: return nil
        }
    }

    // MARK: Words

    private mutating func word() throws(QueryError) -> Token {
        var hasColon = false
        while let byte = peek(), isAlphanumeric(byte) || byte == UInt8(ascii: ":") {
            if byte == UInt8(ascii: ":") { hasColon = true }
            advance()
        }
        if hasColon { return token(.metricIdentifier) }
        guard let kind = Token.words[text(start..<position).lowercased()] else { return token(.identifier) }
        switch kind {
        case .keyword(.fill), .keyword(.fillLeft), .keyword(.fillRight):
            // Young keywords: only with a parenthesis behind them, so that metrics of these names go on working.
            return token(isFollowedByParen() ? kind : .identifier)
        default:
            return token(kind)
        }
    }

    private mutating func wordInBrackets() throws(QueryError) -> Token {
        if peek() == UInt8(ascii: ":") {
            if hasColon { throw error("unexpected colon ':'") }
            hasColon = true
            return take(.colon)
        }
        let first = GoText.quoted(scalar())
        if let word = timeWord() { return word }
        throw error("unexpected character: \(first), expected ':'")
    }

    /// `step`, `range`, `min_of`, `max_of`, or nothing (and then the position has moved behind the word).
    private mutating func timeWord() -> Token? {
        guard let byte = peek(), isAlpha(byte) else { return nil }
        while isAlpha(peek()) { advance() }
        switch Token.words[text(start..<position).lowercased()] {
        case .timeWord(.start)?, .timeWord(.end)?: return nil
        case .timeWord(let word)?: return token(.timeWord(word))
        default: return nil
        }
    }

    private func isFollowedByParen() -> Bool {
        var index = position
        while index < bytes.count, isSpace(bytes[index]) { index += 1 }
        return index < bytes.count && bytes[index] == UInt8(ascii: "(")
    }

    // MARK: Characters

    func peek(_ distance: Int = 0) -> UInt8? {
        let index = position + distance
        return index < bytes.count ? bytes[index] : nil
    }

    mutating func advance(_ count: Int = 1) { position = min(position + count, bytes.count) }

    /// Steps over `text` if it stands here.
    private mutating func accept(_ text: StaticString) -> Bool {
        guard bytes.count - position >= text.utf8CodeUnitCount else { return false }
        for index in 0..<text.utf8CodeUnitCount where bytes[position + index] != text.utf8Start[index] { return false }
        advance(text.utf8CodeUnitCount)
        return true
    }

    /// The character here, or `nil` at the end.
    func scalar() -> Unicode.Scalar? {
        guard position < bytes.count else { return nil }
        return String(decoding: bytes[position..<min(position + 4, bytes.count)], as: UTF8.self).unicodeScalars.first
    }

    private mutating func skipSpaces() {
        while let byte = peek(), isSpace(byte) { advance() }
        start = position
    }

    private mutating func skipSpacesAndComments() {
        while true {
            skipSpaces()
            guard peek() == UInt8(ascii: "#") else { return }
            while let byte = peek(), byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") { advance() }
        }
    }

    /// The token from `start` to here.
    mutating func token(_ kind: Token.Kind) -> Token {
        defer { start = position }
        return Token(kind: kind, range: start..<position)
    }

    private mutating func take(_ kind: Token.Kind) -> Token {
        advance()
        return token(kind)
    }

    func error(_ message: String) -> QueryError {
        QueryError(.syntax, message, range: start..<bytes.count)
    }
}

@inline(__always)
func isSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
}

@inline(__always)
func isDigit(_ byte: UInt8?) -> Bool {
    guard let byte else { return false }
    return byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
}

@inline(__always)
func isAlpha(_ byte: UInt8?) -> Bool {
    guard let byte else { return false }
    let lower = byte | 0x20
    return lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "z") || byte == UInt8(ascii: "_")
}

@inline(__always)
func isAlphanumeric(_ byte: UInt8?) -> Bool { isAlpha(byte) || isDigit(byte) }
