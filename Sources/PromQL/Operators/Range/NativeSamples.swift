import Histograms
import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The samples of one series of which some or all are native histograms: what the kernels of histograms work on.
///
///     times      t₀   t₁   t₂   t₃   t₄
///     kind       f    H    H    H    f           row(of: 1) = 0 …, −1 for a float
///     layout          A    A    B                neighbours of one layout are compared and subtracted bucket by bucket,
///                                                without making a histogram of either
///
/// Holds the storage of `scratch.samples` while a series is worked on, no longer.
struct NativeSamples {
    let times: UnsafePointer<Int64>
    /// A histogram has its sum here.
    let values: UnsafePointer<Double>
    let count: Int
    let starts: SampleStarts
    private let table: HistogramRows
    private let rowOf: [Int32]
    let rows: [HistogramRows.Row]
    let layouts: [HistogramRows.Layout]
    let buckets: [Double]
    /// Per layout: no bucket of it lies in its own zero bucket. (Where one does, sums and comparisons skip it.)
    private let isPlain: [Bool]

    init(_ samples: borrowing SampleColumns) {
        times = UnsafePointer(samples.timestamps)
        values = UnsafePointer(samples.values)
        count = samples.count
        starts = SampleStarts(samples)
        table = samples.histograms
        rowOf = table.rowOf
        rows = table.rows
        layouts = table.layouts
        buckets = table.buckets
        isPlain = layouts.map(\.isPlain)
    }

    /// As kernels of floats see them; to be asked about floats only.
    var floats: WindowSamples { WindowSamples(times: times, values: values, count: count) }

    /// The row of sample `index`, −1 for a float.
    @inline(__always)
    func row(of index: Int) -> Int { index < rowOf.count ? Int(rowOf[index]) : -1 }

    @inline(__always)
    func isHistogram(_ index: Int) -> Bool { row(of: index) >= 0 }

    /// Sample `index`, which is a histogram.
    func histogram(_ index: Int) -> FloatHistogram { table.histogram(row: row(of: index)) }

    @inline(__always)
    func hint(_ index: Int) -> CounterResetHint { rows[row(of: index)].hint }

    func layout(_ index: Int) -> HistogramRows.Layout { layouts[Int(rows[row(of: index)].layout)] }

    /// Whether samples `index − 1` and `index`, both histograms, have one layout and no bucket in their zero bucket.
    @inline(__always)
    func areAlike(_ index: Int) -> Bool { areAlike(rows[row(of: index &- 1)], rows[row(of: index)]) }

    /// Whether samples `index − 1` and `index`, both histograms, have the same kind of buckets, each its own selection, and none of them in
    /// their zero bucket.
    func areOfOneKind(_ index: Int) -> Bool {
        let before = rows[row(of: index &- 1)].layout, after = rows[row(of: index)].layout
        guard isPlain[Int(before)], isPlain[Int(after)] else { return false }
        return before == after || layouts[Int(after)].isOfOneKind(with: layouts[Int(before)])
    }

    @inline(__always)
    private func areAlike(_ a: HistogramRows.Row, _ b: HistogramRows.Row) -> Bool {
        a.layout == b.layout && isPlain[Int(a.layout)]
    }

    /// Whether the counter began again between samples `index − 1` and `index`, both histograms.
    func isReset(_ index: Int) -> Bool {
        if starts.beganAgain(index) { return true }
        let row = rows[row(of: index)], before = rows[self.row(of: index &- 1)]
        switch row.hint {
        case .reset: return true
        case .notReset: return false
        // A gauge is no counter, but whoever takes it for one gets what a counter's falls would give.
        case .unknown, .gauge: break
        }
        guard areAlike(before, row) else { return histogram(index).detectsReset(since: histogram(index &- 1)) }
        if row.count < before.count || row.zeroCount < before.zeroCount { return true }
        return buckets.withUnsafeBufferPointer { all in
            var falls = 0
            for bucket in 0..<layouts[Int(row.layout)].bucketCount {
                falls &+= all[row.bucketStart &+ bucket] < all[before.bucketStart &+ bucket] ? 1 : 0
            }
            return falls > 0
        }
    }

    /// Whether samples `index − 1` and `index`, both histograms, differ, to the bit.
    func isChange(_ index: Int) -> Bool {
        let row = rows[row(of: index)], before = rows[self.row(of: index &- 1)]
        guard row.layout == before.layout else { return !histogram(index).isEquivalent(to: histogram(index &- 1)) }
        if row.count.bitPattern != before.count.bitPattern || row.sum.bitPattern != before.sum.bitPattern
            || row.zeroCount.bitPattern != before.zeroCount.bitPattern
        {
            return true
        }
        return buckets.withUnsafeBufferPointer { all in
            for bucket in 0..<layouts[Int(row.layout)].bucketCount
            where all[row.bucketStart &+ bucket].bitPattern != all[before.bucketStart &+ bucket].bitPattern {
                return true
            }
            return false
        }
    }
}

extension HistogramRows.Layout {
    var hasCustomBounds: Bool { schema == FloatHistogram.customSchema }

    /// The same schema, zero bucket and bounds.
    func isOfOneKind(with other: HistogramRows.Layout) -> Bool {
        schema == other.schema && zeroThreshold.bitPattern == other.zeroThreshold.bitPattern
            && customBounds.elementsEqual(other.customBounds) { $0.bitPattern == $1.bitPattern }
    }

    /// No bucket that the spans name ends within the zero bucket. In doubt, `false`.
    var isPlain: Bool {
        guard !hasCustomBounds else { return true }
        for spans in [positiveSpans, negativeSpans] {
            guard let first = spans.first else { continue }
            if FloatHistogram.bound(of: first.offset, schema: schema) <= zeroThreshold * 1.000000001 { return false }
        }
        return true
    }
}

extension FloatHistogram {
    /// About the upper bound of bucket `index`.
    fileprivate static func bound(of index: Int32, schema: Int32) -> Double {
        exp2(schema >= 0 ? Double(index) / Double(1 << schema) : Double(index) * Double(1 << -schema))
    }
}
