import Numbers

/// Aggregations, and what stands between a binary operator and its right side: both are about lists of labels.
///
///     sum by (job) (x)      sum(x) by (job)      topk(5, x)
///     x / on (job) group_left (team) y           x == bool y          x + fill(0) y
extension ExpressionParser {
    /// Behind the operator's name.
    mutating func aggregation(_ op: AggregateOperator, start: Token) throws(QueryError) -> Node {
        let outer = context
        context = .aggregation
        var grouping = try groupingClause()
        let arguments = try argumentList()
        context = outer
        let end = lastEnd
        if grouping == nil { grouping = try groupingClause() }
        let range = start.range.lowerBound..<(grouping == nil ? end : lastEnd)

        func wrong(_ message: String) -> QueryError { QueryError(.syntax, message, range: range) }
        if arguments.isEmpty { throw wrong("no arguments for aggregate expression provided") }
        if op.isExperimental, !options.experimentalFunctions {
            throw wrong(
                "\(op.rawValue)() is experimental and must be enabled with "
                    + "--enable-feature=promql-experimental-functions")
        }
        let wanted = op.takesParameter ? 2 : 1
        guard arguments.count == wanted else {
            throw wrong(
                "wrong number of arguments for aggregate expression provided, expected \(wanted), "
                    + "got \(arguments.count)")
        }
        let expr = AggregateExpr(
            op, arguments[wanted - 1].expr, parameter: op.takesParameter ? arguments[0].expr : nil,
            grouping: grouping?.labels ?? [], isWithout: grouping?.isWithout ?? false, range: range)
        return try node(.aggregate(expr), above: arguments)
    }

    private mutating func groupingClause() throws(QueryError) -> (labels: [String], isWithout: Bool)? {
        switch try peek().kind {
        case .keyword(.by):
            try advance()
            return (try groupingLabels(), false)
        case .keyword(.without):
            try advance()
            return (try groupingLabels(), true)
        default:
            return nil
        }
    }

    /// `( label, "label in quotes", … )`
    mutating func groupingLabels() throws(QueryError) -> [String] {
        var labels: [String] = []
        let open = try peek()
        guard open.kind == .leftParen else { throw unexpected(open, .groupingOpen) }
        try advance()
        while true {
            let token = try peek()
            if token.kind == .rightParen {
                try advance()
                return labels
            }
            labels.append(try groupingLabel(token))
            let separator = try peek()
            switch separator.kind {
            case .comma: try advance()
            case .rightParen: continue
            default: throw unexpected(separator, .groupingMore)
            }
        }
    }

    private mutating func groupingLabel(_ token: Token) throws(QueryError) -> String {
        let name: String
        if token.canNameLabel {
            name = lexer.text(token.range)
        } else if token.kind == .string {
            name = try string(token)
        } else {
            throw unexpected(token, .groupingLabel)
        }
        try advance()
        if name.isEmpty {
            throw QueryError(.syntax, "invalid label name for grouping: \(QuotedText.go(name))", range: token.range)
        }
        return name
    }

    // MARK: Modifiers of binary operators

    struct BinaryModifiers {
        var returnsBool = false
        var matching = VectorMatching()
    }

    /// `bool`, then `on (…)` or `ignoring (…)`, then `group_left` or `group_right` with or without labels, then fills.
    mutating func binaryModifiers() throws(QueryError) -> BinaryModifiers {
        var modifiers = BinaryModifiers()
        if try peek().kind == .keyword(.bool) {
            try advance()
            modifiers.returnsBool = true
        }
        if case .keyword(let word) = try peek().kind, word == .on || word == .ignoring {
            try advance()
            modifiers.matching.isOn = word == .on
            modifiers.matching.labels = try groupingLabels()
            if case .keyword(let side) = try peek().kind, side == .groupLeft || side == .groupRight {
                try advance()
                modifiers.matching.cardinality = side == .groupLeft ? .manyToOne : .oneToMany
                let next = try peek()
                if next.kind == .leftParen {
                    modifiers.matching.include = try groupingLabels()
                } else if !next.canStartExpression {
                    throw unexpected(next, .groupingOpen)
                }
            }
        }
        try fills(&modifiers.matching)
        return modifiers
    }

    /// `fill(…)`, or one of `fill_left(…)` and `fill_right(…)`, or both in either order.
    private mutating func fills(_ matching: inout VectorMatching) throws(QueryError) {
        switch try peek().kind {
        case .keyword(.fill):
            try advance()
            matching.fillLeft = try fillValue()
            matching.fillRight = matching.fillLeft
        case .keyword(.fillLeft):
            try advance()
            matching.fillLeft = try fillValue()
            if try peek().kind == .keyword(.fillRight) {
                try advance()
                matching.fillRight = try fillValue()
            }
        case .keyword(.fillRight):
            try advance()
            matching.fillRight = try fillValue()
            if try peek().kind == .keyword(.fillLeft) {
                try advance()
                matching.fillLeft = try fillValue()
            }
        default:
            return
        }
    }

    private mutating func fillValue() throws(QueryError) -> Double {
        try expect(.leftParen)
        let value = try signedNumber()
        try expect(.rightParen)
        return value
    }

    func binaryExpr(
        _ left: Expr, _ op: BinaryOperator, _ right: Expr, _ modifiers: BinaryModifiers, _ operatorRange: Range<Int>
    ) throws(QueryError) -> Expr {
        let range = left.range.lowerBound..<right.range.upperBound
        var matching: VectorMatching? = modifiers.matching
        let fills = modifiers.matching.fillLeft != nil || modifiers.matching.fillRight != nil
        if fills, !options.fillModifiers {
            throw QueryError(.syntax, "binop fill modifiers are experimental and not enabled", range: range)
        }
        if left.type == .vector, right.type == .vector {
            if op.isSetOperator, modifiers.matching.cardinality == .oneToOne { matching?.cardinality = .manyToMany }
        } else if modifiers.matching.labels.isEmpty, !fills {
            // With labels or fills it stays, for the type checker to refuse.
            matching = nil
        }
        return .binary(
            BinaryExpr(
                op, left, right, matching: matching, returnsBool: modifiers.returnsBool, range: range,
                operatorRange: operatorRange))
    }
}
