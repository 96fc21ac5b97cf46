import Numbers

/// The Prometheus text format, versions 0.0.4 and 1.0.0 (quoted UTF-8 names).
///
///     # HELP http_requests_total Requests served.
///     # TYPE http_requests_total counter
///     http_requests_total{method="post",code="200"} 1027 1395066363000
///     {"http.requests",method="post"} 3
///
/// Source: prometheus.io, “Exposition formats”; where upstream's parser is more lenient, so is this one: labels need no
/// commas between them, blanks may stand anywhere, the last line needs no line break.
public struct TextFormat: ExpositionParser {
    private var lexer: TextLexer
    /// First byte of the current line, its blanks included: upstream counts them as part of the series.
    private var start = 0
    public private(set) var entry = ExpositionEntryParts()
    @inlinable public var value: Double { entry.value }

    public init(_ page: UnsafeRawBufferPointer) { lexer = TextLexer(page) }

    public mutating func next() throws(ExpositionError) -> ExpositionEntry? {
        while true {
            start = lexer.position
            let token = lexer.next()
            switch token {
            case .end: return nil
            case .linebreak: continue
            case .help, .type: return try parseMetadata(token)
            case .comment:
                try expectLinebreak("linebreak expected after comment")
                return .comment
            case .braceOpen:
                entry.tokens.removeAll()
                try parseLabels()
                entry.series = start..<lexer.position
                return try parseValue(lexer.next())
            case .metricName:
                entry.tokens.removeAll()
                entry.tokens.name = start..<lexer.position
                entry.series = start..<lexer.position
                var token = lexer.next()
                if token == .braceOpen {
                    try parseLabels()
                    entry.series = start..<lexer.position
                    token = lexer.next()
                }
                return try parseValue(token)
            default: throw unexpected(token, "expected a valid start token")
            }
        }
    }

    public mutating func takeSample(of text: UnsafeRawBufferPointer) -> Bool {
        let bytes = lexer.bytes
        // One blank and one digit at least must follow.
        let valueStart = lexer.position &+ text.count &+ 1
        guard lexer.state == .start, valueStart < bytes.count, text.count > 0,
            bytes.slice(lexer.position..<lexer.position &+ text.count).equals(text),
            bytes[valueStart &- 1] == UInt8(ascii: " ")
        else { return false }
        let end = bytes.base + bytes.count
        var p = bytes.base + valueStart
        let value: Double
        if let decimal = NumberText.takeDecimal(from: &p, end: end), p == end || p.pointee == UInt8(ascii: "\n") {
            value = decimal
        } else {
            let valueEnd = bytes.first(UInt8(ascii: "\n"), from: valueStart)
            guard let slow = NumberText.parse(bytes.slice(valueStart..<valueEnd)) else { return false }
            value = slow
            p = bytes.base + valueEnd
        }
        start = lexer.position
        entry.series = start..<valueStart &- 1
        entry.value = value
        entry.timestamp = nil
        lexer.position = p - bytes.base &+ 1
        return true
    }

    private mutating func parseMetadata(_ kind: ExpositionToken) throws(ExpositionError) -> ExpositionEntry {
        var token = lexer.next()
        guard token == .metricName else { throw unexpected(token, "expected metric name after \(kind.rawValue)") }
        let isQuoted = lexer.bytes[lexer.tokenStart] == UInt8(ascii: "\"")
        entry.name = isQuoted ? lexer.tokenStart + 1..<lexer.position - 1 : lexer.token
        token = lexer.next()
        guard token == .text else {
            throw ExpositionError("expected text in \(kind.rawValue), got \(token.rawValue)", offset: lexer.tokenStart)
        }
        // The blank in front of the text is not part of it.
        entry.text = lexer.token.isEmpty ? lexer.token : lexer.tokenStart + 1..<lexer.position
        if kind == .type {
            let name = String(decoding: lexer.bytes.slice(entry.text), as: UTF8.self)
            switch name {
            case "counter", "gauge", "histogram", "summary": entry.type = MetricType(rawValue: name) ?? .unknown
            case "untyped": entry.type = .unknown
            default:
                let shown = lexer.bytes.quoted(entry.text)
                throw ExpositionError("invalid metric type \(shown)", offset: entry.text.lowerBound)
            }
        } else if !lexer.bytes.isUTF8(entry.text) {
            let shown = lexer.bytes.quoted(entry.text)
            throw ExpositionError("help text \(shown) is not a valid utf8 string", offset: entry.text.lowerBound)
        }
        try expectLinebreak("linebreak expected after metadata")
        return kind == .type ? .type : .help
    }

    private mutating func expectLinebreak(_ expectation: String) throws(ExpositionError) {
        let token = lexer.next()
        if token != .linebreak { throw unexpected(token, expectation) }
    }

    /// What stands between the braces: labels, and the metric's name where it is quoted.
    private mutating func parseLabels() throws(ExpositionError) {
        var token = lexer.next()
        while token != .braceClose {
            guard token == .labelName || token == .quotedName else { throw unexpected(token, "expected label name") }
            let isQuoted = token == .quotedName
            let name = isQuoted ? lexer.tokenStart &+ 1..<lexer.position &- 1 : lexer.token
            token = lexer.next()
            if isQuoted, token == .comma || token == .braceClose {
                if entry.tokens.name != nil {
                    let line = lexer.bytes.quoted(start..<lexer.position)
                    throw ExpositionError("metric name already set while parsing: \(line)", offset: name.lowerBound)
                }
                entry.tokens.name = name
                if token == .braceClose { return }
                token = lexer.next()
                continue
            }
            guard token == .equal else { throw unexpected(token, "expected equal") }
            token = lexer.next()
            guard token == .labelValue else { throw unexpected(token, "expected label value") }
            if !lexer.bytes.isUTF8(lexer.token) {
                let value = lexer.bytes.quoted(lexer.token)
                throw ExpositionError("invalid UTF-8 label value: \(value)", offset: lexer.tokenStart)
            }
            entry.tokens.labels.append(name)
            entry.tokens.labels.append(lexer.tokenStart &+ 1..<lexer.position &- 1)
            token = lexer.next()
            if token == .comma { token = lexer.next() }
        }
    }

    private mutating func parseValue(_ first: ExpositionToken) throws(ExpositionError) -> ExpositionEntry {
        if entry.tokens.name == nil {
            let line = lexer.bytes.quoted(start..<lexer.position)
            throw ExpositionError("metric name not set while parsing: \(line)", offset: start)
        }
        guard first == .value else { throw unexpected(first, "expected value after metric") }
        guard let value = NumberText.parse(lexer.bytes.slice(lexer.token)) else {
            throw .badFloat(lexer.bytes, lexer.token, line: start..<lexer.position)
        }
        entry.value = value
        entry.timestamp = nil
        var token = lexer.next()
        if token == .timestamp {
            guard let timestamp = Int64(String(decoding: lexer.bytes.slice(lexer.token), as: UTF8.self)) else {
                let digits = lexer.bytes.quoted(lexer.token), line = lexer.bytes.quoted(start..<lexer.position)
                throw ExpositionError(
                    "strconv.ParseInt: parsing \(digits): value out of range while parsing: \(line)",
                    offset: lexer.tokenStart)
            }
            entry.timestamp = timestamp
            token = lexer.next()
            if token != .linebreak { throw unexpected(token, "expected next entry after timestamp") }
        } else if token != .linebreak {
            throw unexpected(token, "expected timestamp or new record")
        }
        return .series
    }

    private func unexpected(_ token: ExpositionToken, _ expectation: String) -> ExpositionError {
        .unexpected(token, expectation, lexer.bytes, token: lexer.tokenStart, line: start, position: lexer.position)
    }
}
