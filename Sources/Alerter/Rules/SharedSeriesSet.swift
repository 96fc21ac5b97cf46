import Synchronization
import TSDB

/// A selection that several rules read: each series is decoded once, and sorted into groups once per grouping.
///
///     rule 1  decode(7) ─▶ storage ─▶ ·····│kept: 20 samples│
///     rule 2  decode(7) ─▶ ◀── copied ─────┘
///
/// A narrower range is cut from what is kept. What is kept is bounded; beyond that each reader decodes for itself.
final class SharedSeriesSet: SeriesSet, @unchecked Sendable {
    // Sendable: `columns`, `kept` and `grouped` are touched under `lock` only.

    /// Samples kept of one selection: 8 MiB.
    private static let limit = 1 << 19

    private let inner: any SeriesSet
    private let from: Int64
    private let through: Int64
    private let lock = Mutex(())
    private var columns = SampleColumns()
    /// Where in `columns` the samples of a series stand.
    private var kept: [Range<Int>?]
    private var grouped: [Grouping: Groups] = [:]

    init(_ inner: any SeriesSet, from: Timestamp, through: Timestamp) {
        self.inner = inner
        self.from = from.milliseconds
        self.through = through.milliseconds
        kept = Array(repeating: nil, count: inner.count)
        // For whoever comes; where storage keeps none it costs nothing.
        columns.removeAll(readingStarts: true)
    }

    var count: Int { inner.count }

    func labels(at index: Int) -> Labels { inner.labels(at: index) }

    func groups(_ grouping: Grouping) -> Groups {
        lock.withLock { _ in
            if let known = grouped[grouping] { return known }
            let groups = inner.groups(grouping)
            grouped[grouping] = groups
            return groups
        }
    }

    func chunkTally(_ index: Int, from: Int64, through: Int64) -> ChunkTally {
        inner.chunkTally(index, from: from, through: through)
    }

    func decode(_ index: Int, from: Int64, through: Int64, into target: inout SampleColumns) throws(TSDBError) {
        lock._unsafeLock()
        defer { lock._unsafeUnlock() }
        guard from >= self.from, through <= self.through, kept[index] != nil || columns.count < Self.limit else {
            return try inner.decode(index, from: from, through: through, into: &target)
        }
        let range: Range<Int>
        if let known = kept[index] {
            range = known
        } else {
            let start = columns.count
            try inner.decode(index, from: self.from, through: self.through, into: &columns)
            range = start..<columns.count
            kept[index] = range
        }
        var low = range.lowerBound, high = range.upperBound
        while low < high && columns.timestamps[low] < from { low &+= 1 }
        while high > low && columns.timestamps[high &- 1] > through { high &-= 1 }
        target.append(low..<high, of: columns)
    }
}
