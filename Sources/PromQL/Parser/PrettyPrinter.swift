/// Writes an expression over as many lines as it needs, for people: `/api/v1/format_query` and the editor show it.
///
///     sum by (job, mode) (          what does not fit a line is opened,
///       rate(                        its parts stand two spaces deeper,
///         node_cpu_seconds_total{…}[5m]
///       )
///     )
///
/// A part that fits `lineWidth` in its canonical form (`Printer`) stays on one line; indentation does not count, and
/// neither a selector nor a literal is ever broken. Binary operators stand alone on a line between their two sides. Byte
/// for byte what upstream prints, with its oddity: a subquery that fits a line is not indented.
enum PrettyPrinter {
    /// Bytes of a part that stays on one line.
    static let lineWidth = 100

    /// `isInline`: the line has begun already, so the first line gets no indentation.
    static func print(_ expr: Expr, level: Int, isInline: Bool = false, to out: inout String) {
        let line = expr.description
        let fits = line.utf8.count <= lineWidth
        if case .subquery(let node) = expr {
            guard !fits else { return out += line }
            print(node.operand, level: level, isInline: isInline, to: &out)
            out += Printer.subquerySuffix(node)
            return
        }
        if case .binary(let node) = expr, !fits {
            print(node.left, level: level + 1, isInline: isInline, to: &out)
            out += "\n"
            indent(level, to: &out)
            out += "\(node.op.rawValue)\(Printer.modifiers(node))\n"
            print(node.right, level: level + 1, to: &out)
            return
        }
        if !isInline { indent(level, to: &out) }
        switch expr {
        case .unary(let node):
            out += node.op.rawValue
            print(node.operand, level: level, isInline: true, to: &out)
        case .paren(let inner, _) where !fits:
            list([inner], level: level, to: &out)
        case .aggregate(let node) where !fits:
            out += Printer.grouped(node)
            list((node.parameter.map { [$0] } ?? []) + [node.operand], level: level, to: &out)
        case .call(let node) where !fits:
            out += node.function.name
            list(node.arguments, level: level, to: &out)
        default: out += line
        }
    }

    /// Parts in parentheses, each on lines of its own.
    private static func list(_ parts: [Expr], level: Int, to out: inout String) {
        out += "(\n"
        for (index, part) in parts.enumerated() {
            if index > 0 { out += ",\n" }
            print(part, level: level + 1, to: &out)
        }
        out += "\n"
        indent(level, to: &out)
        out += ")"
    }

    private static func indent(_ level: Int, to out: inout String) {
        out += String(repeating: " ", count: 2 * level)
    }
}

extension Expr {
    /// The expression over several lines where it is long.
    public var formatted: String {
        var out = ""
        PrettyPrinter.print(self, level: 0, to: &out)
        return out
    }
}
