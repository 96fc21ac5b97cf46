import Histograms

/// Native histograms beside the floats of a column (the samples of a series, or the steps of a query), as rows of one table: all buckets
/// behind each other, and what neighbours have in common — schema, spans, bounds — kept once.
///
///     samples   0      1      2      3            layouts   A: schema 3, spans …     B: schema 2, …
///     rowOf     −1     0      1      2            rows      A │ count sum … │ bucketStart 0
///               float                                       A │ count sum … │ bucketStart 9
///                                                           B │ count sum … │ bucketStart 18
///     buckets   [ 9 of row 0 ][ 9 of row 1 ][ 7 of row 2 ]      positive ones first, then negative ones; absolute
///
/// A chunk has one layout, so decoding one costs no allocation per sample, and two rows of one layout are compared, subtracted and added bucket
/// by bucket. Two samples may be one row.
///
/// Invariant: a row has as many buckets as its layout's spans name.
public struct HistogramRows: Sendable {
    /// What is the same in all histograms of a chunk. Immutable; compare by identity first.
    public final class Layout: Sendable {
        public let schema: Int32
        public let zeroThreshold: Double
        public let positiveSpans: [BucketSpan]
        public let negativeSpans: [BucketSpan]
        public let customBounds: [Double]
        /// Buckets that the spans name.
        public let positiveCount: Int
        public let negativeCount: Int

        public init(
            schema: Int32, zeroThreshold: Double, positiveSpans: [BucketSpan], negativeSpans: [BucketSpan],
            customBounds: [Double]
        ) {
            self.schema = schema
            self.zeroThreshold = zeroThreshold
            self.positiveSpans = positiveSpans
            self.negativeSpans = negativeSpans
            self.customBounds = customBounds
            positiveCount = positiveSpans.reduce(0) { $0 &+ Int($1.length) }
            negativeCount = negativeSpans.reduce(0) { $0 &+ Int($1.length) }
        }

        public convenience init(of histogram: FloatHistogram) {
            self.init(
                schema: histogram.schema, zeroThreshold: histogram.zeroThreshold, positiveSpans: histogram.positiveSpans,
                negativeSpans: histogram.negativeSpans, customBounds: histogram.customBounds)
        }

        public var bucketCount: Int { positiveCount &+ negativeCount }

        public func isEqual(_ other: Layout) -> Bool {
            self === other
                || schema == other.schema && zeroThreshold.bitPattern == other.zeroThreshold.bitPattern
                    && positiveSpans == other.positiveSpans && negativeSpans == other.negativeSpans
                    && customBounds == other.customBounds
        }
    }

    public struct Row: Sendable, BitwiseCopyable {
        /// Index into `layouts`.
        public var layout: Int32
        public var hint: CounterResetHint
        /// Buckets of 0 are none of the histogram's: it was computed, and nobody has looked for them yet.
        public var leavesOutEmpty: Bool
        /// Index into `buckets` of the first.
        public var bucketStart: Int
        public var count: Double
        public var zeroCount: Double
        public var sum: Double
    }

    /// Row of each sample, −1 for a float. May be shorter than the columns: what is behind its end is a float.
    public private(set) var rowOf: [Int32] = []
    public private(set) var rows: [Row] = []
    public private(set) var layouts: [Layout] = []
    /// Those of all rows; what stands behind the last row's means nothing.
    public private(set) var buckets: [Double] = []
    /// Buckets that belong to rows.
    private var usedBuckets = 0
    /// Buckets of a row of each layout.
    private var sizes: [Int] = []

    public init() {}

    /// No sample is a histogram.
    @inlinable @inline(__always)
    public var isEmpty: Bool { rowOf.isEmpty }

    /// The row of sample `index`, −1 for a float.
    @inlinable @inline(__always)
    public func row(of index: Int) -> Int { index < rowOf.count ? Int(rowOf[index]) : -1 }

    public mutating func removeAll() {
        guard !rowOf.isEmpty || !layouts.isEmpty else { return }
        rowOf.removeAll(keepingCapacity: true)
        rows.removeAll(keepingCapacity: true)
        layouts.removeAll(keepingCapacity: true)
        sizes.removeAll(keepingCapacity: true)
        usedBuckets = 0
    }

    /// Makes `layout` the one of the rows that come; returns its number.
    public mutating func begin(_ layout: Layout) -> Int32 {
        if let last = layouts.last, last.isEqual(layout) { return Int32(truncatingIfNeeded: layouts.count &- 1) }
        layouts.append(layout)
        sizes.append(layout.bucketCount)
        return Int32(truncatingIfNeeded: layouts.count &- 1)
    }

    /// Makes sample `index` a histogram of the layout begun last. `fill` writes its buckets, as many as the layout has.
    @inline(__always)
    public mutating func append(
        sample index: Int, layout: Int32, hint: CounterResetHint, count: Double, zeroCount: Double, sum: Double,
        leavesOutEmpty: Bool = false, fill: (UnsafeMutableBufferPointer<Double>) -> Void
    ) {
        let start = usedBuckets, size = sizes[Int(layout)]
        rows.append(
            Row(
                layout: layout, hint: hint, leavesOutEmpty: leavesOutEmpty, bucketStart: start, count: count,
                zeroCount: zeroCount, sum: sum))
        put(row: rows.count &- 1, at: index)
        guard size > 0 else { return }
        usedBuckets = start &+ size
        if usedBuckets > buckets.count {
            buckets.append(contentsOf: repeatElement(0, count: max(usedBuckets &- buckets.count, buckets.count, 512)))
        }
        buckets.withUnsafeMutableBufferPointer { all in
            fill(UnsafeMutableBufferPointer(rebasing: all[start..<(start &+ size)]))
        }
    }

    /// Makes sample `index` the histogram that row `row` is.
    @inline(__always)
    public mutating func put(row: Int, at index: Int) {
        while rowOf.count <= index { rowOf.append(-1) }
        rowOf[index] = Int32(truncatingIfNeeded: row)
    }

    /// Makes sample `index` a float.
    public mutating func remove(sample index: Int) {
        if index < rowOf.count { rowOf[index] = -1 }
    }

    /// Makes sample `index` this histogram, which must be valid.
    public mutating func append(sample index: Int, _ histogram: FloatHistogram) {
        let layout = begin(Layout(of: histogram))
        append(
            sample: index, layout: layout, hint: histogram.hint, count: histogram.count, zeroCount: histogram.zeroCount,
            sum: histogram.sum
        ) { target in
            for (place, value) in zip(target.indices, histogram.positiveBuckets) { target[place] = value }
            let negative = target.dropFirst(histogram.positiveBuckets.count)
            for (place, value) in zip(negative.indices, histogram.negativeBuckets) { target[place] = value }
        }
    }

    /// Makes sample `index` a copy of row `row` of `other`.
    public mutating func append(sample index: Int, row: Int, of other: HistogramRows) {
        let source = other.rows[row]
        let layout = begin(other.layouts[Int(source.layout)])
        append(
            sample: index, layout: layout, hint: source.hint, count: source.count, zeroCount: source.zeroCount,
            sum: source.sum, leavesOutEmpty: source.leavesOutEmpty
        ) { target in
            other.buckets.withUnsafeBufferPointer { all in
                _ = target.update(fromContentsOf: all[source.bucketStart..<(source.bucketStart &+ target.count)])
            }
        }
    }

    /// Row `index` as a value of its own.
    public func histogram(row index: Int) -> FloatHistogram {
        let row = rows[index]
        let layout = layouts[Int(row.layout)]
        let middle = row.bucketStart &+ layout.positiveCount
        var histogram = FloatHistogram(
            hint: row.hint, schema: layout.schema, zeroThreshold: layout.zeroThreshold, zeroCount: row.zeroCount,
            count: row.count, sum: row.sum, positiveSpans: layout.positiveSpans, negativeSpans: layout.negativeSpans,
            positiveBuckets: Array(buckets[row.bucketStart..<middle]),
            negativeBuckets: Array(buckets[middle..<(middle &+ layout.negativeCount)]), customBounds: layout.customBounds)
        if row.leavesOutEmpty { histogram.compact() }
        return histogram
    }

    /// The histogram that sample `index` is; `nil` where it is a float.
    public func histogram(sample index: Int) -> FloatHistogram? {
        let row = row(of: index)
        return row < 0 ? nil : histogram(row: row)
    }

    /// Samples move: what was at `from ..< from + count` is now at `to…`, `to ≤ from`. Rows nobody names any more stay until `removeAll`.
    mutating func move(from: Int, count: Int, to: Int) {
        guard !rowOf.isEmpty, from != to else { return }
        for offset in 0..<count {
            let row = from &+ offset < rowOf.count ? rowOf[from &+ offset] : -1
            if to &+ offset < rowOf.count {
                rowOf[to &+ offset] = row
            } else if row >= 0 {
                while rowOf.count < to &+ offset { rowOf.append(-1) }
                rowOf.append(row)
            }
        }
    }

    mutating func truncate(to count: Int) {
        if rowOf.count > count { rowOf.removeLast(rowOf.count &- count) }
    }
}
