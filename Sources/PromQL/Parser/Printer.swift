import Numbers
import TSDB

/// Writes an expression in its canonical form, on one line: rule listings, logs, and `/api/v1/parse_query` show it.
///
///     sum  by(le)(rate( x [5m] ))   →   sum by (le) (rate(x[5m]))
///
/// Byte for byte what upstream prints; parsing it again gives the same expression. Parentheses are nodes of the tree, so none
/// are added.
enum Printer {
    static func print(_ expr: Expr, to out: inout String) {
        switch expr {
        case .number(let node): print(seconds: node.value, isDuration: node.isDuration, to: &out)
        case .string(let node): out += node.bytes.map { QuotedText.go($0) } ?? quoted(node.value)
        case .paren(let inner, _):
            out += "("
            print(inner, to: &out)
            out += ")"
        case .unary(let node):
            out += node.op.rawValue
            print(node.operand, to: &out)
        case .binary(let node):
            let chain = node.leftSpine
            print(chain[chain.count - 1].left, to: &out)
            for node in chain.reversed() {
                out += " \(node.op.rawValue)\(modifiers(node)) "
                print(node.right, to: &out)
            }
        case .aggregate(let node): print(node, to: &out)
        case .call(let node):
            out += node.function.name
            print(list: node.arguments, to: &out)
        case .vectorSelector(let node):
            out += selector(node) + at(node.at) + extended(node)
            out += offset(node.offset, node.offsetExpr)
        case .matrixSelector(let node):
            let inner = node.selector
            out += "\(selector(inner))[\(span(node.window, node.windowExpr))]"
            out += extended(inner) + at(inner.at) + offset(inner.offset, inner.offsetExpr)
        case .subquery(let node):
            print(node.operand, to: &out)
            out += subquerySuffix(node)
        }
    }

    private static func print(list: [Expr], to out: inout String) {
        out += "("
        for (index, expr) in list.enumerated() {
            if index > 0 { out += ", " }
            print(expr, to: &out)
        }
        out += ")"
    }

    private static func print(_ node: AggregateExpr, to out: inout String) {
        out += grouped(node)
        print(list: (node.parameter.map { [$0] } ?? []) + [node.operand], to: &out)
    }

    /// `sum by (le) `; an empty `by ()` is left out, an empty `without ()` is not.
    static func grouped(_ node: AggregateExpr) -> String {
        if node.isWithout { return "\(node.op.rawValue) without (\(labels(node.grouping))) " }
        if node.grouping.isEmpty { return node.op.rawValue }
        return "\(node.op.rawValue) by (\(labels(node.grouping))) "
    }

    /// ` bool on (a) group_left (b) fill (0)`
    static func modifiers(_ node: BinaryExpr) -> String {
        var out = node.returnsBool ? " bool" : ""
        guard let matching = node.matching else { return out }
        let isGrouped = matching.cardinality == .manyToOne || matching.cardinality == .oneToMany
        if !matching.labels.isEmpty || matching.isOn || isGrouped {
            out += " \(matching.isOn ? "on" : "ignoring") (\(labels(matching.labels)))"
        }
        if isGrouped {
            let side = matching.cardinality == .manyToOne ? "left" : "right"
            out += " group_\(side) (\(labels(matching.include)))"
        }
        switch (matching.fillLeft, matching.fillRight) {
        case (let left?, let right?) where left == right: out += " fill (\(NumberText.string(left, style: .general)))"
        case (let left, let right):
            if let left { out += " fill_left (\(NumberText.string(left, style: .general)))" }
            if let right { out += " fill_right (\(NumberText.string(right, style: .general)))" }
        }
        return out
    }

    /// `[5m:1m] @ end() offset 1h`
    static func subquerySuffix(_ node: SubqueryExpr) -> String {
        var step = ""
        if node.step != .zero {
            step = DurationText.string(milliseconds: node.step.milliseconds)
        } else if let expr = node.stepExpr {
            step = expr.description
        }
        return "[\(span(node.window, node.windowExpr)):\(step)]\(at(node.at))\(offset(node.offset, node.offsetExpr))"
    }

    /// In quotes, as Go does it; but the replacement character, which the lexer takes for broken UTF-8, is escaped.
    static func quoted(_ text: String) -> String {
        let quoted = QuotedText.go(text)
        guard quoted.unicodeScalars.contains("\u{FFFD}") else { return quoted }
        return quoted.unicodeScalars.map { $0 == "\u{FFFD}" ? "\\ufffd" : String($0) }.joined()
    }

    static func labels(_ names: [String]) -> String {
        names.map { isBareName($0) ? $0 : quoted($0) }.joined(separator: ", ")
    }

    /// A name that needs no quotes: `[a-zA-Z_][a-zA-Z0-9_]*`.
    static func isBareName(_ name: String) -> Bool {
        let bytes = name.utf8
        return isAlpha(bytes.first) && bytes.allSatisfy { isAlphanumeric($0) }
    }

    static func matcher(_ matcher: Matcher) -> String {
        let name = isBareName(matcher.name) ? matcher.name : quoted(matcher.name)
        return "\(name)\(matcher.kind.rawValue)\(quoted(matcher.value))"
    }

    /// Name and matchers, sorted.
    private static func selector(_ node: VectorSelector) -> String {
        let matchers = node.matchers.filter {
            !($0.kind == .equal && $0.name == MetricName.label && $0.value == node.name && !$0.value.isEmpty)
        }
        if matchers.isEmpty { return node.name }
        let texts = matchers.map(matcher).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return "\(node.name){\(texts.joined(separator: ","))}"
    }

    static func span(_ duration: Duration, _ expr: DurationExpr?) -> String {
        expr?.description ?? DurationText.string(milliseconds: duration.milliseconds)
    }

    private static func extended(_ node: VectorSelector) -> String {
        node.isAnchored ? " anchored" : node.isSmoothed ? " smoothed" : ""
    }

    private static func offset(_ duration: Duration, _ expr: DurationExpr?) -> String {
        if let expr { return expr.endsAtOperator ? " offset (\(expr))" : " offset \(expr)" }
        return duration == .zero ? "" : " offset \(DurationText.string(milliseconds: duration.milliseconds))"
    }

    private static func at(_ modifier: AtModifier?) -> String {
        switch modifier {
        case nil: return ""
        case .start?: return " @ start()"
        case .end?: return " @ end()"
        case .timestamp(let time)?: return " @ \(GoText.fixed(Double(time.milliseconds) / 1000, decimals: 3))"
        }
    }

    fileprivate static func print(seconds value: Double, isDuration: Bool, to out: inout String) {
        guard isDuration else {
            out += NumberText.string(value, style: .fixed)
            return
        }
        if value < 0 { out += "-" }
        out += DurationText.string(milliseconds: DurationParsing.duration(seconds: value.magnitude).milliseconds)
    }
}

extension Expr: CustomStringConvertible {
    /// The canonical form.
    public var description: String {
        var out = ""
        Printer.print(self, to: &out)
        return out
    }
}

extension DurationExpr: CustomStringConvertible {
    public var description: String {
        switch self {
        case .number(let value, let isDuration, _):
            var out = ""
            Printer.print(seconds: value, isDuration: isDuration, to: &out)
            return out
        case .step: return "step()"
        case .range: return "range()"
        case .unary(let op, let operand, _): return "\(op.rawValue)\(operand)"
        case .binary(let op, let left, let right, _): return "\(left) \(op.rawValue) \(right)"
        case .minOf(let left, let right, _): return "min_of(\(left), \(right))"
        case .maxOf(let left, let right, _): return "max_of(\(left), \(right))"
        case .paren(let inner, _): return "(\(inner))"
        }
    }

    /// Whether, behind `offset`, the grammar would end it before its first operator: `offset 5m + 3` adds 3 to the
    /// selector. Only signs in a row bring such a thing about (`offset +-5m + 3`); it prints in parentheses.
    fileprivate var endsAtOperator: Bool {
        switch self {
        case .binary(_, let left, _, _):
            var first = left
            while case .binary(_, let next, _, _) = first { first = next }
            if case .paren = first { return false }
            return true
        case .unary(_, .binary, _): return true
        default: return false
        }
    }

    /// Where it stands in the query.
    public var range: Range<Int> {
        switch self {
        case .number(_, _, let range), .step(let range), .range(let range), .unary(_, _, let range),
            .binary(_, _, _, let range), .minOf(_, _, let range), .maxOf(_, _, let range), .paren(_, let range):
            return range
        }
    }
}
