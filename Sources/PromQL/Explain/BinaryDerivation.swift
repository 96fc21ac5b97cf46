import TSDB

/// Binary operators: which elements met, and what was done with their values.
extension PointExplainer {
    func explain(
        _ expr: BinaryExpr, _ left: PlanNode, _ right: PlanNode, _ part: Part, _ row: Row
    ) throws(QueryError) -> Derivation {
        var result = mention(part, row)
        let leftPart = part.operand(0, left), rightPart = part.operand(1, right)
        if expr.op.isSetOperator { return try explainSet(expr, leftPart, rightPart, result, row) }
        let leftRows = try leftPart.rows(self), rightRows = try rightPart.rows(self)
        guard let (a, b) = try pair(expr, leftRows, rightRows, part, row) else { return result }
        let fills = (expr.matching?.fillLeft, expr.matching?.fillRight)
        let x = a?.value ?? fills.0 ?? .nan, y = b?.value ?? fills.1 ?? .nan
        var steps = Arithmetic()
        if a == nil || b == nil {
            steps.given("fill", a == nil ? x : y, "no partner on the \(a == nil ? "left" : "right")")
        }
        let formula = "\(digits(x)) \(expr.op.rawValue) \(digits(y))"
        if let value = ConstantFolding.value(expr.op, x, y) {
            let isFilter = expr.op.isComparison && !expr.returnsBool && part.isVector(expr)
            if isFilter {
                let keepsRight = expr.left.type == .scalar
                steps.note("filter", "\(formula) holds: the value of the \(keepsRight ? "right" : "left") side stays")
                steps.given("result", keepsRight ? y : x)
            } else {
                let operation = expr.op.isComparison ? " \(expr.op.rawValue) bool " : " \(expr.op.rawValue) "
                steps.step("result", digits(x) + operation + digits(y), value)
            }
        }
        result.steps = steps.steps
        if let a, !left.isNumber { result.inputs.append(try derive(leftPart, a)) }
        if let b, !right.isNumber { result.inputs.append(try derive(rightPart, b)) }
        return result
    }

    /// The two elements that became `row`; `nil` on one side where a fill value stood in.
    private func pair(
        _ expr: BinaryExpr, _ left: [Row], _ right: [Row], _ part: Part, _ row: Row
    ) throws(QueryError) -> (Row?, Row?)? {
        switch (expr.left.type, expr.right.type) {
        case (.scalar, .scalar): return left.first.flatMap { a in right.first.map { (a, $0) } }
        case (.vector, .scalar):
            guard let scalar = right.first else { return nil }
            return try matching(expr, left.map { ($0, scalar) }, part, row)
        case (.scalar, .vector):
            guard let scalar = left.first else { return nil }
            return try matching(expr, right.map { (scalar, $0) }, part, row)
        default: return try matching(expr, candidates(expr, left, right), part, row)
        }
    }

    /// Pairs of elements whose labels match, and those without partner where there are fill values.
    private func candidates(_ expr: BinaryExpr, _ left: [Row], _ right: [Row]) -> [(Row?, Row?)] {
        let matching = expr.matching ?? VectorMatching()
        let signature: Grouping = matching.isOn ? .by(matching.labels) : .without(matching.labels + [MetricName.label])
        var partners: [Labels: [Row]] = [:]
        for row in right { partners[signature.project(row.labels), default: []].append(row) }
        var pairs: [(Row?, Row?)] = []
        var met: Set<Labels> = []
        for row in left {
            let key = signature.project(row.labels)
            met.insert(key)
            if let found = partners[key] {
                for partner in found { pairs.append((row, partner)) }
            } else if matching.fillRight != nil || matching.fillLeft != nil {
                pairs.append((row, nil))
            }
        }
        if matching.fillLeft != nil || matching.fillRight != nil {
            for row in right where !met.contains(signature.project(row.labels)) { pairs.append((nil, row)) }
        }
        return pairs
    }

    /// The pair that, alone, comes to `row`: found by trying, so that all rules about labels are the engine's.
    private func matching(
        _ expr: BinaryExpr, _ pairs: [(Row?, Row?)], _ part: Part, _ row: Row
    ) throws(QueryError) -> (Row?, Row?)? {
        var close: (Row?, Row?)?
        for (a, b) in pairs {
            try context.checkCanceled()
            // Trying costs more than looking at labels, which the result has from one of the two.
            guard mayGive(row.labels, a, b, expr) else { continue }
            let operation = try BinaryLibrary.make(
                expr, left: table(a.map { [$0] } ?? []), right: table(b.map { [$0] } ?? []), leftType: expr.left.type,
                rightType: expr.right.type, grid: grid(at: part.time), names: builder.dropping, context: trial)
            for outcome in try rows(of: operation) where outcome.labels == row.labels {
                if outcome.value.isSame(as: row.value) { return (a, b) }
                close = (a, b)
            }
        }
        return close
    }

    private func mayGive(_ labels: Labels, _ a: Row?, _ b: Row?, _ expr: BinaryExpr) -> Bool {
        guard let matching = expr.matching, expr.left.type == .vector, expr.right.type == .vector else {
            let vector = expr.left.type == .vector ? a : b
            return vector.map { $0.labels == labels || $0.labels.droppingName() == labels } ?? false
        }
        let swapped = matching.cardinality == .oneToMany
        guard let many = swapped ? b : a else { return true }
        let kept = matching.include + NameDropping.labels + matching.labels
        return many.labels.dropping(kept) == labels.dropping(kept) || matching.cardinality == .oneToOne
    }

    private func explainSet(
        _ expr: BinaryExpr, _ left: Part, _ right: Part, _ mention: Derivation, _ row: Row
    ) throws(QueryError) -> Derivation {
        var result = mention
        let matching = expr.matching ?? VectorMatching(.manyToMany)
        let signature: Grouping = matching.isOn ? .by(matching.labels) : .without(matching.labels + [MetricName.label])
        let key = signature.project(row.labels)
        let ours = try left.rows(self).first { $0.labels == row.labels && $0.value.isSame(as: row.value) }
        let partner = try right.rows(self).first { signature.project($0.labels) == key }
        let note: String
        switch expr.op {
        case .and: note = "the left side's value; the right side has a partner"
        case .unless: note = "the left side's value; the right side has no partner"
        default: note = ours != nil ? "the left side has it" : "the left side has none like it: the right side's"
        }
        result.steps = [.init("result", "", row.value, note: note)]
        if let ours {
            result.inputs.append(try derive(left, ours))
            if expr.op == .and, let partner { result.inputs.append(self.mention(right, partner)) }
        } else if let theirs = try right.rows(self).first(where: { $0.labels == row.labels }) {
            result.inputs.append(try derive(right, theirs))
        }
        return result
    }

    /// Trials leave no notes in the query's own context.
    var trial: QueryContext { QueryContext(maxSamples: context.maxSamples, maxBytes: context.maxBytes) }
}

extension PointExplainer.Part {
    fileprivate func isVector(_ expr: BinaryExpr) -> Bool { expr.left.type == .vector || expr.right.type == .vector }
}

extension PlanNode {
    /// A constant: nothing to derive.
    var isNumber: Bool { if case .scalar = self { true } else { false } }
}
