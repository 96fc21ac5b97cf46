import Histograms
import TSDB

/// The evaluation times of a query: `start`, `start + step`, … `count` of them. An instant query has one.
public struct StepGrid: Sendable, Equatable {
    /// Milliseconds since the epoch.
    public let start: Int64
    /// Milliseconds; positive also where there is only one step.
    public let step: Int64
    public let count: Int

    public init(start: Int64, step: Int64, count: Int) {
        self.start = start
        self.step = step
        self.count = count
    }

    /// The time of step `index`.
    @inlinable @inline(__always)
    public func time(_ index: Int) -> Int64 { start &+ step &* Int64(truncatingIfNeeded: index) }

    public var end: Int64 { count == 0 ? start : time(count - 1) }
}

/// One series of an instant vector over all steps of a query: a value per step and a bit per step that says whether
/// there is one (NaN and the stale marker are values, so absence needs a bit of its own).
///
/// The unit that operators hand on. Owned and reused by whoever pulls. Native histograms stand in a table of rows beside the values, which is
/// empty where there are none, as nearly everywhere: an operator looks at `hasHistograms` once per column and goes on with plain floats. What
/// runs over histograms by the thousand (`rate`, `sum`) works on the rows; the rest asks for values with `histogram`.
public struct StepColumn: ~Copyable {
    public let values: UnsafeMutablePointer<Double>
    /// Bit `i & 63` of word `i >> 6` is set where step `i` has a value.
    public let presence: UnsafeMutablePointer<UInt64>
    public let count: Int
    public let wordCount: Int
    /// A step that is present and has a row here is a histogram, and its place in `values` means nothing.
    public private(set) var histograms = HistogramRows()

    public init(count: Int) {
        self.count = count
        wordCount = (count + 63) >> 6
        values = .allocate(capacity: count + 8)
        presence = .allocate(capacity: wordCount + 1)
        values.initialize(repeating: 0, count: count + 8)
        presence.initialize(repeating: 0, count: wordCount + 1)
    }

    deinit {
        values.deallocate()
        presence.deallocate()
    }

    /// No step has a value.
    @inlinable
    public mutating func clear() {
        presence.update(repeating: 0, count: wordCount)
        dropHistograms()
    }

    /// Some step may be a histogram.
    @inlinable @inline(__always)
    public var hasHistograms: Bool { !histograms.isEmpty }

    /// Step `step`, which is present, is a histogram.
    @inlinable @inline(__always)
    public func isHistogram(_ step: Int) -> Bool { histograms.row(of: step) >= 0 }

    /// The histogram that step `step`, which is present, is, as a value of its own; `nil`: it is a float.
    public func histogram(_ step: Int) -> FloatHistogram? { histograms.histogram(sample: step) }

    /// All steps that are present are floats from now on: what `values` says.
    @inline(__always)
    public mutating func dropHistograms() { histograms.removeAll() }

    public mutating func set(_ step: Int, _ histogram: FloatHistogram) {
        histograms.append(sample: step, histogram)
        set(step, histogram.sum)
    }

    /// Step `step` is row `row` of `rows`; where `last`, a step before, was that one already, both share it.
    mutating func set(_ step: Int, row: Int, of rows: HistogramRows, sharedWith last: Int?) {
        if let last {
            histograms.put(row: histograms.row(of: last), at: step)
        } else {
            histograms.append(sample: step, row: row, of: rows)
        }
        set(step, rows.rows[row].sum)
    }

    /// Begins a run of computed histograms of one layout: see `HistogramRows.begin`.
    mutating func begin(_ layout: HistogramRows.Layout) -> Int32 { histograms.begin(layout) }

    /// A gauge that was just computed, of the layout begun; `fill` writes all its buckets, empty ones, too.
    @inline(__always)
    mutating func set(
        _ step: Int, layout: Int32, count observations: Double, zeroCount: Double, sum: Double,
        fill: (UnsafeMutableBufferPointer<Double>) -> Void
    ) {
        histograms.append(
            sample: step, layout: layout, hint: .gauge, count: observations, zeroCount: zeroCount, sum: sum,
            leavesOutEmpty: true, fill: fill)
        set(step, sum)
    }

    /// Changes every histogram of a step that is present.
    mutating func changeHistograms(_ change: (inout FloatHistogram) -> Void) {
        guard !histograms.isEmpty else { return }
        let before = histograms
        histograms = HistogramRows()
        for step in 0..<count where isPresent(step) {
            guard var histogram = before.histogram(sample: step) else { continue }
            change(&histogram)
            set(step, histogram)
        }
    }

    /// As `set`, where the step may have been a histogram before.
    public mutating func replace(_ step: Int, with value: Double) {
        histograms.remove(sample: step)
        set(step, value)
    }

    /// Every step has a value, a float; the values themselves are the caller's to write.
    public mutating func markAllPresent() {
        dropHistograms()
        guard wordCount > 0 else { return }
        presence.update(repeating: ~0, count: wordCount)
        let rest = count & 63
        if rest != 0 { presence[wordCount - 1] = (1 << UInt64(rest)) - 1 }
    }

    @inlinable @inline(__always)
    public func isPresent(_ step: Int) -> Bool {
        presence[step >> 6] & (1 << UInt64(truncatingIfNeeded: step & 63)) != 0
    }

    /// A float; the step has been no histogram since the last `clear`.
    @inlinable @inline(__always)
    public mutating func set(_ step: Int, _ value: Double) {
        values[step] = value
        presence[step >> 6] |= 1 << UInt64(truncatingIfNeeded: step & 63)
    }

    @inlinable @inline(__always)
    public mutating func unset(_ step: Int) {
        presence[step >> 6] &= ~(1 << UInt64(truncatingIfNeeded: step & 63))
    }

    public var isEmpty: Bool {
        for word in 0..<wordCount where presence[word] != 0 { return false }
        return true
    }

    /// The first step with a value.
    public var firstPresentStep: Int? {
        for word in 0..<wordCount where presence[word] != 0 { return word << 6 &+ presence[word].trailingZeroBitCount }
        return nil
    }

    /// Number of steps with a value.
    public var presentCount: Int {
        var total = 0
        for word in 0..<wordCount { total &+= presence[word].nonzeroBitCount }
        return total
    }

    public mutating func copy(from other: borrowing StepColumn) {
        precondition(other.count == count, "columns of \(count) and \(other.count) steps")
        values.update(from: other.values, count: count)
        presence.update(from: other.presence, count: wordCount)
        if !histograms.isEmpty || !other.histograms.isEmpty { histograms = other.histograms }
    }

    /// Takes over the histograms of a column, as `ColumnTable` keeps them.
    mutating func take(histograms rows: HistogramRows) {
        if !histograms.isEmpty || !rows.isEmpty { histograms = rows }
    }

    /// Visits the steps that have a value, in order. Where a word's steps are all there the loop is a plain one, which
    /// the compiler can turn into vector code.
    @inlinable @inline(__always)
    public func forEachPresent(_ body: (_ step: Int) -> Void) {
        for word in 0..<wordCount {
            var bits = presence[word]
            if bits & (bits &+ 1) == 0 {
                let first = word << 6
                for step in first..<(first &+ bits.nonzeroBitCount) { body(step) }
                continue
            }
            while bits != 0 {
                body(word << 6 &+ bits.trailingZeroBitCount)
                bits &= bits &- 1
            }
        }
    }
}
