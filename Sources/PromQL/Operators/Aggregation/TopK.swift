import Histograms
import Numbers
import TSDB

/// `topk` and `bottomk`: at each step the k largest (smallest) values of each group, under their own labels.
///
///     series   step 0   step 1               topk(1)
///     a           3        1         a           3        _
///     b           2        5         b           _        5
///
/// A heap of k elements per group and step, its least welcome element on top, so that most values are refused by one
/// comparison. Memory is groups × steps × k, not series × steps.
/// NaN is the least welcome of all.
enum TopK {
    /// `k` per step, rounded towards zero; less than 1: nothing at that step.
    static func make(
        _ input: any VectorOperator, _ grouping: Grouping, k: ScalarColumn, isTop: Bool, grid: StepGrid,
        place: Range<Int>, context: QueryContext
    ) throws(QueryError) -> any VectorOperator {
        guard let bounds = try SelectionSize.check(k, seriesCount: input.count) else {
            try input.computeUnused(0..<input.count, steps: grid.count, context)
            return EmptyVector()
        }
        return isTop
            ? try select(.topk, input, grouping, bounds, grid, place, context) { $0 < $1 }
            : try select(.bottomk, input, grouping, bounds, grid, place, context) { $0 > $1 }
    }

    /// `isWorse(a, b)`: a gives way to b, both being numbers.
    @inline(__always)
    private static func select(
        _ op: AggregateOperator, _ input: any VectorOperator, _ grouping: Grouping, _ size: SelectionSize, _ grid: StepGrid,
        _ place: Range<Int>, _ context: QueryContext, isWorse: (Double, Double) -> Bool
    ) throws(QueryError) -> any VectorOperator {
        let groups = input.groups(Aggregation.effective(grouping))
        try context.reserve(labelsOf: groups)
        let width = size.largest
        let cells = try Selection.reserve(groups: groups, width: width, steps: grid.count, context)
        defer { context.release(bytes: cells * SelectionHeaps.bytesPerCell) }
        let heaps = SelectionHeaps(groups: groups, width: width, steps: grid.count)

        // NaN is worse than everything, itself included: upstream's order.
        @inline(__always) func worse(_ a: Double, _ b: Double) -> Bool { a.isNaN || isWorse(a, b) }

        try input.forEachColumn(steps: grid.count, context) { (index, column) throws(QueryError) in
            let group = Int(groups.assignment[index])
            let hasHistograms = column.hasHistograms
            for step in 0..<grid.count where column.isPresent(step) {
                let value = column.values[step], k = size.at(step)
                guard k >= 1 else { continue }
                if hasHistograms, column.isHistogram(step) {
                    context.annotate(HistogramNotes.ignored(inAggregation: op.rawValue, at: place))
                    continue
                }
                let heap = heaps.heap(group, step)
                if heap.count < min(k, heap.capacity) {
                    heap.push(value, UInt32(truncatingIfNeeded: index), worse)
                } else if isWorse(heap.values[0], value) || (heap.values[0].isNaN && !value.isNaN) {
                    heap.replaceTop(value, UInt32(truncatingIfNeeded: index), worse)
                }
            }
        }
        return try Selection.result(input, groups, heaps, grid, context) { a, b in
            // Best first; among equals the order in the heap.
            worse(b, a) && !(a.isNaN && b.isNaN)
        }
    }
}

/// `limitk`: the first k series of each group that have a value at the step.
enum LimitK {
    static func make(
        _ input: any VectorOperator, _ grouping: Grouping, k: ScalarColumn, grid: StepGrid, context: QueryContext
    ) throws(QueryError) -> any VectorOperator {
        guard let size = try SelectionSize.check(k, seriesCount: input.count) else {
            try input.computeUnused(0..<input.count, steps: grid.count, context)
            return EmptyVector()
        }
        let groups = input.groups(Aggregation.effective(grouping))
        try context.reserve(labelsOf: groups)
        let cells = try Selection.reserve(groups: groups, width: size.largest, steps: grid.count, context)
        defer { context.release(bytes: cells * SelectionHeaps.bytesPerCell) }
        let heaps = SelectionHeaps(groups: groups, width: size.largest, steps: grid.count)
        var histograms: [Int: [(step: Int, histogram: FloatHistogram)]] = [:]
        try input.forEachColumn(steps: grid.count, context) { (index, column) throws(QueryError) in
            let group = Int(groups.assignment[index])
            let hasHistograms = column.hasHistograms
            for step in 0..<grid.count where column.isPresent(step) {
                let heap = heaps.heap(group, step)
                if heap.count < min(size.at(step), heap.capacity) {
                    heap.append(column.values[step], UInt32(truncatingIfNeeded: index))
                    if hasHistograms, let histogram = column.histogram(step) {
                        try context.reserve(samples: histogram.sampleCount)
                        try context.reserve(bytes: histogram.byteCount)
                        histograms[index, default: []].append((step, histogram))
                    }
                }
            }
        }
        return try Selection.result(input, groups, heaps, grid, context, histograms: histograms) { _, _ in false }
    }
}

/// How many elements a group may keep, per step.
struct SelectionSize {
    private let k: ScalarColumn
    private let seriesCount: Int
    /// The largest of all steps.
    let largest: Int

    /// `nil`: no step asks for any. Throws upstream's errors for what is no whole number.
    static func check(_ k: ScalarColumn, seriesCount: Int) throws(QueryError) -> SelectionSize? {
        var largest = -Double.infinity, least = Double.infinity
        var hasNaN = false
        for step in 0..<k.count {
            let value = k.values[step]
            if value.isNaN { hasNaN = true }
            if value > largest { largest = value }
            if value < least { least = value }
        }
        if largest < 1 && !hasNaN || k.count == 0 { return nil }
        if hasNaN { throw QueryError(.evaluation, "Parameter value is NaN") }
        if least <= -0x1p63 {
            throw QueryError(.evaluation, "Scalar value \(Numbers.NumberText.string(least, style: .general)) underflows int64")
        }
        // The largest double below 2⁶³.
        if largest >= 0x1.fffffffffffffp62 {
            throw QueryError(.evaluation, "Scalar value \(Numbers.NumberText.string(largest, style: .general)) overflows int64")
        }
        return SelectionSize(k: k, seriesCount: seriesCount, largest: min(Int(largest), seriesCount))
    }

    @inline(__always)
    func at(_ step: Int) -> Int { min(Int(k.values[step]), seriesCount) }
}
