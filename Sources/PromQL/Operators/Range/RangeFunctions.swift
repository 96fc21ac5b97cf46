import TSDB

/// The functions of range vectors by name.
enum RangeFunctions {
    static func make(
        _ plan: RangeFunctionPlan, _ source: any RangeSource, _ windows: WindowGrid,
        parameters: [any VectorOperator], grid: StepGrid, names: NameTreatment, context: QueryContext
    ) throws(QueryError) -> any VectorOperator {
        let maker = Maker(plan: plan, source: source, windows: windows, names: names, context: context)
        switch plan.name {
        case "rate": return try maker.counter(Rate(isCounter: true, isPerSecond: true))
        case "increase": return try maker.counter(Rate(isCounter: true, isPerSecond: false))
        case "delta": return try maker.series(Rate(isCounter: false, isPerSecond: false))
        default:
            throw QueryError(.notImplemented, "function \(plan.name) is not implemented yet", range: plan.place)
        }
    }

    private struct Maker {
        let plan: RangeFunctionPlan
        let source: any RangeSource
        let windows: WindowGrid
        let names: NameTreatment
        let context: QueryContext

        /// The name that all series have, where the selector says so.
        var pinnedName: String? {
            guard case .selector(let selector) = plan.range.source else { return nil }
            return selector.pinnedName
        }

        func counter(_ kernel: some WindowKernel) throws(QueryError) -> any VectorOperator {
            try series(kernel, note: CounterNameNote(pinnedName: pinnedName, at: plan.firstArgumentPlace))
        }

        func series(
            _ kernel: some WindowKernel, names: NameTreatment? = nil, note: CounterNameNote? = nil
        ) throws(QueryError) -> any VectorOperator {
            let function = RangeFunction(
                source: source, windows: windows, kernel: kernel, names: names ?? self.names, context: context,
                nameNote: note)
            if function.names == .dropped && pinnedName == nil { try refuseEqualLabels(function) }
            return function
        }

        /// Series that were told apart by their names alone are upstream's error if both answer, at whatever steps.
        /// Only those series are computed for it.
        private func refuseEqualLabels(_ function: some VectorOperator) throws(QueryError) {
            let groups = function.groups(.without([]))
            guard groups.labels.count < function.count else { return }
            var sizes = [Int](repeating: 0, count: groups.labels.count)
            for group in groups.assignment { sizes[Int(group)] += 1 }
            var answered = [Bool](repeating: false, count: groups.labels.count)
            let scratch = Scratch()
            var column = StepColumn(count: windows.count)
            for (index, group) in groups.assignment.enumerated() where sizes[Int(group)] > 1 {
                try function.fill(index, into: &column, scratch: scratch)
                guard !column.isEmpty else { continue }
                if answered[Int(group)] {
                    throw QueryError(.evaluation, "vector cannot contain metrics with the same labelset")
                }
                answered[Int(group)] = true
            }
        }
    }
}
