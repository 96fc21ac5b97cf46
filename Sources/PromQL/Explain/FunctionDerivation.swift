import TSDB

/// Functions of instant vectors and scalars: the input that became the value, and the call with its numbers.
extension PointExplainer {
    func explain(_ plan: FunctionPlan, _ part: Part, _ row: Row) throws(QueryError) -> Derivation {
        switch plan.call.function.name {
        case "histogram_quantile", "histogram_fraction", "histogram_quantiles":
            return try explainHistogram(plan, part, row)
        case "scalar": return try explainScalar(plan, part, row)
        case "sort", "sort_desc", "sort_by_label", "sort_by_label_desc", "vector":
            return try explainUnchanged(plan, part, row)
        case "absent":
            var result = mention(part, row)
            result.steps = [.init("result", "", 1, note: "no series has a value")]
            return result
        case "info": return try explainInfo(plan, part, row)
        case "time":
            var result = mention(part, row)
            result.steps = [
                .init(
                    "result", "\(digits(milliseconds: part.time)) / 1000", Double(part.time) / 1000,
                    note: "the time of the step")
            ]
            return result
        default: return try explainMapped(plan, part, row)
        }
    }

    /// The value is that of the series whose labels all stand in the answer; the others came from info series.
    private func explainInfo(_ plan: FunctionPlan, _ part: Part, _ row: Row) throws(QueryError) -> Derivation {
        var result = mention(part, row)
        let operand = part.operand(0, plan.arguments[0])
        let inputs = try operand.rows(self).filter { input in
            input.value.isSame(as: row.value) && input.labels.pairs.allSatisfy { row.labels[$0.name] == $0.value }
        }
        guard let input = inputs.max(by: { $0.labels.pairs.count < $1.labels.pairs.count }) else { return result }
        let added = row.labels.pairs.filter { input.labels[$0.name] == nil }.map(\.name)
        let note = added.isEmpty ? "unchanged: no info series adds a label" : "the value stays; info series add \(added.joined(separator: ", "))"
        result.steps = [.init("result", "", input.value, note: note)]
        result.inputs = [try derive(operand, input)]
        return result
    }

    /// A function that answers one value per series of its first vector.
    private func explainMapped(_ plan: FunctionPlan, _ part: Part, _ row: Row) throws(QueryError) -> Derivation {
        var result = mention(part, row)
        var scalars: [Int: Row] = [:]
        var vectorIndex: Int?
        for (index, argument) in plan.arguments.enumerated() {
            if case .string = argument { continue }
            switch plan.call.arguments[index].type {
            case .scalar: scalars[index] = try part.operand(index, argument).rows(self).first
            default: if vectorIndex == nil { vectorIndex = index }
            }
        }
        guard let vectorIndex else {
            // Functions of scalars alone: `max_of`, `pi`.
            let numbers = scalars.sorted { $0.key < $1.key }.map { digits($0.value.value) }
            result.steps = [
                .init("result", "", row.value, note: "\(plan.call.function.name)(\(numbers.joined(separator: ", ")))")
            ]
            try deriveScalars(plan, part, scalars, into: &result)
            return result
        }
        let operand = part.operand(vectorIndex, plan.arguments[vectorIndex])
        let isRelabelling = plan.call.function.name.hasPrefix("label_")
        var found: (input: Row, value: Double)?
        for input in try operand.rows(self) {
            try context.checkCanceled()
            let isCandidate =
                isRelabelling
                ? input.value.isSame(as: row.value)
                : input.labels == row.labels || input.labels.droppingName() == row.labels
            guard isCandidate else { continue }
            for outcome in try apply(plan, part, to: input, at: vectorIndex, scalars) where outcome.labels == row.labels {
                if found == nil || outcome.value.isSame(as: row.value) { found = (input, outcome.value) }
            }
        }
        guard let found else { return result }
        let arguments = plan.arguments.indices.map { index in
            index == vectorIndex ? digits(found.input.value) : scalars[index].map { digits($0.value) } ?? "…"
        }
        let note =
            isRelabelling
            ? "the value stays, labels change"
            : "\(plan.call.function.name)(\(arguments.joined(separator: ", ")))"
        result.steps = [.init("result", "", found.value, note: note)]
        result.inputs = [try derive(operand, found.input)]
        try deriveScalars(plan, part, scalars, into: &result)
        return result
    }

    private func deriveScalars(
        _ plan: FunctionPlan, _ part: Part, _ scalars: [Int: Row], into result: inout Derivation
    ) throws(QueryError) {
        for (index, scalar) in scalars.sorted(by: { $0.key < $1.key }) where !plan.arguments[index].isNumber {
            result.inputs.append(try derive(part.operand(index, plan.arguments[index]), scalar))
        }
    }

    /// The function on one input alone.
    private func apply(
        _ plan: FunctionPlan, _ part: Part, to input: Row, at vectorIndex: Int, _ scalars: [Int: Row]
    ) throws(QueryError) -> [Row] {
        var arguments: [FunctionArgument] = []
        for (index, argument) in plan.arguments.enumerated() {
            switch argument {
            case .string(let text): arguments.append(.string(text))
            case .selector(let selector) where selector.yieldsTimestamps && index == vectorIndex:
                let times = table([input])
                arguments.append(selector.readsStarts ? .starts(times) : .timestamps(times))
            default:
                if index == vectorIndex {
                    arguments.append(.operatorNode(table([input])))
                } else if let scalar = scalars[index] {
                    arguments.append(.operatorNode(ConstantScalar(value: scalar.value)))
                } else {
                    return []
                }
            }
        }
        return try rows(
            of: try FunctionLibrary.make(
                plan.call, arguments: arguments, grid: grid(at: part.time), names: builder.dropping, context: trial))
    }

    private func explainScalar(_ plan: FunctionPlan, _ part: Part, _ row: Row) throws(QueryError) -> Derivation {
        var result = mention(part, row)
        let operand = part.operand(0, plan.arguments[0])
        let rows = try operand.rows(self)
        if let only = rows.first, rows.count == 1 {
            result.steps = [.init("result", "", only.value, note: "the value of the only series")]
            result.inputs = [try derive(operand, only)]
        } else {
            result.steps = [.init("result", "", .nan, note: "\(rows.count) series where one is wanted")]
            result.inputs = try inputs(operand, rows, expanded: 0)
            result.omittedInputs = max(0, rows.count - Derivation.maximumInputs)
        }
        return result
    }

    private func explainUnchanged(_ plan: FunctionPlan, _ part: Part, _ row: Row) throws(QueryError) -> Derivation {
        var result = mention(part, row)
        let operand = part.operand(0, plan.arguments[0])
        guard let input = try operand.rows(self).first(where: { $0.labels == row.labels }) else { return result }
        result.steps = [.init("result", "", input.value, note: "unchanged")]
        if !plan.arguments[0].isNumber { result.inputs = [try derive(operand, input)] }
        return result
    }
}
