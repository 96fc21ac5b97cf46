import Histograms
import Numbers
import Synchronization
import TSDB

/// `histogram_quantile(φ, v)`, `histogram_fraction(a, b, v)` and `histogram_quantiles(v, "q", φ…)` of classic and of native histograms.
///
///     series                       le parsed   sorted by bound        one row
///     {job="x", le="+Inf"} ─┐
///     {job="x", le="0.5"}  ─┼─▶  +Inf 0.5 0.1   ▶   0.1 0.5 +Inf   ▶   {job="x"}
///     {job="x", le="0.1"}  ─┘
///     {job="y"}              ▶   none: native histograms           ▶   {job="y"}
///
/// The series are sorted into histograms once, from labels alone. A row is computed on demand: the columns of its own
/// buckets, then per step a `ClassicHistogram` of the buckets present. Only the `le` values that differ are parsed.
///
/// A series without a number as `le` may have native histograms; its floats take no part, and say so. Where a classic and a native histogram
/// have the same labels, a step that has both has no answer. (A native histogram that has a number as `le` is left out: nobody makes one.)
struct HistogramFunction: VectorOperator {
    enum Estimate: Sendable {
        case quantile(ScalarColumn)
        case fraction(from: ScalarColumn, to: ScalarColumn)
        /// One row per histogram and quantile, told apart by the label.
        case quantiles([ScalarColumn], label: String)
    }

    private let input: any VectorOperator
    private let estimate: Estimate
    private let names: NameTreatment
    private let context: QueryContext
    private let grid: StepGrid
    private let histograms: HistogramSeries
    private let rows: [Row]
    private let corrections: CorrectionNotes
    /// Of the vector in the query.
    private let position: Range<Int>

    private struct Row {
        /// Index into `histograms.all`.
        var histogram: Int
        /// Of several quantiles: which one, and at the steps where it has which value.
        var quantile: Int
        var value: Double
    }

    /// `position` is the place of the vector in the query.
    static func make(
        _ estimate: Estimate, of input: any VectorOperator, grid: StepGrid, names: NameTreatment,
        position: Range<Int>, context: QueryContext
    ) throws(QueryError) -> any VectorOperator {
        let function = try HistogramFunction(
            estimate, input, grid: grid, names: names, position: position, context: context)
        if names == .dropped && !input.isDistinctWithoutNames { return DistinctRows.of(function) }
        if function.histograms.hasBothKinds { return DistinctRows.of(function) }
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
        self.position = position
        corrections = CorrectionNotes(position: position, context: context)
        histograms = HistogramSeries(input)
        rows = try Self.rows(estimate, histogramCount: histograms.all.count, context: context)
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

    var count: Int { rows.count }
    var canFail: Bool { input.canFail }

    var isDistinctWithoutNames: Bool {
        !histograms.hasBothKinds && (names == .dropped || input.isDistinctWithoutNames)
    }

    func labels(at index: Int) -> Labels {
        let row = rows[index]
        var labels = histograms.labels(row.histogram, input)
        if names == .dropped { labels = labels.droppingName() }
        guard case .quantiles(_, let name) = estimate else { return labels }
        var builder = LabelsBuilder(labels)
        builder.set(name, to: OpenMetricsNumber.text(row.value))
        return builder.labels()
    }

    func dropsName(at index: Int) -> Bool { names == .marked }

    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        let row = rows[index]
        switch histograms.all[row.histogram] {
        case .classic(let labels, let range, let twin):
            try fillClassic(row, labels, Array(histograms.members[range]), twin: twin, into: &column, scratch)
        case .native(let series, let twin):
            try fillNative(row, series, twin: twin, into: &column, scratch)
        }
    }
}

// MARK: Classic histograms

extension HistogramFunction {
    private func fillClassic(
        _ row: Row, _ labels: Labels, _ buckets: [(series: Int, bound: Double)], twin: Int?,
        into column: inout StepColumn, _ scratch: Scratch
    ) throws(QueryError) {
        // The columns of one histogram, a few dozen; they go when the row is done.
        let table = try ColumnTable.pulling(
            buckets.map(\.series), of: input, stepCount: column.count, context: context)
        defer { context.releaseTable(series: buckets.count, steps: column.count) }
        if table.hasHistograms { table.removeHistograms() }
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
        if let twin { try removeSteps(ofNative: twin, from: &column, scratch) }
        let name = names == .dropped ? nil : labels.metricName
        corrections.add(correction, metricName: name)
    }

    /// Takes away the steps at which the native histogram with the same labels has one.
    private func removeSteps(
        ofNative series: Int, from column: inout StepColumn, _ scratch: Scratch
    ) throws(QueryError) {
        let isMixed = try scratch.withColumn(count: column.count) { (native) throws(QueryError) in
            try input.fill(series, into: &native, scratch: scratch)
            guard native.hasHistograms else { return false }
            var isMixed = false
            for step in 0..<column.count where column.isPresent(step) && native.isPresent(step) {
                if !native.isHistogram(step) { continue }
                column.unset(step)
                isMixed = true
            }
            return isMixed
        }
        if isMixed { context.annotate(HistogramNotes.mixedClassicAndNative(noteName(ofSeries: series), at: position)) }
    }
}

// MARK: Native histograms

extension HistogramFunction {
    private func fillNative(
        _ row: Row, _ series: Int, twin: Int?, into column: inout StepColumn, _ scratch: Scratch
    ) throws(QueryError) {
        try input.fill(series, into: &column, scratch: scratch)
        if column.hasFloats { warnAboutBound(of: series) }
        guard column.hasHistograms else { return column.clear() }
        var nanIsSkewing = false, nanIsResult = false
        let observations = column.histograms
        for step in 0..<column.count where column.isPresent(step) {
            guard let histogram = observations.histogram(sample: step) else {
                column.unset(step)
                continue
            }
            let phi: Double
            switch estimate {
            case .fraction(let lower, let upper):
                let found = histogram.fractionWithNaNEffect(from: lower.values[step], to: upper.values[step])
                nanIsSkewing = nanIsSkewing || found.hasNaN
                column.set(step, found.value)
                continue
            case .quantile(let quantile): phi = quantile.values[step]
            case .quantiles(let quantiles, _):
                phi = quantiles[row.quantile].values[step]
                if phi.bitPattern != row.value.bitPattern {
                    column.unset(step)
                    continue
                }
            }
            let found = histogram.quantileWithNaNEffect(phi)
            nanIsSkewing = nanIsSkewing || found.effect == .skewed
            nanIsResult = nanIsResult || found.effect == .isNaN
            column.set(step, found.value)
        }
        column.dropHistograms()
        if let twin { try removeSteps(ofClassic: twin, from: &column, scratch) }
        guard nanIsSkewing || nanIsResult else { return }
        let name = noteName(ofSeries: series)
        if case .fraction = estimate {
            context.annotate(HistogramNotes.fractionLeavesOutNaN(name, at: position))
        } else {
            if nanIsSkewing { context.annotate(HistogramNotes.quantileIsSkewed(name, at: position)) }
            if nanIsResult { context.annotate(HistogramNotes.quantileIsNaN(name, at: position)) }
        }
    }

    /// Takes away the steps at which a bucket of the classic histogram with the same labels has a value. That one says so.
    private func removeSteps(
        ofClassic histogram: Int, from column: inout StepColumn, _ scratch: Scratch
    ) throws(QueryError) {
        guard case .classic(_, let range, _) = histograms.all[histogram] else { return }
        for (series, _) in histograms.members[range] {
            try scratch.withColumn(count: column.count) { (bucket) throws(QueryError) in
                try input.fill(series, into: &bucket, scratch: scratch)
                if bucket.hasHistograms { bucket.removeHistograms() }
                for word in 0..<column.wordCount { column.presence[word] &= ~bucket.presence[word] }
            }
        }
    }

    /// A float whose `le` is no number takes no part.
    private func warnAboutBound(of series: Int) {
        let labels = input.labels(at: series)
        var text = "bucket label \"le\" is missing or has a malformed value of \(QuotedText.go(labels["le"] ?? ""))"
        if names != .dropped, let name = labels.metricName { text += " for metric name \(QuotedText.go(name))" }
        context.annotate(.warning, text, at: position)
    }

    /// The metric's name as notes have it: none where it has been taken away already.
    private func noteName(ofSeries series: Int) -> String {
        names == .dropped ? "" : input.labels(at: series).metricName ?? ""
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
