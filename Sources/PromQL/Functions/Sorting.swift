import TSDB

/// `sort`, `sort_desc`, `sort_by_label`, `sort_by_label_desc`: the same series in another order.
///
/// Only the answer of an instant query has an order, so in range queries nothing is moved (and a warning says so).
struct ReorderedSeries: VectorOperator {
    let source: any VectorOperator
    /// Numbers in the source, in the new order.
    let order: [Int]

    var count: Int { order.count }
    var canFail: Bool { source.canFail }
    var isDistinctWithoutNames: Bool { source.isDistinctWithoutNames }
    func labels(at index: Int) -> Labels { source.labels(at: order[index]) }
    func dropsName(at index: Int) -> Bool { source.dropsName(at: order[index]) }

    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        try source.fill(order[index], into: &column, scratch: scratch)
    }
}

/// What `sort` leaves of a range query: histograms have no place in an order.
private struct FloatsOnly: VectorOperator {
    let source: any VectorOperator

    var count: Int { source.count }
    var canFail: Bool { source.canFail }
    var isDistinctWithoutNames: Bool { source.isDistinctWithoutNames }
    func labels(at index: Int) -> Labels { source.labels(at: index) }
    func dropsName(at index: Int) -> Bool { source.dropsName(at: index) }

    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        try source.fill(index, into: &column, scratch: scratch)
        if column.hasHistograms { column.removeHistograms() }
    }
}

enum Sorting {
    /// Upstream's text, behind `PromQL warning: `.
    static let ineffective = "sort is ineffective for range queries since results are always ordered by labels"

    /// By value at the only step; NaN comes last in both directions, equal values keep their order. Histograms have no place in
    /// it and are left out.
    static func byValue(
        _ source: any VectorOperator, descending: Bool, grid: StepGrid, context: QueryContext
    ) throws(QueryError) -> any VectorOperator {
        guard grid.count == 1 else { return FloatsOnly(source: source) }
        let all = try ColumnTable.pulling(Array(0..<source.count), of: source, stepCount: 1, context: context)
        var present: [(value: Double, index: Int)] = []
        for index in 0..<source.count where all.rowPresence(index)[0] & 1 != 0 {
            if all.hasHistograms, all.rowHistograms(index).row(of: 0) >= 0 { continue }
            present.append((all.rowValues(index)[0], index))
        }
        let order = try CheckedSort.sorted(present.indices, context) { first, second in
            let a = present[first], b = present[second]
            if a.value.isNaN || b.value.isNaN {
                return a.value.isNaN == b.value.isNaN ? a.index < b.index : b.value.isNaN
            }
            if a.value != b.value { return descending ? a.value > b.value : a.value < b.value }
            return a.index < b.index
        }
        return ReorderedSeries(source: source, order: order.map { present[$0].index })
    }

    /// By the values of `names`, one after the other, in natural order; then by all labels.
    static func byLabels(
        _ source: any VectorOperator, _ names: [String], descending: Bool, grid: StepGrid, context: QueryContext
    ) throws(QueryError) -> any VectorOperator {
        guard grid.count == 1 else { return source }
        var keys: [(values: [[UInt8]], labels: Labels)] = []
        var budget = LabelBudget(context)
        for index in 0..<source.count {
            let labels = source.labels(at: index)
            // Twice, for the values; and each name is an array of its own.
            try budget.add(labels)
            try budget.add(labels)
            try context.reserve(bytes: names.count * LabelBudget.overhead)
            keys.append((values: names.map { Array((labels[$0] ?? "").utf8) }, labels: labels))
        }
        try budget.settle()
        let order = try CheckedSort.sorted(0..<source.count, context) { first, second in
            let (a, b) = descending ? (keys[second], keys[first]) : (keys[first], keys[second])
            for (left, right) in zip(a.values, b.values) {
                let comparison = NaturalOrder.compare(left, right)
                if comparison != 0 { return comparison < 0 }
            }
            return a.labels == b.labels ? first < second : a.labels < b.labels
        }
        return ReorderedSeries(source: source, order: order)
    }
}

/// Order for people: runs of digits compare as numbers, everything else byte by byte.
///
///     cpu2 < cpu10        1.9 < 1.10        a < a1
enum NaturalOrder {
    /// Negative, zero or positive. Numbers that differ in leading zeros only are equal.
    static func compare(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var i = 0, j = 0
        while i < a.count && j < b.count {
            if isDigit(a[i]) && isDigit(b[j]) {
                let left = digits(a, &i), right = digits(b, &j)
                if left.count != right.count { return left.count - right.count }
                for (x, y) in zip(left, right) where x != y { return Int(x) - Int(y) }
            } else {
                if a[i] != b[j] { return Int(a[i]) - Int(b[j]) }
                i += 1
                j += 1
            }
        }
        return (a.count - i) - (b.count - j)
    }

    /// The digits from `position` on without leading zeros; moves behind them.
    private static func digits(_ text: [UInt8], _ position: inout Int) -> ArraySlice<UInt8> {
        while position < text.count && text[position] == UInt8(ascii: "0") { position += 1 }
        let start = position
        while position < text.count && isDigit(text[position]) { position += 1 }
        return text[start..<position]
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
}
