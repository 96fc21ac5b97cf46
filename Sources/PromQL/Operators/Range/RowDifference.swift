import Histograms
import TSDB

/// What happened between two histograms of one kind: the later row minus the earlier one, bucket by bucket, from one table straight into
/// another.
///
///     later     3  5  2  9  4        a bucket that only the later one has began at 0
///     earlier   3  4  2  7
///               0  1  0  2  4        × factor: a row of the column; who asks for it as a value gets it without the zeros
///
/// No histogram is made: a `rate` over thousands of them is subtractions, and a `sum` of it additions (`HistogramSumTable`). How the buckets of
/// two layouts lie to each other is found out once for all windows that begin in the one and end in the other.
///
/// Source: upstream's subtraction of histograms, of which this is the case without resets, reductions and reconciliations.
struct RowDifference {
    /// The number in the column of the layout that differences have now, and which of the samples' layouts that is.
    private var begun: (number: Int32, later: Int32) = (-1, -1)
    private var pair: (earlier: Int32, later: Int32) = (-1, -1)
    /// The earlier layout's buckets among the later one's; `nil`: some are not there.
    private var runs: [Run]? = nil

    private struct Run: BitwiseCopyable {
        var earlier: Int
        var later: Int
        var length: Int
    }

    /// Whether samples `first` and `last`, histograms of one kind, have a difference of the later one's layout.
    @inline(__always)
    mutating func prepare(_ first: Int, _ last: Int, _ samples: NativeSamples) -> Bool {
        let earlier = samples.rows[samples.row(of: first)].layout, later = samples.rows[samples.row(of: last)].layout
        if earlier == later { return true }
        if pair != (earlier, later) {
            pair = (earlier, later)
            runs = Self.runs(of: samples.layouts[Int(earlier)], in: samples.layouts[Int(later)])
        }
        return runs != nil
    }

    private static func runs(of earlier: HistogramRows.Layout, in later: HistogramRows.Layout) -> [Run]? {
        var result: [Run] = []
        for (inner, innerCount, outer, outerCount, innerStart, outerStart) in [
            (earlier.positiveSpans, earlier.positiveCount, later.positiveSpans, later.positiveCount, 0, 0),
            (
                earlier.negativeSpans, earlier.negativeCount, later.negativeSpans, later.negativeCount,
                earlier.positiveCount, later.positiveCount
            ),
        ] {
            let outerRuns = BucketRun.all(of: outer, count: outerCount)
            var position = 0
            for run in BucketRun.all(of: inner, count: innerCount) {
                guard let place = run.place(in: outerRuns, from: &position) else { return nil }
                result.append(Run(earlier: innerStart + run.place, later: outerStart + place, length: run.length))
            }
        }
        return result
    }

    /// What becomes of every number of a difference.
    enum Scale {
        case times(Double)
        case over(Double)

        @inline(__always)
        func of(_ value: Double) -> Double {
            switch self {
            case .times(let factor): value * factor
            case .over(let divisor): value / divisor
            }
        }
    }

    /// Makes step `step` of `column` the difference of samples `first` and `last`, which `prepare` has accepted, scaled.
    @inline(__always)
    mutating func set(
        _ step: Int, of column: inout StepColumn, from first: Int, to last: Int, _ samples: NativeSamples,
        _ scale: Scale
    ) {
        let first = samples.rows[samples.row(of: first)], last = samples.rows[samples.row(of: last)]
        if begun.later != last.layout { begun = (column.begin(samples.layouts[Int(last.layout)]), last.layout) }
        let others = first.layout == last.layout ? nil : runs
        column.set(
            step, layout: begun.number, count: scale.of(last.count - first.count),
            zeroCount: scale.of(last.zeroCount - first.zeroCount), sum: scale.of(last.sum - first.sum)
        ) { target in
            samples.buckets.withUnsafeBufferPointer { all in
                guard let start = all.baseAddress else { return }
                let earlier = start + first.bucketStart, later = start + last.bucketStart
                // The choice stands outside of the loops.
                switch scale {
                case .times(let factor): Self.subtract(earlier, from: later, into: target, others) { $0 * factor }
                case .over(let divisor): Self.subtract(earlier, from: later, into: target, others) { $0 / divisor }
                }
            }
        }
    }

    /// `runs`: where the earlier buckets lie among the later ones; `nil`: in the same places.
    @inline(__always)
    private static func subtract(
        _ earlier: UnsafePointer<Double>, from later: UnsafePointer<Double>,
        into target: UnsafeMutableBufferPointer<Double>,
        _ runs: [Run]?, scale: (Double) -> Double
    ) {
        guard let result = target.baseAddress else { return }
        guard let runs else {
            for place in 0..<target.count { result[place] = scale(later[place] - earlier[place]) }
            return
        }
        for place in 0..<target.count { result[place] = scale(later[place]) }
        for run in runs {
            for place in 0..<run.length {
                result[run.later &+ place] = scale(later[run.later &+ place] - earlier[run.earlier &+ place])
            }
        }
    }
}
