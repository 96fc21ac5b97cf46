import Histograms
import PromQL
import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Binary operators: how elements of two vectors find each other, and what becomes of their labels.
///
///     signature   the values of the labels in on(…), or of all but ignoring(…) and the name
///     one-to-one  equal signatures pair up; each may occur once per side
///     group_left  many elements on the left may share one on the right; the result keeps the left one's labels
///     and or unless  look at signatures only, never at values
///
/// Source: Prometheus documentation, “Operators”, “Vector matching”.
extension ReferenceEvaluator {
    func binary(_ node: BinaryExpr, at t: Int64) throws -> Value {
        let left = try evaluate(node.left, at: t), right = try evaluate(node.right, at: t)
        switch (left, right) {
        case (.scalar(let left), .scalar(let right)):
            return .scalar(node.op.isComparison ? (holds(node.op, left, right) ? 1 : 0) : compute(node.op, left, right))
        case (.vector(let left), .scalar(let right)):
            return .vector(try eachElement(left, node) { ($0, Amount(right)) })
        case (.scalar(let left), .vector(let right)):
            return .vector(try eachElement(right, node) { (Amount(left), $0) })
        case (.vector(let left), .vector(let right)):
            let matching = node.matching ?? VectorMatching()
            let result =
                node.op.isSetOperator
                ? combined(node.op, left, right, matching) : try joined(node, left, right, matching)
            try rejectDuplicatesUnlessDelayed(result)
            return .vector(result)
        default:
            throw QueryError(.evaluation, "operator \(node.op.rawValue) not defined on strings", range: node.range)
        }
    }

    // MARK: - Numbers

    private func compute(_ op: BinaryOperator, _ a: Double, _ b: Double) -> Double {
        switch op {
        case .add: return a + b
        case .subtract: return a - b
        case .multiply: return a * b
        case .divide: return a / b
        case .modulo: return fmod(a, b)
        case .power: return pow(a, b)
        case .atan2: return atan2(a, b)
        default: return .nan
        }
    }

    private func holds(_ op: BinaryOperator, _ a: Double, _ b: Double) -> Bool {
        switch op {
        case .equal: return a == b
        case .notEqual: return a != b
        case .less: return a < b
        case .lessOrEqual: return a <= b
        case .greater: return a > b
        case .greaterOrEqual: return a >= b
        default: return false
        }
    }

    // MARK: - Vector and scalar

    /// Arithmetic gives new values without names; comparisons keep the elements that fulfil them, or with `bool`
    /// answer 0 or 1. What is not defined on histograms leaves them out. A trimmed histogram keeps its name.
    private func eachElement(
        _ elements: [Element], _ node: BinaryExpr, _ sides: (Amount) -> (Amount, Amount)
    ) throws -> [Element] {
        func outcome(_ element: Element) -> Outcome? {
            let (left, right) = sides(element.amount)
            return self.outcome(node.op, left, right)
        }
        if node.op.isComparison && !node.returnsBool {
            return elements.filter { outcome($0)?.holds ?? false }
        }
        if node.op.isTrimming {
            return elements.compactMap { element in
                guard let histogram = outcome(element)?.amount.histogram else { return nil }
                var element = element
                element.value = histogram.sum
                element.histogram = histogram
                return element
            }
        }
        return try withoutNames(elements) { (element: Element) in
            outcome(element).map { node.op.isComparison ? Amount($0.holds ? 1 : 0) : $0.amount }
        }
    }

    // MARK: - Histograms

    struct Outcome {
        var amount: Amount
        var holds = true
    }

    /// Of a comparison also whether it holds; its amount is that of the left side. `nil`: not defined on these.
    private func outcome(_ op: BinaryOperator, _ left: Amount, _ right: Amount) -> Outcome? {
        switch (left.histogram, right.histogram) {
        case (nil, nil):
            if op.isTrimming { return nil }
            if op.isComparison { return Outcome(amount: left, holds: holds(op, left.value, right.value)) }
            return Outcome(amount: Amount(compute(op, left.value, right.value)))
        case (nil, var histogram?):
            guard op == .multiply else { return nil }
            histogram.multiply(by: left.value)
            histogram.compact()
            return Outcome(amount: Amount(histogram))
        case (var histogram?, nil):
            switch op {
            case .multiply: histogram.multiply(by: right.value)
            case .divide: histogram.divide(by: right.value)
            case .trimUpper: return Outcome(amount: Amount(histogram.trimmed(keepingUpTo: right.value)))
            case .trimLower: return Outcome(amount: Amount(histogram.trimmed(keepingFrom: right.value)))
            default: return nil
            }
            histogram.compact()
            return Outcome(amount: Amount(histogram))
        case (let first?, let second?): return outcome(op, first, second)
        }
    }

    private func outcome(_ op: BinaryOperator, _ first: FloatHistogram, _ second: FloatHistogram) -> Outcome? {
        switch op {
        case .equal: return Outcome(amount: Amount(first), holds: first.isEquivalent(to: second))
        case .notEqual: return Outcome(amount: Amount(first), holds: !first.isEquivalent(to: second))
        case .add, .subtract:
            var result = first
            guard let notes = op == .add ? try? result.add(second) : try? result.subtract(second) else { return nil }
            // Upstream takes the warning for an error, and leaves the pair out.
            if notes.resetCollision { return nil }
            if op == .subtract { result.hint = .gauge }
            result.compact()
            return Outcome(amount: Amount(result))
        default: return nil
        }
    }

    // MARK: - Set operators

    private func combined(
        _ op: BinaryOperator, _ left: [Element], _ right: [Element], _ matching: VectorMatching
    ) -> [Element] {
        let onLeft = Set(left.map { matching.signature($0.labels) })
        let onRight = Set(right.map { matching.signature($0.labels) })
        switch op {
        case .and: return left.filter { onRight.contains(matching.signature($0.labels)) }
        case .unless: return left.filter { !onRight.contains(matching.signature($0.labels)) }
        default: return left + right.filter { !onLeft.contains(matching.signature($0.labels)) }
        }
    }

    // MARK: - Arithmetic and comparison of two vectors

    private func joined(
        _ node: BinaryExpr, _ left: [Element], _ right: [Element], _ matching: VectorMatching
    ) throws -> [Element] {
        let canFill = matching.fillLeft != nil || matching.fillRight != nil
        if left.isEmpty && right.isEmpty || (left.isEmpty || right.isEmpty) && !canFill { return [] }

        // With group_right the sides change places until values are computed.
        let isSwapped = matching.cardinality == .oneToMany
        let (many, one) = isSwapped ? (right, left) : (left, right)
        let (manyFill, oneFill) = (matching.fillLeft, matching.fillRight)

        var partners: [Labels: Element] = [:]
        for element in one {
            let signature = matching.signature(element.labels)
            if let other = partners[signature] {
                throw duplicates(element.labels, other.labels, signature, side: isSwapped ? "left" : "right")
            }
            partners[signature] = element
        }

        var result: [Element] = []
        /// Result labels by signature: what has been matched, and how often.
        var matched: [Labels: Set<Labels>] = [:]
        func pair(_ manyElement: Element, _ oneElement: Element, _ signature: Labels) throws {
            let (left, right) = isSwapped ? (oneElement, manyElement) : (manyElement, oneElement)
            guard let outcome = outcome(node.op, left.amount, right.amount) else { return }
            let labels = resultLabels(node, manyElement.labels, oneElement.labels, matching)
            if matching.cardinality == .oneToOne {
                guard matched[signature] == nil else {
                    throw QueryError(
                        .evaluation,
                        "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)")
                }
                matched[signature] = [labels]
            } else {
                guard matched[signature, default: []].insert(labels).inserted else {
                    throw QueryError(
                        .evaluation, "multiple matches for labels: grouping labels must ensure unique matches")
                }
            }
            let amount = outcome.amount
            if !node.op.isComparison {
                result.append(Element(labels: labels, value: amount.value, histogram: amount.histogram))
            } else if node.returnsBool {
                result.append(Element(labels: labels, value: outcome.holds ? 1 : 0, dropsName: true))
            } else if outcome.holds {
                // A comparison that filters gives the value of its left side, whichever side is “many”.
                result.append(Element(labels: labels, value: amount.value, histogram: amount.histogram))
            }
        }

        for element in many {
            let signature = matching.signature(element.labels)
            if let partner = partners[signature] {
                try pair(element, partner, signature)
            } else if let oneFill {
                try pair(element, Element(labels: signature, value: oneFill), signature)
            }
        }
        if let manyFill {
            for element in one {
                let signature = matching.signature(element.labels)
                guard matched[signature] == nil else { continue }
                try pair(Element(labels: signature, value: manyFill), element, signature)
            }
        }
        return result
    }

    private func resultLabels(
        _ node: BinaryExpr, _ many: Labels, _ one: Labels, _ matching: VectorMatching
    ) -> Labels {
        var labels = many
        if !node.op.isComparison && !node.op.isTrimming || node.returnsBool && !options.delayedNameRemoval {
            labels = labels.withoutMetricName
        }
        if matching.cardinality == .oneToOne {
            labels = matching.isOn ? labels.keeping(matching.labels) : labels.dropping(matching.labels)
        }
        var builder = LabelsBuilder(labels)
        for name in matching.include { builder.set(name, to: one[name] ?? "") }
        return builder.labels()
    }

    private func duplicates(_ a: Labels, _ b: Labels, _ group: Labels, side: String) -> QueryError {
        let pair = [a.inBraces, b.inBraces].sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return QueryError(
            .evaluation,
            "found duplicate series for the match group \(group.inBraces) on the \(side) hand-side of the operation: "
                + "[\(pair[0]), \(pair[1])];many-to-many matching not allowed: matching labels must be unique on one side"
        )
    }
}

extension BinaryOperator {
    fileprivate var isTrimming: Bool { self == .trimLower || self == .trimUpper }
}

extension ReferenceEvaluator.Element {
    var amount: ReferenceEvaluator.Amount {
        histogram.map(ReferenceEvaluator.Amount.init) ?? ReferenceEvaluator.Amount(value)
    }
}

extension VectorMatching {
    /// The labels that must agree for two elements to match.
    func signature(_ labels: Labels) -> Labels {
        isOn ? labels.keeping(self.labels) : labels.dropping(self.labels + [MetricName.label])
    }
}

extension Labels {
    /// As error texts show label sets: the name is one of the labels.
    var inBraces: String { "{" + pairs.map { "\($0.name)=\"\($0.value)\"" }.joined(separator: ", ") + "}" }
}
