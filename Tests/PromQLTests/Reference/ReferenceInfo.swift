import PromQL
import TSDB

/// `info(v, {…})`, one step at a time: who of the info series holds now, and what it adds.
extension ReferenceEvaluator {
    func info(_ arguments: [Expr], at t: Int64) throws -> [Element] {
        let base = try vector(arguments[0], at: t)
        var matchers: [Matcher] = []
        if arguments.count > 1, case .vectorSelector(let selector) = arguments[1].unparenthesized { matchers = selector.matchers }
        let data = matchers.filter { $0.name != "__name__" }
        var names = matchers.filter { $0.name == "__name__" }
        if names.isEmpty { names = [.equal("__name__", "target_info")] }
        if !names.contains(where: { $0.kind == .equal || $0.kind == .regex }) {
            names.append(try Matcher(.regex, name: "__name__", value: ".+_info"))
        }

        // The newest of each metric and target.
        var holding: [[String]: SelectedSample] = [:]
        for sample in try instantVector(try infoSelector(arguments[0], names + data), at: t) {
            let key = target(sample.labels, sample.labels["__name__"] ?? "")
            let isWanted = base.contains { element in
                !isInfo(element, names)
                    && ["instance", "job"].allSatisfy { name in
                        base.contains { !isInfo($0, names) && !($0.labels[name] ?? "").isEmpty && $0.labels[name] == sample.labels[name] }
                            || base.allSatisfy { isInfo($0, names) || ($0.labels[name] ?? "").isEmpty }
                    }
            }
            guard isWanted else { continue }
            if sample.histogram != nil && !base.isEmpty { throw QueryError(.evaluation, "info sample should be float") }
            if let other = holding[key], other.time == sample.time {
                throw QueryError(.evaluation, "found duplicate series for info metric")
            }
            if let other = holding[key], other.time > sample.time { continue }
            holding[key] = sample
        }
        let metrics = Set(holding.keys.map { $0[0] }).sorted()

        return try base.compactMap { element in
            if isInfo(element, names) { return element }
            var added: [(name: String, value: String)] = []
            var isTold = false
            for metric in metrics {
                guard let sample = holding[target(element.labels, metric)] else { continue }
                isTold = true
                for (name, value) in sample.labels.pairs where name != "__name__" {
                    if !data.isEmpty && !data.contains(where: { $0.name == name }) { continue }
                    if let other = added.first(where: { $0.name == name }), other.value != value {
                        throw QueryError(.evaluation, "conflicting label: \(name)")
                    }
                    if element.labels[name] == nil { added.append((name, value)) }
                }
            }
            if !isTold && data.contains(where: { !$0.matches("") }) { return nil }
            var result = element
            var builder = LabelsBuilder(element.labels)
            for (name, value) in added { builder.set(name, to: value) }
            result.labels = builder.labels()
            return result
        }
    }

    private func isInfo(_ element: Element, _ names: [Matcher]) -> Bool {
        names.allSatisfy { $0.matches(element.labels["__name__"] ?? "") }
    }

    private func target(_ labels: Labels, _ metric: String) -> [String] {
        [metric, labels["instance"] ?? "", labels["job"] ?? ""]
    }

    /// A selector that looks where the first selector of `expr` looks.
    private func infoSelector(_ expr: Expr, _ matchers: [Matcher]) throws -> VectorSelector {
        var around: [SubqueryExpr] = []
        var selector = VectorSelector(name: "", matchers: matchers, range: expr.range)
        func find(_ expr: Expr) -> VectorSelector? {
            switch expr {
            case .number, .string: return nil
            case .paren(let inner, _): return find(inner)
            case .unary(let node): return find(node.operand)
            case .binary(let node): return find(node.left) ?? find(node.right)
            case .aggregate(let node): return find(node.operand) ?? node.parameter.flatMap(find)
            case .call(let node):
                for argument in node.arguments { if let found = find(argument) { return found } }
                return nil
            case .vectorSelector(let node): return node
            case .matrixSelector(let node): return node.selector
            case .subquery(let node):
                let found = find(node.operand)
                if found != nil { around.append(node) }
                return found
            }
        }
        guard let first = find(expr) else { return selector }
        func distance(_ offset: Duration, _ expr: DurationExpr?) throws -> Int64 {
            try expr.map { try milliseconds($0, allowsNegative: true) } ?? offset.milliseconds
        }
        var offset = try distance(first.offset, first.offsetExpr)
        selector.at = first.at
        for subquery in around where selector.at == nil {
            offset = offset.clampedAdding(try distance(subquery.offset, subquery.offsetExpr))
            selector.at = subquery.at
        }
        selector.offset = Duration(milliseconds: offset)
        return selector
    }
}
