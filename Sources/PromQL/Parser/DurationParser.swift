import TSDB

/// Arithmetic on durations, inside brackets and behind `offset`.
///
///     [5m]   [300]   [step() * 2 + 1m]   [min_of(range(), 1h):5m]   offset -(1d - 2h)
///
/// A lone literal is a value; anything else stays an expression until the query's start, end and step are known.
extension ExpressionParser {
    struct DurationNode {
        var expr: DurationExpr
        var height: Int

        /// Set for a lone literal.
        var literal: Duration? {
            guard case .number(let seconds, _, _) = expr else { return nil }
            return DurationParsing.duration(seconds: seconds)
        }

        /// Set for anything but a lone literal.
        var computed: DurationExpr? { literal == nil ? expr : nil }
    }

    /// A window or a step: literals must be positive, the rest is checked when it is known.
    mutating func positiveDuration() throws(QueryError) -> DurationNode {
        let node = try durationExpression(from: Precedence.lowest)
        if case .number(let seconds, _, let range) = node.expr, !(seconds > 0) {
            throw QueryError(.syntax, "duration must be greater than 0", range: range)
        }
        return node
    }

    /// Behind `offset`. Operators belong to it only where parentheses open it: `x offset 5m + 3` adds 3 to `x offset 5m`,
    /// `x offset (5m) + 3` has an offset of 303 seconds, and behind `x offset -(5m)` the offset ends.
    mutating func offsetDuration() throws(QueryError) -> DurationNode {
        let first = try peek()
        switch first.kind {
        case .binary(.subtract), .binary(.add):
            try advance()
            switch try peek().kind {
            case .number, .duration:
                let literal = try numberLiteral()
                let value = first.kind == .binary(.subtract) ? -literal.value : literal.value
                try checkRange(value, at: first.range)
                let range = first.range.lowerBound..<literal.range.upperBound
                return DurationNode(
                    expr: .number(value, isDuration: literal.isDuration, range: range), height: 1)
            case .binary:
                let operand = try durationExpression(from: Precedence.signOperand)
                return try durationOperators(after: signed(operand, first), from: Precedence.lowest)
            case .leftParen where first.kind == .binary(.add):
                // The plus is kept: it is what ends the offset behind the parentheses, in print as well.
                let operand = try durationPrimary()
                let range = first.range.lowerBound..<operand.expr.range.upperBound
                return try durationNode(.unary(.plus, operand.expr, range: range), above: operand)
            default:
                return try signed(durationPrimary(), first)
            }
        case .leftParen:
            return try durationOperators(after: durationPrimary(), from: Precedence.lowest)
        default:
            return try durationPrimary()
        }
    }

    mutating func durationExpression(from minimum: Int) throws(QueryError) -> DurationNode {
        try enter()
        defer { leave() }
        let first = try peek()
        let left: DurationNode
        switch first.kind {
        case .binary(.subtract), .binary(.add):
            try advance()
            left = try signed(durationExpression(from: Precedence.signOperand), first)
        default:
            left = try durationPrimary()
        }
        return try durationOperators(after: left, from: minimum)
    }

    private mutating func durationOperators(
        after first: DurationNode, from minimum: Int
    ) throws(QueryError) -> DurationNode {
        var left = first
        while case .binary(let op) = try peek().kind, op.isDurationArithmetic, op.precedence >= minimum {
            let token = try advance()
            let right = try durationExpression(from: op.rightOperandPrecedence)
            try checkEnabled(left.expr.range)
            if case .number(let divisor, _, _) = right.expr, divisor == 0 {
                if op == .divide { throw QueryError(.syntax, "division by zero", range: token.range) }
                if op == .modulo { throw QueryError(.syntax, "modulo by zero", range: token.range) }
            }
            let range = left.expr.range.lowerBound..<right.expr.range.upperBound
            left = try durationNode(.binary(op, left.expr, right.expr, range: range), above: left, right)
        }
        return left
    }

    private mutating func durationPrimary() throws(QueryError) -> DurationNode {
        let token = try peek()
        switch token.kind {
        case .number, .duration:
            let literal = try numberLiteral()
            try checkRange(literal.value, at: literal.range)
            return DurationNode(
                expr: .number(literal.value, isDuration: literal.isDuration, range: literal.range), height: 1)
        case .leftParen:
            try advance()
            let inner = try durationExpression(from: Precedence.lowest)
            try expect(.rightParen)
            try checkEnabled(inner.expr.range)
            if case .paren = inner.expr { return inner }
            return try durationNode(.paren(inner.expr, range: token.range.lowerBound..<lastEnd), above: inner)
        case .timeWord(.step), .timeWord(.range):
            try advance()
            try expect(.leftParen)
            try expect(.rightParen)
            let range = token.range.lowerBound..<lastEnd
            try checkEnabled(range)
            let expr: DurationExpr = token.kind == .timeWord(.step) ? .step(range: range) : .range(range: range)
            return DurationNode(expr: expr, height: 1)
        case .timeWord(.minOf), .timeWord(.maxOf):
            try advance()
            try expect(.leftParen)
            let left = try durationExpression(from: Precedence.lowest)
            try expect(.comma)
            let right = try durationExpression(from: Precedence.lowest)
            try expect(.rightParen)
            let range = token.range.lowerBound..<lastEnd
            try checkEnabled(range)
            let expr: DurationExpr =
                token.kind == .timeWord(.minOf)
                ? .minOf(left.expr, right.expr, range: range) : .maxOf(left.expr, right.expr, range: range)
            return try durationNode(expr, above: left, right)
        default: throw unexpected(token)
        }
    }

    /// A sign in front of a literal becomes part of it; a plus in front of anything changes nothing.
    private func signed(_ operand: DurationNode, _ sign: Token) throws(QueryError) -> DurationNode {
        let isMinus = sign.kind == .binary(.subtract)
        let range = sign.range.lowerBound..<operand.expr.range.upperBound
        if case .number(let value, let isDuration, _) = operand.expr {
            let expr = DurationExpr.number(isMinus ? -value : value, isDuration: isDuration, range: range)
            return DurationNode(expr: expr, height: operand.height)
        }
        if !isMinus { return operand }
        return try durationNode(.unary(.minus, operand.expr, range: range), above: operand)
    }

    private func durationNode(_ expr: DurationExpr, above children: DurationNode...) throws(QueryError) -> DurationNode {
        let height = 1 + (children.map(\.height).max() ?? 0)
        if height > Parser.maximumDepth { throw tooDeep(range: expr.range) }
        return DurationNode(expr: expr, height: height)
    }

    private func checkEnabled(_ range: Range<Int>) throws(QueryError) {
        if !options.durationExpressions {
            throw QueryError(.syntax, "experimental duration expression is not enabled", range: range)
        }
    }

    private func checkRange(_ seconds: Double, at range: Range<Int>) throws(QueryError) {
        if seconds.magnitude > 0x1p63 / 1e9 { throw QueryError(.syntax, "duration out of range", range: range) }
    }
}

enum DurationParsing {
    /// Seconds to milliseconds as upstream counts them: rounded to nanoseconds, then cut. Clamped at ± 292 years.
    static func duration(seconds: Double) -> Duration {
        let nanoseconds = (seconds * 1e9).rounded()
        if nanoseconds.isNaN { return .zero }
        if nanoseconds >= 0x1p63 { return Duration(milliseconds: Int64.max / 1_000_000) }
        if nanoseconds < -0x1p63 { return Duration(milliseconds: Int64.min / 1_000_000) }
        return Duration(milliseconds: Int64(nanoseconds) / 1_000_000)
    }
}
