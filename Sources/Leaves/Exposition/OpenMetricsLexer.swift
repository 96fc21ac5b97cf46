/// Cuts OpenMetrics text into tokens: stricter than the text format.
///
/// One space, and only where it belongs: it is part of the token that follows it (` 1.5`). No tabs, no empty lines, no
/// free comments, line breaks only at the ends of lines, `# EOF` at the end of the page.
struct OpenMetricsLexer {
    let bytes: ExpositionBytes
    /// Index of the next byte.
    var position = 0
    /// Index of the current token's first byte.
    var tokenStart = 0
    var state = ExpositionState.start

    init(_ page: UnsafeRawBufferPointer) { bytes = ExpositionBytes(page, addsLinebreak: false) }

    var token: Range<Int> { tokenStart..<position }

    @inline(__always)
    mutating func next() -> ExpositionToken {
        if position >= bytes.limit { return .end }
        tokenStart = position
        let byte = bytes[position]
        switch state {
        case .start: return lexStart(byte)
        case .labels, .exemplar: return lexLabels(byte)
        case .labelValue:
            guard byte == UInt8(ascii: "\"") else { return .invalid }
            return lexQuoted(.labelValue, then: .labels, allowsLinebreak: false, skipsNUL: true)
        case .value:
            if byte == UInt8(ascii: "{") { return take(.braceOpen, then: .labels) }
            return lexSpaced(.value, then: .timestamp)
        case .timestamp:
            if byte == UInt8(ascii: "\n") { return take(.linebreak, then: .start) }
            return startsExemplar() ?? lexSpaced(.timestamp, then: .timestamp)
        case .exemplarValue:
            if byte == UInt8(ascii: "\"") {
                return lexQuoted(.labelValue, then: .exemplar, allowsLinebreak: false, skipsNUL: false)
            }
            return lexSpaced(.value, then: .exemplarTimestamp)
        case .exemplarTimestamp:
            if byte == UInt8(ascii: "\n") { return take(.linebreak, then: .start) }
            return lexSpaced(.timestamp, then: .exemplarTimestamp)
        case .metaName:
            if byte == UInt8(ascii: "\"") {
                return lexQuoted(.metricName, then: .metaText, allowsLinebreak: true, skipsNUL: false)
            }
            guard ExpositionBytes.startsName(byte, colon: true) else { return .invalid }
            position = bytes.nameEnd(from: position, colon: true)
            state = .metaText
            return .metricName
        case .metaText: return lexText(byte)
        case .comment: return lexComment()
        }
    }

    @inline(__always)
    private mutating func take(_ token: ExpositionToken, then next: ExpositionState) -> ExpositionToken {
        position &+= 1
        state = next
        return token
    }

    /// A space and at least one byte that is neither space nor line break.
    @inline(__always)
    private mutating func lexSpaced(_ token: ExpositionToken, then next: ExpositionState) -> ExpositionToken {
        guard bytes[position] == UInt8(ascii: " ") else { return .invalid }
        position &+= 1
        let start = position
        while case let byte = bytes[position], byte != 0, byte != UInt8(ascii: " "), byte != UInt8(ascii: "\n") {
            position &+= 1
        }
        if position == start { return .invalid }
        state = next
        return token
    }

    /// ` # {` opens an exemplar; ` # ` without brace is nothing; `nil` where something else stands.
    private mutating func startsExemplar() -> ExpositionToken? {
        guard bytes[position] == UInt8(ascii: " "), bytes[position + 1] == UInt8(ascii: "#"),
            bytes[position + 2] == UInt8(ascii: " ")
        else { return nil }
        position += 3
        guard bytes[position] == UInt8(ascii: "{") else { return .invalid }
        return take(.comment, then: .exemplar)
    }

    @inline(__always)
    private mutating func lexStart(_ byte: UInt8) -> ExpositionToken {
        if ExpositionBytes.startsName(byte, colon: true) {
            position = bytes.nameEnd(from: position, colon: true)
            state = .value
            return .metricName
        }
        if byte == UInt8(ascii: "{") { return take(.braceOpen, then: .labels) }
        guard byte == UInt8(ascii: "#") else { return .invalid }
        position &+= 1
        guard bytes[position] == UInt8(ascii: " ") else { return .invalid }
        position &+= 1
        state = .comment
        return lexComment()
    }

    private mutating func lexLabels(_ byte: UInt8) -> ExpositionToken {
        if ExpositionBytes.startsName(byte, colon: false) {
            position = bytes.nameEnd(from: position, colon: false)
            return .labelName
        }
        let isExemplar = state == .exemplar
        switch byte {
        case UInt8(ascii: "\""):
            return lexQuoted(.quotedName, then: state, allowsLinebreak: !isExemplar, skipsNUL: false)
        case UInt8(ascii: "}"): return take(.braceClose, then: isExemplar ? .exemplarValue : .value)
        case UInt8(ascii: "="): return take(.equal, then: isExemplar ? .exemplarValue : .labelValue)
        case UInt8(ascii: ","): return take(.comma, then: state)
        default: return .invalid
        }
    }

    @inline(__always)
    private mutating func lexQuoted(
        _ token: ExpositionToken, then next: ExpositionState, allowsLinebreak: Bool, skipsNUL: Bool
    ) -> ExpositionToken {
        let (end, isComplete) = bytes.quotedEnd(
            from: position, allowsLinebreak: allowsLinebreak, skipsNUL: skipsNUL)
        position = end
        if !isComplete { return .invalid }
        state = next
        return token
    }

    /// A space, the text and the line break.
    private mutating func lexText(_ first: UInt8) -> ExpositionToken {
        guard first == UInt8(ascii: " ") else { return .invalid }
        position = bytes.first(UInt8(ascii: "\n"), from: position)
        guard position < bytes.limit else { return .invalid }
        return take(.text, then: .start)
    }

    /// After `# `: `HELP `, `TYPE `, `UNIT ` or `EOF`.
    private mutating func lexComment() -> ExpositionToken {
        let token: ExpositionToken
        switch bytes[position] {
        case UInt8(ascii: "H"): token = .help
        case UInt8(ascii: "T"): token = .type
        case UInt8(ascii: "U"): token = .unit
        case UInt8(ascii: "E"): token = .endWord
        default: return .invalid
        }
        for letter in token == .endWord ? "EOF".utf8 : token.rawValue.utf8 {
            guard bytes[position] == letter else { return .invalid }
            position = bytes.step(position, true)
        }
        if token == .endWord {
            if bytes[position] == UInt8(ascii: "\n") { position += 1 }
            state = .start
            return token
        }
        guard bytes[position] == UInt8(ascii: " ") else { return .invalid }
        position = bytes.step(position, true)
        state = .metaName
        return token
    }
}
