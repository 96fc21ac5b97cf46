import Histograms
import Synchronization
import TSDB

/// Series in a dictionary: storage for tests that are not about storage.
///
/// Takes samples in any order, keeps each series sorted by time, and answers selections by trying every matcher on every
/// series. Independent of the head and of blocks on purpose: what a query answers over it was decided by the query engine alone.
///
/// Native histograms come out with the counter-reset hints that a head's chunks would give them (`ChunkHints`), and a stale marker behind a
/// histogram is a histogram, too.
///
/// Invariants: per series times are strictly ascending (of two samples at one time the later written stays); series keep the order
/// in which they were first written.
public final class MemorySeries: Queryable {
    private struct Contents {
        var order: [Labels] = []
        var rows: [Labels: Row] = [:]

        mutating func withRow(_ labels: Labels, _ change: (inout Row) -> Void) {
            if rows[labels] == nil { order.append(labels) }
            change(&rows[labels, default: Row()])
        }
    }

    struct Row: Sendable {
        fileprivate(set) var timestamps: [Int64] = []
        fileprivate(set) var values: [Double] = []
        /// Empty, or a place per sample: the native histograms, as they were written.
        fileprivate(set) var histograms: [FloatHistogram?] = []
        /// The same with the hints that a reader gets; empty until someone reads.
        fileprivate var shown: [FloatHistogram?] = []
        /// When counts began, by the sample's time.
        fileprivate var starts: [Int64: Int64] = [:]

        fileprivate mutating func put(_ timestamp: Int64, _ value: Double, _ histogram: FloatHistogram?) {
            shown = []
            let isNew: Bool, index: Int
            if let last = timestamps.last, timestamp <= last {
                index = timestamps.partitioningIndex { $0 >= timestamp }
                isNew = timestamps[index] != timestamp
            } else {
                index = timestamps.count
                isNew = true
            }
            if isNew {
                timestamps.insert(timestamp, at: index)
                values.insert(value, at: index)
                if !histograms.isEmpty { histograms.insert(nil, at: index) }
            }
            values[index] = value
            if histogram != nil && histograms.isEmpty { histograms = Array(repeating: nil, count: values.count) }
            if !histograms.isEmpty { histograms[index] = histogram }
        }

        fileprivate mutating func show() {
            if shown.count != histograms.count { shown = ChunkHints.shown(histograms, values) }
        }

        func hasSamples(from: Int64, through: Int64) -> Bool {
            let index = timestamps.partitioningIndex { $0 >= from }
            return index < timestamps.count && timestamps[index] <= through
        }
    }

    private let contents = Mutex(Contents())

    public init() {}

    /// `timestamp` in milliseconds since the epoch.
    public func append(_ labels: Labels, _ timestamp: Int64, _ value: Double) {
        contents.withLock { contents in contents.withRow(labels) { $0.put(timestamp, value, nil) } }
    }

    /// A native histogram, which must be valid.
    public func append(_ labels: Labels, _ timestamp: Int64, _ histogram: FloatHistogram) {
        contents.withLock { contents in contents.withRow(labels) { $0.put(timestamp, histogram.sum, histogram) } }
    }

    /// When the count of the sample at `timestamp` began; 0 is not known.
    public func setStart(_ labels: Labels, _ timestamp: Int64, _ start: Int64) {
        contents.withLock { contents in contents.withRow(labels) { $0.starts[timestamp] = start } }
    }

    public func removeAll() { contents.withLock { $0 = Contents() } }

    public var seriesCount: Int { contents.withLock { $0.order.count } }

    public func select(_ matchers: [Matcher], from: Timestamp, through: Timestamp) throws(TSDBError) -> any SeriesSet {
        contents.withLock { contents in
            var labels: [Labels] = [], rows: [Row] = []
            for candidate in contents.order where matchers.allSatisfy({ $0.matches(candidate) }) {
                contents.rows[candidate]?.show()
                guard let row = contents.rows[candidate],
                    row.hasSamples(from: from.milliseconds, through: through.milliseconds)
                else { continue }
                labels.append(candidate)
                rows.append(row)
            }
            return MemorySeriesSet(allLabels: labels, rows: rows)
        }
    }

    public func labelNames(
        _ matchers: [Matcher], from: Timestamp, through: Timestamp
    ) throws(TSDBError) -> [String] {
        let set = try select(matchers, from: from, through: through)
        var names: Set<String> = []
        for index in 0..<set.count { names.formUnion(set.labels(at: index).pairs.map(\.name)) }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    public func labelValues(
        _ name: String, _ matchers: [Matcher], from: Timestamp, through: Timestamp
    ) throws(TSDBError) -> [String] {
        let set = try select(matchers, from: from, through: through)
        let values = Set((0..<set.count).compactMap { set.labels(at: $0)[name] })
        return values.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}

private struct MemorySeriesSet: SeriesSet {
    let allLabels: [Labels]
    let rows: [MemorySeries.Row]

    var count: Int { allLabels.count }

    func labels(at index: Int) -> Labels { allLabels[index] }

    func decode(_ index: Int, from: Int64, through: Int64, into columns: inout SampleColumns) throws(TSDBError) {
        let row = rows[index]
        var position = row.timestamps.partitioningIndex { $0 >= from }
        while position < row.timestamps.count && row.timestamps[position] <= through {
            if !row.shown.isEmpty, let histogram = row.shown[position] {
                columns.append(row.timestamps[position], histogram)
            } else {
                columns.append(row.timestamps[position], row.values[position])
            }
            if columns.readsStarts, let start = row.starts[row.timestamps[position]] {
                columns.setStart(start, ofSample: columns.count - 1)
            }
            position += 1
        }
    }
}

extension [Int64] {
    /// The first index whose element satisfies `isBehind`, which must hold for all that follow; else `count`.
    fileprivate func partitioningIndex(_ isBehind: (Int64) -> Bool) -> Int {
        var low = 0, high = count
        while low < high {
            let middle = low + (high - low) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
