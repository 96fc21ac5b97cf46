import TSDB

/// Metrics written out as label sets: `http_requests_total{code="200", "k8s.pod"="a"}`, `{"my.metric"}`.
extension ExpressionParser {
    mutating func wholeMetric() throws(QueryError) -> Labels {
        let first = try peek()
        var pairs: [(name: String, value: String)] = []
        if first.canNameMetric {
            try advance()
            pairs.append((MetricName.label, lexer.text(first.range)))
        }
        if try peek().kind == .leftBrace { pairs = try labelSet() + pairs }
        try expectEnd()
        return Labels(pairs)
    }

    /// Braces belong to the metric only where they follow its name at once.
    mutating func seriesDescription() throws(QueryError) -> (labels: Labels, valuesStart: Int) {
        let first = try peek()
        guard first.canNameMetric || first.kind == .leftBrace else { throw unexpected(first) }
        var pairs: [(name: String, value: String)] = []
        if first.canNameMetric {
            try advance()
            pairs.append((MetricName.label, lexer.text(first.range)))
            if lexer.peek() == UInt8(ascii: "{") { pairs = try labelSet() + pairs }
        } else {
            pairs = try labelSet()
        }
        return (Labels(pairs), lastEnd)
    }

    /// `{ name="value", … }`
    private mutating func labelSet() throws(QueryError) -> [(name: String, value: String)] {
        try expect(.leftBrace)
        var pairs: [(name: String, value: String)] = []
        while true {
            if try peek().kind == .rightBrace {
                try advance()
                return pairs
            }
            pairs.append(try label())
            let separator = try peek()
            switch separator.kind {
            case .comma: try advance()
            case .rightBrace: continue
            default: throw unexpected(separator, .labelSetMore)
            }
        }
    }

    private mutating func label() throws(QueryError) -> (name: String, value: String) {
        let label = try peek()
        guard label.kind == .identifier || label.kind == .string else { throw unexpected(label, .labelSet) }
        try advance()
        let name = label.kind == .string ? try string(label) : lexer.text(label.range)
        let assign = try peek()
        guard assign.kind == .assign else {
            if label.kind == .string { return (MetricName.label, name) }
            throw unexpected(assign, .labelSetAssign)
        }
        try advance()
        let value = try peek()
        guard value.kind == .string else { throw unexpected(value, .labelSetValue) }
        try advance()
        return (name, try string(value))
    }
}
