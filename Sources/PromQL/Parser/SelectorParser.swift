import RegularExpression
import TSDB

/// Selectors and what may stand behind an expression: brackets, `offset`, `@`, `anchored`, `smoothed`.
///
///     http_requests_total{code=~"5..", "k8s.pod"!=""}[5m] @ end() offset 1h
///     rate(x[1m])[30m:1m] offset 1d
extension ExpressionParser {
    /// `name` has been consumed; without it a brace comes next.
    mutating func vectorSelector(name: Token?) throws(QueryError) -> VectorSelector {
        var matchers: [Matcher] = []
        let start: Int
        if let name {
            start = name.range.lowerBound
        } else {
            start = try peek().range.lowerBound
        }
        if name == nil {
            matchers = try matcherList()
        } else if try peek().kind == .leftBrace {
            matchers = try matcherList()
        }
        let text = name.map { lexer.text($0.range) } ?? ""
        if !text.isEmpty { matchers.append(.equal(MetricName.label, text)) }
        return VectorSelector(name: text, matchers: matchers, range: start..<lastEnd)
    }

    /// `{ matcher, … }`
    private mutating func matcherList() throws(QueryError) -> [Matcher] {
        try expect(.leftBrace)
        var matchers: [Matcher] = []
        while true {
            if try peek().kind == .rightBrace {
                try advance()
                return matchers
            }
            matchers.append(try matcher())
            let separator = try peek()
            switch separator.kind {
            case .comma: try advance()
            case .rightBrace: continue
            default: throw unexpected(separator, .matcherMore)
            }
        }
    }

    /// `name op "value"`, `"name" op "value"`, or `"metric"`.
    private mutating func matcher() throws(QueryError) -> Matcher {
        let label = try peek()
        guard label.kind == .identifier || label.kind == .string else { throw unexpected(label, .matcher) }
        try advance()
        let name = label.kind == .string ? try string(label) : lexer.text(label.range)
        let op = try peek()
        let kind: Matcher.Kind
        switch op.kind {
        case .assign: kind = .equal
        case .binary(.notEqual): kind = .notEqual
        case .regexMatch: kind = .regex
        case .regexMismatch: kind = .notRegex
        default:
            if label.kind == .string { return .equal(MetricName.label, name) }
            throw unexpected(op, .matcherOperator)
        }
        try advance()
        let value = try peek()
        guard value.kind == .string else { throw unexpected(value, .matcherValue) }
        try advance()
        let content = try string(value)
        do {
            return try Matcher(kind, name: name, value: content)
        } catch {
            throw QueryError(.syntax, error.message, range: label.range.lowerBound..<value.range.upperBound)
        }
    }

    // MARK: Behind an expression

    mutating func postfixed(_ first: Node) throws(QueryError) -> Node {
        var node = first
        while true {
            switch try peek().kind {
            case .leftBracket: node = try bracketed(node)
            case .keyword(.offset): try offset(&node)
            case .at: try at(&node)
            case .keyword(.anchored):
                try advance()
                try extend(&node.expr, .anchored)
            case .keyword(.smoothed):
                try advance()
                try extend(&node.expr, .smoothed)
            default: return node
            }
        }
    }

    /// `[range]` or `[range:step]` or `[range:]`
    private mutating func bracketed(_ operand: Node) throws(QueryError) -> Node {
        let outer = context
        let open = try advance()
        context = .window
        let window = try positiveDuration()
        context = outer
        let separator = try peek()
        switch separator.kind {
        case .rightBracket: return try matrixSelector(operand, window, open: open)
        case .colon: try advance()
        default: throw unexpected(separator, .windowEnd)
        }

        var step: DurationNode?
        if try peek().kind != .rightBracket {
            context = .subqueryStep
            step = try positiveDuration()
            context = outer
            let end = try peek()
            guard end.kind == .rightBracket else { throw unexpected(end, .subqueryEnd) }
        }
        try advance()
        let subquery = SubqueryExpr(
            operand.expr, window: window.literal ?? .zero, windowExpr: window.computed, step: step?.literal ?? .zero,
            stepExpr: step?.computed, range: operand.expr.range.lowerBound..<lastEnd)
        return try node(.subquery(subquery), above: operand)
    }

    private mutating func matrixSelector(
        _ operand: Node, _ window: DurationNode, open: Token
    ) throws(QueryError) -> Node {
        let close = try advance()
        let brackets = open.range.lowerBound..<close.range.upperBound
        guard case .vectorSelector(let selector) = operand.expr else {
            throw QueryError(.syntax, "ranges only allowed for vector selectors", range: brackets)
        }
        if selector.offset != .zero || selector.offsetExpr != nil {
            throw QueryError(.syntax, "no offset modifiers allowed before range", range: brackets)
        }
        if selector.at != nil {
            throw QueryError(.syntax, "no @ modifiers allowed before range", range: brackets)
        }
        let matrix = MatrixSelector(
            selector, window: window.literal ?? .zero, windowExpr: window.computed,
            range: selector.range.lowerBound..<lastEnd)
        return Node(expr: .matrixSelector(matrix), height: operand.height, nesting: operand.nesting)
    }

    /// `offset 5m`
    private mutating func offset(_ node: inout Node) throws(QueryError) {
        try advance()
        let outer = context
        context = .offset
        let duration = try offsetDuration()
        context = outer
        let range = node.expr.range
        let isSet: Bool
        switch node.expr {
        case .vectorSelector(let selector): isSet = selector.offset != .zero || selector.offsetExpr != nil
        case .matrixSelector(let matrix):
            isSet = matrix.selector.offset != .zero || matrix.selector.offsetExpr != nil
        case .subquery(let subquery): isSet = subquery.offset != .zero || subquery.offsetExpr != nil
        default:
            throw QueryError(
                .syntax,
                "offset modifier must be preceded by an instant vector selector or range vector selector "
                    + "or a subquery", range: range)
        }
        if isSet { throw QueryError(.syntax, "offset may not be set multiple times", range: range) }

        let whole = range.lowerBound..<lastEnd
        switch node.expr {
        case .vectorSelector(var selector):
            selector.offset = duration.literal ?? .zero
            selector.offsetExpr = duration.computed
            selector.range = whole
            node.expr = .vectorSelector(selector)
        case .matrixSelector(var matrix):
            matrix.selector.offset = duration.literal ?? .zero
            matrix.selector.offsetExpr = duration.computed
            matrix.range = whole
            node.expr = .matrixSelector(matrix)
        case .subquery(var subquery):
            subquery.offset = duration.literal ?? .zero
            subquery.offsetExpr = duration.computed
            subquery.range = whole
            node.expr = .subquery(subquery)
        default: return
        }
    }

    /// `@ 1700000000`, `@ start()`, `@ end()`
    private mutating func at(_ node: inout Node) throws(QueryError) {
        try advance()
        let outer = context
        context = .at
        let modifier: AtModifier
        if case .timeWord(let word) = try peek().kind, word == .start || word == .end {
            try advance()
            try expect(.leftParen)
            try expect(.rightParen)
            modifier = word == .start ? .start : .end
        } else {
            modifier = .timestamp(try atTimestamp(range: node.expr.range))
        }
        context = outer
        let range = node.expr.range
        let current: AtModifier?
        switch node.expr {
        case .vectorSelector(let selector): current = selector.at
        case .matrixSelector(let matrix): current = matrix.selector.at
        case .subquery(let subquery): current = subquery.at
        default:
            throw QueryError(
                .syntax,
                "@ modifier must be preceded by an instant vector selector or range vector selector or a subquery",
                range: range)
        }
        if current != nil { throw QueryError(.syntax, "@ <timestamp> may not be set multiple times", range: range) }

        let whole = range.lowerBound..<lastEnd
        switch node.expr {
        case .vectorSelector(var selector):
            selector.at = modifier
            selector.range = whole
            node.expr = .vectorSelector(selector)
        case .matrixSelector(var matrix):
            matrix.selector.at = modifier
            matrix.range = whole
            node.expr = .matrixSelector(matrix)
        case .subquery(var subquery):
            subquery.at = modifier
            subquery.range = whole
            node.expr = .subquery(subquery)
        default: return
        }
    }

    /// Seconds since the epoch, with or without a sign.
    private mutating func atTimestamp(range: Range<Int>) throws(QueryError) -> Timestamp {
        let seconds = try signedNumber()
        guard seconds.magnitude < 0x1p63 else {
            throw QueryError(
                .syntax, "timestamp out of bounds for @ modifier: \(GoText.fixed(seconds))", range: range)
        }
        let milliseconds = (seconds * 1000).rounded()
        if milliseconds >= 0x1p63 { return .max }
        if milliseconds < -0x1p63 { return .min }
        return Timestamp(milliseconds: Int64(milliseconds))
    }

    private func extend(_ expr: inout Expr, _ word: Token.Keyword) throws(QueryError) {
        func refused(_ message: String) -> QueryError { QueryError(.syntax, message, range: expr.range) }
        guard options.extendedRangeSelectors else {
            throw refused("\(word.rawValue) modifier is experimental and not enabled")
        }
        var selector: VectorSelector
        switch expr {
        case .vectorSelector(let vector): selector = vector
        case .matrixSelector(let matrix): selector = matrix.selector
        case .subquery: throw refused("\(word.rawValue) modifier is not supported for subqueries")
        default: throw refused("\(word.rawValue) modifier not implemented")
        }
        if word == .anchored { selector.isAnchored = true } else { selector.isSmoothed = true }
        if selector.isAnchored, selector.isSmoothed {
            throw refused("anchored and smoothed modifiers cannot be used together")
        }
        if case .matrixSelector(var matrix) = expr {
            matrix.selector = selector
            expr = .matrixSelector(matrix)
        } else {
            expr = .vectorSelector(selector)
        }
    }
}
