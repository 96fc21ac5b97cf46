import PromQL
import Support

/// Random PromQL: well-typed expressions as text, in the spelling people use (any spacing, keywords in any case,
/// groupings in front or behind).
///
///     var generator = ExprGenerator(seed: 7)
///     generator.vector(depth: 4)     sum by (job) (rate(m1{a="x"}[5m]) > bool on (a) m2)
///
/// For laws that hold for every query: printing and parsing are inverse, and engines agree.
struct ExprGenerator {
    var random: SeededRandom
    /// Names of metrics with values of any kind, and the labels and values that matchers and groupings use.
    var metrics = ["m1", "m2", "http_requests_total", "job:rate:sum"]
    var labels = ["a", "b", "job", "instance"]
    var labelValues = ["x", "y", "api", ""]
    /// Also what upstream keeps behind feature flags, duration expressions, fills, and quoted names.
    var isWhole = true

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    // MARK: Types

    mutating func expression(depth: Int) -> String {
        switch int(10) {
        case 0: return scalar(depth: depth)
        case 1: return matrix(depth: depth)
        default: return vector(depth: depth)
        }
    }

    mutating func vector(depth: Int) -> String {
        guard depth > 0 else { return selected() }
        switch int(12) {
        case 0, 1: return selected()
        case 2, 3: return aggregation(depth: depth - 1)
        case 4, 5: return call(depth: depth - 1)
        case 6: return "(" + space() + vector(depth: depth - 1) + space() + ")"
        case 7: return one(of: ["-", "+", "- "]) + vectorOperand(depth: depth - 1)
        default: return binary(depth: depth - 1)
        }
    }

    mutating func scalar(depth: Int) -> String {
        guard depth > 0 else { return number() }
        switch int(8) {
        case 0, 1: return number()
        case 2: return "time()"
        case 6: return call(of: .scalar, depth: depth - 1)
        case 3: return "scalar(\(vector(depth: depth - 1)))"
        case 4: return "(\(scalar(depth: depth - 1)))"
        case 5: return "-" + scalarOperand(depth: depth - 1)
        default:
            let comparison = int(4) == 0
            let op = comparison ? one(of: Self.comparisons) + " " + keyword("bool") : one(of: Self.arithmetic)
            return scalarOperand(depth: depth - 1) + " \(op) " + scalarOperand(depth: depth - 1)
        }
    }

    mutating func matrix(depth: Int) -> String {
        if depth == 0 || int(3) > 0 { return selector() + "[" + span() + "]" + modifiers(extended: isWhole) }
        let step = int(2) == 0 ? span() : ""
        return "(\(vector(depth: depth - 1)))[\(span()):\(step)]" + modifiers()
    }

    // MARK: Parts

    private static let arithmetic = ["+", "-", "*", "/", "%", "^", "atan2"]
    private static let comparisons = ["==", "!=", "<", ">", "<=", ">="]
    private static let sets = ["and", "or", "unless"]

    mutating func selector() -> String {
        var matchers: [String] = []
        for _ in 0..<int(3) {
            let name = isWhole && int(8) == 0 ? "\"a.b\"" : one(of: labels)
            let value = int(3) == 0 ? ".*x|a[0-9]+" : one(of: labelValues)
            matchers.append("\(name)\(one(of: ["=", "!=", "=~", "!~"]))\(quoted(value))")
        }
        let name = one(of: metrics)
        if isWhole, int(10) == 0 { return "{" + (["\"my.metric\""] + matchers).joined(separator: ", ") + "}" }
        if int(10) == 0 { return "{" + (["__name__=\"\(name)\""] + matchers).joined(separator: ",") + "}" }
        return matchers.isEmpty ? name : name + space() + "{" + matchers.joined(separator: "," + space()) + "}"
    }

    /// An offset that is arithmetic swallows the operators behind it, so it stays in parentheses.
    private mutating func selected() -> String {
        let text = selector() + modifiers(extended: isWhole)
        let swallows = ["(", "-(", "+(", "- -"].contains { text.lowercased().contains("offset " + $0) }
        return swallows ? "(\(text))" : text
    }

    private mutating func modifiers(extended: Bool = false) -> String {
        var parts: [String] = []
        if extended, int(8) == 0 { parts.append(one(of: ["anchored", "smoothed"])) }
        if int(6) == 0 { parts.append("@ " + one(of: ["0", "1700000000.123", "-5", "start()", "end()"])) }
        if int(6) == 0 { parts.append(keyword("offset") + " " + offset()) }
        return parts.isEmpty ? "" : " " + parts.joined(separator: " ")
    }

    private mutating func offset() -> String {
        guard isWhole, int(3) == 0 else { return one(of: ["", "-"]) + one(of: ["5m", "1h30m", "90", "0.5", "1w"]) }
        switch int(4) {
        case 0: return one(of: ["", "-", "+"]) + "(" + duration(depth: 2) + ")"
        case 1: return one(of: ["", "-"]) + one(of: ["step()", "range()", "min_of(step(), 5m)"])
        case 2: return "(" + duration(depth: 1) + ") * " + duration(depth: 0)
        default: return "- -" + duration(depth: 1)
        }
    }

    private mutating func span() -> String {
        isWhole && int(4) == 0 ? duration(depth: 2) + " + 1m" : one(of: ["5m", "1h", "300", "1d", "90s", "1m30s"])
    }

    private mutating func duration(depth: Int) -> String {
        guard depth > 0 else { return one(of: ["5m", "90", "1h", "step()", "range()"]) }
        switch int(5) {
        case 0: return "(" + duration(depth: depth - 1) + ")"
        case 1: return "-" + duration(depth: depth - 1)
        case 2: return one(of: ["min_of", "max_of"]) + "(\(duration(depth: depth - 1)), \(duration(depth: depth - 1)))"
        default:
            let op = one(of: ["+", "-", "*", "/", "%", "^"])
            // Comments are not read among durations.
            return duration(depth: depth - 1) + one(of: ["", " "]) + op + one(of: ["", " "])
                + duration(depth: depth - 1)
        }
    }

    private mutating func aggregation(depth: Int) -> String {
        let plain = ["sum", "avg", "count", "min", "max", "group", "stddev", "stdvar"]
        var name = one(of: plain)
        var arguments = vector(depth: depth)
        switch int(6) {
        case 0:
            name = one(of: ["topk", "bottomk", "quantile"] + (isWhole ? ["limitk", "limit_ratio"] : []))
            arguments = scalar(depth: min(1, depth)) + ", " + arguments
        case 1:
            name = "count_values"
            arguments = "\"v\", " + arguments
        default: break
        }
        name = keyword(name)
        if int(3) == 0 { return "\(name)(\(arguments))" }
        let grouping = keyword(one(of: ["by", "without"])) + space() + labelList()
        return int(2) == 0 ? "\(name) \(grouping) (\(arguments))" : "\(name)(\(arguments)) \(grouping)"
    }

    /// Any function at all; of those over ranges more often, since most people do.
    private mutating func call(depth: Int) -> String {
        if int(3) == 0 {
            let name = one(of: [
                "rate", "increase", "delta", "max_over_time", "avg_over_time", "last_over_time", "resets",
            ])
            return "\(name)(\(matrix(depth: depth)))"
        }
        return call(of: .vector, depth: depth)
    }

    private mutating func call(of type: ValueType, depth: Int) -> String {
        // The second argument of `info` is no ordinary vector.
        let functions = FunctionTable.all.filter {
            $0.returns == type && $0.name != "info" && (isWhole || !$0.isExperimental)
        }
        let function = functions[int(functions.count)]
        var types = function.arguments
        if function.variadic != 0 {
            // The last argument may be left out or be repeated.
            let more = int(function.variadic < 0 ? 4 : function.variadic + 1)
            types = types.dropLast() + Array(repeating: types.last ?? .scalar, count: more)
        }
        var arguments: [String] = []
        for type in types {
            switch type {
            case .scalar: arguments.append(scalar(depth: min(1, depth)))
            case .string: arguments.append(quoted(one(of: labels + ["$1", "(.*)", "a b"])))
            case .matrix: arguments.append(matrix(depth: depth))
            case .vector, .none: arguments.append(vector(depth: depth))
            }
        }
        return "\(function.name)(\(arguments.joined(separator: "," + one(of: ["", " "]))))"
    }

    private mutating func binary(depth: Int) -> String {
        let kind = int(12)
        if kind >= 10 { return chain(depth: depth) }
        if kind < 2 {
            let op = one(of: Self.arithmetic + Self.comparisons)
            let scalarFirst = int(2) == 0
            let vector = vectorOperand(depth: depth)
            let scalar = scalarOperand(depth: min(1, depth))
            return scalarFirst ? "\(scalar) \(op) \(vector)" : "\(vector) \(op) \(scalar)"
        }
        let isSet = kind < 4
        var op = isSet ? keyword(one(of: Self.sets)) : one(of: Self.arithmetic + Self.comparisons)
        if !isSet, int(4) == 0, Self.comparisons.contains(op) { op += " " + keyword("bool") }
        if int(3) == 0 {
            // `group_left` labels must not be matched on too.
            let matched = [labels[0]]
            op += " \(keyword(one(of: ["on", "ignoring"]))) (\(matched.joined(separator: ",")))"
            if !isSet, int(2) == 0 {
                op += " " + keyword(one(of: ["group_left", "group_right"])) + one(of: [" ()", " (\(labels[1]))"])
            }
        }
        if isWhole, int(30) == 0 { op = one(of: ["</", ">/"]) }
        if isWhole, !isSet, int(8) == 0 {
            op += one(of: [" fill (0)", " fill_left(-1.5)", " fill_right(2) fill_left(1)"])
        }
        return vectorOperand(depth: depth) + " \(op) " + vectorOperand(depth: depth)
    }

    /// What stays one operand whatever operators stand around it.
    private mutating func vectorOperand(depth: Int) -> String {
        switch int(5) {
        case 0: return selected()
        case 1 where depth > 0: return aggregation(depth: depth - 1)
        case 2 where depth > 0: return call(depth: depth - 1)
        default: return "(" + vector(depth: depth) + ")"
        }
    }

    private mutating func scalarOperand(depth: Int) -> String {
        int(2) == 0 ? number() : "(" + scalar(depth: depth) + ")"
    }

    /// Operators without parentheses: any grouping is well-typed.
    private mutating func chain(depth: Int) -> String {
        var text = vectorOperand(depth: depth)
        for _ in 0...int(4) {
            let op = one(of: Self.arithmetic + Self.comparisons + Self.sets)
            text += " \(op) " + one(of: ["", "", "", "-"]) + vectorOperand(depth: max(0, depth - 1))
        }
        return text
    }

    private mutating func labelList() -> String {
        var names: [String] = []
        for _ in 0..<int(3) { names.append(isWhole && int(10) == 0 ? "\"a.b\"" : one(of: labels)) }
        return "(" + names.joined(separator: "," + space()) + ")"
    }

    private mutating func number() -> String {
        one(of: ["0", "1", "2.5", "1e3", "0x1F", "1_000", "NaN", "0.1", "5m", "-1", "1e-7", "100"])
    }

    private mutating func quoted(_ text: String) -> String { one(of: ["\"\(text)\"", "'\(text)'", "`\(text)`"]) }

    private mutating func keyword(_ word: String) -> String { int(12) == 0 ? word.uppercased() : word }

    private mutating func space() -> String { one(of: ["", "", " ", "\n", " # comment\n"]) }

    private mutating func int(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }

    private mutating func one(of choices: [String]) -> String { choices.randomElement(using: &random) ?? "" }
}
