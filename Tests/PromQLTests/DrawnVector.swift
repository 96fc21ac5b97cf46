import TSDB

@testable import PromQL

/// A vector as it is drawn: a row per series, a word per step, `_` where there is no value.
///
///     a{job="x"}   1 2 _ NaN
struct DrawnVector: VectorOperator {
    let rows: [(labels: Labels, values: [Double?])]

    init(_ rows: [(Labels, String)]) {
        self.rows = rows.map { labels, text in
            (labels, text.split(separator: " ").map { $0 == "_" ? nil : Double($0) })
        }
    }

    init(rows: [(labels: Labels, values: [Double?])]) { self.rows = rows }

    var stepCount: Int { rows.first?.values.count ?? 0 }
    var count: Int { rows.count }
    var canFail: Bool { false }
    func labels(at index: Int) -> Labels { rows[index].labels }

    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        column.clear()
        for (step, value) in rows[index].values.enumerated() {
            // Operators must not look at values of absent steps.
            column.values[step] = value ?? -12345.678
            if let value { column.set(step, value) }
        }
    }

    /// The same vector with one step only.
    func atStep(_ step: Int) -> DrawnVector {
        DrawnVector(rows: rows.filter { $0.values[step] != nil }.map { ($0.labels, [$0.values[step]]) })
    }
}

/// One value per step.
struct DrawnScalar: VectorOperator {
    let values: [Double]

    init(_ values: Double...) { self.values = values }

    var count: Int { 1 }
    var canFail: Bool { false }
    func labels(at index: Int) -> Labels { Labels() }

    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        column.markAllPresent()
        for step in 0..<column.count { column.values[step] = values[min(step, values.count - 1)] }
    }
}

extension VectorOperator {
    /// The rows of a result by label set, drawn; rows without any value are left out.
    func drawn(steps: Int) throws -> [String: String] {
        var result: [String: String] = [:]
        for (labels, values) in try cells(steps: steps) {
            let text = values.map { $0.map(Self.text) ?? "_" }.joined(separator: " ")
            result[labels.description] = result[labels.description].map { $0 + " AND " + text } ?? text
        }
        return result
    }

    /// The rows of a result in their order, those without any value left out.
    func cells(steps: Int) throws -> [(Labels, [Double?])] {
        let scratch = Scratch()
        var column = StepColumn(count: steps)
        var result: [(Labels, [Double?])] = []
        for index in 0..<count {
            try fill(index, into: &column, scratch: scratch)
            if column.isEmpty { continue }
            result.append((labels(at: index), (0..<steps).map { column.isPresent($0) ? column.values[$0] : nil }))
        }
        return result
    }

    private static func text(_ value: Double) -> String {
        value.isNaN ? "NaN" : value == value.rounded() && value.magnitude < 1e15 ? "\(Int(value))" : "\(value)"
    }
}

/// Evaluates a call or an operator with arguments that are given instead of computed.
struct Bench {
    let grid: StepGrid
    let context = QueryContext()
    var names = NameTreatment.dropped

    /// Steps are a minute apart.
    init(steps: Int, start: Int64 = 0) { grid = StepGrid(start: start, step: 60_000, count: steps) }

    /// `query` is a binary expression; its operands tell their types and are evaluated by `left` and `right`.
    func binary(
        _ query: String, _ left: any VectorOperator, _ right: any VectorOperator
    ) throws -> any VectorOperator {
        guard case .binary(let expr) = try Parser.parse(query, options: .everything) else {
            throw QueryError(.syntax, "no binary expression: \(query)")
        }
        return try BinaryLibrary.make(
            expr, left: left, right: right, leftType: expr.left.type, rightType: expr.right.type, grid: grid,
            names: names, context: context)
    }

    /// `query` is a call; strings are taken from it, other arguments from `arguments`, in order.
    func call(_ query: String, _ arguments: any VectorOperator...) throws -> any VectorOperator {
        guard case .call(let call) = try Parser.parse(query, options: .everything) else {
            throw QueryError(.syntax, "no call: \(query)")
        }
        var rest = arguments[...]
        let all = call.arguments.map { argument in
            if case .string(let literal) = argument { return FunctionArgument.string(literal.value) }
            return .operatorNode(rest.isEmpty ? EmptyVector() : rest.removeFirst())
        }
        return try FunctionLibrary.make(call, arguments: all, grid: grid, names: names, context: context)
    }
}
