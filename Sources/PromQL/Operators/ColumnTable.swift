import Histograms
import TSDB

/// The finished result of an operator that had to see everything: all columns, side by side, with their labels.
///
///     values    ┌ step 0 … step n-1 ┐┌ … ┐   one row per series
///     presence  ┌ words             ┐┌ … ┐
///
/// Filled by one thread, then only read. Its size is counted against the query's limits before it is allocated.
public final class ColumnTable: VectorOperator, @unchecked Sendable {
    // Sendable: rows are written before the table is handed on, and never after.

    public let stepCount: Int
    public let count: Int
    public var canFail: Bool { false }
    private let wordCount: Int
    private let values: UnsafeMutablePointer<Double>
    private let presence: UnsafeMutablePointer<UInt64>
    /// Rows of native histograms, by the number of the series; only those that have some.
    private var histograms: [Int: HistogramRows] = [:]
    public private(set) var seriesLabels: [Labels]
    /// Per series: `__name__` goes at the end of the query. Empty: none does.
    public private(set) var droppedNames: [Bool]

    public init(labels: [Labels], droppedNames: [Bool] = [], stepCount: Int) {
        self.seriesLabels = labels
        self.droppedNames = droppedNames
        self.stepCount = stepCount
        count = labels.count
        wordCount = (stepCount + 63) >> 6
        values = .allocate(capacity: max(1, count * stepCount))
        presence = .allocate(capacity: max(1, count * wordCount))
        presence.initialize(repeating: 0, count: max(1, count * wordCount))
        values.initialize(repeating: 0, count: max(1, count * stepCount))
    }

    deinit {
        values.deallocate()
        presence.deallocate()
    }

    /// Bytes that a table of this shape takes.
    public static func byteCount(series: Int, steps: Int) -> Int {
        let (cells, overflow) = series.multipliedReportingOverflow(by: steps * 8 + ((steps + 63) >> 6) * 8)
        return overflow ? .max : cells
    }

    public var isHeld: Bool { true }

    public func labels(at index: Int) -> Labels { seriesLabels[index] }

    public func dropsName(at index: Int) -> Bool { droppedNames.isEmpty ? false : droppedNames[index] }

    /// Only while the table is being filled.
    public func set(_ column: borrowing StepColumn, at index: Int) {
        precondition(index >= 0 && index < count && column.count == stepCount, "row \(index) of \(count)")
        (values + index * stepCount).update(from: column.values, count: stepCount)
        (presence + index * wordCount).update(from: column.presence, count: wordCount)
        if column.hasHistograms { histograms[index] = column.histograms }
    }

    /// Only while the table is being filled: step `step` of row `index`, which has no value so far, is this histogram.
    public func set(_ histogram: FloatHistogram, at index: Int, step: Int) {
        precondition(index >= 0 && index < count && step >= 0 && step < stepCount, "row \(index) of \(count)")
        histograms[index, default: HistogramRows()].append(sample: step, histogram)
        rowValues(index)[step] = histogram.sum
        rowPresence(index)[step >> 6] |= 1 << UInt64(truncatingIfNeeded: step & 63)
    }

    /// Only while the table is being filled: all histograms of row `index`; their steps had no values so far.
    func set(_ rows: HistogramRows, at index: Int) {
        precondition(index >= 0 && index < count, "row \(index) of \(count)")
        for step in 0..<stepCount {
            let row = rows.row(of: step)
            guard row >= 0 else { continue }
            rowValues(index)[step] = rows.rows[row].sum
            rowPresence(index)[step >> 6] |= 1 << UInt64(truncatingIfNeeded: step & 63)
        }
        if !rows.isEmpty { histograms[index] = rows }
    }

    /// The histograms of row `index`; empty where it has none.
    public func rowHistograms(_ index: Int) -> HistogramRows {
        histograms.isEmpty ? HistogramRows() : histograms[index] ?? HistogramRows()
    }

    /// Some row has histograms.
    public var hasHistograms: Bool { !histograms.isEmpty }

    /// Only while the table is being filled: steps that are histograms have no value.
    func removeHistograms() {
        for (index, rows) in histograms {
            for step in 0..<stepCount where rows.row(of: step) >= 0 {
                presence[index * wordCount + (step >> 6)] &= ~(1 << UInt64(truncatingIfNeeded: step & 63))
            }
        }
        histograms = [:]
    }

    public func rowValues(_ index: Int) -> UnsafeMutablePointer<Double> {
        precondition(index >= 0 && index < count, "row \(index) of \(count)")
        return values + index * stepCount
    }

    public func rowPresence(_ index: Int) -> UnsafeMutablePointer<UInt64> {
        precondition(index >= 0 && index < count, "row \(index) of \(count)")
        return presence + index * wordCount
    }

    public func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        precondition(index >= 0 && index < count && column.count == stepCount, "row \(index) of \(count)")
        column.values.update(from: values + index * stepCount, count: stepCount)
        column.presence.update(from: presence + index * wordCount, count: wordCount)
        column.take(histograms: rowHistograms(index))
    }
}
