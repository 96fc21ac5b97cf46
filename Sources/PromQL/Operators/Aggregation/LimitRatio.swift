import Numbers
import TSDB

/// `limit_ratio(0.4, x)`: about four tenths of the series, and always the same ones.
///
///     hash of the labels ÷ 2⁶⁴     0 ├───●──●──┼───●─────●─●───┤ 1
///     ratio   0.4                    ├─────────┤                      below the ratio
///     ratio  −0.6                              ├───────────────┤      from 1 − 0.6 on: what 0.4 leaves
///
/// A series' fate depends on its labels alone, so groups do not matter and nothing is held: columns stream through and lose
/// the steps whose ratio does not reach them.
struct LimitRatio: VectorOperator {
    private let input: any VectorOperator
    private let ratio: ScalarColumn
    /// Per series, from 0 to 1.
    private let positions: [Double]

    /// `ratio` per step; outside −1…1 it counts as −1 or 1, with a warning.
    static func make(
        _ input: any VectorOperator, ratio: ScalarColumn, place: Range<Int>, context: QueryContext
    ) throws(QueryError) -> any VectorOperator {
        if ratio.first(where: { $0 != 0 }) == nil {
            try input.computeUnused(0..<input.count, steps: ratio.count, context)
            return EmptyVector()
        }
        var least = Double.infinity, largest = -Double.infinity
        for step in 0..<ratio.count {
            let value = ratio.values[step]
            if value.isNaN { throw QueryError(.evaluation, "Ratio value is NaN") }
            least = min(least, value)
            largest = max(largest, value)
        }
        if largest > 1 { warn(largest, "1", place, context) }
        if least < -1 { warn(least, "-1", place, context) }
        return LimitRatio(input, ratio)
    }

    private static func warn(_ ratio: Double, _ bound: String, _ place: Range<Int>, _ context: QueryContext) {
        let text = Numbers.NumberText.string(ratio, style: .general)
        context.annotate(
            .warning, "ratio value should be between -1 and 1, got \(text), capping to \(bound)", at: place)
    }

    private init(_ input: any VectorOperator, _ ratio: ScalarColumn) {
        self.input = input
        self.ratio = ratio
        positions = (0..<input.count).map { Double(input.labels(at: $0).upstreamHash) / 0x1p64 }
    }

    var count: Int { input.count }
    var canFail: Bool { input.canFail }
    var isDistinctWithoutNames: Bool { input.isDistinctWithoutNames }
    func labels(at index: Int) -> Labels { input.labels(at: index) }
    func dropsName(at index: Int) -> Bool { input.dropsName(at: index) }
    func groups(_ grouping: Grouping) -> Groups { input.groups(grouping) }

    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        try input.fill(index, into: &column, scratch: scratch)
        let position = positions[index]
        for step in 0..<column.count {
            let ratio = max(-1, min(1, ratio.values[step]))
            let isKept = ratio >= 0 ? position < ratio : position >= 1 + ratio
            if !isKept { column.unset(step) }
        }
    }
}
