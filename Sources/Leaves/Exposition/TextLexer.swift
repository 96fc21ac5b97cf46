import Numbers

/// Cuts the Prometheus text format into tokens.
///
/// Blanks are one token wherever they stand; a label value may contain line breaks; `#` without HELP or TYPE is a
/// comment. A NUL byte ends the page between lines, is stepped over inside label values, help and comments, and is
/// an error elsewhere. All of this is upstream's lexer (`promlex.l`), which we must agree with byte for byte.
struct TextLexer {
    let bytes: ExpositionBytes
    /// Index of the next byte.
    var position = 0
    /// Index of the current token's first byte.
    var tokenStart = 0
    var state = ExpositionState.start

    init(_ page: UnsafeRawBufferPointer) { bytes = ExpositionBytes(page, addsLinebreak: true) }

    var token: Range<Int> { tokenStart..<position }

    /// The next token that is not a run of blanks.
    @inline(__always)
    mutating func next() -> ExpositionToken {
        while true {
            let token = lex()
            if token != .whitespace { return token }
        }
    }

    @inline(__always)
    private mutating func lex() -> ExpositionToken {
        if position >= bytes.limit { return .end }
        tokenStart = position
        let byte = bytes[position]
        if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t"), state != .metaText {
            skipBlanks()
            return .whitespace
        }
        switch state {
        case .start: return lexStart(byte)
        case .labels: return lexLabels(byte)
        case .labelValue:
            guard byte == UInt8(ascii: "\"") else { return .invalid }
            return lexQuoted(.labelValue, then: .labels, skipsNUL: true)
        case .value:
            if byte == UInt8(ascii: "{") { return take(.braceOpen, then: .labels) }
            while case let byte = bytes[position], byte > 0x20 ? byte != UInt8(ascii: "{") : isControlInValue(byte) {
                position &+= 1
            }
            if position == tokenStart { return .invalid }
            state = .timestamp
            return .value
        case .timestamp:
            if byte == UInt8(ascii: "\n") { return take(.linebreak, then: .start) }
            while bytes[position] &- 48 < 10 { position &+= 1 }
            return position > tokenStart ? .timestamp : .invalid
        case .metaName:
            if byte == UInt8(ascii: "\"") { return lexQuoted(.metricName, then: .metaText, skipsNUL: false) }
            guard ExpositionBytes.startsName(byte, colon: true) else { return .invalid }
            position = bytes.nameEnd(from: position, colon: true)
            state = .metaText
            return .metricName
        case .metaText: return lexText(byte)
        case .comment: return lexComment()
        // Only OpenMetrics has these.
        case .exemplar, .exemplarValue, .exemplarTimestamp: return .invalid
        }
    }

    @inline(__always)
    private mutating func take(_ token: ExpositionToken, then next: ExpositionState) -> ExpositionToken {
        position &+= 1
        state = next
        return token
    }

    private mutating func skipBlanks() {
        while bytes[position] == UInt8(ascii: " ") || bytes[position] == UInt8(ascii: "\t") { position &+= 1 }
    }

    @inline(__always)
    private func isControlInValue(_ byte: UInt8) -> Bool {
        byte != 0 && byte != UInt8(ascii: " ") && byte != UInt8(ascii: "\t") && byte != UInt8(ascii: "\n")
    }

    @inline(__always)
    private mutating func lexStart(_ byte: UInt8) -> ExpositionToken {
        if ExpositionBytes.startsName(byte, colon: true) {
            position = bytes.nameEnd(from: position, colon: true)
            state = .value
            return .metricName
        }
        switch byte {
        case UInt8(ascii: "\n"): return take(.linebreak, then: .start)
        case UInt8(ascii: "{"): return take(.braceOpen, then: .labels)
        case UInt8(ascii: "#"):
            position &+= 1
            let textStart = position
            skipBlanks()
            if position > textStart { state = .comment }
            return lexComment()
        case 0: return take(.end, then: .start)
        default: return .invalid
        }
    }

    @inline(__always)
    private mutating func lexLabels(_ byte: UInt8) -> ExpositionToken {
        if ExpositionBytes.startsName(byte, colon: false) {
            position = bytes.nameEnd(from: position, colon: false)
            return .labelName
        }
        switch byte {
        case UInt8(ascii: "\""): return lexQuoted(.quotedName, then: .labels, skipsNUL: false)
        case UInt8(ascii: "}"): return take(.braceClose, then: .value)
        case UInt8(ascii: "="): return take(.equal, then: .labelValue)
        case UInt8(ascii: ","): return take(.comma, then: .labels)
        default: return .invalid
        }
    }

    @inline(__always)
    private mutating func lexQuoted(
        _ token: ExpositionToken, then next: ExpositionState, skipsNUL: Bool
    ) -> ExpositionToken {
        let (end, isComplete) = bytes.quotedEnd(from: position, allowsLinebreak: true, skipsNUL: skipsNUL)
        position = end
        if !isComplete { return .invalid }
        state = next
        return token
    }

    /// Everything to the end of the line; a line of blanks only is blanks and then an empty text.
    private mutating func lexText(_ first: UInt8) -> ExpositionToken {
        if first == 0 {
            state = .start
            return .text
        }
        position = bytes.first(UInt8(ascii: "\n"), from: position)
        if position > tokenStart, token.allSatisfy({ [0x20, 0x09, 0].contains(bytes[$0]) }) { return .whitespace }
        state = .start
        return .text
    }

    /// After `#`: HELP, TYPE, or a comment that goes to the end of the line.
    private mutating func lexComment() -> ExpositionToken {
        if state == .comment {
            let isHelp = bytes[position] == UInt8(ascii: "H")
            for letter in isHelp ? "HELP".utf8 : "TYPE".utf8 {
                guard bytes[position] == letter else { return skipComment() }
                position = bytes.step(position, true)
            }
            guard bytes[position] == UInt8(ascii: " ") || bytes[position] == UInt8(ascii: "\t") else { return skipComment() }
            while bytes[position] == UInt8(ascii: " ") || bytes[position] == UInt8(ascii: "\t") {
                position = bytes.step(position, true)
            }
            state = .metaName
            return isHelp ? .help : .type
        }
        return skipComment()
    }

    /// Goes to the line break, which is not part of the comment.
    private mutating func skipComment() -> ExpositionToken {
        let start = position
        position = bytes.first(UInt8(ascii: "\n"), from: position)
        // NUL bytes are stepped over after "# ", but end the page as the first byte or after a bare "#".
        if state == .comment ? bytes[start] == 0 : bytes.first(0, from: start) < position { return .end }
        state = .start
        return .comment
    }
}
