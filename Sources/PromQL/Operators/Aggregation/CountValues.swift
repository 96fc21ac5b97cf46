import Histograms
import Numbers
import TSDB

/// `count_values("version", …)`: how many series have each value; the value becomes a label.
///
///     build{v="1"} 2                      {version="2"} 2
///     build{v="2"} 2        →             {version="3"} 1
///     build{v="3"} 3
///
/// Each series makes as many label sets as it has values; rows are counted against the limits as they appear.
enum CountValues {
    static func make(
        _ input: any VectorOperator, _ grouping: Grouping, label: String, grid: StepGrid, place: Range<Int>,
        context: QueryContext
    ) throws(QueryError) -> any VectorOperator {
        guard !label.isEmpty else {
            throw QueryError(.evaluation, "invalid label name \(label.goQuoted)", range: place)
        }
        let (base, keepsValue) = baseGrouping(grouping, label)
        let groups = input.groups(base)
        try context.reserve(labelsOf: groups)
        let scratch = Scratch()
        var rows: [RowKey: Int] = [:]
        var labels: [Labels] = []
        var counts: [[Double]] = []
        var texts: [UInt64: String] = [:]
        try input.forEachColumn(steps: grid.count, context) { (index, column) throws(QueryError) in
            let group = groups.assignment[index]
            // Series rarely change their value: the last row found is tried first.
            var last: (bits: UInt64, row: Int)?
            let hasHistograms = column.hasHistograms
            for step in 0..<grid.count where column.isPresent(step) {
                let histogram = hasHistograms ? column.histogram(step) : nil
                let bits = column.values[step].bitPattern
                if let last, last.bits == bits, histogram == nil {
                    counts[last.row][step] += 1
                    continue
                }
                var text = ""
                if keepsValue {
                    if let histogram {
                        text = histogram.description
                        try context.reserve(bytes: 160 + 2 * text.utf8.count)
                    } else if let known = texts[bits] {
                        text = known
                    } else {
                        text = Numbers.NumberText.string(column.values[step], style: .fixed)
                        // The text here and in the row's key, and their places in two tables.
                        try context.reserve(bytes: 160 + 2 * text.utf8.count)
                        texts[bits] = text
                    }
                }
                let key = RowKey(group: group, text: text)
                let row: Int
                if let known = rows[key] {
                    row = known
                } else {
                    try scratch.spend(grid.count + 64, context)
                    // Twice: while rows are counted, and as the table that is made of them.
                    try context.reserveTable(series: 1, steps: grid.count)
                    try context.reserve(bytes: grid.count * 8 + 64)
                    row = labels.count
                    rows[key] = row
                    let shared = groups.labels[Int(group)]
                    let one = keepsValue ? shared.setting(label, to: text) : shared
                    try context.reserve(bytes: one.packed.count + LabelBudget.overhead)
                    labels.append(one)
                    counts.append(Array(repeating: 0, count: grid.count))
                }
                counts[row][step] += 1
                last = histogram == nil ? (bits, row) : nil
            }
        }
        let table = ColumnTable(labels: labels, stepCount: grid.count)
        var column = StepColumn(count: grid.count)
        for row in labels.indices {
            column.clear()
            for step in 0..<grid.count where counts[row][step] > 0 { column.set(step, counts[row][step]) }
            table.set(column, at: row)
        }
        return table
    }

    private struct RowKey: Hashable {
        let group: UInt32
        /// Two NaN are one value, whatever their bits.
        let text: String
    }

    /// The grouping without the value's label, which overwrites any of that name; and whether that label is kept.
    private static func baseGrouping(_ grouping: Grouping, _ label: String) -> (Grouping, keepsValue: Bool) {
        switch Aggregation.effective(grouping) {
        case .by(let names): return (.by(names.filter { $0 != label }), true)
        case .without(let names): return (.without(names + [label]), !names.contains(label))
        }
    }
}

extension Labels {
    fileprivate func setting(_ name: String, to value: String) -> Labels {
        var builder = LabelsBuilder(self)
        builder.set(name, to: value)
        return builder.labels()
    }
}
