import Histograms
import TSDB

/// What native histograms count for against the bounds of a query.
///
///     a float        16 bytes: time and value      1 sample
///     a histogram    its fields and its lists      (bytes + 8) / 16 samples, at least 11
///
/// Upstream's numbers (`HPoint.size`, `FloatHistogram.Size`): `--query.max-samples` and `stats=all` mean the same there and here.
extension FloatHistogram {
    /// Bytes of a histogram in Go without its lists.
    fileprivate static let bareBytes = 168

    /// Bytes with all lists; about what it takes here, too.
    var byteCount: Int {
        Self.bareBytes &+ 8
            &* (positiveSpans.count &+ negativeSpans.count &+ positiveBuckets.count &+ negativeBuckets.count
                &+ customBounds.count)
    }

    /// Samples that it counts for.
    var sampleCount: Int { (byteCount &+ 8) / 16 }
}

extension StepColumn {
    /// Samples that the histograms of the column count for beyond one each, which presence has counted.
    var histogramWeight: Int {
        guard hasHistograms else { return 0 }
        var weight = 0
        for step in 0..<count where isPresent(step) {
            if isHistogram(step) { weight &+= histograms.sampleCount(step) &- 1 }
        }
        return weight
    }
}

extension HistogramRows.Layout {
    /// Samples that a histogram of this layout counts for.
    var sampleCount: Int {
        let lists = positiveSpans.count &+ negativeSpans.count &+ bucketCount &+ customBounds.count
        return (FloatHistogram.bareBytes &+ 8 &* lists &+ 8) / 16
    }
}

extension HistogramRows {
    /// Samples that sample `index` counts for: 1 for a float. Of one that leaves out empty buckets it is what it takes, not what is left.
    func sampleCount(_ index: Int) -> Int {
        let row = row(of: index)
        return row < 0 ? 1 : layouts[Int(rows[row].layout)].sampleCount
    }
}

extension QueryContext {
    /// The same for samples of a range.
    func reserve(histogramsOf samples: borrowing SampleColumns) throws(QueryError) {
        guard !samples.histograms.isEmpty else { return }
        var weight = 0
        for index in 0..<samples.count { weight &+= samples.histograms.sampleCount(index) &- 1 }
        try reserve(samples: weight)
        try reserve(bytes: weight &* 16)
    }

    /// Counts the histograms of a column that is about to be held, beyond what was counted for floats.
    func reserve(histogramsOf column: borrowing StepColumn) throws(QueryError) {
        guard column.hasHistograms else { return }
        let weight = column.histogramWeight
        try reserve(samples: weight)
        try reserve(bytes: weight &* 16)
    }
}
