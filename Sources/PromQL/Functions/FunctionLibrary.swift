import Numbers
import TSDB

/// An argument of a running function call.
enum FunctionArgument: Sendable {
    /// A vector or a scalar.
    case operatorNode(any VectorOperator)
    /// An instant selector that yields, instead of values, its samples' own times in seconds: for `timestamp(x)`.
    case timestamps(any VectorOperator)
    /// The same, of when their counts began: for `start_timestamp(x)` where starts are used.
    case starts(any VectorOperator)
    case string(String)
}

/// From a function call and its running arguments to the operator that evaluates it: all functions of instant vectors
/// and scalars. Functions of range vectors are `RangeFunction`s.
enum FunctionLibrary {
    /// Names of the functions that `make` builds.
    static let names: Set<String> = Set(
        MathFunction.Name.allCases.map(\.rawValue) + CalendarPart.Name.allCases.map(\.rawValue)
            + HistogramPart.Name.allCases.map(\.rawValue) + [
                "time", "timestamp", "start_timestamp", "pi", "vector", "scalar", "absent", "max_of", "min_of",
                "clamp", "clamp_min", "clamp_max", "round", "sort", "sort_desc", "sort_by_label", "sort_by_label_desc",
                "label_replace", "label_join", "histogram_quantile", "histogram_quantiles", "histogram_fraction",
            ])

    /// `arguments` correspond to `call.arguments`, which are used for their labels (`absent`) and places only. Work that needs
    /// to see whole vectors is done here.
    static func make(
        _ call: Call, arguments: [FunctionArgument], grid: StepGrid, names: NameTreatment, context: QueryContext
    ) throws(QueryError) -> any VectorOperator {
        try FunctionBuilder(
            call: call, arguments: arguments, grid: grid, context: context,
            names: names
        ).make()
    }
}

private struct FunctionBuilder {
    let call: Call
    let arguments: [FunctionArgument]
    let grid: StepGrid
    let context: QueryContext
    let names: NameTreatment

    func make() throws(QueryError) -> any VectorOperator {
        let name = call.function.name
        if let function = MathFunction.Name(rawValue: name) {
            return MappedSeries.make(try vector(0), MathFunction(name: function), names: names)
        }
        if let part = CalendarPart.Name(rawValue: name) {
            let times: any VectorOperator = arguments.isEmpty ? StepTimes(grid: grid) : try vector(0)
            return MappedSeries.make(times, CalendarPart(name: part), names: names)
        }
        if let part = HistogramPart.Name(rawValue: name) {
            return MappedSeries.make(try vector(0), HistogramPart(name: part), names: names)
        }
        switch name {
        case "time": return StepTimes(grid: grid)
        case "pi": return ConstantScalar(value: .pi)
        case "vector": return try vector(0)
        case "scalar": return try ScalarOfVector.make(try vector(0), grid: grid, context: context)
        case "max_of", "min_of":
            return ExtremeOfScalars(left: try scalar(0), right: try scalar(1), isLarger: name == "max_of")
        case "absent":
            let labels = call.arguments.first.map { Absence.labels(of: $0) } ?? Labels()
            return try Absence.make(try vector(0), labels: labels, grid: grid, context: context)
        case "timestamp": return try timestamps()
        case "clamp", "clamp_min", "clamp_max": return try clamping(name)
        case "round":
            let nearest =
                arguments.count > 1 ? try scalar(1) : ScalarColumn(constant: 1, stepCount: grid.count)
            return MappedSeries.make(try vector(0), Rounding(toNearest: nearest), names: names)
        case "sort", "sort_desc", "sort_by_label", "sort_by_label_desc": return try sorting(name)
        case "label_replace":
            return try LabelReplace.make(
                try vector(0), destination: try string(1), replacement: try string(2), source: try string(3),
                expression: try string(4), range: call.range, context: context)
        case "label_join":
            return try LabelJoin.make(
                try vector(0), destination: try string(1), separator: try string(2), sources: try strings(from: 3),
                range: call.range, context: context)
        case "histogram_quantile", "histogram_fraction", "histogram_quantiles": return try histogram(name)
        case "start_timestamp":
            // Of an expression nobody knows, and of a series only with `use-start-timestamps`.
            guard case .starts(let selector)? = arguments.first else {
                let unused = try vector(0)
                try unused.computeUnused(0..<unused.count, steps: grid.count, context)
                return EmptyVector()
            }
            return MappedSeries.make(selector, Identity(), names: names)
        default:
            throw QueryError(.notImplemented, "function \"\(name)\" is not implemented", range: call.range)
        }
    }

    private func timestamps() throws(QueryError) -> any VectorOperator {
        guard let first = arguments.first else { throw missing(0) }
        if case .timestamps(let selector) = first {
            return MappedSeries.make(selector, Identity(), names: names)
        }
        return MappedSeries.make(try vector(0), StepTimestamps(grid: grid), names: names)
    }

    private func clamping(_ name: String) throws(QueryError) -> any VectorOperator {
        let minimum =
            name == "clamp_max" ? ScalarColumn(constant: -.infinity, stepCount: grid.count) : try scalar(1)
        let maximum =
            name == "clamp_min"
            ? ScalarColumn(constant: .infinity, stepCount: grid.count) : try scalar(name == "clamp" ? 2 : 1)
        return MappedSeries.make(try vector(0), Clamping(minimum: minimum, maximum: maximum), names: names)
    }

    private func sorting(_ name: String) throws(QueryError) -> any VectorOperator {
        if grid.count > 1 { context.annotate(.warning, Sorting.ineffective, at: call.range) }
        switch name {
        case "sort_by_label", "sort_by_label_desc":
            return try Sorting.byLabels(
                try vector(0), try strings(from: 1), descending: name == "sort_by_label_desc", grid: grid,
                context: context)
        default:
            return try Sorting.byValue(try vector(0), descending: name == "sort_desc", grid: grid, context: context)
        }
    }

    private func histogram(_ name: String) throws(QueryError) -> any VectorOperator {
        let estimate: HistogramFunction.Estimate
        let vectorIndex: Int
        switch name {
        case "histogram_quantile":
            let quantile = try scalar(0)
            warnAboutQuantiles(quantile, argument: 0)
            estimate = .quantile(quantile)
            vectorIndex = 1
        case "histogram_fraction":
            estimate = .fraction(from: try scalar(0), to: try scalar(1))
            vectorIndex = 2
        default:
            var quantiles: [ScalarColumn] = []
            for index in arguments.indices.dropFirst(2) {
                quantiles.append(try scalar(index))
                warnAboutQuantiles(quantiles[quantiles.count - 1], argument: index)
            }
            estimate = .quantiles(quantiles, label: try string(1))
            vectorIndex = 0
        }
        return try HistogramFunction.make(
            estimate, of: try vector(vectorIndex), grid: grid, names: names, position: place(vectorIndex),
            context: context)
    }

    private func warnAboutQuantiles(_ quantile: ScalarColumn, argument: Int) {
        QuantileRange.warn(quantile, at: place(argument), context: context)
    }
}

// MARK: Arguments

extension FunctionBuilder {
    private func vector(_ index: Int) throws(QueryError) -> any VectorOperator {
        guard index < arguments.count else { throw missing(index) }
        switch arguments[index] {
        case .operatorNode(let node), .timestamps(let node), .starts(let node): return node
        case .string: throw missing(index)
        }
    }

    private func scalar(_ index: Int) throws(QueryError) -> ScalarColumn {
        try ScalarColumn(try vector(index), stepCount: grid.count)
    }

    private func string(_ index: Int) throws(QueryError) -> String {
        guard index < arguments.count, case .string(let text) = arguments[index] else { throw missing(index) }
        return text
    }

    private func strings(from start: Int) throws(QueryError) -> [String] {
        var result: [String] = []
        for index in arguments.indices.dropFirst(start) { result.append(try string(index)) }
        return result
    }

    private func place(_ index: Int) -> Range<Int> {
        index < call.arguments.count ? call.arguments[index].range : call.range
    }

    /// The type checker lets no such call through.
    private func missing(_ index: Int) -> QueryError {
        QueryError(
            .evaluation, "unexpected argument \(index + 1) in call to function \"\(call.function.name)\"",
            range: call.range)
    }
}

/// Quantiles outside 0…1 are answered (with ∓Inf), and noted. Shared by functions and the aggregation.
enum QuantileRange {
    static func warn(_ quantile: ScalarColumn, at range: Range<Int>, context: QueryContext) {
        var last: UInt64?
        for step in 0..<quantile.count {
            let value = quantile.values[step]
            guard !(value >= 0 && value <= 1), value.bitPattern != last else { continue }
            last = value.bitPattern
            let text = Numbers.NumberText.string(value, style: .general)
            context.annotate(.warning, "quantile value should be between 0 and 1, got \(text)", at: range)
        }
    }
}
