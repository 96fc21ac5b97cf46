import Histograms
import TSDB

/// What happened between two histograms of one layout: the later row minus the earlier one, bucket by bucket, from one table straight into
/// another.
///
///     later     3  5  2  9
///     earlier   3  4  2  7
///               0  1  0  2     × factor       a row of the column; who asks for it as a value gets it without the zeros
///
/// No histogram is made: a `rate` over thousands of them is subtractions, and a `sum` of it additions (`HistogramSumTable`).
extension StepColumn {
    /// Step `step` is the difference of samples `first` and `last`, both histograms of one layout, each number of it changed by `scale`.
    @inline(__always)
    mutating func set(
        _ step: Int, from first: Int, to last: Int, of samples: NativeSamples, scale: (Double) -> Double
    ) {
        let first = samples.rows[samples.row(of: first)], last = samples.rows[samples.row(of: last)]
        let layout = begin(samples.layouts[Int(last.layout)])
        set(
            step, layout: layout, count: scale(last.count - first.count),
            zeroCount: scale(last.zeroCount - first.zeroCount),
            sum: scale(last.sum - first.sum)
        ) { target in
            samples.buckets.withUnsafeBufferPointer { all in
                for place in 0..<target.count {
                    target[place] = scale(all[last.bucketStart &+ place] - all[first.bucketStart &+ place])
                }
            }
        }
    }
}
