import Numbers

/// OpenMetrics 0.0.1 and 1.0.0 text.
///
///     # TYPE http_requests counter
///     # UNIT process_cpu_seconds seconds
///     http_requests_total{code="200"} 1027 1395066363.000 # {trace_id="abc"} 0.67 1395066362.9
///     # EOF
///
/// Timestamps are seconds with decimals. `_created` lines are series like
/// others. As lenient as upstream: rules about families, suffixes and order are not enforced.
/// Source: “OpenMetrics, a cloud-native, highly scalable metrics protocol”, version 1.0.0.
public struct OpenMetricsFormat: ExpositionParser {
    private var lexer: OpenMetricsLexer
    private var start = 0
    public private(set) var entry = ExpositionEntryParts()
    @inlinable public var value: Double { entry.value }

    public init(_ page: UnsafeRawBufferPointer) { lexer = OpenMetricsLexer(page) }

    public mutating func next() throws(ExpositionError) -> ExpositionEntry? {
        start = lexer.position
        let token = lexer.next()
        switch token {
        case .endWord:
            guard lexer.next() == .end else {
                throw ExpositionError("unexpected data after # EOF", offset: lexer.position)
            }
            return nil
        case .end: throw missingEnd
        case .help, .type, .unit: return try parseMetadata(token)
        case .braceOpen:
            entry.tokens.removeAll()
            try parseLabels(isExemplar: false)
            entry.series = start..<lexer.position
            try parseRest(lexer.next())
            return .series
        case .metricName:
            entry.tokens.removeAll()
            entry.tokens.name = start..<lexer.position
            entry.series = start..<lexer.position
            var token = lexer.next()
            if token == .braceOpen {
                try parseLabels(isExemplar: false)
                entry.series = start..<lexer.position
                token = lexer.next()
            }
            try parseRest(token)
            return .series
        default: throw unexpected(token, "expected a valid start token")
        }
    }

    public mutating func takeSample(of text: UnsafeRawBufferPointer) -> Bool {
        let bytes = lexer.bytes
        let valueStart = lexer.position &+ text.count &+ 1
        guard lexer.state == .start, valueStart < bytes.count, text.count > 0,
            bytes.slice(lexer.position..<lexer.position &+ text.count).equals(text),
            bytes[valueStart &- 1] == UInt8(ascii: " ")
        else { return false }
        let end = bytes.base + bytes.count
        var p = bytes.base + valueStart
        guard let value = NumberText.takeDecimal(from: &p, end: end), p < end, p.pointee == UInt8(ascii: "\n") else {
            return false
        }
        start = lexer.position
        entry.series = start..<valueStart &- 1
        entry.value = value
        entry.timestamp = nil
        lexer.position = p - bytes.base &+ 1
        return true
    }

    private var missingEnd: ExpositionError {
        ExpositionError("data does not end with # EOF", offset: lexer.position)
    }

    private mutating func parseMetadata(_ kind: ExpositionToken) throws(ExpositionError) -> ExpositionEntry {
        var token = lexer.next()
        guard token == .metricName else { throw unexpected(token, "expected metric name after \(kind.rawValue)") }
        let isQuoted = lexer.bytes[lexer.tokenStart] == UInt8(ascii: "\"")
        entry.name = isQuoted ? lexer.tokenStart + 1..<lexer.position - 1 : lexer.token
        token = lexer.next()
        guard token == .text else {
            throw ExpositionError("expected text in \(kind.rawValue)", offset: lexer.tokenStart)
        }
        // Between the space in front and the line break.
        entry.text = lexer.tokenStart + 1..<max(lexer.tokenStart + 1, lexer.position - 1)
        switch kind {
        case .type:
            guard let type = MetricType(rawValue: String(decoding: lexer.bytes.slice(entry.text), as: UTF8.self)) else {
                let shown = lexer.bytes.quoted(entry.text)
                throw ExpositionError("invalid metric type \(shown)", offset: entry.text.lowerBound)
            }
            entry.type = type
            return .type
        case .unit:
            try checkUnit()
            return .unit
        default:
            if !lexer.bytes.isUTF8(entry.text) {
                let shown = lexer.bytes.quoted(entry.text)
                throw ExpositionError("help text \(shown) is not a valid utf8 string", offset: entry.text.lowerBound)
            }
            return .help
        }
    }

    /// A unit is the last word of the family's name: `process_cpu_seconds`.
    private func checkUnit() throws(ExpositionError) {
        let unit = entry.text, name = entry.name
        if unit.isEmpty { return }
        let tail = name.upperBound - unit.count
        let isSuffix =
            tail > name.lowerBound && lexer.bytes.slice(tail..<name.upperBound).equals(lexer.bytes.slice(unit))
            && lexer.bytes[tail - 1] == UInt8(ascii: "_")
        if !isSuffix {
            let shown = lexer.bytes.quoted(unit), metric = lexer.bytes.quoted(name)
            throw ExpositionError("unit \(shown) not a suffix of metric \(metric)", offset: unit.lowerBound)
        }
    }

    private mutating func parseLabels(isExemplar: Bool) throws(ExpositionError) {
        var token = lexer.next()
        while token != .braceClose {
            guard token == .labelName || token == .quotedName else { throw unexpected(token, "expected label name") }
            let isQuoted = token == .quotedName
            let name = isQuoted ? lexer.tokenStart &+ 1..<lexer.position &- 1 : lexer.token
            token = lexer.next()
            if isQuoted, token == .comma || token == .braceClose {
                if isExemplar { throw unexpected(token, "expected label name") }
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
            let value = lexer.tokenStart &+ 1..<lexer.position &- 1
            if isExemplar {
                entry.exemplarTokens.append(name)
                entry.exemplarTokens.append(value)
            } else {
                entry.tokens.labels.append(name)
                entry.tokens.labels.append(value)
            }
            token = lexer.next()
            if token == .comma {
                token = lexer.next()
            } else if token != .braceClose {
                throw unexpected(token, "expected comma or brace close")
            }
        }
    }

    /// Value, timestamp, exemplar, line break.
    private mutating func parseRest(_ first: ExpositionToken) throws(ExpositionError) {
        if entry.tokens.name == nil {
            let line = lexer.bytes.quoted(start..<lexer.position)
            throw ExpositionError("metric name not set while parsing: \(line)", offset: start)
        }
        entry.value = try float(first, after: "metric")
        entry.timestamp = nil
        entry.exemplar = nil
        switch lexer.next() {
        case .end: throw missingEnd
        case .comment: try parseExemplar()
        case .timestamp:
            entry.timestamp = try seconds("timestamp")
            let token = lexer.next()
            switch token {
            case .linebreak: break
            case .comment: try parseExemplar()
            default: throw unexpected(token, "expected next entry after timestamp")
            }
        // Upstream lets anything else pass here and stumbles over it at the start of the next line.
        default: break
        }
    }

    private mutating func parseExemplar() throws(ExpositionError) {
        entry.exemplarTokens.removeAll(keepingCapacity: true)
        try parseLabels(isExemplar: true)
        var token = lexer.next()
        var exemplar = ExemplarParts(value: try float(token, after: "exemplar labels"), timestamp: nil)
        token = lexer.next()
        switch token {
        case .end: throw missingEnd
        case .linebreak: break
        case .timestamp:
            exemplar.timestamp = try seconds("exemplar timestamp")
            token = lexer.next()
            if token != .linebreak { throw unexpected(token, "expected next entry after exemplar timestamp") }
        default: throw unexpected(token, "expected timestamp or comment")
        }
        entry.exemplar = exemplar
    }

    /// The number behind the space of a value token.
    private func float(_ token: ExpositionToken, after place: String) throws(ExpositionError) -> Double {
        guard token == .value else { throw unexpected(token, "expected value after \(place)") }
        return try number()
    }

    private func number() throws(ExpositionError) -> Double {
        let digits = lexer.tokenStart + 1..<lexer.position
        guard let value = NumberText.parse(lexer.bytes.slice(digits)) else {
            throw .badFloat(lexer.bytes, digits, line: start..<lexer.position)
        }
        return value
    }

    /// Milliseconds of a timestamp in seconds.
    private func seconds(_ what: String) throws(ExpositionError) -> Int64 {
        let value = try number()
        guard value.isFinite else {
            throw ExpositionError(
                "invalid \(what) \(NumberText.string(value, style: .fixed))", offset: lexer.tokenStart)
        }
        // Outside of Int64, Go's conversion gives the smallest integer on the usual machines.
        return Int64(exactly: (value * 1000).rounded(.towardZero)) ?? .min
    }

    private func unexpected(_ token: ExpositionToken, _ expectation: String) -> ExpositionError {
        .unexpected(token, expectation, lexer.bytes, token: lexer.tokenStart, line: start, position: lexer.position)
    }
}
