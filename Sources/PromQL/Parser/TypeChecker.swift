import Numbers
import TSDB

/// Checks that every part of an expression has the type its surroundings ask for, inside out, in upstream's order and with
/// its texts.
///
///     rate(x)          expected type range vector in call to function "rate", got instant vector
///     1 > 2            comparisons between scalars must use BOOL modifier
///     {a=~".*"}        vector selector must contain at least one non-empty matcher
enum TypeChecker {
    static func check(_ expr: Expr) throws(QueryError) {
        switch expr {
        case .number, .string: return
        case .paren(let inner, _): try check(inner)
        case .unary(let node): try check(node)
        case .binary(let node): try check(node)
        case .aggregate(let node): try check(node)
        case .call(let node): try check(node)
        case .vectorSelector(let node): try check(node)
        case .matrixSelector(let node): try check(node.selector)
        case .subquery(let node): try check(node)
        }
    }

    private static func fail(_ message: String, at range: Range<Int>) -> QueryError {
        QueryError(.syntax, message, range: range)
    }

    private static func expect(_ expr: Expr, _ type: ValueType, in context: String) throws(QueryError) {
        try check(expr)
        if expr.type != type {
            throw fail("expected type \(type.rawValue) in \(context), got \(expr.type.rawValue)", at: expr.range)
        }
    }

    private static func check(_ node: UnaryExpr) throws(QueryError) {
        try check(node.operand)
        let type = node.operand.type
        if type != .scalar && type != .vector {
            throw fail(
                "unary expression only allowed on expressions of type scalar or instant vector, "
                    + "got \(QuotedText.go(type.rawValue))", at: node.range)
        }
    }

    private static func check(_ node: AggregateExpr) throws(QueryError) {
        try expect(node.operand, .vector, in: "aggregation expression")
        if let parameter = node.parameter {
            try expect(parameter, node.op == .countValues ? .string : .scalar, in: "aggregation parameter")
        }
    }

    private static func check(_ node: BinaryExpr) throws(QueryError) {
        var isInnermost = true
        for node in node.leftSpine.reversed() {
            if isInnermost { try check(node.left) }
            isInnermost = false
            try check(node.right)
            try checkOperator(node)
        }
    }

    /// The operands are checked already.
    private static func checkOperator(_ node: BinaryExpr) throws(QueryError) {
        let left = node.left.type
        let right = node.right.type
        if node.returnsBool && !node.op.isComparison {
            throw fail("bool modifier can only be used on comparison operators", at: node.operatorRange)
        }
        if node.op.isComparison && !node.returnsBool && left == .scalar && right == .scalar {
            throw fail("comparisons between scalars must use BOOL modifier", at: node.operatorRange)
        }
        if let matching = node.matching, matching.isOn,
            let label = matching.labels.first(where: { matching.include.contains($0) })
        {
            throw fail(
                "label \(QuotedText.go(label)) must not occur in ON and GROUP clause at once",
                at: node.operatorRange)
        }
        for operand in [node.left, node.right] where operand.type != .scalar && operand.type != .vector {
            throw fail("binary expression must contain only scalar and instant vector types", at: operand.range)
        }
        try checkMatching(node)
        if node.op.isSetOperator && (left == .scalar || right == .scalar) {
            throw fail(
                "set operator \(QuotedText.go(node.op.rawValue)) not allowed in binary scalar expression",
                at: node.range)
        }
    }

    private static func checkMatching(_ node: BinaryExpr) throws(QueryError) {
        guard let matching = node.matching else { return }
        let fills = matching.fillLeft != nil || matching.fillRight != nil
        if node.left.type != .vector || node.right.type != .vector {
            if !matching.labels.isEmpty {
                throw fail("vector matching only allowed between instant vectors", at: node.range)
            }
            if fills {
                throw fail("filling in missing series only allowed between instant vectors", at: node.range)
            }
        } else if node.op.isSetOperator {
            if matching.cardinality != .manyToMany {
                throw fail(
                    "no grouping allowed for \(QuotedText.go(node.op.rawValue)) operation", at: node.range)
            }
            if fills {
                throw fail("filling in missing series not allowed for set operators", at: node.range)
            }
        }
    }

    private static func check(_ node: Call) throws(QueryError) {
        let function = node.function
        let name = QuotedText.go(function.name)
        let count = node.arguments.count
        let wanted = function.arguments.count
        if function.variadic == 0 {
            if count != wanted {
                throw fail("expected \(wanted) argument(s) in call to \(name), got \(count)", at: node.range)
            }
        } else if count < wanted - 1 {
            throw fail("expected at least \(wanted - 1) argument(s) in call to \(name), got \(count)", at: node.range)
        } else if function.variadic > 0, count > wanted - 1 + function.variadic {
            let most = wanted - 1 + function.variadic
            throw fail("expected at most \(most) argument(s) in call to \(name), got \(count)", at: node.range)
        }

        let selectsInfo = function.name == "info" && count > 1
        if selectsInfo { try checkInfoSelector(node) }
        for (index, argument) in node.arguments.enumerated() {
            guard
                let type = function.arguments.indices.contains(index)
                    ? function.arguments[index] : function.arguments.last
            else { break }
            // The data selector of `info` may well select by nothing but optional labels.
            if !(selectsInfo && index == 1) { try check(argument) }
            if argument.type != type {
                throw fail(
                    "expected type \(type.rawValue) in call to function \(name), got \(argument.type.rawValue)",
                    at: argument.range)
            }
        }
    }

    private static func checkInfoSelector(_ node: Call) throws(QueryError) {
        let selector = node.arguments[1]
        if selector.type != .vector {
            throw fail(
                "expected type instant vector in call to function \"info\", got \(selector.type.rawValue)",
                at: node.range)
        }
        guard case .vectorSelector(let vector) = selector else {
            throw fail("expected label selectors only", at: selector.range)
        }
        if !vector.name.isEmpty {
            throw fail("expected label selectors only, got vector selector instead", at: selector.range)
        }
    }

    private static func check(_ node: SubqueryExpr) throws(QueryError) {
        try check(node.operand)
        if node.operand.type != .vector {
            throw fail(
                "subquery is only allowed on instant vector, got \(node.operand.type.shortName) instead",
                at: node.range)
        }
    }

    private static func check(_ node: VectorSelector) throws(QueryError) {
        if !node.name.isEmpty {
            if let other = node.matchers.dropLast().first(where: { $0.name == MetricName.label }) {
                throw fail(
                    "metric name must not be set twice: \(QuotedText.go(node.name)) or "
                        + QuotedText.go(other.value), at: node.range)
            }
            return
        }
        if node.matchers.allSatisfy(\.matchesEmpty) {
            throw fail("vector selector must contain at least one non-empty matcher", at: node.range)
        }
    }
}

extension ValueType {
    /// The name in the HTTP API's `resultType`, and in one error text.
    public var shortName: String {
        switch self {
        case .vector: return "vector"
        case .matrix: return "matrix"
        default: return rawValue
        }
    }
}
