import TSDB

/// The functions of range vectors by name.
enum RangeFunctions {
    static func make(
        _ plan: RangeFunctionPlan, _ source: any RangeSource, _ windows: WindowGrid,
        parameters: [any VectorOperator], grid: StepGrid, names: NameTreatment, context: QueryContext
    ) throws(QueryError) -> any VectorOperator {
        func scalar(_ index: Int) throws(QueryError) -> ScalarColumn {
            try ScalarColumn(parameters[index], stepCount: grid.count)
        }
        let maker = Maker(plan: plan, source: source, windows: windows, names: names, context: context)
        if plan.range.reach != .window { return try extended(maker, plan.name) }
        switch plan.name {
        case "rate": return try maker.counter(Rate(isCounter: true, isPerSecond: true))
        case "increase": return try maker.counter(Rate(isCounter: true, isPerSecond: false))
        case "delta": return try maker.series(Rate(isCounter: false, isPerSecond: false))
        case "irate": return try maker.series(InstantRate(isRate: true))
        case "idelta": return try maker.series(InstantRate(isRate: false))
        case "changes": return try maker.series(PairCount<Changed>())
        case "resets": return try maker.series(PairCount<Fell>())
        case "deriv": return try maker.series(DerivativeKernel())
        case "predict_linear":
            return try maker.series(Rescanning(function: Prediction(ahead: try scalar(0), grid: grid)))
        case "sum_over_time": return try maker.series(WindowSums(isAverage: false))
        case "avg_over_time": return try maker.series(WindowSums(isAverage: true))
        case "stdvar_over_time": return try maker.series(Rescanning(function: VarianceOverTime(isDeviation: false)))
        case "stddev_over_time": return try maker.series(Rescanning(function: VarianceOverTime(isDeviation: true)))
        case "min_over_time": return try maker.series(ExtremeOverTime(isMaximum: false, yieldsTime: false))
        case "max_over_time": return try maker.series(ExtremeOverTime(isMaximum: true, yieldsTime: false))
        case "ts_of_min_over_time": return try maker.series(ExtremeOverTime(isMaximum: false, yieldsTime: true))
        case "ts_of_max_over_time": return try maker.series(ExtremeOverTime(isMaximum: true, yieldsTime: true))
        case "count_over_time": return try maker.series(WindowEnds(answer: .count))
        case "present_over_time": return try maker.series(WindowEnds(answer: .present))
        case "ts_of_first_over_time": return try maker.series(WindowEnds(answer: .timeOfFirst))
        case "ts_of_last_over_time": return try maker.series(WindowEnds(answer: .timeOfLast))
        // These two look at another time, like `offset`: the metric stays what it is.
        case "first_over_time": return try maker.series(WindowEnds(answer: .first), names: .kept)
        case "last_over_time": return try maker.series(WindowEnds(answer: .last), names: .kept)
        case "quantile_over_time":
            return try maker.series(QuantileOverTime(phi: try scalar(0), place: plan.firstArgumentPlace))
        case "mad_over_time": return try maker.series(Rescanning(function: MedianAbsoluteDeviation()))
        case "double_exponential_smoothing":
            return try maker.series(
                ExponentialSmoothing(smoothing: try scalar(0), trend: try scalar(1), place: plan.call.range))
        case "absent_over_time": return try maker.absence(grid)
        default:
            throw QueryError(.notImplemented, "function \(plan.name) is not implemented yet", range: plan.call.range)
        }
    }

    /// Of `anchored` and `smoothed` selectors. `changes` and `resets` only have more samples to count in.
    private static func extended(_ maker: Maker, _ name: String) throws(QueryError) -> any VectorOperator {
        switch name {
        case "rate": return try maker.counter(ExtendedRate(isCounter: true, isPerSecond: true))
        case "increase": return try maker.counter(ExtendedRate(isCounter: true, isPerSecond: false))
        case "delta": return try maker.series(ExtendedRate(isCounter: false, isPerSecond: false))
        case "changes": return try maker.series(PairCount<Changed>())
        case "resets": return try maker.series(PairCount<Fell>())
        default: preconditionFailure("\(name) of samples beyond the window")
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

        var areDistinctWithoutNames: Bool {
            if let subquery = source as? SubquerySource { return subquery.inner.isDistinctWithoutNames }
            return pinnedName != nil && source.groups(NameDropping.beside).labels.count <= 1
        }

        /// 1 at the steps whose windows are empty in every series; the labels are those that the selector asks for with `=`.
        func absence(_ grid: StepGrid) throws(QueryError) -> any VectorOperator {
            let present = RangeFunction(
                source: source, windows: windows, kernel: WindowEnds(answer: .present), names: .kept, context: context,
                place: plan.firstArgumentPlace)
            return try Absence.make(
                present, labels: Absence.labels(of: plan.call.arguments[0]), grid: grid, context: context)
        }

        func counter(_ kernel: some WindowKernel) throws(QueryError) -> any VectorOperator {
            try series(kernel, note: CounterNameNote(pinnedName: pinnedName, at: plan.firstArgumentPlace))
        }

        func series(
            _ kernel: some WindowKernel, names: NameTreatment? = nil, note: CounterNameNote? = nil
        ) throws(QueryError) -> any VectorOperator {
            let function = RangeFunction(
                source: source, windows: windows, kernel: kernel, names: names ?? self.names, context: context,
                place: plan.firstArgumentPlace, nameNote: note)
            if function.names == .dropped && !areDistinctWithoutNames { try refuseEqualLabels(function) }
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
                    throw QueryError.sameLabelset
                }
                answered[Int(group)] = true
            }
        }
    }
}
