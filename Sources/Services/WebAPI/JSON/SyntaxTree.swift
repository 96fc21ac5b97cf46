import HTTPServer
import Numbers
import PromQL
import TSDB

/// A parsed query as JSON, for `/api/v1/parse_query`: pages draw it as a tree.
///
///     rate(x[5m])  →  {"args":[{"matchers":[…],"name":"x","range":300000,"type":"matrixSelector",…}],
///                      "func":{"argTypes":["matrix"],"name":"rate",…},"type":"call"}
///
/// The objects and their members are upstream's; spans are milliseconds. A tree is at most as deep as
/// `Parser.maximumDepth`, so recursion is safe.
extension JSONText {
    mutating func append(tree expr: Expr) {
        switch expr {
        case .number(let node):
            append("{\"type\":\"numberLiteral\",\"val\":")
            appendQuoted(NumberText.string(node.value, style: .fixed))
            append("}")
        case .string(let node):
            append("{\"type\":\"stringLiteral\",\"val\":")
            appendQuoted(node.value)
            append("}")
        case .paren(let inner, _):
            append("{\"expr\":")
            append(tree: inner)
            append(",\"type\":\"parenExpr\"}")
        case .unary(let node):
            append("{\"expr\":")
            append(tree: node.operand)
            append(",\"op\":\"")
            append(node.op.rawValue)
            append("\",\"type\":\"unaryExpr\"}")
        case .binary(let node): append(tree: node)
        case .aggregate(let node): append(tree: node)
        case .call(let node): append(tree: node)
        case .vectorSelector(let node):
            append("{")
            append(selector: node)
            append(",\"type\":\"vectorSelector\"}")
        case .matrixSelector(let node):
            append("{")
            append(selector: node.selector)
            append(span: node.window, node.windowExpr, named: "range")
            append(",\"type\":\"matrixSelector\"}")
        case .subquery(let node): append(tree: node)
        }
    }

    private mutating func append(tree node: BinaryExpr) {
        append("{\"bool\":")
        append(node.returnsBool)
        append(",\"lhs\":")
        append(tree: node.left)
        append(",\"matching\":")
        if let matching = node.matching {
            append("{\"card\":\"")
            append(matching.cardinality.rawValue)
            append("\",\"fillValues\":{\"lhs\":")
            if let value = matching.fillLeft { append(value) } else { append("null") }
            append(",\"rhs\":")
            if let value = matching.fillRight { append(value) } else { append("null") }
            append("},\"include\":")
            append(strings: matching.include)
            append(",\"labels\":")
            append(strings: matching.labels)
            append(",\"on\":")
            append(matching.isOn)
            append("}")
        } else {
            append("null")
        }
        append(",\"op\":\"")
        append(node.op.rawValue)
        append("\",\"rhs\":")
        append(tree: node.right)
        append(",\"type\":\"binaryExpr\"}")
    }

    private mutating func append(tree node: AggregateExpr) {
        append("{\"expr\":")
        append(tree: node.operand)
        append(",\"grouping\":")
        append(strings: node.grouping)
        append(",\"op\":\"")
        append(node.op.rawValue)
        append("\",\"param\":")
        if let parameter = node.parameter { append(tree: parameter) } else { append("null") }
        append(",\"type\":\"aggregation\",\"without\":")
        append(node.isWithout)
        append("}")
    }

    private mutating func append(tree node: Call) {
        append("{\"args\":[")
        for (index, argument) in node.arguments.enumerated() {
            if index > 0 { append(",") }
            append(tree: argument)
        }
        append("],\"func\":{\"argTypes\":")
        append(strings: node.function.arguments.map(\.word))
        append(",\"name\":\"")
        append(node.function.name)
        append("\",\"returnType\":\"")
        append(node.function.returns.word)
        append("\",\"variadic\":")
        append(node.function.variadic)
        append("},\"type\":\"call\"}")
    }

    private mutating func append(tree node: SubqueryExpr) {
        append("{\"expr\":")
        append(tree: node.operand)
        append(span: node.offset, node.offsetExpr, named: "offset")
        append(span: node.window, node.windowExpr, named: "range")
        append(at: node.at)
        append(span: node.step, node.stepExpr, named: "step")
        append(",\"type\":\"subquery\"}")
    }

    /// What vector and matrix selectors have in common.
    private mutating func append(selector node: VectorSelector) {
        append("\"anchored\":")
        append(node.isAnchored)
        append(",\"matchers\":[")
        for (index, matcher) in node.matchers.enumerated() {
            if index > 0 { append(",") }
            append("{")
            append("name", string: matcher.name, first: true)
            append("type", string: matcher.kind.rawValue)
            append("value", string: matcher.value)
            append("}")
        }
        append("]")
        append("name", string: node.name)
        append(",\"smoothed\":")
        append(node.isSmoothed)
        append(span: node.offset, node.offsetExpr, named: "offset")
        append(at: node.at)
    }

    /// `,"range":300000,"rangeExpr":null`; a span that must be computed first counts 0.
    private mutating func append(span: Duration, _ expr: DurationExpr?, named name: StaticString) {
        append(",\"")
        append(name)
        append("\":")
        append(expr == nil ? span.milliseconds : 0)
        append(",\"")
        append(name)
        append("Expr\":")
        if let expr { append(tree: expr, isWrapped: false) } else { append("null") }
    }

    /// `,"startOrEnd":null,"timestamp":1600000000000`
    private mutating func append(at modifier: AtModifier?) {
        switch modifier {
        case nil: append(",\"startOrEnd\":null,\"timestamp\":null")
        case .start?: append(",\"startOrEnd\":\"start\",\"timestamp\":null")
        case .end?: append(",\"startOrEnd\":\"end\",\"timestamp\":null")
        case .timestamp(let time)?:
            append(",\"startOrEnd\":null,\"timestamp\":")
            append(time.milliseconds)
        }
    }

    /// Arithmetic on durations: parentheses are a mark on the node inside them, and a literal in them is a sum of one.
    private mutating func append(tree expr: DurationExpr, isWrapped: Bool) {
        switch expr {
        case .number(let value, let isDuration, _):
            if isWrapped { append("{\"lhs\":null,\"op\":\"+\",\"rhs\":") }
            append("{\"duration\":")
            append(isDuration)
            append(",\"type\":\"numberLiteral\",\"val\":")
            appendQuoted(NumberText.string(value, style: .fixed))
            append("}")
            if isWrapped { append(",\"type\":\"durationExpr\",\"wrapped\":true}") }
        case .paren(let inner, _): append(tree: inner, isWrapped: true)
        // A plus in front changes nothing.
        case .unary(.plus, let operand, _): append(tree: operand, isWrapped: isWrapped)
        case .unary(.minus, let operand, _): append(duration: "-", nil, operand, isWrapped)
        case .binary(let op, let left, let right, _): append(duration: op.rawValue, left, right, isWrapped)
        case .step: append(duration: "step", nil, nil, isWrapped)
        case .range: append(duration: "range", nil, nil, isWrapped)
        case .minOf(let left, let right, _): append(duration: "min_of", left, right, isWrapped)
        case .maxOf(let left, let right, _): append(duration: "max_of", left, right, isWrapped)
        }
    }

    private mutating func append(
        duration op: String, _ left: DurationExpr?, _ right: DurationExpr?, _ isWrapped: Bool
    ) {
        append("{\"lhs\":")
        if let left { append(tree: left, isWrapped: false) } else { append("null") }
        append(",\"op\":\"")
        append(op)
        append("\",\"rhs\":")
        if let right { append(tree: right, isWrapped: false) } else { append("null") }
        append(",\"type\":\"durationExpr\",\"wrapped\":")
        append(isWrapped)
        append("}")
    }
}

extension ValueType {
    /// The type's name where it is no text for people: result types, syntax trees.
    fileprivate var word: String {
        switch self {
        case .none: return "none"
        case .scalar: return "scalar"
        case .string: return "string"
        case .vector: return "vector"
        case .matrix: return "matrix"
        }
    }
}
