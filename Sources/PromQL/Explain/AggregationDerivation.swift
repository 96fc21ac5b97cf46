import Numbers
import TSDB

/// Aggregations: which series are in the group, and how their values become one.
extension PointExplainer {
    func explain(_ plan: AggregatePlan, _ part: Part, _ row: Row) throws(QueryError) -> Derivation {
        var result = mention(part, row)
        let operand = part.operand(0, plan.operand)
        let rows = try operand.rows(self)
        let grouping = Aggregation.effective(plan.grouping)
        var group: [Row]
        switch plan.op {
        case .topk, .bottomk, .limitk, .limitRatio:
            let key = grouping.project(row.labels)
            group = rows.filter { grouping.project($0.labels) == key }
        case .countValues: group = counted(plan, rows, row)
        default: group = rows.filter { grouping.project($0.labels) == row.labels }
        }
        var parameter: Double?
        if let node = plan.parameter, case .string = node {
        } else if let node = plan.parameter {
            let scalar = part.operand(1, node)
            if let row = try scalar.rows(self).first {
                parameter = row.value
                if case .scalar = node {} else { result.inputs.append(try derive(scalar, row)) }
            }
        }
        let values = group.map(\.value)
        var steps = Arithmetic()
        steps.note("group", "\(group.count) of \(rows.count) series")
        result.steps = steps.steps + self.steps(plan.op, values, parameter, row)
        switch plan.op {
        case .topk, .bottomk, .limitk, .limitRatio:
            result.inputs += try inputs(operand, group.filter { $0.labels == row.labels })
            group.removeAll { $0.labels == row.labels }
            result.inputs += try inputs(operand, group, expanded: 0)
        default: result.inputs += try inputs(operand, group)
        }
        result.omittedInputs = max(0, group.count - Derivation.maximumInputs)
        return result
    }

    private func steps(
        _ op: AggregateOperator, _ values: [Double], _ parameter: Double?, _ row: Row
    ) -> [Derivation.Step] {
        let count = Double(values.count)
        switch op {
        case .sum: return SumArithmetic.steps(values, isMean: false, lists: "the members, in the order of the series")
        case .avg:
            let steps = SumArithmetic.steps(values, isMean: true, lists: "the members, in the order of the series")
            return steps.isEmpty
                ? [.init("result", "", row.value, note: "a running mean: the sum would be too large for a double")]
                : steps
        case .count: return [.init("result", "", count, note: "series have a value")]
        case .group: return [.init("result", "", 1, note: "the group is not empty")]
        case .min, .max:
            // NaN gives way to any number.
            let numbers = values.filter { !$0.isNaN }
            let best = op == .min ? numbers.min() : numbers.max()
            return [.init("result", "", best ?? .nan, note: op == .min ? "the least member" : "the greatest member")]
        case .stdvar: return DeviationArithmetic.steps(values, isRoot: false)
        case .stddev: return DeviationArithmetic.steps(values, isRoot: true)
        case .quantile: return QuantileArithmetic.steps(values, parameter ?? .nan)
        case .countValues: return [.init("result", "", count, note: "series have this value")]
        case .topk, .bottomk:
            let better = values.filter { op == .topk ? $0 > row.value : $0 < row.value }.count
            let side = op == .topk ? "greater" : "smaller"
            let k = NumberText.string(parameter ?? .nan, style: .plain)
            return [.init("result", "", row.value, note: "\(better) members are \(side), \(k) are kept")]
        case .limitk, .limitRatio: return [.init("result", "", row.value, note: "kept unchanged")]
        }
    }

    /// The members of one row of `count_values`: the group's series whose value is the one in the label.
    private func counted(_ plan: AggregatePlan, _ rows: [Row], _ row: Row) -> [Row] {
        guard case .string(let label)? = plan.parameter, let text = row.labels[label] else { return [] }
        let grouping: Grouping
        switch Aggregation.effective(plan.grouping) {
        case .by(let names): grouping = .by(names.filter { $0 != label })
        case .without(let names): grouping = .without(names + [label])
        }
        let key = row.labels.dropping([label])
        return rows.filter {
            grouping.project($0.labels) == key && NumberText.string($0.value, style: .fixed) == text
        }
    }
}
