import TSDB

// The wrong parts that `EngineFault` builds in. Each is as simple as the mistake it stands for.

/// From the first sample to the last, resets included, and not a step further.
struct PlainIncrease: WindowFunction {
    static let minimumCount = 2
    let divisor: Double

    func value(_ times: UnsafePointer<Int64>, _ values: UnsafePointer<Double>, count: Int, step: Int) -> Double {
        var increase = values[count &- 1] - values[0]
        for index in 1..<count where values[index] < values[index &- 1] { increase += values[index &- 1] }
        return increase / divisor
    }
}

/// Every series has the values of the one at the other end of the list.
struct Misplaced: VectorOperator {
    let inner: any VectorOperator

    var count: Int { inner.count }
    var canFail: Bool { inner.canFail }
    func labels(at index: Int) -> Labels { inner.labels(at: index) }
    func dropsName(at index: Int) -> Bool { inner.dropsName(at: index) }

    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        try inner.fill(inner.count &- 1 &- index, into: &column, scratch: scratch)
    }
}

final class PlainSum: Fold {
    static let planes = 0
    static let histograms = HistogramFold.Treatment.added
    init(groups: Int, steps: Int) {}

    func add(
        _ column: borrowing StepColumn, to row: UnsafeMutablePointer<Double>,
        _ presence: UnsafeMutablePointer<UInt64>, group: Int
    ) {
        let values = column.values
        column.forEachPresent { step in row[step] += values[step] }
    }

    func finish(_ row: UnsafeMutablePointer<Double>, group: Int, steps: Int) {}
}

final class AverageOfAll: Fold {
    static let planes = 0
    static let histograms = HistogramFold.Treatment.averaged
    private var sizes: [Int]

    init(groups: Int, steps: Int) { sizes = Array(repeating: 0, count: groups) }

    func add(
        _ column: borrowing StepColumn, to row: UnsafeMutablePointer<Double>,
        _ presence: UnsafeMutablePointer<UInt64>, group: Int
    ) {
        sizes[group] += 1
        let values = column.values
        column.forEachPresent { step in row[step] += values[step] }
    }

    func finish(_ row: UnsafeMutablePointer<Double>, group: Int, steps: Int) {
        for step in 0..<steps { row[step] /= Double(max(1, sizes[group])) }
    }
}

/// Storage that has never heard of stale markers.
struct UnmarkedStorage: Queryable {
    let inner: any Queryable

    func select(_ matchers: [Matcher], from: Timestamp, through: Timestamp) throws(TSDBError) -> any SeriesSet {
        UnmarkedSeries(inner: try inner.select(matchers, from: from, through: through))
    }

    func select(
        _ matchers: [Matcher], from: Timestamp, through: Timestamp, stop: StopCheck
    ) throws(TSDBError) -> any SeriesSet {
        UnmarkedSeries(inner: try inner.select(matchers, from: from, through: through, stop: stop))
    }

    func labelNames(_ matchers: [Matcher], from: Timestamp, through: Timestamp) throws(TSDBError) -> [String] {
        try inner.labelNames(matchers, from: from, through: through)
    }

    func labelValues(
        _ name: String, _ matchers: [Matcher], from: Timestamp, through: Timestamp
    ) throws(TSDBError) -> [String] {
        try inner.labelValues(name, matchers, from: from, through: through)
    }
}

private struct UnmarkedSeries: SeriesSet {
    let inner: any SeriesSet

    var count: Int { inner.count }
    func labels(at index: Int) -> Labels { inner.labels(at: index) }
    func groups(_ grouping: Grouping) -> Groups { inner.groups(grouping) }

    func decode(_ index: Int, from: Int64, through: Int64, into columns: inout SampleColumns) throws(TSDBError) {
        let start = columns.count
        try inner.decode(index, from: from, through: through, into: &columns)
        var kept = start
        for at in start..<columns.count where !StaleMarker.isStale(columns.values[at]) {
            columns.timestamps[kept] = columns.timestamps[at]
            columns.values[kept] = columns.values[at]
            kept += 1
        }
        columns.truncate(to: kept)
    }
}
