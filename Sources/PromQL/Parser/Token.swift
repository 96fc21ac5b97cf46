import Numbers

/// One word of PromQL: what it is and where it stands. The text itself stays in the query.
///
///     sum by (le) (rate(x[5m]))
///     ─┬─ ┬─ ┬┬─┬ …
///      │  │  ││ └ rightParen
///      │  │  │└ identifier
///      │  │  └ leftParen
///      │  └ keyword(.by)
///      └ aggregator(.sum)
struct Token: Equatable {
    enum Kind: Equatable {
        case endOfInput
        /// A name without colon; inside braces every bare word is one.
        case identifier
        /// A name with a colon: only a metric can be called so.
        case metricIdentifier
        case string
        case number
        case duration
        case leftParen, rightParen, leftBrace, rightBrace, leftBracket, rightBracket
        case comma, colon, at
        /// `=`, `=~`, `!~`. (`!=` is the comparison's token, in and out of braces.)
        case assign, regexMatch, regexMismatch
        case binary(BinaryOperator)
        case aggregator(AggregateOperator)
        case keyword(Keyword)
        case timeWord(TimeWord)
    }

    /// Words with a role in the grammar. Most of them may still name a metric or a label.
    enum Keyword: String, CaseIterable {
        case offset, smoothed, anchored, by, without, on, ignoring, bool, fill
        case groupLeft = "group_left"
        case groupRight = "group_right"
        case fillLeft = "fill_left"
        case fillRight = "fill_right"
    }

    /// Words about the query's own times: behind `@`, in duration expressions, and as functions.
    enum TimeWord: String, CaseIterable {
        case start, end, step, range
        case maxOf = "max_of"
        case minOf = "min_of"
    }

    var kind: Kind
    /// UTF-8 offsets into the query.
    var range: Range<Int>

    /// Which bare words are more than names. Keywords are found whatever their case.
    static let words: [String: Kind] = {
        var words: [String: Kind] = ["inf": .number, "nan": .number]
        for op in [BinaryOperator.and, .or, .unless, .atan2] { words[op.rawValue] = .binary(op) }
        for op in AggregateOperator.allCases { words[op.rawValue] = .aggregator(op) }
        for word in Keyword.allCases { words[word.rawValue] = .keyword(word) }
        for word in TimeWord.allCases { words[word.rawValue] = .timeWord(word) }
        return words
    }()
}

extension Token {
    /// Whether the word may stand where a metric's name is expected: `sum`, `by` and `offset` are good names.
    var canNameMetric: Bool {
        switch kind {
        case .identifier, .metricIdentifier, .aggregator, .timeWord: return true
        case .binary(let op): return op.isSetOperator
        case .keyword(let word):
            switch word {
            case .offset, .smoothed, .anchored, .by, .without, .fill, .fillLeft, .fillRight: return true
            case .on, .ignoring, .bool, .groupLeft, .groupRight: return false
            }
        default: return false
        }
    }

    /// Whether the word may stand where a label's name is expected, outside of braces: all but `without`.
    var canNameLabel: Bool {
        switch kind {
        case .identifier, .metricIdentifier, .aggregator, .timeWord: return true
        case .keyword(let word): return word != .without
        case .binary(let op): return op.isSetOperator || op == .atan2
        default: return false
        }
    }

    /// Whether an expression may begin here.
    var canStartExpression: Bool {
        switch kind {
        case .number, .duration, .string, .leftParen, .leftBrace: return true
        case .binary(.add), .binary(.subtract): return true
        default: return canNameMetric
        }
    }

    /// How “unexpected …” names the token, as upstream does: `identifier "foo"`, `<op:+>`, `<by>`, `")"`.
    func description(text: String) -> String {
        switch kind {
        case .endOfInput: return "end of input"
        case .identifier: return "identifier \(QuotedText.go(text))"
        case .metricIdentifier: return "metric identifier \(QuotedText.go(text))"
        case .string: return "string \(Token.abbreviated(text))"
        case .number: return "number \(Token.abbreviated(text))"
        case .duration: return "duration \(Token.abbreviated(text))"
        case .binary, .regexMatch, .regexMismatch, .at: return "<op:\(text)>"
        case .aggregator: return "<aggr:\(text)>"
        case .keyword: return "<\(text)>"
        case .timeWord, .leftParen, .rightParen, .leftBrace, .rightBrace, .leftBracket, .rightBracket, .comma, .colon,
            .assign:
            return QuotedText.go(text)
        }
    }

    /// Long literals are cut after ten characters.
    private static func abbreviated(_ text: String) -> String {
        guard text.utf8.count > 10 else { return QuotedText.go(text) }
        return QuotedText.go(String(String.UnicodeScalarView(text.unicodeScalars.prefix(10)))) + "..."
    }
}
