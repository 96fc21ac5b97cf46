import Histograms
import TSDB

/// What happened between two histograms of one layout: the later row minus the earlier one, times a factor, without the buckets in which
/// nothing did.
///
///     later     3  5  2  9              spans (0,2) (1,2)
///     earlier   3  4  2  7
///                  1     2      →       spans (1,1) (2,1)       mask 0101, from the lowest bit: 0 1 0 1
///
/// From step to step the same buckets tend to be busy, so the spans of the last answer are kept with their mask and shared: what is left
/// to do per histogram is a row of subtractions and one allocation.
struct RowDifference {
    private var layout: HistogramRows.Layout?
    private var positive = Side()
    private var negative = Side()

    /// From sample `first` to sample `last`, both histograms of one layout.
    @inline(__always)
    mutating func between(_ first: Int, _ last: Int, _ samples: NativeSamples, times factor: Double) -> FloatHistogram {
        let first = samples.rows[samples.row(of: first)], last = samples.rows[samples.row(of: last)]
        return samples.buckets.withUnsafeBufferPointer { all in
            between(first, last, of: samples.layouts[Int(first.layout)], buckets: all, times: factor)
        }
    }

    private mutating func between(
        _ first: HistogramRows.Row, _ last: HistogramRows.Row, of layout: HistogramRows.Layout,
        buckets: UnsafeBufferPointer<Double>, times factor: Double
    ) -> FloatHistogram {
        if self.layout !== layout {
            self.layout = layout
            positive = Side(layout.positiveSpans, count: layout.positiveCount)
            negative = Side(layout.negativeSpans, count: layout.negativeCount)
        }
        var positiveBuckets: [Double] = [], negativeBuckets: [Double] = []
        // Without any bucket there is nothing to point at.
        if let start = buckets.baseAddress {
            let later = start + last.bucketStart, earlier = start + first.bucketStart
            positiveBuckets = positive.subtract(earlier, from: later, times: factor)
            negativeBuckets = negative.subtract(
                earlier + layout.positiveCount, from: later + layout.positiveCount, times: factor)
        }
        return FloatHistogram(
            hint: .gauge, schema: layout.schema, zeroThreshold: layout.zeroThreshold,
            zeroCount: (last.zeroCount - first.zeroCount) * factor, count: (last.count - first.count) * factor,
            sum: (last.sum - first.sum) * factor, positiveSpans: positive.spans, negativeSpans: negative.spans,
            positiveBuckets: positiveBuckets, negativeBuckets: negativeBuckets, customBounds: layout.customBounds)
    }

    /// The positive or the negative buckets.
    private struct Side {
        /// Of the layout.
        private var allSpans: [BucketSpan] = []
        private var count = 0
        /// A bit per bucket that is in the last answer.
        private var mask: [UInt64] = []
        /// The spans of these, and how many they are.
        private(set) var spans: [BucketSpan] = []
        private var kept = 0

        init() {}

        init(_ spans: [BucketSpan], count: Int) {
            allSpans = spans
            self.count = count
            mask = Array(repeating: 0, count: (count + 63) >> 6)
        }

        mutating func subtract(
            _ earlier: UnsafePointer<Double>, from later: UnsafePointer<Double>, times factor: Double
        ) -> [Double] {
            if count == 0 { return [] }
            if updateMask(earlier, later) { updateSpans() }
            if kept == 0 { return [] }
            return Array(unsafeUninitializedCapacity: kept) { target, initialized in
                initialized = kept
                guard kept < count else {
                    for bucket in 0..<count { target[bucket] = (later[bucket] - earlier[bucket]) * factor }
                    return
                }
                var next = 0
                for word in mask.indices {
                    var bits = mask[word]
                    while bits != 0 {
                        let bucket = word << 6 &+ bits.trailingZeroBitCount
                        target[next] = (later[bucket] - earlier[bucket]) * factor
                        next &+= 1
                        bits &= bits &- 1
                    }
                }
            }
        }

        /// Whether other buckets than the last time have something.
        private mutating func updateMask(_ earlier: UnsafePointer<Double>, _ later: UnsafePointer<Double>) -> Bool {
            var changed: UInt64 = 0
            for word in mask.indices {
                let start = word << 6
                var bits: UInt64 = 0
                for bucket in start..<min(count, start &+ 64) {
                    // NaN, of infinities, is something.
                    let isBusy: UInt64 = later[bucket] - earlier[bucket] != 0 ? 1 : 0
                    bits |= isBusy &<< UInt64(truncatingIfNeeded: bucket &- start)
                }
                changed |= bits ^ mask[word]
                mask[word] = bits
            }
            return changed != 0
        }

        private mutating func updateSpans() {
            spans.removeAll(keepingCapacity: true)
            kept = 0
            var bucket = 0, index = 0, behindLast = 0
            for span in allSpans {
                index &+= Int(span.offset)
                for _ in 0..<span.length {
                    if mask[bucket >> 6] & 1 << UInt64(truncatingIfNeeded: bucket & 63) != 0 {
                        if index == behindLast, !spans.isEmpty {
                            spans[spans.count - 1].length &+= 1
                        } else {
                            let offset = spans.isEmpty ? index : index &- behindLast
                            spans.append(BucketSpan(offset: Int32(truncatingIfNeeded: offset), length: 1))
                        }
                        behindLast = index &+ 1
                        kept &+= 1
                    }
                    bucket &+= 1
                    index &+= 1
                }
            }
        }
    }
}
