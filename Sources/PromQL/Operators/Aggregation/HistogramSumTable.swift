import Histograms
import TSDB

/// The sums of one group's histograms as long as these lie alike: one schema, one zero threshold, the same bounds.
///
///                count zero sum │ buckets of all layouts met so far
///     step 0       Σ    Σ    Σ  │ Σ Σ Σ Σ Σ        remainders: a second table of the same shape
///     step 1       Σ    Σ    Σ  │ Σ Σ Σ Σ Σ
///
/// A histogram joins its step by one loop over its numbers (`CompensatedSum`), whether it has all buckets of the table or some; where it has
/// one more, the table is laid out anew, which happens a few times per query. A histogram that does not lie alike is not for this table: its
/// step is taken out (`take`) and goes on by itself.
///
/// The numbers are those that `FloatHistogram.add(_:compensation:)` gives, to the bit.
final class HistogramSumTable {
    /// What is known of a step besides its numbers.
    struct Step {
        /// Histograms so far.
        var count = 0.0
        var hint = CounterResetHint.unknown
        var sawReset = false
        var sawNotReset = false
        /// No number of the step is larger; kept for means only.
        var bound = 0.0
        /// Taken out: no longer this table's.
        var isGone = false

        mutating func see(_ other: CounterResetHint) {
            hint = count == 0 ? other : hint.merged(with: other).hint
            if other == .reset { sawReset = true }
            if other == .notReset { sawNotReset = true }
        }
    }

    private(set) var layout: HistogramRows.Layout
    private(set) var steps: [Step]
    private var positive: [BucketRun]
    private var negative: [BucketRun]
    private var sums: UnsafeMutablePointer<Double>
    private var remainders: UnsafeMutablePointer<Double>
    /// Numbers of a step.
    private var width: Int
    /// Count, zero count, sum.
    private static let head = 3
    /// The layout met last, and where its runs of buckets lie in the table's rows. Empty: it does not lie alike.
    private var last: (layout: HistogramRows.Layout, runs: [Mapping], isAlike: Bool)

    /// Neighbouring buckets of a row and of the table.
    private struct Mapping: BitwiseCopyable {
        var source: Int
        var target: Int
        var length: Int
    }

    /// `layout` is the first one met; it must be plain.
    init(_ layout: HistogramRows.Layout, steps: Int) {
        self.layout = layout
        self.steps = Array(repeating: Step(), count: steps)
        positive = BucketRun.all(of: layout.positiveSpans, count: layout.positiveCount)
        negative = BucketRun.all(of: layout.negativeSpans, count: layout.negativeCount)
        width = Self.head &+ layout.bucketCount
        sums = .allocate(capacity: max(1, width &* steps))
        remainders = .allocate(capacity: max(1, width &* steps))
        sums.initialize(repeating: 0, count: width &* steps)
        remainders.initialize(repeating: 0, count: width &* steps)
        last = (layout, [Mapping(source: 0, target: Self.head, length: layout.bucketCount)], true)
    }

    deinit {
        sums.deallocate()
        remainders.deallocate()
    }

    /// Bytes of a table for `layout`.
    static func byteCount(_ layout: HistogramRows.Layout, steps: Int) -> Int {
        (head &+ layout.bucketCount) &* steps &* 16 &+ steps &* MemoryLayout<Step>.stride
    }

    func has(_ step: Int) -> Bool { steps[step].count > 0 && !steps[step].isGone }

    // MARK: Adding

    /// Prepares for rows of `other`: `false` where they do not lie alike. `widen` is told a wider layout before the table takes it.
    func accepts(
        _ other: HistogramRows.Layout, widen: (HistogramRows.Layout) throws(QueryError) -> Void
    ) throws(QueryError) -> Bool {
        if other === last.layout { return last.isAlike }
        guard other.isPlain, other.isOfOneKind(with: layout) else {
            last = (other, [], false)
            return false
        }
        let otherPositive = BucketRun.all(of: other.positiveSpans, count: other.positiveCount)
        let otherNegative = BucketRun.all(of: other.negativeSpans, count: other.negativeCount)
        if !BucketRun.covers(positive, otherPositive) || !BucketRun.covers(negative, otherNegative) {
            let wider = HistogramRows.Layout(
                schema: layout.schema, zeroThreshold: layout.zeroThreshold,
                positiveSpans: BucketRun.union(positive, otherPositive),
                negativeSpans: BucketRun.union(negative, otherNegative), customBounds: layout.customBounds)
            try widen(wider)
            lay(out: wider)
        }
        last = (other, mapping(otherPositive, otherNegative, firstNegative: other.positiveCount), true)
        return true
    }

    private func mapping(_ otherPositive: [BucketRun], _ otherNegative: [BucketRun], firstNegative: Int) -> [Mapping] {
        var result: [Mapping] = []
        for (runs, own, source, target) in [
            (otherPositive, positive, 0, 0), (otherNegative, negative, firstNegative, layout.positiveCount),
        ] {
            var position = 0
            for run in runs {
                guard let place = run.place(in: own, from: &position) else { continue }
                let next = Mapping(
                    source: source &+ run.place, target: Self.head &+ target &+ place, length: run.length)
                if let before = result.last, before.source &+ before.length == next.source,
                    before.target &+ before.length == next.target
                {
                    result[result.count - 1].length &+= next.length
                } else {
                    result.append(next)
                }
            }
        }
        return result
    }

    /// Lays all rows out anew, with more buckets.
    private func lay(out wider: HistogramRows.Layout) {
        let oldPositive = positive, oldNegative = negative, oldMiddle = layout.positiveCount, oldWidth = width
        let count = steps.count
        layout = wider
        positive = BucketRun.all(of: wider.positiveSpans, count: wider.positiveCount)
        negative = BucketRun.all(of: wider.negativeSpans, count: wider.negativeCount)
        width = Self.head &+ wider.bucketCount
        let runs =
            [Mapping(source: -Self.head, target: 0, length: Self.head)]
            + mapping(oldPositive, oldNegative, firstNegative: oldMiddle)
        func moved(_ old: UnsafeMutablePointer<Double>) -> UnsafeMutablePointer<Double> {
            let new = UnsafeMutablePointer<Double>.allocate(capacity: max(1, width &* count))
            new.initialize(repeating: 0, count: width &* count)
            for step in 0..<count {
                for run in runs {
                    (new + (step &* width &+ run.target)).update(
                        from: old + (step &* oldWidth &+ Self.head &+ run.source), count: run.length)
                }
            }
            old.deallocate()
            return new
        }
        sums = moved(sums)
        remainders = moved(remainders)
    }

    /// Adds a row of the layout accepted last; `buckets` are those of all rows.
    func add(_ row: HistogramRows.Row, _ buckets: UnsafeBufferPointer<Double>, to step: Int) {
        let sum = sums + step &* width, rest = remainders + step &* width
        var about = steps[step]
        about.see(row.hint)
        about.count += 1
        steps[step] = about
        guard about.count > 1 else { return begin(row, buckets, sum) }
        Self.add(row.count, to: sum, rest)
        Self.add(row.zeroCount, to: sum + 1, rest + 1)
        Self.add(row.sum, to: sum + 2, rest + 2)
        guard let start = buckets.baseAddress else { return }
        for run in last.runs {
            let own = start + (row.bucketStart &+ run.source), target = sum + run.target, lost = rest + run.target
            for place in 0..<run.length { Self.add(own[place], to: target + place, lost + place) }
        }
    }

    /// The first row of a step is its sum, to the sign of its zeros.
    private func begin(
        _ row: HistogramRows.Row, _ buckets: UnsafeBufferPointer<Double>, _ sum: UnsafeMutablePointer<Double>
    ) {
        (sum[0], sum[1], sum[2]) = (row.count, row.zeroCount, row.sum)
        guard let start = buckets.baseAddress else { return }
        for run in last.runs {
            (sum + run.target).update(from: start + (row.bucketStart &+ run.source), count: run.length)
        }
    }

    @inline(__always)
    private static func add(_ value: Double, to sum: UnsafeMutablePointer<Double>, _ rest: UnsafeMutablePointer<Double>) {
        var both = CompensatedSum(sum.pointee, compensation: rest.pointee)
        both.add(value)
        (sum.pointee, rest.pointee) = (both.sum, both.compensation)
    }

    /// Lets the bound of a step grow by the numbers of a row; `false`, and nothing changed, where it would reach `limit`.
    func grow(
        bound step: Int, by row: HistogramRows.Row, _ buckets: UnsafeBufferPointer<Double>, below limit: Double
    ) -> Bool {
        var size = steps[step].bound + row.count.magnitude + row.zeroCount.magnitude + row.sum.magnitude
        for run in last.runs {
            let first = row.bucketStart &+ run.source
            for place in first..<(first &+ run.length) { size += buckets[place].magnitude }
        }
        // NaN is no number to stay below anything.
        guard size < limit else { return false }
        steps[step].bound = size
        return true
    }

    // MARK: Results

    /// Sum and remainders of a step, which leaves the table.
    func take(_ step: Int) -> (total: FloatHistogram, compensation: FloatHistogram) {
        steps[step].isGone = true
        return (histogram(sums, step), histogram(remainders, step))
    }

    private func histogram(_ numbers: UnsafeMutablePointer<Double>, _ step: Int) -> FloatHistogram {
        let row = UnsafeBufferPointer(start: numbers + step &* width, count: width)
        let middle = Self.head &+ layout.positiveCount
        return FloatHistogram(
            hint: steps[step].hint, schema: layout.schema, zeroThreshold: layout.zeroThreshold, zeroCount: row[1],
            count: row[0], sum: row[2], positiveSpans: layout.positiveSpans, negativeSpans: layout.negativeSpans,
            positiveBuckets: Array(row[Self.head..<middle]), negativeBuckets: Array(row[middle...]),
            customBounds: layout.customBounds)
    }

    /// Writes the result of `step` into `rows`: the sum, or divided by `divisor` the mean.
    func write(_ step: Int, dividedBy divisor: Double?, into rows: inout HistogramRows) {
        let sum = sums + step &* width, rest = remainders + step &* width, isAlone = steps[step].count == 1
        @inline(__always) func total(_ place: Int) -> Double {
            // One alone has lost nothing, not even the sign of a zero.
            if isAlone { return sum[place] / (divisor ?? 1) }
            if let divisor { return sum[place] / divisor + rest[place] / divisor }
            return sum[place] + rest[place]
        }
        let number = rows.begin(layout)
        rows.append(
            sample: step, layout: number, hint: steps[step].hint, count: total(0), zeroCount: total(1), sum: total(2),
            leavesOutEmpty: true
        ) { target in
            for place in 0..<target.count { target[place] = total(Self.head &+ place) }
        }
    }
}
