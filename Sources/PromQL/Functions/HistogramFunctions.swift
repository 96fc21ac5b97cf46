import Numbers
import Synchronization
import TSDB

/// `histogram_quantile(φ, v)`, `histogram_fraction(a, b, v)` and `histogram_quantiles(v, "q", φ…)` of classic histograms.
///
///     series                       le parsed   sorted by bound        one row
///     {job="x", le="+Inf"} ─┐
///     {job="x", le="0.5"}  ─┼─▶  +Inf 0.5 0.1   ▶   0.1 0.5 +Inf   ▶   {job="x"}
///     {job="x", le="0.1"}  ─┘
///
/// The series are sorted into histograms once, from labels alone. A row is computed on demand: the columns of its own
/// buckets, then per step a `ClassicHistogram` of the buckets present. Only the `le` values that differ are parsed.
struct HistogramFunction: VectorOperator {
    enum Estimate: Sendable {
        case quantile(ScalarColumn)
        case fraction(from: ScalarColumn, to: ScalarColumn)
        /// One row per histogram and quantile, told apart by the label.
        case quantiles([ScalarColumn], label: String)
    }

    private struct Histogram {
        var labels: Labels
        /// Where its buckets stand in `members`.
        var range: Range<Int>
    }

    private struct Row {
        var histogram: Int
        /// Of several quantiles: which one, and at the steps where it has which value.
        var quantile: Int
        var value: Double
    }

    private let input: any VectorOperator
    private let estimate: Estimate
    private let names: NameTreatment
    private let context: QueryContext
    private let grid: StepGrid
    private let histograms: [Histogram]
    private let rows: [Row]
    /// Series of all histograms behind each other, each histogram's by ascending bound.
    private let members: [(series: Int, bound: Double)]
    private let corrections: CorrectionNotes

    /// `position` is the place of the vector in the query.
    static func make(
        _ estimate: Estimate, of input: any VectorOperator, grid: StepGrid, names: NameTreatment,
        position: Range<Int>, context: QueryContext
    ) throws(QueryError) -> any VectorOperator {
        let function = try HistogramFunction(
            estimate, input, grid: grid, names: names, position: position, context: context)
        if names == .dropped && !input.isDistinctWithoutNames { return DistinctRows.of(function) }
        if case .quantiles = estimate { return DistinctRows.of(function) }
        return function
    }

    private init(
        _ estimate: Estimate, _ input: any VectorOperator, grid: StepGrid, names: NameTreatment,
        position: Range<Int>, context: QueryContext
    ) throws(QueryError) {
        self.input = input
        self.estimate = estimate
        self.names = names
        self.context = context
        self.grid = grid
        corrections = CorrectionNotes(position: position, context: context)

        let groups = input.groups(.without(["le"]))
        let byBound = input.groups(.by(["le"]))
        // `nil`: not a number.
        let bounds = byBound.labels.map { Numbers.NumberText.parse($0["le"] ?? "", allowing: .go) }
        try Self.warnAboutBounds(
            byBound, bounds, input, stepCount: grid.count, withName: names != .dropped, position: position,
            context: context)

        let byGroup = GroupMembers(groups.assignment, groupCount: groups.labels.count)
        var members: [(series: Int, bound: Double)] = []
        var histograms: [Histogram] = []
        members.reserveCapacity(input.count)
        for (group, labels) in groups.labels.enumerated() {
            var buckets: [(series: Int, bound: Double)] = []
            for series in byGroup[group] {
                if let bound = bounds[Int(byBound.assignment[series])] { buckets.append((series, bound)) }
            }
            if buckets.isEmpty { continue }
            buckets.sort {
                $0.bound == $1.bound ? $0.series < $1.series : Quantile.precedes($0.bound, $1.bound)
            }
            histograms.append(Histogram(labels: labels, range: members.count..<(members.count + buckets.count)))
            members += buckets
        }
        self.members = members
        self.histograms = histograms
        rows = try Self.rows(estimate, histogramCount: histograms.count, context: context)
    }

    private static func rows(
        _ estimate: Estimate, histogramCount: Int, context: QueryContext
    ) throws(QueryError) -> [Row] {
        guard case .quantiles(let columns, _) = estimate else {
            return (0..<histogramCount).map { Row(histogram: $0, quantile: 0, value: 0) }
        }
        var rows: [Row] = []
        for (number, column) in columns.enumerated() {
            var values: Set<UInt64> = []
            for step in 0..<column.count where values.insert(column.values[step].bitPattern).inserted {
                // A quantile that moves has a row per value.
                try context.reserve(bytes: histogramCount * MemoryLayout<Row>.stride)
                for histogram in 0..<histogramCount {
                    rows.append(Row(histogram: histogram, quantile: number, value: column.values[step]))
                }
            }
        }
        return rows
    }

    /// A series whose `le` is no number takes no part, and says so if it has any value.
    private static func warnAboutBounds(
        _ groups: Groups, _ bounds: [Double?], _ input: any VectorOperator, stepCount: Int, withName: Bool,
        position: Range<Int>, context: QueryContext
    ) throws(QueryError) {
        guard bounds.contains(where: { $0 == nil }) else { return }
        let scratch = Scratch()
        var told: Set<String> = []
        for index in 0..<input.count {
            let group = Int(groups.assignment[index])
            guard bounds[group] == nil else { continue }
            let value = groups.labels[group]["le"] ?? ""
            var text = "bucket label \"le\" is missing or has a malformed value of \(QuotedText.go(value))"
            if withName, let name = input.labels(at: index).metricName {
                text += " for metric name \(QuotedText.go(name))"
            }
            guard !told.contains(text) else { continue }
            let isPresent = try scratch.withColumn(count: stepCount) { (column) throws(QueryError) in
                try context.check()
                try input.fill(index, into: &column, scratch: scratch)
                return !column.isEmpty
            }
            guard isPresent else { continue }
            told.insert(text)
            context.annotate(.warning, text, at: position)
        }
    }

    var count: Int { rows.count }

    var isDistinctWithoutNames: Bool { names == .dropped || input.isDistinctWithoutNames }

    func labels(at index: Int) -> Labels {
        let row = rows[index]
        var labels = histograms[row.histogram].labels
        if names == .dropped { labels = labels.droppingName() }
        guard case .quantiles(_, let name) = estimate else { return labels }
        var builder = LabelsBuilder(labels)
        builder.set(name, to: OpenMetricsNumber.text(row.value))
        return builder.labels()
    }

    func dropsName(at index: Int) -> Bool { names == .marked }

    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        let row = rows[index]
        let buckets = members[histograms[row.histogram].range]
        // The columns of one histogram, a few dozen; they go when the row is done.
        let table = try ColumnTable.pulling(
            buckets.map(\.series), of: input, stepCount: column.count, context: context)
        defer { context.releaseTable(series: buckets.count, steps: column.count) }
        let bounds = buckets.map(\.bound)
        let values = bounds.indices.map { table.rowValues($0) }
        let presence = bounds.indices.map { table.rowPresence($0) }

        column.clear()
        var histogram = ClassicHistogram()
        var correction = CorrectionNotes.Merged()
        for step in 0..<column.count {
            let word = step >> 6, bit: UInt64 = 1 << UInt64(truncatingIfNeeded: step & 63)
            histogram.removeAll()
            for number in bounds.indices where presence[number][word] & bit != 0 {
                histogram.append(ClassicHistogram.Bucket(upperBound: bounds[number], count: values[number][step]))
            }
            if histogram.isEmpty { continue }
            let phi: Double
            switch estimate {
            case .fraction(let lower, let upper):
                column.set(step, histogram.fraction(from: lower.values[step], to: upper.values[step]))
                continue
            case .quantile(let quantile): phi = quantile.values[step]
            case .quantiles(let quantiles, _):
                phi = quantiles[row.quantile].values[step]
                if phi.bitPattern != row.value.bitPattern { continue }
            }
            if phi >= 0 && phi <= 1 && histogram.isComplete, let made = histogram.makeMonotonic() {
                correction.add(made, at: grid.time(step))
            }
            column.set(step, histogram.quantile(phi))
        }
        let name = names == .dropped ? nil : histograms[row.histogram].labels.metricName
        corrections.add(correction, metricName: name)
    }
}

/// `histogram_quantiles` writes quantiles into labels as OpenMetrics writes numbers: `1.0`, `0.5`, `1e-05`.
enum OpenMetricsNumber {
    static func text(_ value: Double) -> String {
        let text = Numbers.NumberText.string(value, style: .general)
        let needsPoint = value.isFinite && !text.utf8.contains { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "e") }
        return needsPoint ? text + ".0" : text
    }
}
