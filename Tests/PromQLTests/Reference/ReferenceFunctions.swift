import PromQL
import RegularExpression
import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Functions of scalars and instant vectors: value by value, label set by label set.
///
/// Source: Prometheus documentation, “Functions”.
extension ReferenceEvaluator {
    func call(_ call: Call, at t: Int64) throws -> Value {
        let name = call.function.name
        let arguments = call.arguments
        if Self.rangeFunctions.contains(name) { return .vector(try rangeFunction(call, at: t)) }
        if let function = Self.valueFunctions[name] {
            return .vector(try withoutNames(try vector(arguments[0], at: t), function))
        }
        if let part = ReferenceCalendar.parts[name] { return .vector(try calendar(part, arguments, at: t)) }

        switch name {
        // Scalars.
        case "time": return .scalar(Double(t) / 1000)
        case "pi": return .scalar(.pi)
        case "start": return .scalar(Double(start) / 1000)
        case "end": return .scalar(Double(end) / 1000)
        case "range": return .scalar(Double(end - start) / 1000)
        case "step": return .scalar(start == end ? 0 : Double(step) / 1000)
        case "max_of": return .scalar(larger(try scalar(arguments[0], at: t), try scalar(arguments[1], at: t)))
        case "min_of": return .scalar(smaller(try scalar(arguments[0], at: t), try scalar(arguments[1], at: t)))
        case "scalar":
            let elements = try vector(arguments[0], at: t).filter { $0.histogram == nil }
            return .scalar(elements.count == 1 ? elements[0].value : .nan)
        case "vector": return .vector([Element(labels: Labels(), value: try scalar(arguments[0], at: t))])

        // Values.
        case "round": return .vector(try round(arguments, at: t))
        case "clamp":
            let low = try scalar(arguments[1], at: t), high = try scalar(arguments[2], at: t)
            return .vector(try clamp(arguments[0], low, high, at: t))
        case "clamp_min":
            return .vector(try clamp(arguments[0], try scalar(arguments[1], at: t), .infinity, at: t))
        case "clamp_max":
            return .vector(try clamp(arguments[0], -.infinity, try scalar(arguments[1], at: t), at: t))
        case "timestamp": return .vector(try timestamps(arguments[0], at: t))
        case "start_timestamp": return .vector(try startTimestamps(arguments[0], at: t))

        // Presence and order.
        case "absent":
            let isAbsent = try vector(arguments[0], at: t).isEmpty
            return .vector(isAbsent ? [Element(labels: labelsWhenAbsent(arguments[0]), value: 1)] : [])
        case "sort": return .vector(try sorted(arguments[0], at: t, by: <))
        case "sort_desc": return .vector(try sorted(arguments[0], at: t, by: >))
        case "sort_by_label", "sort_by_label_desc":
            let elements = try vector(arguments[0], at: t)
            let names = try arguments.dropFirst().map { try string($0) }
            let isAscending = name == "sort_by_label"
            return .vector(
                elements.sorted {
                    isAscending
                        ? comesFirst($0.labels, $1.labels, byLabels: names)
                        : comesFirst($1.labels, $0.labels, byLabels: names)
                })

        // Labels.
        case "label_replace": return .vector(try labelReplace(arguments, at: t))
        case "label_join": return .vector(try labelJoin(arguments, at: t))

        case "info": return .vector(try info(arguments, at: t))

        // Histograms, classic and native.
        case "histogram_quantile":
            let q = try scalar(arguments[0], at: t)
            return .vector(
                try histograms(arguments[1], at: t) {
                    $0.quantile(q)
                } native: {
                    $0.quantile(q)
                })
        case "histogram_fraction":
            let low = try scalar(arguments[0], at: t), high = try scalar(arguments[1], at: t)
            return .vector(
                try histograms(arguments[2], at: t) {
                    $0.fraction(from: low, to: high)
                } native: {
                    $0.fraction(from: low, to: high)
                })
        case "histogram_quantiles": return .vector(try histogramQuantiles(arguments, at: t))
        case "histogram_avg", "histogram_count", "histogram_stddev", "histogram_stdvar", "histogram_sum":
            return .vector(
                try withoutNames(try vector(arguments[0], at: t)) { (element: Element) in
                    element.histogram.map { Amount($0.statistic(name)) }
                })
        default:
            throw QueryError(.notImplemented, "function \(name)", range: call.range)
        }
    }

    // MARK: - Values

    private static let valueFunctions: [String: @Sendable (Double) -> Double] = [
        "abs": { $0.magnitude }, "ceil": { $0.rounded(.up) }, "floor": { $0.rounded(.down) },
        "sqrt": { $0.squareRoot() }, "exp": { exp($0) },
        "ln": { log($0) }, "log2": { log2($0) }, "log10": { log10($0) },
        "sin": { sin($0) }, "cos": { cos($0) }, "tan": { tan($0) },
        "asin": { asin($0) }, "acos": { acos($0) }, "atan": { atan($0) },
        "sinh": { sinh($0) }, "cosh": { cosh($0) }, "tanh": { tanh($0) },
        "asinh": { asinh($0) }, "acosh": { acosh($0) }, "atanh": { atanh($0) },
        "deg": { $0 * 180 / .pi }, "rad": { $0 * .pi / 180 },
        // Zero stays zero with its sign, NaN stays NaN.
        "sgn": { $0 < 0 ? -1 : $0 > 0 ? 1 : $0 },
    ]

    /// To the nearest multiple; ties go up.
    private func round(_ arguments: [Expr], at t: Int64) throws -> [Element] {
        let nearest = arguments.count > 1 ? try scalar(arguments[1], at: t) : 1
        let inverse = 1 / nearest
        return try withoutNames(try vector(arguments[0], at: t)) { (value: Double) in (value * inverse + 0.5).rounded(.down) / inverse }
    }

    private func clamp(_ argument: Expr, _ low: Double, _ high: Double, at t: Int64) throws -> [Element] {
        let elements = try vector(argument, at: t)
        if high < low { return [] }
        return try withoutNames(elements) { (value: Double) in larger(low, smaller(high, value)) }
    }

    /// Of a plain selector the times of the samples it found; of everything else the evaluation time.
    private func timestamps(_ argument: Expr, at t: Int64) throws -> [Element] {
        if case .vectorSelector(let selector) = argument.unparenthesized {
            let elements = try instantVector(selector, at: t).map {
                Element(labels: $0.labels, value: Double($0.time) / 1000)
            }
            return try withoutNames(elements) { (value: Double) in value }
        }
        return try withoutNames(try vector(argument, at: t)) { (_: Element) in Amount(Double(t) / 1000) }
    }

    /// Without an argument: of the evaluation time, unlabelled.
    private func calendar(
        _ part: (ReferenceCalendar) -> Int, _ arguments: [Expr], at t: Int64
    ) throws -> [Element] {
        guard let argument = arguments.first else {
            return [Element(labels: Labels(), value: Double(part(ReferenceCalendar(seconds: Int128(t / 1000)))))]
        }
        return try withoutNames(try vector(argument, at: t)) { (value: Double) in
            Double(part(ReferenceCalendar(value: value)))
        }
    }

    // MARK: - Order

    /// NaN comes last whichever way.
    private func sorted(_ argument: Expr, at t: Int64, by precedes: (Double, Double) -> Bool) throws -> [Element] {
        let elements = try vector(argument, at: t).filter { $0.histogram == nil }
        return elements.filter { !$0.value.isNaN }.sorted { precedes($0.value, $1.value) }
            + elements.filter(\.value.isNaN)
    }

    private func comesFirst(_ a: Labels, _ b: Labels, byLabels names: [String]) -> Bool {
        for name in names {
            let left = a[name] ?? "", right = b[name] ?? ""
            if left != right { return naturallyPrecedes(left, right) }
        }
        return a < b
    }

    // MARK: - Labels

    /// Where the whole source label matches, the target label becomes the replacement with its `$1`, `${name}` filled in.
    private func labelReplace(_ arguments: [Expr], at t: Int64) throws -> [Element] {
        let target = try string(arguments[1]), replacement = try string(arguments[2])
        let source = try string(arguments[3]), text = try string(arguments[4])
        guard let pattern = try? Pattern("(?s:" + text + ")") else {
            throw QueryError(.evaluation, "invalid regular expression in label_replace(): \(text)")
        }
        guard target.isLabelName else {
            throw QueryError(.evaluation, "invalid destination label name in label_replace(): \(target)")
        }
        let result = try vector(arguments[0], at: t).map { element in
            guard let captures = pattern.captures(in: element.labels[source] ?? "") else { return element }
            return relabelled(element, target, captures.expand(template: replacement))
        }
        try rejectDuplicates(result.map(\.labels))
        return result
    }

    private func labelJoin(_ arguments: [Expr], at t: Int64) throws -> [Element] {
        let target = try string(arguments[1]), separator = try string(arguments[2])
        let sources = try arguments.dropFirst(3).map { try string($0) }
        if let source = sources.first(where: { !$0.isLabelName }) {
            throw QueryError(.evaluation, "invalid source label name in label_join(): \(source)")
        }
        guard target.isLabelName else {
            throw QueryError(.evaluation, "invalid destination label name in label_join(): \(target)")
        }
        let result = try vector(arguments[0], at: t).map { element in
            relabelled(element, target, sources.map { element.labels[$0] ?? "" }.joined(separator: separator))
        }
        try rejectDuplicates(result.map(\.labels))
        return result
    }

    /// A name given on purpose stays.
    private func relabelled(_ element: Element, _ label: String, _ value: String) -> Element {
        var builder = LabelsBuilder(element.labels)
        builder.set(label, to: value)
        return Element(
            labels: builder.labels(), value: element.value, histogram: element.histogram,
            dropsName: label == MetricName.label ? false : element.dropsName)
    }
}

extension String {
    /// Any text may name a label but none at all. The parser leaves U+FFFD where a query's bytes were no UTF-8.
    var isLabelName: Bool { !isEmpty && !unicodeScalars.contains("\u{FFFD}") }
}

/// Natural order: runs of digits compare as numbers, so `b2` comes before `b10`.
func naturallyPrecedes(_ a: String, _ b: String) -> Bool {
    let left = pieces(a), right = pieces(b)
    for (x, y) in zip(left, right) where x != y {
        if x.isNumber && y.isNumber {
            let p = x.text.drop { $0 == "0" }, q = y.text.drop { $0 == "0" }
            if p != q { return p.count != q.count ? p.count < q.count : p < q }
        }
        return x.text.utf8.lexicographicallyPrecedes(y.text.utf8)
    }
    return left.count < right.count
}

private struct Piece: Equatable {
    var text: String
    var isNumber: Bool
}

private func pieces(_ text: String) -> [Piece] {
    var result: [Piece] = []
    for scalar in text.unicodeScalars {
        let isDigit = ("0"..."9").contains(scalar)
        if result.last?.isNumber == isDigit {
            result[result.count - 1].text.unicodeScalars.append(scalar)
        } else {
            result.append(Piece(text: String(scalar), isNumber: isDigit))
        }
    }
    return result
}
