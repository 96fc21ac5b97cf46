import Numbers

/// Cuts a template into tokens, trim markers carried out and comments left out.
///
///     a {{- /* gone */ -}} b {{ printf "%d" 1 }}  →  "a" "b " {{ printf "%d" 1 }}
///
/// Works on bytes; all delimiters are ASCII. The last token is `.end` or `.error`.
struct TemplateLexer {
    private let input: [UInt8]
    private var index = 0
    private var line = 1
    private var parentheses = 0
    private var tokens: [TemplateToken] = []

    static func tokens(of text: String) -> [TemplateToken] {
        var lexer = TemplateLexer(input: Array(text.utf8))
        lexer.run()
        return lexer.tokens
    }

    private init(input: [UInt8]) { self.input = input }

    private mutating func run() {
        while takeText() {
            guard takeAction() else { return }
        }
        emit(.end, "", at: input.count)
    }

    private mutating func emit(_ kind: TemplateToken.Kind, _ text: String, at position: Int) {
        tokens.append(TemplateToken(kind: kind, text: text, position: position, line: line))
    }

    private mutating func fail(_ message: String, at position: Int) -> Bool {
        emit(.error, message, at: position)
        return false
    }

    // MARK: Text

    /// Text up to the next action; `false` at the end of the input.
    private mutating func takeText() -> Bool {
        let start = index
        guard let open = find("{{", from: index) else {
            emitText(start..<input.count)
            index = input.count
            return false
        }
        let trims = open + 3 < input.count && input[open + 2] == UInt8(ascii: "-") && isSpace(input[open + 3])
        var end = open
        if trims {
            while end > start, isSpace(input[end - 1]) { end -= 1 }
        }
        emitText(start..<end)
        line += lineBreaks(end..<open)
        index = open
        return true
    }

    private mutating func emitText(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        emit(.text, string(range), at: range.lowerBound)
        line += lineBreaks(range)
    }

    // MARK: Actions

    /// One action or comment with its delimiters; `false` after an error.
    private mutating func takeAction() -> Bool {
        let open = index
        index += 2
        if index + 1 < input.count, input[index] == UInt8(ascii: "-"), isSpace(input[index + 1]) { index += 2 }
        if starts(with: "/*", at: index) { return takeComment(open) }
        emit(.leftDelimiter, "{{", at: open)
        line += lineBreaks(open..<index)
        parentheses = 0
        while true {
            if let width = rightDelimiter(at: index) {
                if parentheses > 0 { return fail("unclosed left paren", at: index) }
                emit(.rightDelimiter, "}}", at: index)
                let trims = width > 2
                line += lineBreaks(index..<index + width)
                index += width
                if trims { skipSpaces() }
                return true
            }
            guard takeWord() else { return false }
        }
    }

    private mutating func takeComment(_ open: Int) -> Bool {
        guard let close = find("*/", from: index) else { return fail("unclosed comment", at: open) }
        guard let width = rightDelimiter(at: close + 2) else {
            return fail("comment ends before closing delimiter", at: open)
        }
        line += lineBreaks(open..<close + 2 + width)
        index = close + 2 + width
        if width > 2 { skipSpaces() }
        return true
    }

    private mutating func skipSpaces() {
        while index < input.count, isSpace(input[index]) {
            if input[index] == 10 { line += 1 }
            index += 1
        }
    }

    /// Bytes of `}}`, or of ` -}}` with the one space before it.
    private func rightDelimiter(at place: Int) -> Int? {
        if starts(with: "}}", at: place) { return 2 }
        guard place < input.count, isSpace(input[place]), starts(with: "-}}", at: place + 1) else { return nil }
        return 4
    }

    // MARK: Words

    private mutating func takeWord() -> Bool {
        guard index < input.count else { return fail("unclosed action", at: index) }
        let start = index, byte = input[index]
        switch byte {
        case 9, 10, 13, 32: return takeSpace()
        case UInt8(ascii: "="): return take(.assign, 1)
        case UInt8(ascii: ":"):
            guard starts(with: ":=", at: index) else { return fail("expected :=", at: start) }
            return take(.declare, 2)
        case UInt8(ascii: "|"): return take(.pipe, 1)
        case UInt8(ascii: "\""): return takeQuoted(byte, .string, "unterminated quoted string")
        case UInt8(ascii: "'"): return takeQuoted(byte, .character, "unterminated character constant")
        case UInt8(ascii: "`"): return takeRaw()
        case UInt8(ascii: "$"): return takeName(.variable)
        case UInt8(ascii: "."):
            if index + 1 < input.count, isDigit(input[index + 1]) { return takeNumber() }
            return takeName(.field)
        case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return takeNumber()
        case UInt8(ascii: "("):
            parentheses += 1
            return take(.leftParenthesis, 1)
        case UInt8(ascii: ")"):
            parentheses -= 1
            if parentheses < 0 { return fail("unexpected right paren", at: start) }
            return take(.rightParenthesis, 1)
        default:
            if isAlphanumeric(at: index) { return takeIdentifier() }
            if byte > 32 && byte < 127 { return take(.symbol, 1) }
            return fail("unrecognized character in action: \(characterName(at: index))", at: start)
        }
    }

    private mutating func take(_ kind: TemplateToken.Kind, _ count: Int) -> Bool {
        emit(kind, string(index..<index + count), at: index)
        index += count
        return true
    }

    /// Spaces, but for the one that belongs to ` -}}`.
    private mutating func takeSpace() -> Bool {
        let start = index
        while index < input.count, isSpace(input[index]), rightDelimiter(at: index) == nil { index += 1 }
        if index > start {
            emit(.space, string(start..<index), at: start)
            line += lineBreaks(start..<index)
        }
        return true
    }

    private mutating func takeIdentifier() -> Bool {
        let start = index
        skipAlphanumerics()
        guard isAtTerminator else { return fail("bad character \(characterName(at: index))", at: start) }
        let word = string(start..<index)
        if let keyword = TemplateToken.Keyword(rawValue: word) {
            emit(.keyword(keyword), word, at: start)
        } else {
            emit(word == "true" || word == "false" ? .boolean : .identifier, word, at: start)
        }
        return true
    }

    /// `.name`, `$name`; alone they are the dot and the data of the whole template.
    private mutating func takeName(_ kind: TemplateToken.Kind) -> Bool {
        let start = index
        index += 1
        if isAtTerminator {
            emit(kind == .field ? .dot : .variable, string(start..<index), at: start)
            return true
        }
        skipAlphanumerics()
        guard isAtTerminator else { return fail("bad character \(characterName(at: index))", at: start) }
        emit(kind, string(start..<index), at: start)
        return true
    }

    /// `-1_000`, `0x1F`, `1.5e-3`: a sign, digits, a fraction, an exponent; a letter behind them is an error.
    private mutating func takeNumber() -> Bool {
        let start = index
        if input[index] == UInt8(ascii: "+") || input[index] == UInt8(ascii: "-") { index += 1 }
        let isHexadecimal = starts(with: "0x", at: index) || starts(with: "0X", at: index)
        if isHexadecimal || starts(with: "0b", at: index) || starts(with: "0o", at: index) { index += 2 }
        skipDigits(isHexadecimal)
        if index < input.count, input[index] == UInt8(ascii: ".") {
            index += 1
            skipDigits(isHexadecimal)
        }
        if index < input.count, input[index] | 0x20 == (isHexadecimal ? UInt8(ascii: "p") : UInt8(ascii: "e")) {
            index += 1
            if index < input.count, input[index] == UInt8(ascii: "+") || input[index] == UInt8(ascii: "-") {
                index += 1
            }
            skipDigits(false)
        }
        let isCut = index < input.count && isAlphanumeric(at: index)
        if isCut { index += scalarWidth(at: index) }
        let text = string(start..<index)
        guard !isCut, NumberConstant(text) != nil else {
            return fail("bad number syntax: \(QuotedText.go(text))", at: start)
        }
        emit(.number, text, at: start)
        return true
    }

    private mutating func skipDigits(_ isHexadecimal: Bool) {
        while index < input.count {
            let byte = input[index], lower = byte | 0x20
            let isLetter = isHexadecimal && lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "f")
            guard isDigit(byte) || byte == UInt8(ascii: "_") || isLetter else { return }
            index += 1
        }
    }

    private mutating func takeQuoted(_ quote: UInt8, _ kind: TemplateToken.Kind, _ complaint: String) -> Bool {
        let start = index
        index += 1
        while index < input.count, input[index] != 10 {
            let byte = input[index]
            index += 1
            if byte == quote {
                emit(kind, string(start..<index), at: start)
                return true
            }
            if byte == UInt8(ascii: "\\"), index < input.count, input[index] != 10 { index += 1 }
        }
        return fail(complaint, at: start)
    }

    private mutating func takeRaw() -> Bool {
        let start = index
        guard let close = find("`", from: index + 1) else { return fail("unterminated raw quoted string", at: start) }
        index = close + 1
        emit(.rawString, string(start..<index), at: start)
        line += lineBreaks(start..<index)
        return true
    }

    // MARK: Characters

    private var isAtTerminator: Bool {
        guard index < input.count else { return true }
        switch input[index] {
        case 9, 10, 13, 32, UInt8(ascii: "."), UInt8(ascii: ","), UInt8(ascii: "|"), UInt8(ascii: ":"),
            UInt8(ascii: ")"), UInt8(ascii: "("):
            return true
        default: return starts(with: "}}", at: index)
        }
    }

    private mutating func skipAlphanumerics() {
        while index < input.count, isAlphanumeric(at: index) { index += scalarWidth(at: index) }
    }

    /// A letter, a digit or `_`, of any script.
    private func isAlphanumeric(at place: Int) -> Bool {
        let byte = input[place]
        if byte < 0x80 {
            return byte == UInt8(ascii: "_") || isDigit(byte)
                || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
        }
        guard let scalar = scalar(at: place) else { return false }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber:
            return true
        default: return false
        }
    }

    private func scalar(at place: Int) -> Unicode.Scalar? {
        String(decoding: input[place..<min(input.count, place + 4)], as: UTF8.self).unicodeScalars.first
    }

    private func scalarWidth(at place: Int) -> Int { input[place] < 0x80 ? 1 : scalar(at: place)?.utf8.count ?? 1 }

    /// `U+0023 '#'`
    private func characterName(at place: Int) -> String {
        guard place < input.count, let scalar = scalar(at: place) else { return "U+FFFFFFFFFFFFFFFF" }
        let digits = String(scalar.value, radix: 16, uppercase: true)
        let number = "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        return QuotedText.go(String(scalar)).hasPrefix("\"\\") && scalar != "\"" && scalar != "\\"
            ? number : "\(number) '\(scalar)'"
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 10 || byte == 13 }
    private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private func string(_ range: Range<Int>) -> String { String(decoding: input[range], as: UTF8.self) }

    private func lineBreaks(_ range: Range<Int>) -> Int { input[range].reduce(0) { $1 == 10 ? $0 + 1 : $0 } }

    private func starts(with text: StaticString, at place: Int) -> Bool {
        guard place + text.utf8CodeUnitCount <= input.count else { return false }
        for offset in 0..<text.utf8CodeUnitCount where input[place + offset] != text.utf8Start[offset] { return false }
        return true
    }

    private func find(_ text: StaticString, from start: Int) -> Int? {
        var place = start
        while place + text.utf8CodeUnitCount <= input.count {
            if starts(with: text, at: place) { return place }
            place += 1
        }
        return nil
    }
}
